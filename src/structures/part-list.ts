// PartList: a list of the store inside of a structure, for state that is large.
//
//   const jobs = this.list<Job>("jobs"); jobs.push(job); jobs.shift()
//
// Synchronous, and part of the call: undone with it. Elements are what a list of the client has: text, bytes, values.

import { numberWord, type Part, pages, placeWords } from "./part.ts";

export class PartList<Value = unknown> {
  readonly #part: Part;

  constructor(part: Part) {
    this.#part = part;
  }

  get size(): number {
    return this.#part.read("LLEN") as number;
  }

  /** Adds to the end. Returns how many there are then. @throws {HiveError} OUT_OF_MEMORY, VALUE_TOO_BIG, QUOTA */
  push(...values: Value[]): number {
    return values.length === 0 ? this.size : (this.#part.change("RPUSH", ...values) as number);
  }

  /** Adds to the start: the last one named comes first. @throws {HiveError} as push() */
  unshift(...values: Value[]): number {
    return values.length === 0 ? this.size : (this.#part.change("LPUSH", ...values) as number);
  }

  pop(): Value | undefined {
    return this.#part.change("RPOP") as Value | undefined;
  }

  shift(): Value | undefined {
    return this.#part.change("LPOP") as Value | undefined;
  }

  /** The element at an index; below 0 it counts from the end. */
  at(index: number): Value | undefined {
    return this.#part.read("LINDEX", numberWord(index)) as Value | undefined;
  }

  /** Elements from `start` on and before `end`, as Array.prototype.slice counts them. */
  slice(start: number = 0, end?: number): Value[] {
    return end === 0 ? [] : (this.#part.read("LRANGE", ...placeWords(start, end)) as Value[]);
  }

  /** Index of the first element that is equal. */
  indexOf(value: Value): number | undefined {
    return this.#part.read("LPOS", value) as number | undefined;
  }

  lastIndexOf(value: Value): number | undefined {
    return this.#part.read("LPOS", value, "RANK", "-1") as number | undefined;
  }

  /** @throws {HiveError} OUT_OF_RANGE: there is no such index; NO_KEY: the list is empty */
  set(index: number, value: Value): void {
    this.#part.change("LSET", numberWord(index), value);
  }

  /** Returns how many there are then; undefined where the pivot is not there. */
  insertBefore(pivot: Value, value: Value): number | undefined {
    return this.#insert("BEFORE", pivot, value);
  }

  insertAfter(pivot: Value, value: Value): number | undefined {
    return this.#insert("AFTER", pivot, value);
  }

  #insert(where: string, pivot: Value, value: Value): number | undefined {
    const size = this.#part.change("LINSERT", where, pivot, value) as number;
    return size > 0 ? size : undefined;
  }

  /** Removes elements that are equal: the first `count`, below 0 the last, 0 all. Returns how many. */
  remove(value: Value, count: number = 0): number {
    return this.#part.change("LREM", numberWord(count), value) as number;
  }

  /** Keeps the elements from `start` on and before `end` alone. */
  trim(start: number, end?: number): void {
    if (end === 0) this.clear();
    else this.#part.change("LTRIM", ...placeWords(start, end));
  }

  clear(): void {
    this.#part.change("DEL");
  }

  /** The elements in order, page by page: what is added meanwhile may come too. */
  [Symbol.iterator](): Generator<Value, void, undefined> {
    return pages((start, end) => this.slice(start, end));
  }
}
