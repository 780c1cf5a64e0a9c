// Pushes: messages on their way to one connection of RESP.
//
//   deliver(message) ──▶ gathered ──end of this turn, or of the call under way──▶ one write
//                     └─ too much waits ──▶ counted, not kept ──▶ what is kept was read ──▶ -BUSY 7 messages were lost
//
// A message is encoded once for all connections of a protocol. A small one is a string, so that what is
// gathered in a turn is joined and leaves in one write; a large one is a buffer that all writes share.

import type { Transport } from "../../base/transport.ts";
import { KIND_VALUE } from "../../engine/args.ts";
import { type BrokenRedirection, Invalidation } from "../../engine/invalidation.ts";
import { Message, type Sent, sentOf, type Topic } from "../../engine/message-bus.ts";
import type { Push } from "../../engine/push.ts";
import { lostMessages } from "../../engine/subscribers.ts";
import { valueToText } from "../../wire/value.ts";
import type { RespShared } from "./shared.ts";

/** Strings that are joined for one write. */
const JOINED_BYTES_MAX = 64 * 1024;

const WORDS = { channel: "message", pattern: "pmessage", shard: "smessage" } as const;

type Encoded = string | Buffer;

export type PushEvents = {
  /** So much waits to be read by the client. */
  onPending(bytes: number): void;
  /** The first message was not kept: if it reads nothing for long, it is cut off. */
  onLosing(pending: number): void;
  /** It was told how many messages it lost: the connection ends. */
  onTold(reason: string): void;
};

export class Pushes {
  /** Bytes that are gathered and not written yet. */
  bytes = 0;
  /** Messages that were not kept. */
  lost = 0;
  readonly #shared: RespShared;
  readonly #transport: Transport;
  readonly #events: PushEvents;
  #gathered: Encoded[] = [];
  #scheduled = false;
  #closed = false;
  /** What the transport had not sent when it was last asked: it is asked again before anything is lost. */
  #pending = 0;

  constructor(shared: RespShared, transport: Transport, events: PushEvents) {
    this.#shared = shared;
    this.#transport = transport;
    this.#events = events;
  }

  /** @param running Whether a call of this connection runs: then its reply goes first, and flush() is called. */
  add(push: Push, protocol: 2 | 3, running: boolean): void {
    const encoded = protocol === 3 ? push.resp3(encodeThree) : push.resp2(encodeTwo);
    if (this.lost > 0 || this.#exceeds(encoded.length)) return this.#lose();
    this.#gathered.push(encoded);
    this.bytes += encoded.length;
    if (!running) this.#schedule();
  }

  #exceeds(bytes: number): boolean {
    const max = this.#shared.limits.subscriberBytesMax - this.bytes - bytes;
    if (this.#pending <= max) return false;
    this.#pending = this.#transport.pendingBytes;
    return this.#pending > max;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#shared.schedulePush(this);
  }

  #lose(): void {
    if (this.lost++ > 0) return;
    this.flush();
    if (this.#transport.pendingBytes === 0) this.#schedule();
    else this.#transport.awaitDrained();
    this.#events.onLosing(this.#transport.pendingBytes);
  }

  /** Writes what is gathered. */
  flush(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    const gathered = this.#gathered;
    this.#gathered = [];
    this.bytes = 0;
    let joined = "";
    for (const encoded of gathered) {
      if (typeof encoded === "string") joined += encoded;
      if (joined !== "" && (typeof encoded !== "string" || joined.length > JOINED_BYTES_MAX)) {
        this.#transport.writeLatin1(joined);
        joined = "";
      }
      if (typeof encoded !== "string") this.#transport.write(encoded, encoded.length);
    }
    if (joined !== "") this.#transport.writeLatin1(joined);
    const pending = this.#transport.pendingBytes;
    this.#pending = pending;
    if (pending > 0) this.#events.onPending(pending);
    else if (gathered.length === 0 && this.lost > 0) this.tellLost();
  }

  /** What was kept is read: says how many were not. */
  tellLost(): void {
    if (this.#closed) return;
    const { message } = lostMessages(this.lost, this.#shared.limits.subscriberBytesMax);
    this.#transport.writeLatin1(`-BUSY ${message}\r\n`);
    this.#events.onTold(message);
  }

  close(): void {
    this.#closed = true;
    this.#gathered = [];
    this.bytes = 0;
  }
}

function encodeTwo(push: Push): Encoded {
  if (push instanceof Message) return encode(push, "*");
  // To who listens to channels: as a message of one that nobody else can publish on in this form.
  return `*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n${encodeKeys(push as Invalidation)}`;
}

function encodeThree(push: Push): Encoded {
  if (push instanceof Message) return encode(push, ">");
  if (push instanceof Invalidation) return `>2\r\n$10\r\ninvalidate\r\n${encodeKeys(push)}`;
  return `>2\r\n$21\r\ntracking-redir-broken\r\n:${(push as BrokenRedirection).clientId}\r\n`;
}

function encodeKeys({ keys, nothingOf }: Invalidation): string {
  if (keys === undefined) return nothingOf === 2 ? "$-1\r\n" : "_\r\n";
  return `*${keys.length}\r\n${keys.map(bulk).join("")}`;
}

function encode(message: Message, first: string): Encoded {
  const { sent, payloadKind } = message;
  // As everywhere on this wire: what is an encoded value is shown as text.
  const payload = payloadKind === KIND_VALUE ? shown(message.payload) : sent;
  const head = headOf(message, first) + payload.length;
  if (typeof payload === "string") return `${head}\r\n${payload}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`, "latin1"), payload, Buffer.from("\r\n")]);
}

function shown(value: Buffer): Sent {
  const text = Buffer.from(valueToText(value, 0, value.length));
  return sentOf(text, 0, text.length);
}

/** The last head: the next message is likely to be of the same channel. */
let lastHead = "";
let lastFirst = "";
let lastTopic: Topic = "channel";
let lastName = "";
let lastPattern: Buffer | undefined;

/** A message up to the length of its payload. */
function headOf({ topic, pattern, name }: Message, first: string): string {
  if (topic === lastTopic && first === lastFirst && pattern === lastPattern && name === lastName) return lastHead;
  const word = WORDS[topic];
  let head = `${first}${pattern === undefined ? 3 : 4}\r\n$${word.length}\r\n${word}\r\n`;
  if (pattern !== undefined) head += bulk(pattern);
  head += `$${name.length}\r\n${name}\r\n$`;
  [lastHead, lastFirst, lastTopic, lastName, lastPattern] = [head, first, topic, name, pattern];
  return head;
}

function bulk(bytes: Buffer): string {
  return `$${bytes.length}\r\n${bytes.latin1Slice()}\r\n`;
}
