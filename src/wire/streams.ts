// Streams: elements of a call, on the end that reads them and on the end that sends them.
//
//   sink.send(value) ──▶ ELEMENT … ──▶ source.push() ──▶ for await (value of source)
//        ▲ credit                                             │ consumed
//        └──────────────────── CREDIT ◀───────────────────────┘
//
// Credit counts bytes of bodies. Whoever sends may send while credit is above 0, so an element larger
// than what is left goes out whole; whoever reads gives credit back as elements are consumed, so that
// what waits on its side is never more than the window and one element. Both ends keep the same count:
// an element that came without credit is a mistake of the other end, however fast this one reads.
//
// Neither knows a connection: what is to be written is handed to a function.

import { HiveError } from "../base/errors.ts";

/** Bytes that may be under way, unless a caller says otherwise. */
export const WINDOW_BYTES: number = 256 * 1024;
/** Credit that a sender may have at once. More of it means that the reader has lost count. */
export const CREDIT_MAX = 0x7fff_ffff;

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
  /** Bytes that the sender may still send. */
  #credit: number;
  #end: { error: unknown } | undefined = undefined;
  #granted: boolean;
  #listener: ((value: T) => void) | undefined = undefined;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.#granted = parts.granted;
    this.#credit = parts.granted ? parts.windowBytes : 0;
  }

  /** Bytes that wait to be read. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * An element of `bytes` bytes has arrived; it is decoded where somebody may still read it.
   * @throws {HiveError} BAD_FRAME: the sender had no credit for it; what `decode` throws.
   */
  push(bytes: number, decode: () => T): void {
    if (this.#end !== undefined) return;
    if (this.#credit <= 0) {
      throw new HiveError("BAD_FRAME", `an element came without credit (window of ${this.#parts.windowBytes} bytes)`);
    }
    this.#credit -= bytes;
    const value = decode();
    if (this.#listener !== undefined) {
      this.#listener(value);
      this.#consume(bytes);
      return;
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

  /**
   * From now on `listener` gets each element at the moment when it arrives, before anything behind it is handled;
   * next() then waits for the end and gives nothing else. Called before the first element. It may not throw.
   */
  listen(listener: (value: T) => void): void {
    this.#listener = listener;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#granted && this.#end === undefined) {
      this.#granted = true;
      this.#grant(this.#parts.windowBytes);
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
    this.#grant(this.#consumedBytes);
    this.#consumedBytes = 0;
  }

  #grant(bytes: number): void {
    this.#credit += bytes;
    this.#parts.grant(bytes);
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
  /** Goes on with the element that waits for credit. */
  #ready: (() => void) | undefined = undefined;
  #closed = false;

  /** @throws {HiveError} BAD_FRAME: so much credit cannot be meant. */
  constructor(parts: SinkParts) {
    this.#parts = parts;
    this.#credit = 0;
    this.grant(parts.creditBytes);
  }

  /** Whether nobody reads any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends one element, now or when the reader takes more: then a promise is returned, to be waited for
   * before the next one. After close() nothing is sent.
   * @throws {HiveError} BAD_VALUE: the element cannot be encoded, nothing was sent. The promise rejects with it.
   */
  send(value: unknown): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#ready !== undefined) throw new Error("send() before the last one was out");
    if (this.#credit > 0) {
      this.#write(value);
      return undefined;
    }
    const room = new Promise<void>((resolve) => {
      this.#ready = resolve;
    });
    return room.then(() => {
      if (!this.#closed) this.#write(value);
    });
  }

  #write(value: unknown): void {
    // Credit may come while it is written.
    const bytes = this.#parts.write(value);
    this.#credit -= bytes;
  }

  /** The reader takes so many more bytes. @throws {HiveError} BAD_FRAME: so much credit cannot be meant. */
  grant(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > CREDIT_MAX) throw new HiveError("BAD_FRAME", `credit of a stream exceeds ${CREDIT_MAX} bytes`);
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
