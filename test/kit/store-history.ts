// Store history: a list of numbers becomes operations on a store and its model.
//
//   [what, key, x, y] ──▶ drawn operation ──▶ store, perhaps with an allocation that fails ──▶ model
//
// The same list always does the same. An operation that runs out of memory must leave everything as it was.

import assert from "node:assert/strict";
import { HiveError } from "../../src/base/errors.ts";
import { GROUP_OWNER_MIN } from "../../src/store/accounting.ts";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_LIST, TYPE_SORTED, TYPE_STRING } from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import { drawDeadline, drawDelayMs, drawField, drawName, drawScore, drawValue } from "./store-draws.ts";
import { fieldsOf, setField, setScore } from "./store-fields.ts";
import { drainKeys, fillKeys } from "./store-fill.ts";
import { checkStore } from "./store-invariants.ts";
import { editList, pushElements } from "./store-lists.ts";
import { CONTAINER_TYPES, hasFields, idOf, type ModelKey, type Name, StoreModel } from "./store-model.ts";
import { scanOn } from "./store-scans.ts";
import { INSIDE, type Inside, OUTSIDE, type Step } from "./store-steps.ts";

export type HistoryOptions = {
  /** Steps between two checks of everything. */
  checkEvery: number;
  /** Values above 16 MiB now and then. */
  large?: boolean;
  /** Bytes of the values of the keys that come in hundreds. */
  fillBytes?: number;
  /** Blocks that the test has allocated beside the store. */
  foreign?: readonly number[];
};

export class StoreHistory {
  readonly model: StoreModel;
  readonly store: Store;
  readonly #options: HistoryOptions;
  #queue: Step[] = [];
  #steps = 0;
  /** What a rollback puts back had its memory before: its allocations do not fail here. */
  #isRollingBack = false;
  readonly counts: Map<string, number> = new Map<string, number>();

  constructor(store: Store, options: HistoryOptions) {
    this.store = store;
    this.#options = options;
    this.model = new StoreModel(store);
    store.memory.funnel.listen(this.model);
  }

  run(steps: readonly Step[]): void {
    this.#queue = [...steps].reverse();
    for (let step = this.#queue.pop(); step; step = this.#queue.pop()) this.#one(step, true);
    this.settle();
  }

  settle(): void {
    for (let rounds = 0; this.store.work(() => false) || this.store.hasWork; rounds++)
      assert.ok(rounds < 100, "work ends");
    this.model.compareAll();
    checkStore(this.store, this.#options.foreign);
  }

  #one(step: Step, outside: boolean): void {
    if (++this.#steps % this.#options.checkEvery === 0 && outside) {
      checkStore(this.store, this.#options.foreign);
      this.model.compareAll();
    }
    const what = step[0] % 100;
    const inside = INSIDE[what];
    if (inside) this.#try(inside, step);
    else if (outside) {
      const operation = OUTSIDE[what] ?? "look";
      this.#count(operation);
      this[operation](step);
    }
  }

  #count(name: string): void {
    this.counts.set(name, 1 + (this.counts.get(name) ?? 0));
  }

  /** Runs an operation that may run out of memory. Returns false when it did. */
  #try(name: Inside, step: Step): boolean {
    try {
      this[name](step);
      this.#count(name);
      return true;
    } catch (error) {
      if (!(error instanceof HiveError) || error.code !== "OUT_OF_MEMORY") throw error;
      this.#count(`${name} without memory`);
      this.look(step);
      return false;
    }
  }

  // What is drawn, for a name: histories that draw otherwise override these.

  value(number: number, _name: Name): Buffer {
    return drawValue(number, this.#options.large ?? false);
  }

  filler(number: number, _name: Name): Buffer {
    return Buffer.alloc(this.#options.fillBytes ?? 12, number & 255);
  }

  resized(key: ModelKey, length: number, number: number): Buffer {
    return Buffer.concat([key.value.subarray(0, length), Buffer.alloc(Math.max(0, length - key.value.length), number)]);
  }

  deadlineFor(deadlineMs: number, _name: Name): number {
    return deadlineMs;
  }

  #deadline(number: number, name: Name): number {
    return this.deadlineFor(drawDeadline(number, this.store.nowMs), name);
  }

  containerType(name: Name): number {
    return CONTAINER_TYPES[name.bytes.length % CONTAINER_TYPES.length]!;
  }

  makeRoom(): boolean {
    return this.store.eviction.makeRoom();
  }

  // Operations that may run inside undo, and with an allocation that fails.

  put([, k, x, y]: Step): void {
    if (!this.makeRoom()) return;
    const name = drawName(k);
    const { id, key } = this.model.look(name);
    const value = this.value(x, name);
    const deadlineMs = y % 3 === 0 ? KEEP_DEADLINE : this.#deadline(y, name);
    const length = name.bytes.length;
    const ref = this.store.keys.put(name.bytes, 0, length, name.kind, value, 0, value.length, x % 4, deadlineMs);
    const next = this.model.newKey(name, TYPE_STRING);
    next.value = value;
    next.kind = x % 4;
    next.deadlineMs = Number.isNaN(deadlineMs) ? (key?.deadlineMs ?? NO_DEADLINE) : deadlineMs;
    this.model.scans = this.model.scans.filter((scan) => scan.key !== id);
    this.model.keys.set(id, next);
    assert.equal(this.model.look(name).ref, next.deadlineMs <= this.store.nowMs ? 0 : ref, "put returns the entry");
  }

  remove([, k]: Step): void {
    const { id, ref } = this.model.look(drawName(k));
    if (ref === 0) return;
    this.store.keys.remove(ref);
    this.model.forget(id);
  }

  expireKey([, k, x]: Step): void {
    const { id, ref, key } = this.model.look(drawName(k));
    if (!key) return;
    const deadlineMs = this.#deadline(x, key.name);
    const next = this.store.keys.setDeadline(ref, deadlineMs);
    if (next === 0) this.model.forget(id);
    else key.deadlineMs = deadlineMs;
  }

  /** An owner, another one, or none; a secret too now and then. */
  own([, k, x, y]: Step): void {
    const { ref, key } = this.model.look(drawName(k));
    if (!key) return;
    const { keys, memory } = this.store;
    const owner = [0, 1, GROUP_OWNER_MIN, GROUP_OWNER_MIN + 1][x % 4]!;
    const payer = owner < GROUP_OWNER_MIN ? 0 : y % 4;
    const target = keys.setOwner(ref, owner, { payer, isOfSession: y % 5 === 0 });
    const word = owner === 0 ? 0 : payer * 2 + (y % 5 === 0 ? 1 : 0);
    assert.deepEqual([memory.entries.ownerOf(target), memory.entries.ownedWord(target)], [owner, word]);
    if (y % 7 === 0) keys.setScrub(target);
  }

  rename([, k, x]: Step): void {
    const from = this.model.look(drawName(k));
    const name = drawName(x);
    const to = this.model.look(name);
    if (!from.key) return;
    const source = this.store.keys.find(from.key.name.bytes, 0, from.key.name.bytes.length, from.key.name.kind);
    this.store.keys.rename(source, name.bytes, 0, name.bytes.length, name.kind);
    if (from.id === to.id) return;
    this.model.forget(from.id);
    this.model.forget(to.id);
    this.model.keys.set(to.id, { ...from.key, name });
  }

  resize([, k, x, y]: Step): void {
    if (!this.makeRoom()) return;
    const { ref, key } = this.model.look(drawName(k));
    if (!key || key.type !== TYPE_STRING) return;
    const { keys, memory } = this.store;
    const length = Math.min(this.value(x, key.name).length, 300_000);
    const kept = Math.min(length, key.value.length);
    const value = this.resized(key, length, y);
    if (y % 2 === 0) {
      keys.write(ref, kept, value, kept, length - kept, length, key.kind);
    } else {
      memory.funnel.before("set", ref);
      const target = keys.beginWrite(ref, length);
      value.copy(memory.entries.bytesOf(target), memory.entries.valueStart(target));
      keys.endWrite(ref, target, length);
    }
    key.value = value;
  }

  /** A container's key, created where it is missing or a string. 0 when it could not be. */
  container(name: Name): { id: string; ref: number; key: ModelKey } {
    const { id, ref, key } = this.model.look(name);
    if (hasFields(key)) return { id, ref, key };
    if (ref !== 0) this.store.keys.remove(ref);
    this.model.forget(id);
    const fresh = this.model.newKey(name, this.containerType(name));
    const created =
      fresh.type === TYPE_SORTED
        ? this.store.sorted.create(name.bytes, 0, name.bytes.length, name.kind)
        : this.store.fields.create(fresh.type, name.bytes, 0, name.bytes.length, name.kind);
    this.model.keys.set(id, fresh);
    return { id, ref: created, key: fresh };
  }

  setField(step: Step): void {
    this.setFields(step, 1, step[3]);
  }

  growFields(step: Step): void {
    this.setFields(step, 1 + (step[3] % (step[2] % 2 === 0 ? 200 : 12)), 4);
  }

  setFields([, k, x]: Step, count: number, y: number): void {
    if (!this.makeRoom()) return;
    this.#atomic(() => {
      const target = this.container(drawName(k));
      for (let i = 0; i < count; i++) {
        const name = drawField(x + i);
        if (target.key.type === TYPE_SORTED) {
          setScore(this.store, target, name, drawScore(x + i * y));
          continue;
        }
        const value =
          target.key.type === CONTAINER_TYPES[1] ? Buffer.alloc(0) : this.value(count > 1 ? (x + i) % 200 : x, name);
        const kind = (x + i) % 4;
        const deadlineMs =
          y % 3 === 0
            ? KEEP_DEADLINE
            : this.deadlineFor(Math.max(this.store.nowMs + 1, drawDeadline(y, this.store.nowMs)), name);
        const field = target.key.fields.get(idOf(name));
        target.ref = setField(this.store, target.ref, { name, value, kind, deadlineMs });
        assert.equal(this.store.fields.created, field === undefined, "created");
        const next = Number.isNaN(deadlineMs) ? (field?.deadlineMs ?? NO_DEADLINE) : deadlineMs;
        target.key.fields.set(idOf(name), { name: field?.name ?? name, value, kind, deadlineMs: next });
      }
    });
  }

  deleteFields([, k, x, y]: Step): void {
    const { id, ref, key } = this.model.look(drawName(k));
    if (!hasFields(key)) return;
    let target = ref;
    for (let i = 0; i <= y % 150 && target !== 0; i++) {
      const name = drawField(x + i);
      const fields = fieldsOf(this.store, target);
      const handle = fields.find(target, name.bytes, 0, name.bytes.length, name.kind);
      assert.equal(handle !== 0, key.fields.has(idOf(name)), "field is there");
      if (handle === 0) continue;
      target = fields.delete(target, handle);
      this.model.forgetField(id, idOf(name));
    }
    // Others of the table may have run out and not be removed yet.
    assert.ok(target !== 0 || key.fields.size === 0, "a table goes with its last field");
    if (target === 0) this.model.forget(id);
  }

  expireField([, k, x, y]: Step): void {
    const { id, ref, key } = this.model.look(drawName(k));
    const name = drawField(x);
    const field = key?.fields.get(idOf(name));
    if (!key || !field || key.type === TYPE_SORTED) return;
    const handle = this.store.fields.find(ref, name.bytes, 0, name.bytes.length, name.kind);
    const deadlineMs = this.#deadline(y, name);
    const next = this.store.fields.setDeadline(ref, handle, deadlineMs);
    if (deadlineMs > this.store.nowMs) field.deadlineMs = deadlineMs;
    else this.model.forgetField(id, idOf(name));
    if (next === 0) this.model.forget(id);
  }

  pushElements(step: Step): void {
    if (this.makeRoom()) this.#atomic(() => pushElements(this.store, this.model, step, this.listValue));
  }

  editList(step: Step): void {
    if (this.makeRoom()) editList(this.store, this.model, step, this.listValue);
  }

  readonly listValue = (number: number, name: Name): Buffer => this.value(number, name);

  look([, k]: Step): void {
    const { ref, key } = this.model.look(drawName(k));
    if (hasFields(key)) this.model.compareFields(ref, key);
    if (key?.type === TYPE_LIST) this.model.compareElements(ref, key);
  }

  /** As an armed command does it: all or nothing. */
  #atomic(change: () => void): void {
    const { undo } = this.store;
    if (undo.armed) return change();
    const copy = this.model.copy();
    undo.begin();
    try {
      change();
      undo.commit();
    } catch (error) {
      this.#rollback(copy);
      throw error;
    }
  }

  #rollback(copy: Map<string, ModelKey>): void {
    this.#isRollingBack = true;
    this.store.undo.rollback();
    this.#isRollingBack = false;
    this.model.restore(copy);
  }

  // Operations between commands.

  fillKeys(step: Step): void {
    fillKeys(this, step);
  }

  drainKeys(step: Step): void {
    drainKeys(this, step);
  }

  pass([, , x]: Step): void {
    this.store.setNow(this.store.nowMs + (x % 3 === 0 ? 1 : drawDelayMs(x)));
  }

  goBack([, , x]: Step): void {
    this.settle();
    for (const id of [...this.model.keys.keys()]) this.model.live(id);
    this.store.setNow(Math.max(1, this.store.nowMs - drawDelayMs(x)));
  }

  work([, , x]: Step): void {
    if (x % 2 === 0) this.store.compactor.want();
    let slices = x % 40;
    this.store.work(() => slices-- <= 0);
  }

  clear([, , x]: Step): void {
    if (x % 4 !== 0) return this.work([0, 0, x, 0]);
    this.store.keys.clear();
    this.model.forgetAll();
  }

  scan([, k, x]: Step): void {
    const { model } = this;
    if (x % 3 === 0 && model.scans.length < 4) {
      const { id, key } = model.look(drawName(k));
      if (hasFields(key)) model.scans.push({ key: id, cursor: 0, owed: new Set(key.fields.keys()) });
      else model.scans.push({ key: undefined, cursor: 0, owed: new Set(model.keys.keys()) });
    }
    for (const scan of [...model.scans]) scanOn(model, scan, 1 + (x % 60));
  }

  /** The next steps as one command that then fails, or does not. */
  undo([, , x, y]: Step): void {
    const { undo } = this.store;
    const before = x % 4 === 0 ? undefined : this.model.dump();
    const copy = this.model.copy();
    undo.begin();
    for (let i = 0; i <= y % 7; i++) {
      const step = this.#queue.pop();
      if (step) this.#one(step, false);
    }
    if (!before) return undo.commit();
    this.#rollback(copy);
    assert.deepEqual(this.model.dump(), before, "after a rollback everything is as it was");
  }

  /** The next step, with one of its allocations failing. */
  fail([, , x, y]: Step): void {
    const { pages } = this.store.memory;
    const step = this.#queue.pop();
    if (!step) return;
    const alloc = pages.alloc.bind(pages);
    let left = 1 + (x % [1, 2, 5, 60][y % 4]!);
    pages.alloc = (bytes) => {
      if (!this.#isRollingBack && --left === 0) throw new HiveError("OUT_OF_MEMORY", "an allocation that fails");
      return alloc(bytes);
    };
    try {
      this.#one(step, false);
    } finally {
      // @ts-expect-error: the class's own method shows again.
      delete pages.alloc;
    }
  }
}
