// Fifo: a queue. First in, first out.
//
//   FIFOADD ──▶ items [ oldest … newest ] ──a part at a time, turned round──▶ next [ … oldest ] ──▶ POP
//
// Taking the last element of an array costs the same however many there are; shift() on 30,000 moves all of them.

import { type HiveCalls, Structure } from "./structure.ts";

/** Elements that are moved at once. */
const PART = 512;
/** Up to here shift() is cheaper than a move. */
const FEW = 16;

export class Fifo extends Structure {
  static override reads: readonly string[] = ["PEEK", "SIZE"];
  static override summaries: Readonly<Record<string, string>> = {
    FIFOADD: "Adds values to the end of a queue, which is made when it is not there",
    POP: "Takes the first value out of a queue",
    PEEK: "Returns the first value of a queue, which stays",
    SIZE: "Returns how many values a queue has",
  };

  items: unknown[] = [];
  next: unknown[] = [];

  static FIFOADD(hive: HiveCalls, key: string, ...values: unknown[]): string {
    hive.open(Fifo, key).items.push(...values);
    return "OK";
  }

  POP(): unknown {
    const { next } = this;
    if (next.length > 0) return next.pop();
    const { items } = this;
    if (items.length <= FEW) return items.shift();
    next.push(...items.splice(0, PART).reverse());
    return next.pop();
  }

  PEEK(): unknown {
    const { next } = this;
    return next.length > 0 ? next.at(-1) : this.items[0];
  }

  SIZE(): number {
    return this.next.length + this.items.length;
  }
}
