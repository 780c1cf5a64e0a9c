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
  readonly channel: Buffer;
  readonly payload: Buffer;
  /** KIND_RAW, KIND_TEXT, KIND_BYTES or KIND_VALUE. */
  readonly payloadKind: number;

  constructor(topic: Topic, pattern: Buffer | undefined, channel: Buffer, payload: Buffer, payloadKind: number) {
    super();
    this.topic = topic;
    this.pattern = pattern;
    this.channel = channel;
    this.payload = payload;
    this.payloadKind = payloadKind;
  }

  /** About what it takes on its way. */
  get bytes(): number {
    return (this.pattern?.length ?? 0) + this.channel.length + this.payload.length + MESSAGE_BYTES;
  }
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
   * @param channel It and `payload` are the message's to keep.
   */
  publish(channel: Buffer, payload: Buffer, payloadKind: number): number {
    const { channel: channels, pattern: patterns } = this.#topics;
    if (channels.size === 0 && patterns.size === 0) return 0;
    let received = 0;
    const exact = channels.get(channel.latin1Slice());
    if (exact !== undefined) {
      received += deliver(exact, new Message("channel", undefined, channel, payload, payloadKind));
    }
    if (channel.length > this.#channelBytesMax) return received;
    for (const listeners of patterns.values()) {
      const { name } = listeners;
      if (!matchesGlob(name, 0, name.length, channel, 0, channel.length)) continue;
      received += deliver(listeners, new Message("pattern", name, channel, payload, payloadKind));
    }
    return received;
  }

  publishToShard(channel: Buffer, payload: Buffer, payloadKind: number): number {
    const exact = this.#topics.shard.get(channel.latin1Slice());
    if (exact === undefined) return 0;
    return deliver(exact, new Message("shard", undefined, channel, payload, payloadKind));
  }
}

function deliver({ subscribers }: Listeners, message: Message): number {
  const { size } = subscribers;
  for (const subscriber of subscribers) subscriber.receive(message);
  return size;
}
