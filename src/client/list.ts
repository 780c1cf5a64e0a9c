// List: a list of the hive, from one client.
//
//   jobs.push(job) ──▶ … ──▶ for await (const job of jobs.take()) …        a queue: waits where there is nothing
//
// Methods are named as those of arrays. What waits for an element waits in the hive, which serves those who
// wait in the order in which they came.

import { HiveError } from "../base/errors.ts";
import type { Bound, ReadOptions } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import {
  BLMOVE,
  BLPOP,
  BLPOP_ONE,
  BRPOP,
  DEL,
  LINDEX,
  LINSERT,
  LLEN,
  LMOVE,
  LPOP,
  LPOS,
  LPUSH,
  LRANGE,
  LREM,
  LSET,
  LTRIM,
  RPOP,
  RPUSH,
} from "./specs.ts";

export type WaitOptions = ReadOptions & {
  /**
   * Waits for up to so many milliseconds for an element; Infinity: as long as it takes. Then the call itself has
   * no time limit but this, unless timeoutMs says one.
   */
  waitMs?: number | undefined;
};

export type MoveOptions = WaitOptions & {
  /** The end that the element is taken from (default: start), and the one that it is put to (default: end). */
  from?: "start" | "end" | undefined;
  to?: "start" | "end" | undefined;
};

/** Elements that the iterator reads at once. */
const PAGE_ELEMENTS = 256;
/** How much longer than it waits a call may take: the hive tells that time is up. */
const WAIT_GRACE_MS = 10_000;

/**
 * Elements in order. It exists while it has one.
 *
 * All of its methods but clear() reject with WRONG_TYPE where the key holds something else, BAD_VALUE for what cannot
 * be stored, VALUE_TOO_BIG, OUT_OF_MEMORY, and what every call may (Client). An element whose removal was under way
 * when the connection was lost may be gone: `sent` of the error tells. Use move() where that must not be.
 */
export class List<Value = unknown> {
  readonly name: string;
  readonly #bound: Bound;

  /** Made by client.list(). */
  constructor(bound: Bound, name: string) {
    this.#bound = bound;
    this.name = name;
  }

  /** Puts elements behind the last one, in this order. Resolves with how many there are then. */
  push(...values: Value[]): Promise<number> {
    if (values.length === 0) return this.size();
    return this.#bound.call(RPUSH, [this.name, ...values], undefined);
  }

  /** Puts elements in front of the first one: they stand there in this order. Resolves with how many there are then. */
  unshift(...values: Value[]): Promise<number> {
    if (values.length === 0) return this.size();
    return this.#bound.call(LPUSH, [this.name, ...values.reverse()], undefined);
  }

  /** Takes the last element; undefined where there is none, or none came in time. @throws {HiveError} ABORTED by its signal */
  pop(options?: WaitOptions): Promise<Value | undefined> {
    if (options?.waitMs === undefined) return this.#read(RPOP, [this.name], options);
    return this.#read(BRPOP, [this.name, seconds(options.waitMs)], waiting(options));
  }

  /** Takes the first element; undefined where there is none, or none came in time. @throws {HiveError} ABORTED by its signal */
  shift(options?: WaitOptions): Promise<Value | undefined> {
    if (options?.waitMs === undefined) return this.#read(LPOP, [this.name], options);
    return this.#read(BLPOP, [this.name, seconds(options.waitMs)], waiting(options));
  }

  /**
   * Takes elements from the start as they come, and waits where there is none: for as long as the loop lasts, or
   * until its signal ends, or for `waitMs` without an element.
   */
  async *take(options: WaitOptions = {}): AsyncGenerator<Value, void, undefined> {
    const waitMs = options.waitMs ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const taken = await this.#bound.read(BLPOP_ONE, [this.name, seconds(waitMs)], waiting({ ...options, waitMs }));
      if (taken === undefined) return;
      yield taken[0] as Value;
    }
  }

  /**
   * Takes an element and puts it into another list, or this one, as one step: it is never in none. Resolves with it;
   * undefined where there is none, or none came in time.
   */
  move(to: List<Value>, options: MoveOptions = {}): Promise<Value | undefined> {
    const sides = [sideOf(options.from ?? "start"), sideOf(options.to ?? "end")];
    if (options.waitMs === undefined) return this.#read(LMOVE, [this.name, to.name, ...sides], options);
    return this.#read(BLMOVE, [this.name, to.name, ...sides, seconds(options.waitMs)], waiting(options));
  }

  size(options?: CallOptions): Promise<number> {
    return this.#bound.call(LLEN, [this.name], options);
  }

  /** The element at an index, from the end where it is negative; undefined where there is none. */
  at(index: number, options?: ReadOptions): Promise<Value | undefined> {
    return this.#read(LINDEX, [this.name, index], options);
  }

  /** The elements from `start` on, up to the one before `end`; negative ones count from the end. */
  slice(start: number = 0, end?: number, options?: ReadOptions): Promise<Value[]> {
    if (end === 0) return Promise.resolve([]);
    const stop = end === undefined ? -1 : end - 1;
    return this.#bound.read(LRANGE, [this.name, start, stop], options) as Promise<Value[]>;
  }

  /** The index of the first element that equals a value; undefined where there is none. */
  indexOf(value: Value, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(LPOS, [this.name, value], options);
  }

  lastIndexOf(value: Value, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(LPOS, [this.name, value, "RANK", -1], options);
  }

  /** Gives the element at an index another value. @throws {HiveError} NO_KEY, OUT_OF_RANGE: there is none. */
  set(index: number, value: Value, options?: CallOptions): Promise<void> {
    return this.#bound.call(LSET, [this.name, index, value], options);
  }

  /** Puts a value before the first element that equals `pivot`. Resolves with how many there are then; undefined without it. */
  insertBefore(pivot: Value, value: Value, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(LINSERT, [this.name, "BEFORE", pivot, value], options);
  }

  insertAfter(pivot: Value, value: Value, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(LINSERT, [this.name, "AFTER", pivot, value], options);
  }

  /** Takes elements out that equal a value: all, or the first `count`, or the last where it is negative. Resolves with how many. */
  remove(value: Value, count: number = 0, options?: CallOptions): Promise<number> {
    return this.#bound.call(LREM, [this.name, count, value], options);
  }

  /** Keeps the elements that slice(start, end) gives, and no others. */
  trim(start: number, end?: number, options?: CallOptions): Promise<void> {
    if (end === 0) return this.clear(options).then(() => {});
    return this.#bound.call(LTRIM, [this.name, start, end === undefined ? -1 : end - 1], options);
  }

  /** Deletes the list, or whatever the key holds. Resolves with whether there was such a key. */
  clear(options?: CallOptions): Promise<boolean> {
    return this.#bound.call(DEL, [this.name], options);
  }

  /** The elements, page by page from the start. What is put in front or taken away meanwhile moves the pages. */
  async *values(options?: ReadOptions): AsyncGenerator<Value, void, undefined> {
    for (let start = 0; ; start += PAGE_ELEMENTS) {
      const page = await this.slice(start, start + PAGE_ELEMENTS, options);
      yield* page;
      if (page.length < PAGE_ELEMENTS) return;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Value, void, undefined> {
    return this.values();
  }

  #read(spec: typeof LPOP, args: readonly unknown[], options: ReadOptions | undefined): Promise<Value | undefined> {
    return this.#bound.read(spec, args, options) as Promise<Value | undefined>;
  }
}

function sideOf(end: "start" | "end"): "LEFT" | "RIGHT" {
  return end === "start" ? "LEFT" : "RIGHT";
}

/** As the hive reads a time to wait: seconds, 0 for ever. @throws {HiveError} INVALID_ARGUMENT */
export function seconds(waitMs: number): string {
  if (!(waitMs > 0)) throw new HiveError("INVALID_ARGUMENT", `waitMs is more than 0, or Infinity; got ${waitMs}`);
  return waitMs === Number.POSITIVE_INFINITY ? "0" : (Math.ceil(waitMs) / 1000).toString();
}

/** The options of a call that waits: its own time limit is later than the end of the wait. */
export function waiting(options: WaitOptions): WaitOptions {
  if (options.timeoutMs !== undefined) return options;
  return { ...options, timeoutMs: options.waitMs === Number.POSITIVE_INFINITY ? 0 : options.waitMs! + WAIT_GRACE_MS };
}
