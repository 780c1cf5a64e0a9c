// Steady churn: a store whose steady keys, fields and records (steady-names.ts) change all the time, while
// others come and go around them, so that indexes grow and shrink and blocks move.
//
// The numbers in the values that stay only go up; a command that is taken back used higher ones.

import assert from "node:assert/strict";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { seal, sealDeadline } from "./sealed.ts";
import type { SharedSegments } from "./shared-segments.ts";
import { START_MS } from "./small-store.ts";
import { drawSteady, STEADY_FIELDS, STEADY_KEYS, STEADY_RECORDS, steadyName } from "./steady-names.ts";
import { generator } from "./store-draws.ts";

export class SteadyChurn {
  readonly provider: SharedSegments;
  readonly store: Store;
  readonly #random: (below: number) => number;
  #number = 1;
  #steps = 0;

  constructor(seed: number, provider: SharedSegments) {
    this.#random = generator(seed);
    this.provider = provider;
    this.store = new Store({ nowMs: START_MS, hashKey: Buffer.from("hash key"), provider: this.provider });
    for (let i = 0; i < STEADY_KEYS; i++) this.#put(steadyName(i));
    for (let i = 0; i < STEADY_FIELDS; i++) this.#set("table", steadyName(i));
    for (let i = 0; i < STEADY_RECORDS; i++) this.#set("packed", steadyName(i), 30);
    assert.ok(!this.store.fields.isPacked(this.#find("table")));
    assert.ok(this.store.fields.isPacked(this.#find("packed")));
  }

  /** One change of what is steady, and one of what is not. */
  step(): void {
    this.#steps++;
    const what = this.#random(16);
    const name = drawSteady(STEADY_KEYS, this.#random);
    if (what < 2) this.#put(name);
    else if (what < 4) this.#overwrite(name);
    else if (what < 6) this.#set("packed", drawSteady(STEADY_RECORDS, this.#random), 30);
    else if (what < 9) this.#set("table", drawSteady(STEADY_FIELDS, this.#random));
    else if (what === 9) this.#expire(name);
    else if (what === 10) this.store.keys.setOwner(this.#find(name), Math.max(0, this.#random(4) - 1));
    else if (what === 11) this.#takeBack(name);
    else if (what === 12) this.#append(name);
    else if (what === 13) this.#moveAll();
    else this.store.keys.setOwner(this.#find("table"), this.#random(3));
    this.#wave();
  }

  /** Values that are replaced where they stand, again and again: where a reader meets a write half done. */
  hammer(): void {
    for (let i = 0; i < 6; i++) {
      this.#overwrite(steadyName(i % 4));
      this.#set("table", steadyName(i % 4), 4000);
      this.#set("packed", steadyName(i % 4), 30);
    }
  }

  /** What lies in some of the pages goes elsewhere: of an entry and what leads to it one part, or another. */
  moveSome(): void {
    const { compactor, memory } = this.store;
    memory.pages.eachSpan((page) => {
      if (this.#random(4) === 0) memory.pages.evacuate(page);
    });
    compactor.want();
    while (this.store.hasWork) this.store.work(() => false);
  }

  /** Keys, fields and whole tables beside the steady ones: the indexes grow and shrink all the time. */
  #wave(): void {
    const at = this.#steps % 3000;
    const rises = Math.floor(this.#steps / 3000) % 2 === 0;
    const name = `wave ${at}`;
    if (rises) {
      this.#put(name);
      this.#set("table", name, 40);
      this.#set(`table ${at % 7}`, name, 40);
      if (at % 10 < 5) this.#set("packed", `wave ${at % 5}`, 8);
      return;
    }
    const ref = this.#find(name);
    if (ref !== 0) this.store.keys.remove(ref);
    this.#delete("table", name);
    if (at % 10 < 5) this.#delete("packed", `wave ${at % 5}`);
    const table = this.#find(`table ${at % 7}`);
    if (table !== 0) this.store.keys.remove(table);
  }

  #value(name: string, length: number): Buffer {
    return seal(Buffer.from(name), this.#number++ * 4, length);
  }

  #length(): number {
    return [4, 20, 40, 100, 500, 3000, 20_000][this.#random(7)]! + this.#random(20);
  }

  #find(name: string): number {
    const bytes = Buffer.from(name);
    return this.store.keys.find(bytes, 0, bytes.length);
  }

  #put(name: string): void {
    const bytes = Buffer.from(name);
    const value = this.#value(name, this.#length());
    const later = this.#random(3) === 0 ? sealDeadline(bytes, START_MS + this.#random(1e9) + 1) : NO_DEADLINE;
    this.store.keys.put(bytes, 0, bytes.length, 0, value, 0, value.length, 0, later);
  }

  /** Another value of the same length, in place where the key is plain. */
  #overwrite(name: string): void {
    const bytes = Buffer.from(name);
    const value = this.#value(name, this.store.memory.entries.valueLength(this.#find(name)));
    this.store.keys.put(bytes, 0, bytes.length, 0, value, 0, value.length, 0, NO_DEADLINE);
  }

  /** Some bytes more of the same value. */
  #append(name: string): void {
    const ref = this.#find(name);
    const { entries } = this.store.memory;
    const start = entries.valueStart(ref);
    const before = entries.valueLength(ref);
    const number = entries.bytesOf(ref).readUInt32LE(start);
    const value = seal(Buffer.from(name), number, before + this.#random(300));
    this.store.keys.write(ref, before, value, before, value.length - before, value.length, 0);
  }

  #set(table: string, name: string, lengthMax: number = 4000): void {
    const { fields } = this.store;
    const key = Buffer.from(table);
    const bytes = Buffer.from(name);
    const value = this.#value(name, 4 + this.#random(lengthMax));
    const ref = this.#find(table) || fields.create(TYPE_TABLE, key, 0, key.length, 0);
    const deadlineMs =
      table === "table" && this.#random(3) === 0 ? sealDeadline(bytes, START_MS + this.#random(1e9) + 1) : NO_DEADLINE;
    fields.set(ref, bytes, 0, bytes.length, 0, value, 0, value.length, 0, deadlineMs);
  }

  #delete(table: string, name: string): void {
    const bytes = Buffer.from(name);
    const ref = this.#find(table);
    const handle = this.store.fields.find(ref, bytes, 0, bytes.length);
    if (handle !== 0) this.store.fields.delete(ref, handle);
  }

  #expire(name: string): void {
    const deadlineMs = this.#random(2) === 0 ? NO_DEADLINE : sealDeadline(Buffer.from(name), START_MS + 1e9);
    this.store.keys.setDeadline(this.#find(name), deadlineMs);
  }

  /** A command that sets a key far ahead and fails, or one that does not. */
  #takeBack(name: string): void {
    const { undo } = this.store;
    const before = this.#number;
    const fails = this.#random(2) === 0;
    undo.begin();
    if (fails) this.#number += 1000;
    this.#put(name);
    this.#set("table", drawSteady(STEADY_FIELDS, this.#random));
    this.#set("packed", drawSteady(STEADY_RECORDS, this.#random), 30);
    if (this.#random(2) === 0) this.store.keys.remove(this.#find(name));
    else if (!fails) return undo.commit();
    undo.rollback();
    this.#number = before;
  }

  /** A part of the compactor's walk, asked for in turn. */
  #moveAll(): void {
    if (this.#steps % 50 === 0) this.store.compactor.want();
    let slices = this.#random(6);
    this.store.work(() => slices-- <= 0);
  }
}
