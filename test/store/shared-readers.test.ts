// Shared readers: a worker reads the store's memory while it is written to, as a second process will, and
// whatever it accepts was there. The seed is printed; STORE_SEED=… does the same to the store again.
//
// It proves the order of the writer's steps, on a processor that keeps the order of stores (x86).

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYSPACE_ROOT, KIND_VALUE, TYPE_LIST } from "../../src/store/layout.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";
import { ACCEPTED, DEADLINES, FIELDS, FRESH, PACKED, Reading, TORN } from "../kit/reader-control.ts";
import { checkSealed } from "../kit/sealed.ts";
import { SealedHistory } from "../kit/sealed-history.ts";
import { SharedReader } from "../kit/shared-reader.ts";
import { SharedSegments } from "../kit/shared-segments.ts";
import { START_MS } from "../kit/small-store.ts";
import { SteadyChurn } from "../kit/steady-churn.ts";
import { SteadyReader } from "../kit/steady-reader.ts";
import { freshSeed } from "../kit/store-checks.ts";
import { generator } from "../kit/store-draws.ts";
import { checkStore } from "../kit/store-invariants.ts";
import type { Step } from "../kit/store-steps.ts";

/** Segments of the test's memory: address space, of which little is used. */
const SEGMENTS = 32;
/** Reads that must have been accepted, and those of them that show what was written since the one before. */
const ACCEPTED_MIN = 5000;
const FRESH_MIN = 500;
/** Steps of a history, and of the churn, at least; ten times as many while the reader lags behind. */
const STEPS = 6000;
const CHURN = 20_000;
/** Attempts of a reader between whose steps the store changes. */
const INTERLEAVED = 8000;

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
    const isKey = entries.type(ref) <= TYPE_LIST;
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
  const churn = new SteadyChurn(seed, new SharedSegments(SEGMENTS));
  const reading = new Reading({ memory: churn.provider.memory, seed, look: "steady" });
  try {
    for (let done = 0; done < CHURN || !hasRead(reading); done++) {
      if (reading.failed) break;
      assert.ok(done < CHURN * 10, `the reader lags behind: ${summary(reading)}`);
      churn.hammer();
      churn.step();
      if (done % 10_000 === 0) checkStore(churn.store);
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
  const churn = new SteadyChurn(seed, new SharedSegments(SEGMENTS));
  const random = generator(seed + 1);
  const reader = new SharedReader(churn.provider.memory, true);
  const steady = new SteadyReader(reader, random);
  reader.between = () => {
    // Mostly nothing, so that attempts come to an end; else enough for a bucket, a block or a whole walk.
    if (random(12) === 0) for (let i = random(8); i >= 0; i--) churn.step();
    if (random(200) === 0) churn.moveSome();
  };
  let accepted = 0;
  for (let i = 0; i < INTERLEAVED; i++) if (steady.read() !== undefined) accepted++;
  t.diagnostic(`accepted ${accepted}, given up ${reader.torn}`);
  assert.ok(accepted > INTERLEAVED / 10 && reader.torn > INTERLEAVED / 100, "some of both");
  checkStore(churn.store);
});
