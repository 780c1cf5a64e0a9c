// Fifo: a queue. First in, first out.

import { type HiveCalls, Structure } from "./structure.ts";

export class Fifo extends Structure {
  static override reads: readonly string[] = ["PEEK", "SIZE"];
  static override summaries: Readonly<Record<string, string>> = {
    FIFOADD: "Adds values to the end of a queue, which is made when it is not there",
    POP: "Takes the first value out of a queue",
    PEEK: "Returns the first value of a queue, which stays",
    SIZE: "Returns how many values a queue has",
  };

  items: unknown[] = [];

  static FIFOADD(hive: HiveCalls, key: string, ...values: unknown[]): string {
    hive.open(Fifo, key).items.push(...values);
    return "OK";
  }

  POP(): unknown {
    return this.items.shift();
  }

  PEEK(): unknown {
    return this.items[0];
  }

  SIZE(): number {
    return this.items.length;
  }
}
