// SlowLog: the calls that took longest lately, as SLOWLOG shows them.
//
// A call is timed when its row is not `fast` or it has many arguments, and one in 128 or so of the fast ones; a
// threshold of 0 times all.
// Arguments are cut short; those of rows that carry secrets are left out altogether.

import type { Args } from "./args.ts";

export type SlowCall = {
  id: number;
  atSeconds: number;
  microseconds: number;
  args: Buffer[];
  address: string;
  clientName: string;
};

/** Commands whose arguments hold secrets. */
const SECRET: ReadonlySet<string> = new Set(["AUTH", "HELLO"]);
/** Settings of Redis that hold them: refused here, and sent all the same. */
const SECRET_SETTINGS: readonly string[] = ["REQUIREPASS", "MASTERAUTH"];

export class SlowLog {
  /** Calls that take at least this long are kept; negative: none. */
  thresholdMicroseconds = 10_000;
  entriesMax: number;
  readonly #argumentsMax: number;
  readonly #argumentBytesMax: number;
  #calls: SlowCall[] = [];
  #nextId = 0;

  constructor(limits: { slowlogEntriesMax: number; slowlogArgumentsMax: number; slowlogArgumentBytesMax: number }) {
    this.entriesMax = limits.slowlogEntriesMax;
    this.#argumentsMax = limits.slowlogArgumentsMax;
    this.#argumentBytesMax = limits.slowlogArgumentBytesMax;
  }

  get length(): number {
    return this.#calls.length;
  }

  /** The latest calls, newest first. */
  latest(count: number): SlowCall[] {
    return this.#calls.slice(0, count);
  }

  clear(): void {
    this.#calls = [];
  }

  add(name: string, args: Args, microseconds: number, atMs: number, address: string, clientName: string): void {
    if (this.entriesMax === 0) return;
    const shown = isSecret(name, args) ? [args.copy(0), Buffer.from("(redacted)")] : this.#shorten(args);
    const atSeconds = Math.floor(atMs / 1000);
    this.#calls.unshift({ id: this.#nextId++, atSeconds, microseconds, args: shown, address, clientName });
    this.trim();
  }

  /** Forgets the oldest above entriesMax. */
  trim(): void {
    if (this.#calls.length > this.entriesMax) this.#calls.length = this.entriesMax;
  }

  #shorten(args: Args): Buffer[] {
    const shown: Buffer[] = [];
    const count = Math.min(args.count, this.#argumentsMax);
    for (let i = 0; i < count; i++) {
      if (i === count - 1 && args.count > count) {
        shown.push(Buffer.from(`... (${args.count - count + 1} more arguments)`));
        break;
      }
      const more = args.length(i) - this.#argumentBytesMax;
      const bytes = args.bytes(i);
      const end = Buffer.from(`... (${more} more bytes)`);
      shown.push(more > 0 ? Buffer.concat([bytes.subarray(0, this.#argumentBytesMax), end]) : Buffer.from(bytes));
    }
    return shown;
  }
}

function isSecret(name: string, args: Args): boolean {
  if (name !== "CONFIG SET") return SECRET.has(name) || name.startsWith("SESSION.");
  for (let i = 2; i < args.count; i += 2) if (SECRET_SETTINGS.some((word) => args.is(i, word))) return true;
  return false;
}
