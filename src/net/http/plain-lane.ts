// PlainLane: requests as nearly every client writes them, without Node's streams and objects in between.
//
//   bytes ──▶ plainHead() ──▶ PlainExchange ──▶ handler ──▶ one text ──▶ transport
//        └──▶ not plain: this one and all behind it are Node's
//
// One request at a time: what comes behind one without an answer waits as it is. A request over Node's parser, a
// Duplex, an IncomingMessage and a ServerResponse costs three times as much as its XML and the call in it.

import type { Transport } from "../../base/transport.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { Lane, Serving } from "./lane.ts";
import { PlainExchange, type PlainLine } from "./plain-exchange.ts";
import { plainHead } from "./plain-head.ts";

/** Behind a request without an answer so much waits, and a read event more. */
const WAITING_BYTES_MAX = 64 * 1024;

export type PlainLaneParts = {
  serving: Serving;
  transport: Transport;
  /** Of a head. */
  headBytesMax: number;
  /** Takes a request over that is not plain, and all that comes behind it. The bytes are its own. */
  onOther(bytes: Buffer): void;
};

export class PlainLane implements Lane, PlainLine {
  readonly serving: Serving;
  readonly transport: Transport;
  hasMore = false;
  readonly #parts: PlainLaneParts;
  #exchange: PlainExchange | undefined = undefined;
  /** The answer is written, and waits for its reader. */
  #isStuck = false;
  /** What came behind the request under way. */
  readonly #rest = new HeldBytes();
  #working = false;
  #paused = false;
  /** Nothing is read here any more. */
  #left = false;
  /** Nothing is served after the request under way. */
  #ending = false;
  #finished = false;

  constructor(parts: PlainLaneParts) {
    this.#parts = parts;
    this.serving = parts.serving;
    this.transport = parts.transport;
  }

  get inputBytes(): number {
    return this.#rest.length + (this.#exchange?.bodyBytes ?? 0);
  }

  get outputBytes(): number {
    return this.transport.pendingBytes;
  }

  get requests(): number {
    return this.#exchange === undefined ? 0 : 1;
  }

  receive(buffer: Buffer, start: number, end: number): void {
    const at = this.#rest.length === 0 ? this.#work(buffer, start, end) : start;
    if (at < end) this.#rest.add(buffer, at, end);
    if (this.inputBytes > 0) this.serving.weigh();
    this.#settle();
  }

  /** Reads on until the end, or to what is behind a request without an answer. Returns how far it came. */
  #work(buffer: Buffer, start: number, end: number): number {
    let at = start;
    this.#working = true;
    while (at < end && !this.#left) {
      const before = at;
      at = this.#exchange === undefined ? this.#begin(buffer, at, end) : at + this.#exchange.take(buffer, at, end);
      if (at === before) break;
    }
    this.#working = false;
    return this.#left ? end : at;
  }

  #begin(buffer: Buffer, start: number, end: number): number {
    const head = plainHead(buffer, start, end, this.#parts.headBytesMax);
    if (head === undefined) {
      const bytes = Buffer.from(buffer.subarray(start, end));
      this.#left = true;
      if (this.#paused) this.transport.resume();
      this.#parts.onOther(bytes);
      return end;
    }
    const exchange = new PlainExchange(head, this);
    const body = start + head.bytes;
    const at = body + exchange.take(buffer, body, end);
    exchange.isLast ||= this.#ending;
    this.#exchange = exchange;
    this.hasMore = at < end;
    if (this.#finished && !exchange.isWhole) {
      this.#leave();
      this.transport.destroy();
      return end;
    }
    this.serving.serve(exchange);
    return at;
  }

  /** After what has changed: what waits is gone on with, and there is more to read or there is not. */
  #settle(): void {
    const rest = this.#rest;
    if (this.#exchange === undefined && rest.length > 0 && !this.#left) {
      rest.start = this.#work(rest.buffer, rest.start, rest.end);
      // Where nothing is read any more, it was cleared meanwhile.
      if (this.#left || rest.length === 0) rest.clear();
    }
    if (this.#left) return;
    this.steer();
    if (this.#exchange !== undefined) return;
    if (this.#finished || this.#ending) return this.end();
    this.serving.idle();
  }

  /** Nothing is read here any more. */
  #leave(): void {
    this.#left = true;
    this.#rest.clear();
  }

  // PlainLine.

  steer(): void {
    const isFull = this.#rest.length > WAITING_BYTES_MAX || this.#exchange?.isAhead === true;
    if (isFull === this.#paused) return;
    this.#paused = isFull;
    if (isFull) this.transport.pause();
    else this.transport.resume();
  }

  answered(isOut: boolean, isLast: boolean): void {
    if (isLast) this.#leave();
    if (isOut) return this.#out();
    this.#isStuck = true;
    this.serving.answered();
    this.transport.awaitDrained();
  }

  /** The answer is out. Behind the last one the connection ends, and not before: then its reader would have little time. */
  #out(): void {
    if (this.#left) return this.transport.end();
    this.#exchange = undefined;
    if (!this.#working) this.#settle();
  }

  // Lane.

  drained(): void {
    if (!this.#isStuck) return;
    this.#isStuck = false;
    this.#out();
  }

  finished(): void {
    this.#finished = true;
    const exchange = this.#exchange;
    if (this.#left) return;
    if (exchange === undefined) return this.end();
    // The rest of its body will not come.
    if (!exchange.isWhole) this.transport.destroy();
    else if (this.#rest.length === 0) exchange.isLast = true;
  }

  gone(): void {
    this.#leave();
    this.#exchange?.lost();
  }

  end(): void {
    this.#ending = true;
    if (this.#exchange !== undefined) {
      this.#exchange.isLast = true;
      return;
    }
    this.#leave();
    this.transport.end();
  }
}
