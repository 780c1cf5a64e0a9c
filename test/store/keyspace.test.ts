// What keys promise at their edges: sizes, deadlines, names of both kinds, and a memory that is full.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import type { ChangeKind } from "../../src/store/funnel.ts";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../src/store/keyspace.ts";
import { KEY_LENGTH_MAX, KEYSPACE_ROOT, KIND_RAW, KIND_TEXT, KIND_VALUE } from "../../src/store/layout.ts";
import { randomKey } from "../../src/store/random-key.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

function code(wanted: string): (error: unknown) => boolean {
  return (error) => error instanceof HiveError && error.code === wanted;
}

test("keys of no bytes and of one byte below 1 MiB are keys like others", () => {
  const small = new SmallStore();
  const long = "k".repeat(KEY_LENGTH_MAX);
  for (const name of ["", "a", long]) {
    small.put(name, `value of ${name.length}`);
    assert.equal(small.get(name), `value of ${name.length}`);
  }
  assert.throws(() => small.put(`${long}k`, ""), code("KEY_TOO_BIG"));
  assert.throws(() => small.rename("a", `${long}k`), code("KEY_TOO_BIG"));
  small.rename(long, "short");
  small.rename("short", long);
  assert.equal(small.get(long), `value of ${KEY_LENGTH_MAX}`);
  checkStore(small.store);
});

test("values above a segment are stored, replaced, shortened and given back", () => {
  const small = new SmallStore();
  const before = small.store.memory.pages.openBytes;
  const large = Buffer.alloc(40 * 1024 * 1024, 7);
  small.put("large", large);
  small.put("large", large.subarray(0, 35 * 1024 * 1024), small.store.nowMs + 1000);
  checkStore(small.store);
  const ref = small.resize("large", 20 * 1024 * 1024);
  assert.equal(small.store.memory.entries.valueLength(ref), 20 * 1024 * 1024);
  checkStore(small.store);
  small.pass(1000);
  assert.equal(small.find("large"), 0);
  assert.equal(small.store.memory.pages.openBytes, before);
  assert.throws(() => small.put("large", Buffer.alloc(64 * 1024 * 1024 + 1)), code("VALUE_TOO_BIG"));
  checkStore(small.store);
});

test("integer 1 and text 1 are two keys, raw and text the same one", () => {
  const { store } = new SmallStore();
  const one = Buffer.from([0x01]);
  const put = (kind: number, value: string): number =>
    store.keys.put(one, 0, 1, kind, Buffer.from(value), 0, value.length, kind, NO_DEADLINE);
  const typed = put(KIND_VALUE, "v");
  const raw = put(KIND_RAW, "r");
  assert.notEqual(typed, raw);
  assert.equal(put(KIND_TEXT, "t"), raw);
  assert.equal(store.keys.find(one, 0, 1, KIND_VALUE), typed);
  assert.equal(store.memory.containers.typed(KEYSPACE_ROOT), 1);
  store.keys.rename(raw, one, 0, 1, KIND_VALUE);
  assert.equal(store.memory.containers.typed(KEYSPACE_ROOT), 1);
  assert.equal(store.keys.find(one, 0, 1, KIND_RAW), 0);
  checkStore(store);
  const only = store.keys.find(one, 0, 1, KIND_VALUE);
  store.keys.rename(only, one, 0, 1, KIND_RAW);
  assert.equal(store.memory.containers.typed(KEYSPACE_ROOT), 0);
  checkStore(store);
});

test("a deadline is exact on read, kept where it should be, and gone where it should not", () => {
  const small = new SmallStore();
  const atMs = small.store.nowMs + 1000;
  small.put("key", "a", atMs);
  small.put("key", "b", KEEP_DEADLINE);
  assert.equal(small.store.memory.entries.deadline(small.ref("key")), atMs);
  small.pass(999);
  assert.equal(small.get("key"), "b");
  small.pass(1);
  assert.equal(small.get("key"), undefined);
  small.put("key", "c", KEEP_DEADLINE);
  assert.equal(small.store.memory.entries.deadline(small.ref("key")), NO_DEADLINE);
  small.put("key", "d", atMs + 5000);
  small.put("key", "e");
  assert.equal(small.store.memory.entries.deadline(small.ref("key")), NO_DEADLINE);
  checkStore(small.store);
});

test("deadlines that have passed, negative ones, and ones beyond 2^53 and 2^63 mean what they say", () => {
  const small = new SmallStore();
  for (const atMs of [2 ** 53, 2 ** 60, 2 ** 63, 2 ** 64, 1e300]) {
    small.put("far", "value", atMs);
    assert.equal(small.store.memory.entries.deadline(small.ref("far")), Math.min(atMs, 2 ** 63));
    assert.notEqual(small.store.keys.setDeadline(small.ref("far"), atMs), 0);
    checkStore(small.store);
  }
  small.pass(365 * 86_400_000 * 1000);
  assert.equal(small.get("far"), "value");
  for (const atMs of [0, -1, -(2 ** 53), -(2 ** 70)]) {
    small.put("past", "value", atMs);
    assert.equal(small.get("past"), undefined);
    small.put("past", "value");
    assert.equal(small.store.keys.setDeadline(small.ref("past"), atMs), 0);
  }
  small.workAll();
  checkStore(small.store);
});

test("a clock that goes back keeps keys alive, and their deadlines exact", () => {
  const small = new SmallStore({ nowMs: 1_700_000_000_000 });
  small.put("old", "value", small.store.nowMs + 50);
  small.pass(-86_400_000);
  small.put("new", "value", small.store.nowMs + 50);
  small.pass(49);
  assert.equal(small.get("new"), "value");
  small.pass(1);
  assert.equal(small.store.keys.count, 1, "the wheel removed it, nobody had to ask");
  assert.equal(small.get("old"), "value");
  small.pass(86_400_000);
  assert.equal(small.store.keys.count, 0);
});

test("removing and shortening succeed when every allocation fails", () => {
  const small = new SmallStore();
  small.put("string", "v".repeat(3000));
  for (let i = 0; i < 60; i++) small.set("packed", `field ${i}`, "v".repeat(50));
  small.table("table", 500);
  const { pages } = small.store.memory;
  pages.max = 0;
  pages.alloc = () => {
    throw new HiveError("OUT_OF_MEMORY", "an allocation that fails");
  };
  small.set("packed", "field 7", "");
  for (let i = 0; i < 60; i++) if (i !== 7) small.delete("packed", `field ${i}`);
  assert.equal(small.field("packed", "field 7"), "");
  checkStore(small.store);
  const ref = small.resize("string", 5);
  assert.equal(small.store.memory.entries.valueLength(ref), 5);
  for (let i = 1; i < 500; i++) small.delete("table", `field ${i}`);
  checkStore(small.store);
  for (const name of ["string", "packed", "table"]) small.remove(name);
  small.workAll();
  checkStore(small.store);
});

test("versions go up with every change, and wrap at 48 bits without harm", () => {
  const small = new SmallStore();
  const { entries } = small.store.memory;
  entries.version = 2 ** 32 - 2;
  let before = 0;
  for (let i = 0; i < 5; i++) {
    const version = entries.versionOf(small.put("key", `value ${i}`));
    assert.ok(version > before, `${version} after ${before}`);
    before = version;
  }
  entries.version = 2 ** 48 - 1;
  assert.equal(entries.versionOf(small.put("key", "value")), 0);
  assert.equal(entries.versionOf(small.put("key", "value")), 1);
  assert.equal(small.get("key"), "value");
  checkStore(small.store);
});

test("every change tells the funnel before it happens", () => {
  const small = new SmallStore();
  const told: ChangeKind[] = [];
  small.store.memory.funnel.listen({ change: (kind) => void told.push(kind) });
  const tell = (change: () => void): ChangeKind[] => {
    told.length = 0;
    change();
    return [...told];
  };
  assert.deepEqual(
    tell(() => small.put("key", "a")),
    ["set"],
  );
  assert.deepEqual(
    tell(() => small.put("key", "b")),
    ["set"],
  );
  assert.deepEqual(
    tell(() => small.store.keys.setDeadline(small.ref("key"), small.store.nowMs + 9)),
    ["ttl"],
  );
  assert.deepEqual(
    tell(() => small.pass(9)),
    ["expire"],
  );
  assert.deepEqual(
    tell(() => small.set("table", "a", "1")),
    ["set", "field-set"],
  );
  assert.deepEqual(
    tell(() => small.set("table", "a", "2")),
    ["field-set"],
  );
  assert.deepEqual(
    tell(() => small.rename("table", "other")),
    ["rename", "set"],
  );
  assert.deepEqual(
    tell(() => small.delete("other", "a")),
    ["field-delete", "delete"],
  );
  small.put("key", "c");
  assert.deepEqual(
    tell(() => small.store.keys.clear()),
    ["flush"],
  );
});

test("a random key among very many that have run out is looked for a bounded time, and found in the end", () => {
  const small = new SmallStore();
  const { store } = small;
  store.activeExpiry = false;
  for (let i = 0; i < 50_000; i++) small.put(`key ${i}`, "value", store.nowMs + 10);
  small.put("live", "value");
  small.pass(10);
  let found = 0;
  for (let calls = 0; found === 0; calls++) {
    const before = store.keys.count;
    found = randomKey(store.keys, Math.random);
    assert.ok(before - store.keys.count <= 1000, "keys that go at one call");
    assert.ok(calls < 60);
  }
  assert.equal(found, small.ref("live"));
  assert.ok(store.keys.expired > 0);
  checkStore(store);
  small.remove("live");
  small.workAll();
  store.keys.clear();
  assert.equal(randomKey(store.keys, Math.random), 0);
});

test("a renamed key keeps the access clock", () => {
  const small = new SmallStore();
  const { entries } = small.store.memory;
  for (const to of ["new", "old"]) {
    small.put("old", "value");
    entries.setAccess(small.put("key", "value"), 1234);
    small.rename("key", to);
    assert.equal(entries.accessOf(small.ref(to)), 1234);
  }
});
