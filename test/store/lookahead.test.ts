// Lookahead: it only reads, whatever it is given.

import assert from "node:assert/strict";
import { test } from "node:test";
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
  const starts = new Int32Array(LOOKAHEAD_MAX);
  const lengths = new Int32Array(LOOKAHEAD_MAX);
  let at = 0;
  names.forEach((name, i) => {
    starts[i] = at;
    lengths[i] = name.length;
    at += name.length;
  });
  store.lookahead.fetch(bytes, starts, lengths, LOOKAHEAD_MAX);

  assert.ok(store.memory.segments.bytes[0]!.equals(before));
  assert.notEqual(store.lookahead.seen, 0, "it did read");
});
