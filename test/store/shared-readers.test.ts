// Shared readers: a worker reads the store's memory while it is written to, as a second process will, and
// whatever it accepts was there. The seed is printed; STORE_SEED=… does the same to the store again.
//
// It proves the order of the writer's steps, on a processor that keeps the order of stores (x86).

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { KEYSPACE_ROOT, KIND_VALUE, TYPE_SET, TYPE_TABLE } from "../../src/store/layout.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";
import { ACCEPTED, DEADLINES, FIELDS, FRESH, PACKED, Reading, TORN } from "../kit/reader-control.ts";
import { checkSealed, seal, sealDeadline } from "../kit/sealed.ts";
import { SealedHistory } from "../kit/sealed-history.ts";
import { SharedReader } from "../kit/shared-reader.ts";
import { SharedSegments } from "../kit/shared-segments.ts";
import { START_MS } from "../kit/small-store.ts";
import { drawSteady, STEADY_FIELDS, STEADY_KEYS, STEADY_RECORDS, steadyName } from "../kit/steady-names.ts";
import { SteadyReader } from "../kit/steady-reader.ts";
import { freshSeed } from "../kit/store-checks.ts";
import { checkStore } from "../kit/store-invariants.ts";
import type { Step } from "../kit/store-steps.ts";

/** Segments of the test's memory: address space, of which little is used. */
const SEGMENTS = 32;
/** Reads that must have been accepted, and those of them that show what was written since the one before. */
const ACCEPTED_MIN = 5000;
const FRESH_MIN = 500;
/** Steps of a history, and of the churn, at least; ten times as many while the reader lags behind. */
const STEPS = 6000;
const CHURN = 40_000;
/** Attempts of a reader between whose steps the store changes. */
const INTERLEAVED = 20_000;

/** Numbers below a bound, from a seed: xorshift32 (G. Marsaglia, 2003). */
function generator(seed: number): (below: number) => number {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function steps(count: number, random: (below: number) => number): Step[] {
  return Array.from({ length: count }, (): Step => [random(100), random(1 << 20), random(1 << 20), random(1 << 20)]);
}

/** Whether the reader has read enough beside what was written. */
function hasRead(reading: Reading): boolean {
  return reading.count(ACCEPTED) >= ACCEPTED_MIN && reading.count(FRESH) >= FRESH_MIN;
}

function summary(reading: Reading): string {
  const names = { accepted: ACCEPTED, fresh: FRESH, torn: TORN, packed: PACKED, fields: FIELDS, deadlines: DEADLINES };
  return Object.entries(names)
    .map(([name, word]) => `${name} ${reading.count(word)}`)
    .join(", ");
}

const SETTINGS: Readonly<Record<string, Partial<StoreOptions>>> = {
  "without a limit": {},
  "in little memory": { maxMemoryBytes: 40 * 65536, maxMemoryPolicy: "allkeys-lru" },
};

for (const [setting, options] of Object.entries(SETTINGS)) {
  test(`what is read during a history ${setting} is whole and belongs together`, async (t) => {
    const seed = freshSeed();
    t.diagnostic(`STORE_SEED=${seed}`);
    const random = generator(seed);
    const provider = new SharedSegments(SEGMENTS);
    const store = new Store({ nowMs: START_MS, hashKey: Buffer.from("hash key"), provider, ...options });
    const history = new SealedHistory(store, { checkEvery: 1000, fillBytes: 40 });
    const reading = new Reading({ memory: provider.memory, seed, look: "any" });
    try {
      for (let done = 0; done < STEPS || !hasRead(reading); done += 200) {
        if (reading.failed) break;
        assert.ok(done < STEPS * 10, `the reader lags behind: ${summary(reading)}`);
        history.run(steps(200, random));
      }
    } finally {
      await reading.stop();
    }
    t.diagnostic(summary(reading));
    for (const word of [PACKED, FIELDS, DEADLINES]) assert.ok(reading.count(word) > 0, summary(reading));
    store.close();
  });
}

test("whenever a sequence is even again, each entry of its bucket is whole, and none is freed before", (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  const random = generator(seed);
  const provider = new SharedSegments(SEGMENTS);
  const store = new Store({ nowMs: START_MS, hashKey: Buffer.from("hash key"), provider });
  const reader = new SharedReader(provider.memory, false);
  const { memory } = store;
  const { index, entries } = memory;
  const unlock = index.unlock.bind(index);
  const free = entries.free.bind(entries);
  let looks = 0;
  index.unlock = () => {
    unlock();
    for (const ref of index.takeChain()) {
      const { name, found } = reader.entry(ref);
      checkSealed(name, found);
      looks++;
    }
  };
  entries.free = (ref) => {
    const isKey = entries.type(ref) <= TYPE_SET;
    const typed = entries.keyKind(ref) === KIND_VALUE ? 1 : 0;
    const found = isKey ? index.find(KEYSPACE_ROOT, memory.hashOf(ref), entries.keyLength(ref), typed) : 0;
    assert.notEqual(found, ref, "an entry is freed that the index still refers to");
    free(ref);
  };
  const history = new SealedHistory(store, { checkEvery: 1000, fillBytes: 40 });
  history.run(steps(STEPS / 2, random));
  assert.ok(looks > STEPS / 2, "entries were looked at");
  store.close();
});

test("what is there all the time is always found, and is never seen to go back", async (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  const churn = new Churn(seed);
  const reading = new Reading({ memory: churn.provider.memory, seed, look: "steady" });
  try {
    for (let done = 0; done < CHURN || !hasRead(reading); done++) {
      if (reading.failed) break;
      assert.ok(done < CHURN * 10, `the reader lags behind: ${summary(reading)}`);
      churn.step();
      if (done % 20_000 === 0) checkStore(churn.store);
    }
  } finally {
    await reading.stop();
  }
  t.diagnostic(summary(reading));
  for (const word of [PACKED, FIELDS, DEADLINES]) assert.ok(reading.count(word) > 0, summary(reading));
  checkStore(churn.store);
  assert.ok(churn.store.compactor.moved > 0, "the compactor moved something");
});

test("whatever changes between two steps of a reader, it finds what is there or gives up", (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  const churn = new Churn(seed);
  const random = generator(seed + 1);
  const reader = new SharedReader(churn.provider.memory, true);
  const steady = new SteadyReader(reader, random);
  reader.between = () => {
    // Mostly nothing, so that attempts come to an end; else enough for a bucket, a block or a whole walk.
    if (random(12) === 0) for (let i = random(8); i >= 0; i--) churn.step();
  };
  let accepted = 0;
  for (let i = 0; i < INTERLEAVED; i++) if (steady.read() !== undefined) accepted++;
  t.diagnostic(`accepted ${accepted}, given up ${reader.torn}`);
  assert.ok(accepted > INTERLEAVED / 10 && reader.torn > INTERLEAVED / 100, "some of both");
  checkStore(churn.store);
});

/** Steady keys and fields that change all the time, and others around them that come and go in waves. */
class Churn {
  readonly provider = new SharedSegments(SEGMENTS);
  readonly store: Store;
  readonly #random: (below: number) => number;
  #number = 1;
  #steps = 0;

  constructor(seed: number) {
    this.#random = generator(seed);
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
    else if (what === 10) this.store.keys.setOwner(this.#find(name), Math.max(0, this.#random(4) - 1), 1);
    else if (what === 11) this.#takeBack(name);
    else if (what === 12) this.#append(name);
    else if (what === 13) this.#moveAll();
    else this.store.keys.setOwner(this.#find("table"), this.#random(3), 1);
    this.#wave();
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
