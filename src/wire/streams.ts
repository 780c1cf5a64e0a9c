// Streams: elements of a call, on the end that reads them and on the end that sends them.
//
//   sink.send(value) ──▶ ELEMENT … ──▶ source.push() ──▶ for await (value of source)
//        ▲ credit                                             │ consumed
//        └──────────────────── CREDIT ◀───────────────────────┘
//
// Credit counts bytes of bodies. Whoever sends may send while credit is above 0, so an element larger
// than what is left goes out whole; whoever reads gives credit back as elements are consumed, so that
// what waits on its side is never more than the window and one element.
//
// Neither knows a connection: what is to be written is handed to a function.

import { HiveError } from "../base/errors.ts";

/** Bytes that may be under way, unless a caller says otherwise. */
export const WINDOW_BYTES: number = 256 * 1024;

export type SourceParts = {
  windowBytes: number;
  /** Whether the sender has credit for a window already; else it gets it when somebody reads. */
  granted: boolean;
  /** Tells the sender that it may send so many more bytes. */
  grant(bytes: number): void;
  /** The reader wants no more. */
  stop(): void;
};

type Waiter<T> = { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void };

/** The reading side. One reader; leaving a `for await` early stops the sender. */
export class ElementSource<T> implements AsyncIterableIterator<T, undefined> {
  readonly #parts: SourceParts;
  #queue: { value: T; bytes: number }[] = [];
  #waiters: Waiter<T>[] = [];
  /** Bytes in the queue, and bytes consumed for which no credit was given yet. */
  #queuedBytes = 0;
  #consumedBytes = 0;
  #end: { error: unknown } | undefined = undefined;
  #granted: boolean;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.#granted = parts.granted;
  }

  /** Bytes that wait to be read. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** An element arrived. @throws {HiveError} BAD_FRAME: the sender had no credit for it. */
  push(value: T, bytes: number): void {
    if (this.#end !== undefined) return;
    if (this.#queuedBytes > this.#parts.windowBytes) {
      throw new HiveError("BAD_FRAME", `an element came without credit (${this.#parts.windowBytes} bytes)`);
    }
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ value, done: false });
      this.#consume(bytes);
      return;
    }
    this.#queue.push({ value, bytes });
    this.#queuedBytes += bytes;
  }

  /** No further element comes: in order, or for the reason `error`. What is queued is still read. */
  finish(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    for (const waiter of this.#waiters) this.#settleEnd(waiter);
    this.#waiters = [];
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#granted && this.#end === undefined) {
      this.#granted = true;
      this.#parts.grant(this.#parts.windowBytes);
    }
    const first = this.#queue.shift();
    if (first !== undefined) {
      this.#queuedBytes -= first.bytes;
      this.#consume(first.bytes);
      return Promise.resolve({ value: first.value, done: false });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#waiters.push({ resolve, reject });
      else this.#settleEnd({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    const open = this.#end === undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.finish();
    if (open) this.#parts.stop();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #settleEnd(waiter: Waiter<T>): void {
    const { error } = this.#end!;
    // The reason is told once.
    this.#end = { error: undefined };
    if (error === undefined) waiter.resolve({ value: undefined, done: true });
    else waiter.reject(error);
  }

  #consume(bytes: number): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes * 2 < this.#parts.windowBytes || this.#end !== undefined) return;
    this.#parts.grant(this.#consumedBytes);
    this.#consumedBytes = 0;
  }
}

export type SinkParts = {
  creditBytes: number;
  /** Writes one element. Returns the bytes of its body. */
  write(value: unknown): number;
};

/** The sending side. One sender, which waits for what send() gives before it sends again. */
export class ElementSink {
  readonly #parts: SinkParts;
  #credit: number;
  #ready: (() => void) | undefined = undefined;
  #closed = false;

  constructor(parts: SinkParts) {
    this.#parts = parts;
    this.#credit = parts.creditBytes;
  }

  /** Whether nobody reads any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends one element. A promise means: wait for it before the next one. After close() nothing is sent.
   * @throws {HiveError} BAD_VALUE: the element cannot be encoded. Nothing was sent.
   */
  send(value: unknown): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#ready !== undefined) throw new Error("send() before the last one was ready");
    this.#credit -= this.#parts.write(value);
    if (this.#credit > 0) return undefined;
    return new Promise((resolve) => {
      this.#ready = resolve;
    });
  }

  /** The reader takes so many more bytes. */
  grant(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#wake();
  }

  /** The reader has gone, or the call is over: whoever waits goes on, and sees `closed`. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    const ready = this.#ready;
    this.#ready = undefined;
    ready?.();
  }
}
