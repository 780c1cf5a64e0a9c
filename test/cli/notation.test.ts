// JSON notation: every value there and back, and clear words for what is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isHiveError } from "../../src/base/errors.ts";
import { parseNotation } from "../../src/cli/notation.ts";
import { plain, showJson, showReply } from "../../src/cli/printing.ts";
import { HiveError } from "../../src/client/node.ts";

const VALUES: readonly unknown[] = [
  ...["", "text", 0, -1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, true, null, undefined, 2n ** 70n, -5n],
  ...[[], [1, [2]], {}, { a: { b: 1 } }, { $: "mine", other: 1 }, JSON.parse('{"__proto__": 1}')],
  ...[new Map<unknown, unknown>([[1, new Set(["a"])]]), new Set([1, 2n]), new Date(0), /a\/b/gi],
  ...[
    Uint8Array.of(1, 2),
    Float64Array.of(1.5),
    BigInt64Array.of(-1n),
    new DataView(new ArrayBuffer(2)),
    new ArrayBuffer(3),
  ],
];

test("every value survives the way to JSON and back", () => {
  for (const value of VALUES) assert.deepStrictEqual(parseNotation(showJson(value)), value);
  const error = parseNotation(showJson(new TypeError("no"))) as Error;
  assert.deepEqual([error.name, error.message], ["TypeError", "no"]);
});

test("a property named __proto__ is a property", () => {
  const parsed = parseNotation('{"__proto__": {"admin": true}}') as object;
  assert.ok(Object.hasOwn(parsed, "__proto__"));
  assert.equal((parsed as { admin?: boolean }).admin, undefined);
});

test("what is inside itself cannot be shown, and what is no notation says why", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(
    () => showJson(cycle),
    (error) => isHiveError(error) && error.code === "BAD_VALUE",
  );
  for (const json of [
    '{"$":"bigint","is":"x"}',
    '{"$":"Uint8Array","hex":"0"}',
    '{"$":"Map","entries":[1]}',
    '{"$":"Date"}',
    "{",
  ]) {
    assert.throws(
      () => parseNotation(json),
      (error) => isHiveError(error) && error.code === "BAD_VALUE",
      json,
    );
  }
});

test("replies are shown as redis-cli shows them", () => {
  assert.equal(showReply(undefined), "(nil)");
  assert.equal(showReply("OK"), "OK");
  assert.equal(showReply('a "b"\n\x1b[31m'), '"a \\"b\\"\\n\\x1b[31m"', "a terminal gets no commands of its own");
  assert.equal(showReply(3), "(integer) 3");
  assert.equal(showReply(1.5), "(double) 1.5");
  assert.equal(showReply(Uint8Array.of(0, 65, 34)), '"\\x00A\\""');
  assert.equal(showReply(["a", ["b", 1]]), '1) "a"\n2) 1) "b"\n   2) (integer) 1');
  assert.equal(showReply(new Map([["f", 1]])), '1# "f" => (integer) 1');
  assert.equal(showReply([]), "(empty array)");
  assert.equal(showReply(new HiveError("WRONG_TYPE", "no")), "(error) WRONG_TYPE no");
  assert.equal(showReply({ a: 1n }), '{"a":{"$":"bigint","is":"1"}}');
  assert.equal(plain("text"), "text");
  assert.deepEqual(plain(Uint8Array.of(255)), Uint8Array.of(255));
});
