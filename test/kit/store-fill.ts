// Store fill: keys that come and go in hundreds, so that indexes grow and shrink and pages fill and empty.

import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_STRING } from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import type { Name, StoreModel } from "./store-model.ts";
import type { Step } from "./store-steps.ts";

/** What a history offers for it. */
export type Filled = {
  readonly store: Store;
  readonly model: StoreModel;
  makeRoom(): boolean;
  filler(number: number, name: Name): Buffer;
  deadlineFor(deadlineMs: number, name: Name): number;
};

export function fillKeys(history: Filled, [, k, x]: Step): void {
  const { store, model } = history;
  for (let i = 0; i < x % 600 && history.makeRoom(); i++) {
    const name = { bytes: Buffer.from(`many ${(k + i) % 2000}`), kind: 0 };
    const { id } = model.look(name);
    const value = history.filler(x, name);
    const deadlineMs = x % 2 === 0 ? NO_DEADLINE : history.deadlineFor(store.nowMs + 1_000_000, name);
    try {
      store.keys.put(name.bytes, 0, name.bytes.length, 0, value, 0, value.length, 0, deadlineMs);
    } catch {
      return;
    }
    model.keys.set(id, { ...model.newKey(name, TYPE_STRING), value, deadlineMs });
  }
}

export function drainKeys({ store, model }: Filled, [, k, x]: Step): void {
  for (let i = 0; i < x % 900; i++) {
    const { id, ref } = model.look({ bytes: Buffer.from(`many ${(k + i) % 2000}`), kind: 0 });
    if (ref !== 0) store.keys.remove(ref);
    model.forget(id);
  }
}
