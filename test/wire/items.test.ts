// Items that are wrong: what each gives, and that none takes time or memory for what it claims.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type As, decodeFailure, decodeItem, ItemReader } from "../../src/wire/items.ts";

function readerOf(hex: string): ItemReader {
  // Not at the start of its bytes, and with others behind it.
  const bytes = Buffer.from(`ffff${hex}2161`, "hex");
  const items = new ItemReader();
  items.reset(bytes, 2, bytes.length - 2);
  return items;
}

const decoded = (hex: string, as?: As): unknown => decodeItem(readerOf(hex), as);

test("raw bytes are text where they are UTF-8, and never replacement characters", () => {
  assert.equal(decoded("02c3bc"), "ü");
  assert.throws(() => decoded("01ff"), { code: "NOT_TEXT" });
  assert.deepEqual(decoded("01ff", "auto"), Uint8Array.of(0xff));
  assert.equal(decoded("02c3bc", "auto"), "ü");
  assert.deepEqual(decoded("02c3bc", "bytes"), Uint8Array.of(0xc3, 0xbc));
  assert.deepEqual(decoded("6107", "bytes"), Uint8Array.of(7), "a value as it is stored");
});

test("bytes that are given out are copies", () => {
  const items = readerOf("420102");
  const bytes = decodeItem(items) as Uint8Array;
  items.bytes.fill(0);
  assert.deepEqual(bytes, Uint8Array.of(1, 2));
});

const BROKEN: Readonly<Record<string, string>> = {
  "no item": "",
  "text that is cut short": "2261",
  "a size of one byte that is cut short": "3c",
  "a size of two bytes that is cut short": "3d01",
  "a size of four bytes that is cut short": "3e000001",
  "text of 4 GiB": "3effffffff61",
  "text of an open size": "3f61",
  "an array of 4 Gi items": "beffffffff80",
  "a map of 4 Gi pairs": "deffffffff8080",
  "a set of one item too many": "e22161",
  "a map without its last value": "c12161",
  "an open array without an end": "bf2161",
  "CLOSED where none is open": "84",
  "CLOSED in an array with a count": "a184",
  "an open map with half a pair": "df216184",
  "an atom that is not known": "9f",
  "a failure without a message": "832161",
  "a failure whose code is no text": "83802161",
};

test("each broken item is BAD_FRAME, at once", () => {
  for (const [name, hex] of Object.entries(BROKEN)) {
    const fromMs = performance.now();
    assert.throws(() => decoded(hex), { code: "BAD_FRAME" }, name);
    assert.ok(performance.now() - fromMs < 100, name);
  }
});

test("collections nest to a bound, open ones too", () => {
  for (const [head, tail] of [
    ["a1", ""],
    ["bf", "84"],
    ["c180", ""],
    ["e1", ""],
  ] as const) {
    decoded(`${head.repeat(32)}80${tail.repeat(32)}`);
    assert.throws(() => decoded(`${head.repeat(33)}80${tail.repeat(33)}`), { code: "BAD_FRAME" });
    assert.throws(() => decoded(head.repeat(500_000)), { code: "BAD_FRAME" });
  }
});

test("a failure of a later version keeps its code in the detail", () => {
  assert.equal(decodeFailure(readerOf("284e4f5f4c4f434b532161")).code, "UNKNOWN_CODE");
  assert.deepEqual(decodeFailure(readerOf("284e4f5f4c4f434b532161")).detail, { code: "NO_LOCKS" });
  assert.equal(decodeFailure(readerOf("264e4f5f4b45592161c0")).code, "NO_KEY", "what follows is passed over");
});
