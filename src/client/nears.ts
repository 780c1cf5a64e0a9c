// Nears: all that one connection keeps in its own memory, and what its own calls change of that.
//
//   client.table("users", { near }) ──▶ of("KEY", "users")         a write ──▶ wrote() ──▶ what it may change goes
//
// Calls of one client are seen in their order, so what a write may change is not kept from the moment it is made.

import type { Timers } from "../base/timers.ts";
import type { CallSpec } from "./call.ts";
import type { Connection } from "./connection.ts";
import type { NearOptions } from "./near-options.ts";
import { idOf, NearReads } from "./near-reads.ts";

/** Calls that change no key. */
const HARMLESS: ReadonlySet<string> = new Set(["PUBLISH", "SUBSCRIBE", "PSUBSCRIBE", "NEAR"]);
/** Fields that a write of a table names: from argument 1 on, each so many arguments from the last; 0: the one. */
const FIELD_STEPS: Readonly<Record<string, number>> = {
  HSET: 2,
  HDEL: 1,
  HSETNX: 0,
  HCAS: 0,
  HCAD: 0,
  HINCRBY: 0,
  HINCRBYFLOAT: 0,
};

export class Nears {
  readonly #all = new Map<string, NearReads>();
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** What is kept of a key's fields, or of keys with a prefix: one for all who ask. The first one's options count. */
  of(connection: Connection, target: readonly ["KEY" | "PREFIX", string], options: NearOptions): NearReads {
    const name = target.join(" ");
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const near = new NearReads({ connection, timers: this.#timers, target, options });
    this.#all.set(name, near);
    return near;
  }

  /** The connection is gone. */
  lost(): void {
    for (const near of this.#all.values()) near.lost();
  }

  /** A call is made that may change something. */
  wrote({ words, form }: CallSpec<unknown>, args: readonly unknown[]): void {
    if (this.#all.size === 0 || HARMLESS.has(words[0]!)) return;
    const isKnown = form.startsWith("n") || form.startsWith("(n)");
    const step = words.length === 1 ? FIELD_STEPS[words[0]!] : undefined;
    for (const near of this.#all.values()) {
      const [kind, name] = near.target;
      // Any command: where its keys are is not known here.
      if (!isKnown || args.length === 0) near.empty();
      else if (kind === "PREFIX")
        forEachName(
          args,
          (id) => near.changed(id),
          () => near.empty(),
        );
      else if (step !== undefined && args[0] === name) {
        const last = step === 0 ? 1 : args.length - 1;
        for (let i = 1; i <= last; i += step || 1) changeOr(near, args[i]);
      } else if (args.some((arg) => arg === name || arg instanceof Uint8Array)) near.empty();
    }
  }
}

function changeOr(near: NearReads, name: unknown): void {
  const id = idOf(name);
  if (id !== undefined) near.changed(id);
  // Bytes may be the name of a field that was read by its text.
  else near.empty();
}

/** Every text among the arguments may be the name of a key, and bytes any. */
function forEachName(args: readonly unknown[], visit: (id: string) => void, unknown: () => void): void {
  for (const arg of args) {
    if (typeof arg === "string") visit(arg);
    else if (arg instanceof Uint8Array) return unknown();
  }
}
