// MessageBus: who listens to which channel, and messages on their way to them.
//
//   publish(channel, payload) ──▶ one Message ──▶ each subscriber of the channel, then of each pattern that matches
//
// A message is one object for all who get it: a door encodes it once a wire and keeps that in it, so that
// a thousand subscribers cost a thousand writes and no more. Channels are names of their own, apart from
// keys, and shard channels (SPUBLISH) are a third kind of name. Nothing is kept: who is not there gets nothing.

import { matchesGlob } from "./glob.ts";
import { Push } from "./push.ts";

/** Which list a subscription stands in. */
export type Topic = "channel" | "pattern" | "shard";

export class Message extends Push {
  readonly topic: Topic;
  /** What matched, where the topic is a pattern. */
  readonly pattern: Buffer | undefined;
  /** Its channel, one character per byte. */
  readonly name: string;
  readonly sent: Sent;
  /** KIND_RAW, KIND_TEXT, KIND_BYTES or KIND_VALUE. */
  readonly payloadKind: number;

  constructor(topic: Topic, pattern: Buffer | undefined, name: string, sent: Sent, payloadKind: number) {
    super();
    this.topic = topic;
    this.pattern = pattern;
    this.name = name;
    this.sent = sent;
    this.payloadKind = payloadKind;
  }

  get channel(): Buffer {
    return Buffer.from(this.name, "latin1");
  }

  get payload(): Buffer {
    return typeof this.sent === "string" ? Buffer.from(this.sent, "latin1") : this.sent;
  }

  /** About what it takes on its way. */
  get bytes(): number {
    return (this.pattern?.length ?? 0) + this.name.length + this.sent.length + MESSAGE_BYTES;
  }
}

/** The bytes of a payload: a string of one character per byte where it is small, which costs no buffer. */
export type Sent = string | Buffer;

/** Up to here a payload is kept as a string. */
const STRING_BYTES_MAX = 2 * 1024;

/** Bytes `start` to `end` as a message keeps them: a copy. */
export function sentOf(bytes: Buffer, start: number, end: number): Sent {
  if (end - start <= STRING_BYTES_MAX) return bytes.latin1Slice(start, end);
  return Buffer.from(bytes.subarray(start, end));
}

const MESSAGE_BYTES = 64;

/** One listener: a connection of RESP, or one subscription of a native client. */
export abstract class Subscriber {
  /** Names, one character per byte. */
  readonly topics: Readonly<Record<Topic, Set<string>>> = {
    channel: new Set(),
    pattern: new Set(),
    shard: new Set(),
  };
  /** Bytes of all names. */
  nameBytes = 0;
  /** Those of its patterns. */
  patternBytes = 0;

  /** Gets each message, in the order in which they were published. Never throws. */
  abstract receive(message: Message): void;

  /** Channels and patterns, as SUBSCRIBE answers. */
  get count(): number {
    return this.topics.channel.size + this.topics.pattern.size;
  }

  get total(): number {
    return this.count + this.topics.shard.size;
  }
}

type Listeners = { name: Buffer; subscribers: Set<Subscriber> };

export class MessageBus {
  readonly #topics: Readonly<Record<Topic, Map<string, Listeners>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
  };

  readonly #channelBytesMax: number;

  /** @param channelBytesMax A channel with a longer name is compared with no pattern: that would take too long. */
  constructor({ channelBytesMax }: { channelBytesMax: number }) {
    this.#channelBytesMax = channelBytesMax;
  }

  /** How many different names of a kind somebody listens to. */
  size(topic: Topic): number {
    return this.#topics[topic].size;
  }

  /** How many listen to exactly this name. */
  listeners(topic: Topic, name: string): number {
    return this.#topics[topic].get(name)?.subscribers.size ?? 0;
  }

  /** The names of a kind that somebody listens to. */
  *names(topic: Topic): Iterable<Buffer> {
    for (const { name } of this.#topics[topic].values()) yield name;
  }

  /** How many messages a PUBLISH to this channel would send; of the shard's a SPUBLISH. */
  reach(topic: "channel" | "shard", channel: Buffer): number {
    let reached = this.listeners(topic, channel.latin1Slice());
    if (topic === "shard" || channel.length > this.#channelBytesMax) return reached;
    for (const { name, subscribers } of this.#topics.pattern.values()) {
      if (matchesGlob(name, 0, name.length, channel, 0, channel.length)) reached += subscribers.size;
    }
    return reached;
  }

  subscribe(subscriber: Subscriber, topic: Topic, name: string): void {
    const own = subscriber.topics[topic];
    if (own.has(name)) return;
    own.add(name);
    subscriber.nameBytes += name.length;
    if (topic === "pattern") subscriber.patternBytes += name.length;
    const known = this.#topics[topic].get(name);
    if (known !== undefined) known.subscribers.add(subscriber);
    else this.#topics[topic].set(name, { name: Buffer.from(name, "latin1"), subscribers: new Set([subscriber]) });
  }

  unsubscribe(subscriber: Subscriber, topic: Topic, name: string): void {
    if (!subscriber.topics[topic].delete(name)) return;
    subscriber.nameBytes -= name.length;
    if (topic === "pattern") subscriber.patternBytes -= name.length;
    const listeners = this.#topics[topic].get(name)!;
    listeners.subscribers.delete(subscriber);
    if (listeners.subscribers.size === 0) this.#topics[topic].delete(name);
  }

  /** It listens to nothing any more. */
  leave(subscriber: Subscriber): void {
    for (const topic of ["channel", "pattern", "shard"] as const) {
      for (const name of [...subscriber.topics[topic]]) this.unsubscribe(subscriber, topic, name);
    }
  }

  /** Whether anybody listens to channels. */
  get isHeard(): boolean {
    return this.#topics.channel.size > 0 || this.#topics.pattern.size > 0;
  }

  /**
   * Sends to all who listen. Returns how many did: one that listens by two patterns gets two messages.
   * @param name The channel, one character per byte.
   */
  publish(name: string, sent: Sent, payloadKind: number): number {
    const { channel: channels, pattern: patterns } = this.#topics;
    if (channels.size === 0 && patterns.size === 0) return 0;
    let received = 0;
    const exact = channels.get(name);
    if (exact !== undefined) received += deliver(exact, new Message("channel", undefined, name, sent, payloadKind));
    if (patterns.size === 0 || name.length > this.#channelBytesMax) return received;
    const channel = Buffer.from(name, "latin1");
    for (const listeners of patterns.values()) {
      const pattern = listeners.name;
      if (!matchesGlob(pattern, 0, pattern.length, channel, 0, channel.length)) continue;
      received += deliver(listeners, new Message("pattern", pattern, name, sent, payloadKind));
    }
    return received;
  }

  publishToShard(name: string, sent: Sent, payloadKind: number): number {
    const exact = this.#topics.shard.get(name);
    if (exact === undefined) return 0;
    return deliver(exact, new Message("shard", undefined, name, sent, payloadKind));
  }
}

function deliver({ subscribers }: Listeners, message: Message): number {
  const { size } = subscribers;
  for (const subscriber of subscribers) subscriber.receive(message);
  return size;
}
