// Lookahead: it only reads, whatever it is given.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { LOOKAHEAD_MAX } from "../../src/store/lookahead.ts";
import { Store } from "../../src/store/store.ts";

test("a look ahead for keys that are there, missing, empty and long changes nothing", () => {
  const store = new Store({ nowMs: 1 });
  for (let i = 0; i < 20_000; i++) {
    const name = Buffer.from(`key:${i}`);
    store.keys.put(name, 0, name.length, 0, name, 0, name.length, 0, Number.POSITIVE_INFINITY);
  }
  const before = Buffer.from(store.memory.segments.bytes[0]!);
  const names = Array.from(
    { length: LOOKAHEAD_MAX },
    (_, i) => ["", "key:1", `none:${i}`, "k".repeat(5000), `key:${i}`][i % 5]!,
  );
  const bytes = Buffer.from(names.join(""));
  const starts = new Int32Array(LOOKAHEAD_MAX * 2);
  const lengths = new Int32Array(LOOKAHEAD_MAX * 2);
  let at = 0;
  names.forEach((name, i) => {
    starts[i * 2] = at;
    lengths[i * 2] = name.length;
    at += name.length;
  });
  store.lookahead.fetch(bytes, starts, lengths, LOOKAHEAD_MAX);

  assert.ok(store.memory.segments.bytes[0]!.equals(before));
  assert.notEqual(store.lookahead.seen, 0, "it did read");
});

test("a look ahead into one large table changes nothing either", () => {
  const store = new Store({ nowMs: 1 });
  const name = Buffer.from("table");
  let table = store.fields.create(TYPE_TABLE, name, 0, name.length, 0);
  for (let i = 0; i < 5000; i++) {
    const field = Buffer.from(`field:${i}`);
    table = store.fields.set(table, field, 0, field.length, 0, field, 0, field.length, 0);
  }
  const bytes = Buffer.from("tablefield:1field:2none");
  const starts = Int32Array.of(0, 5, 0, 12, 0, 19);
  const lengths = Int32Array.of(5, 7, 5, 7, 5, 4);
  store.lookahead.fetch(bytes, starts, lengths, 3);

  assert.notEqual(store.lookahead.seen, 0, "it did read");
  assert.equal(store.fields.count(table), 5000);
});
