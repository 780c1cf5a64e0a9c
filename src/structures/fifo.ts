// Fifo: a queue. First in, first out.
//
//   items  [ taken, taken, next, …, last ]      `first` is the place of the next
//
// What was taken goes in large parts: shift() on 30,000 elements moves all of them.

import { type HiveCalls, Structure } from "./structure.ts";

/** Places that were taken and are still there, at the most, unless more are in use. */
const TAKEN_MAX = 1_000;

export class Fifo extends Structure {
  static override reads: readonly string[] = ["PEEK", "SIZE"];
  static override summaries: Readonly<Record<string, string>> = {
    FIFOADD: "Adds values to the end of a queue, which is made when it is not there",
    POP: "Takes the first value out of a queue",
    PEEK: "Returns the first value of a queue, which stays",
    SIZE: "Returns how many values a queue has",
  };

  items: unknown[] = [];
  first = 0;

  static FIFOADD(hive: HiveCalls, key: string, ...values: unknown[]): string {
    hive.open(Fifo, key).items.push(...values);
    return "OK";
  }

  POP(): unknown {
    const { items, first } = this;
    if (first === items.length) return undefined;
    const value = items[first];
    if (first + 1 === items.length || (first >= TAKEN_MAX && first * 2 >= items.length)) {
      items.splice(0, first + 1);
      this.first = 0;
    } else {
      items[first] = null;
      this.first = first + 1;
    }
    return value;
  }

  PEEK(): unknown {
    return this.items[this.first];
  }

  SIZE(): number {
    return this.items.length - this.first;
  }
}
