// Messages: publish and subscribe.
//
//   RESP      SUBSCRIBE news ──▶ one confirmation a channel, then messages come between the replies
//   native    SUBSCRIBE news as a stream ──▶ how many, then [channel, payload] or [channel, payload, pattern] …
//
// On RESP2 a connection that listens may do little else, since nothing tells messages from replies there;
// that is policy (policy.ts). What may be listened to is said by the grants of a token, as for keys.

import { HiveError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import type { Args } from "../args.ts";
import { type Context, GATE_SUBSCRIBED } from "../context.ts";
import { matchesGlob } from "../glob.ts";
import { type Subscriber, sentOf, type Topic } from "../message-bus.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { ConnectionSubscriber, StreamSubscriber } from "../subscribers.ts";

const WORDS: Readonly<Record<Topic, string>> = { channel: "subscribe", pattern: "psubscribe", shard: "ssubscribe" };

/** @throws {HiveError} INVALID_ARGUMENT: patterns are compared with it, byte by byte. */
export function checkChannel(args: Args, index: number, { channelBytesMax }: Limits): void {
  if (args.length(index) <= channelBytesMax) return;
  const message = `a channel of ${args.length(index)} bytes exceeds channelBytesMax (${channelBytesMax})`;
  throw new HiveError("INVALID_ARGUMENT", message);
}

function publish({ services }: Context, args: Args, reply: Reply): void {
  checkChannel(args, 1, services.limits);
  services.tracking.feeds.tell();
  const sent = sentOf(args.buffer, args.start(2), args.end(2));
  reply.integer(services.bus.publish(args.latin1(1), sent, args.kind(2)));
}

function spublish({ services }: Context, args: Args, reply: Reply): void {
  checkChannel(args, 1, services.limits);
  services.tracking.feeds.tell();
  const sent = sentOf(args.buffer, args.start(2), args.end(2));
  reply.integer(services.bus.publishToShard(args.latin1(1), sent, args.kind(2)));
}

function subscribing(topic: Topic): Row["run"] {
  return (context: Context, args: Args, reply: Reply): void | Promise<void> => {
    if (!context.ordered) return stream(context, args, topic);
    context.subscriber ??= new ConnectionSubscriber(context);
    const { subscriber } = context;
    subscribe(context, subscriber, args, topic);
    context.gate |= GATE_SUBSCRIBED;
    // Confirmations count up as they would if each channel came alone.
    let count = countOf(subscriber, topic) - added.reduce((sum, isNew) => sum + isNew, 0);
    for (let i = 1; i < args.count; i++) {
      count += added[i - 1]!;
      confirm(reply, WORDS[topic], args.bytes(i), count);
    }
  };
}

/** Which of the names of the call under way were new: 1, else 0. */
const added: number[] = [];

/** @throws {HiveError} OVERLOADED, INVALID_ARGUMENT: then it listens to none of them. */
function subscribe(context: Context, subscriber: Subscriber, args: Args, topic: Topic): void {
  const { services } = context;
  const { subscriptionsMax, subscribedBytesMax, patternBytesMax, subscribedPatternBytesMax } = services.limits;
  const names = new Set<string>();
  added.length = 0;
  const before = context.subscribed;
  let bytes = 0;
  for (let i = 1; i < args.count; i++) {
    if (topic === "pattern" && args.length(i) > patternBytesMax) {
      const message = `a pattern of ${args.length(i)} bytes exceeds patternBytesMax (${patternBytesMax})`;
      throw new HiveError("INVALID_ARGUMENT", message);
    }
    if (topic !== "pattern") checkChannel(args, i, services.limits);
    const name = args.latin1(i);
    const isNew = !subscriber.topics[topic].has(name) && !names.has(name);
    added.push(isNew ? 1 : 0);
    if (!isNew) continue;
    names.add(name);
    bytes += name.length;
  }
  if (topic === "pattern" && before.patternBytes + bytes > subscribedPatternBytesMax) {
    const message = `more than subscribedPatternBytesMax (${subscribedPatternBytesMax}) bytes of patterns`;
    throw new HiveError("OVERLOADED", message);
  }
  if (before.names + names.size > subscriptionsMax || before.bytes + bytes > subscribedBytesMax) {
    const message = `more than subscriptionsMax (${subscriptionsMax}) channels or subscribedBytesMax (${subscribedBytesMax}) bytes of names`;
    throw new HiveError("OVERLOADED", message);
  }
  for (const name of names) services.bus.subscribe(subscriber, topic, name);
}

function countOf(subscriber: Subscriber, topic: Topic): number {
  return topic === "shard" ? subscriber.topics.shard.size : subscriber.count;
}

function confirm(reply: Reply, word: string, name: Uint8Array | undefined, count: number): void {
  reply.push(3);
  reply.text(word);
  if (name === undefined) reply.nil();
  else reply.bulk(name, 0, name.length);
  reply.integer(count);
}

/** The native form: it lasts until the reader leaves it, or is too slow. */
function stream(context: Context, args: Args, topic: Topic): Promise<void> {
  const { outflow, services } = context;
  const name = WORDS[topic].toUpperCase();
  if (outflow === undefined) {
    throw new HiveError("UNSUPPORTED", `${name} is a stream on this wire: read it with hive.subscribe()`);
  }
  const leave = (ended: Subscriber): void => {
    context.streams.delete(ended);
    services.bus.leave(ended);
  };
  const subscriber = new StreamSubscriber(outflow, services.limits.subscriberBytesMax, leave);
  try {
    subscribe(context, subscriber, args, topic);
    args.keep();
    outflow.begin(subscriber.total);
  } catch (error) {
    leave(subscriber);
    throw error;
  }
  context.streams.add(subscriber);
  return subscriber.until(context.signal);
}

function unsubscribing(topic: Topic): Row["run"] {
  const word = `${WORDS[topic][0] === "s" && topic === "channel" ? "" : WORDS[topic][0]}unsubscribe`;
  return (context: Context, args: Args, reply: Reply): void => {
    context.subscriber ??= new ConnectionSubscriber(context);
    const { subscriber, services } = context;
    const names = args.count > 1 ? undefined : [...subscriber.topics[topic]];
    const leave = (name: string, bytes: Uint8Array): void => {
      services.bus.unsubscribe(subscriber, topic, name);
      confirm(reply, word, bytes, countOf(subscriber, topic));
    };
    if (names === undefined) for (let i = 1; i < args.count; i++) leave(args.latin1(i), args.bytes(i));
    else if (names.length === 0) confirm(reply, word, undefined, countOf(subscriber, topic));
    else for (const name of names) leave(name, Buffer.from(name, "latin1"));
    if (subscriber.total === 0) context.gate &= ~GATE_SUBSCRIBED;
  };
}

// PUBSUB.

function names(topic: Topic): Row["run"] {
  return ({ services, token }: Context, args: Args, reply: Reply): void => {
    const pattern = args.count > 2 ? args.bytes(2) : undefined;
    if (pattern !== undefined && pattern.length > services.limits.patternBytesMax) {
      const { patternBytesMax } = services.limits;
      throw new HiveError("INVALID_ARGUMENT", `the pattern exceeds patternBytesMax (${patternBytesMax})`);
    }
    const found: Buffer[] = [];
    for (const name of services.bus.names(topic)) {
      if (pattern !== undefined && !matchesGlob(pattern, 0, pattern.length, name, 0, name.length)) continue;
      if (token === undefined || token.grants.covers("read", name, 0, name.length)) found.push(name);
    }
    reply.array(found.length);
    for (const name of found) reply.bulk(name, 0, name.length);
  };
}

function counts(topic: Topic): Row["run"] {
  return ({ services }: Context, args: Args, reply: Reply): void => {
    reply.array(2 * (args.count - 2));
    for (let i = 2; i < args.count; i++) {
      reply.bulk(args.buffer, args.start(i), args.end(i));
      reply.integer(services.bus.listeners(topic, args.latin1(i)));
    }
  };
}

function numPat({ services }: Context, _args: Args, reply: Reply): void {
  reply.integer(services.bus.size("pattern"));
}

const ONE = { first: 1, last: 1, step: 1 } as const;
const ALL = { first: 1, last: -1, step: 1 } as const;
const LISTEN = {
  family: "messages",
  arity: -2,
  flags: ["connection", "mayWait"],
  permission: "read",
  channels: ALL,
} as const;
const LEAVE = { family: "messages", arity: -1, flags: ["connection", "ordered"], permission: "none" } as const;
const PUBSUB = { family: "messages", flags: ["connection"] } as const;

export const MESSAGE_ROWS: readonly Row[] = [
  {
    name: "PUBLISH",
    family: "messages",
    arity: 3,
    flags: ["fast"],
    permission: "write",
    channels: ONE,
    summary: "Sends a message to a channel, and returns how many got it",
    syntax: "channel message",
    run: publish,
  },
  {
    name: "SPUBLISH",
    family: "messages",
    arity: 3,
    flags: ["fast"],
    permission: "write",
    channels: ONE,
    summary: "Sends a message to a shard channel, and returns how many got it",
    syntax: "shardchannel message",
    run: spublish,
  },
  {
    ...LISTEN,
    name: "SUBSCRIBE",
    summary: "Listens to channels",
    syntax: "channel [channel ...]",
    run: subscribing("channel"),
  },
  {
    ...LISTEN,
    name: "PSUBSCRIBE",
    channelPatterns: true,
    summary: "Listens to all channels that patterns match",
    syntax: "pattern [pattern ...]",
    run: subscribing("pattern"),
  },
  {
    ...LISTEN,
    name: "SSUBSCRIBE",
    summary: "Listens to shard channels",
    syntax: "shardchannel [shardchannel ...]",
    run: subscribing("shard"),
  },
  {
    ...LEAVE,
    name: "UNSUBSCRIBE",
    summary: "Listens to channels no more, or to none at all",
    syntax: "[channel [channel ...]]",
    run: unsubscribing("channel"),
  },
  {
    ...LEAVE,
    name: "PUNSUBSCRIBE",
    summary: "Takes patterns back, or all of them",
    syntax: "[pattern [pattern ...]]",
    run: unsubscribing("pattern"),
  },
  {
    ...LEAVE,
    name: "SUNSUBSCRIBE",
    summary: "Listens to shard channels no more, or to none at all",
    syntax: "[shardchannel [shardchannel ...]]",
    run: unsubscribing("shard"),
  },
  {
    name: "PUBSUB",
    family: "messages",
    arity: -2,
    flags: ["connection"],
    permission: "none",
    summary: "Tells which channels somebody listens to",
    syntax: "subcommand [argument ...]",
    subcommands: [
      {
        ...PUBSUB,
        name: "PUBSUB CHANNELS",
        arity: -2,
        permission: "read",
        scope: "own",
        summary: "Returns the channels that somebody listens to",
        syntax: "[pattern]",
        run: names("channel"),
      },
      {
        ...PUBSUB,
        name: "PUBSUB NUMSUB",
        arity: -2,
        permission: "read",
        channels: { first: 2, last: -1, step: 1 },
        summary: "Returns how many listen to each channel, patterns not counted",
        syntax: "[channel [channel ...]]",
        run: counts("channel"),
      },
      {
        ...PUBSUB,
        name: "PUBSUB NUMPAT",
        arity: 2,
        permission: "none",
        summary: "Returns how many different patterns somebody listens to",
        syntax: "",
        run: numPat,
      },
      {
        ...PUBSUB,
        name: "PUBSUB SHARDCHANNELS",
        arity: -2,
        permission: "read",
        scope: "own",
        summary: "Returns the shard channels that somebody listens to",
        syntax: "[pattern]",
        run: names("shard"),
      },
      {
        ...PUBSUB,
        name: "PUBSUB SHARDNUMSUB",
        arity: -2,
        permission: "read",
        channels: { first: 2, last: -1, step: 1 },
        summary: "Returns how many listen to each shard channel",
        syntax: "[shardchannel [shardchannel ...]]",
        run: counts("shard"),
      },
    ],
    run: () => {},
  },
];
