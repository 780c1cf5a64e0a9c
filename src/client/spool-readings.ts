// Readings: what a device puts, with a number, and rows of them.

import type { StoredItem } from "./call.ts";

export type Reading = {
  /** Its number: above those of all that were put before. */
  sequence: number;
  /** Epoch milliseconds at which it was put. */
  atMs: number;
  device: string;
  label: StoredItem;
  value: StoredItem;
  /** From then on; 0: it does not run out. */
  ttlMs: number;
};

/** Of a reading, beside its device, label and value. */
const READING_BYTES = 64;

export function bytesOf({ device, label, value }: Reading): number {
  return READING_BYTES + device.length + label.bytes.length + value.bytes.length;
}

/** First in, first out. */
export class Readings {
  bytes = 0;
  #items: Reading[];
  #head = 0;

  constructor(items: readonly Reading[] = []) {
    this.#items = [...items];
    for (const item of items) this.bytes += bytesOf(item);
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): Reading | undefined {
    return this.#items[this.#head];
  }

  /** The one behind `index` others. */
  at(index: number): Reading | undefined {
    return this.#items[this.#head + index];
  }

  get last(): Reading | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1);
  }

  push(reading: Reading): void {
    this.#items.push(reading);
    this.bytes += bytesOf(reading);
  }

  /** Takes the first one out. There is one. */
  shift(): Reading {
    const reading = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined as never;
    this.bytes -= bytesOf(reading);
    // The room of those that were taken out is given back when it is half of all: each is moved once on the average.
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return reading;
  }

  /** Takes out the one with this number: one of the last. Returns whether it was there. */
  remove(sequence: number): boolean {
    const index = this.#items.findLastIndex((item) => item?.sequence === sequence);
    if (index < this.#head) return false;
    this.bytes -= bytesOf(this.#items[index]!);
    this.#items.splice(index, 1);
    return true;
  }

  [Symbol.iterator](): IterableIterator<Reading> {
    return this.#items.slice(this.#head)[Symbol.iterator]();
  }
}
