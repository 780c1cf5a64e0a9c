// A structure for the tests of isolation. It is loaded by workers, so it is a file of its own.

import { type HiveCalls, Structure } from "../../../src/structures/index.ts";

export class Ledger extends Structure {
  static override isolate: boolean | string = import.meta.url;
  static override reads: readonly string[] = ["TOTAL"];

  total = 0;
  names: string[] = [];
  byName: Map<string, number> = new Map();

  static LEDGER_OPEN(hive: HiveCalls, key: string): string {
    hive.open(Ledger, key);
    return "OK";
  }

  /** Plays, reads what it held back, and fails half-way where it is told to. */
  static LEDGER_BOTH(hive: HiveCalls, key: string, fails?: unknown): unknown[] {
    const count = hive.play("INCR", "count");
    hive.play("RPUSH", "log", key);
    const ledger = hive.open(Ledger, key);
    ledger.ENTER("both", 1);
    const seen = [count, hive.play("INCR", "count"), hive.play("GET", "count"), hive.play("LRANGE", "log", 0, -1)];
    hive.play("EXPIRE", key, 100);
    ledger.ENTER("after", 1);
    if (fails !== undefined) throw new Error("half-way");
    return seen;
  }

  static LEDGER_MOVE(hive: HiveCalls, from: string, to: string): number {
    const source = hive.find(Ledger, from);
    if (source === undefined) throw new Error(`there is no ${from}`);
    hive.open(Ledger, to).total += source.total;
    hive.play("DEL", from);
    return hive.play("EXISTS", from, to);
  }

  static LEDGER_PLAY(hive: HiveCalls, ...words: string[]): unknown {
    const [command = "", ...args] = words;
    return hive.play(command, ...args);
  }

  static LEDGER_TELL(hive: HiveCalls, key: string, channel: string, message: string, fails?: unknown): number {
    const reached = hive.play("PUBLISH", channel, message);
    hive.open(Ledger, key).ENTER(message, 1);
    if (fails !== undefined) throw new Error("after it was told");
    return reached;
  }

  static async LEDGER_LATER(hive: HiveCalls, key: string): Promise<number> {
    const before = Number(hive.play("GET", "count") ?? 0);
    await Promise.resolve();
    const ledger = hive.open(Ledger, key);
    ledger.ENTER("later", before);
    hive.play("INCR", "laters");
    return ledger.total;
  }

  /** Reads a key, then waits until another one says that it may go on. */
  static async LEDGER_SLOWLY(hive: HiveCalls, key: string, gate: string): Promise<number> {
    const seen = Number(hive.play("GET", key) ?? 0);
    hive.play("SET", "began", "yes");
    const { workerGate } = globalThis as { workerGate?: Map<string, () => void> };
    await new Promise<void>((resolve) => (workerGate ?? newGate()).set(gate, resolve));
    hive.play("SET", `${key}:seen`, String(seen));
    return seen;
  }

  /** Whether such a call waits, having read what it reads. */
  static LEDGER_WAITS(_hive: HiveCalls, gate: string): boolean {
    return (globalThis as { workerGate?: Map<string, () => void> }).workerGate?.has(gate) ?? false;
  }

  static LEDGER_GO(_hive: HiveCalls, gate: string): boolean {
    const { workerGate } = globalThis as { workerGate?: Map<string, () => void> };
    const go = workerGate?.get(gate);
    workerGate?.delete(gate);
    go?.();
    return go !== undefined;
  }

  static LEDGER_LOOP(hive: HiveCalls, key: string): void {
    hive.open(Ledger, key).ENTER("loop", 1);
    hive.play("INCR", "count");
    for (;;);
  }

  static LEDGER_LOOP_PLAYS(hive: HiveCalls): void {
    for (;;) {
      try {
        hive.play("GET", "count");
      } catch {
        // Whatever it is told.
      }
    }
  }

  static async LEDGER_LOOP_LATER(hive: HiveCalls): Promise<void> {
    hive.play("INCR", "count");
    await Promise.resolve();
    for (;;);
  }

  static LEDGER_EAT(hive: HiveCalls, key: string, what: string): void {
    hive.open(Ledger, key).ENTER("eat", 1);
    hive.play("INCR", "count");
    const eaten: unknown[] = [];
    const map = new Map<number, number>();
    for (let i = 0; ; i++) {
      if (what === "buffers") eaten.push(new Uint8Array(1 << 20).fill(1));
      else if (what === "shared") eaten.push(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1));
      else if (what === "one") eaten.push(new Uint8Array(4e9).fill(1));
      else if (what === "map") map.set(i, i);
      else if (what === "arrays") eaten.push(new Array(3e7).fill(i + 0.5));
      else eaten.push({ i, what });
    }
  }

  static LEDGER_EXIT(): void {
    process.exit(3);
  }

  ENTER(name: string, amount: unknown): number {
    this.total += Number(amount);
    this.names.push(name);
    this.byName.set(name, (this.byName.get(name) ?? 0) + Number(amount));
    return this.total;
  }

  SPOIL(): void {
    this.names.length = 0;
    this.byName.clear();
    this.total = -1;
    throw Object.assign(new Error("not like that"), { code: "OUT_OF_RANGE" });
  }

  TOTAL(): unknown {
    const { total, names, byName } = this;
    return { total, names, byName };
  }
}

function newGate(): Map<string, () => void> {
  const gate = new Map<string, () => void>();
  (globalThis as { workerGate?: Map<string, () => void> }).workerGate = gate;
  return gate;
}
