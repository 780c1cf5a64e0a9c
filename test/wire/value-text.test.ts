// A value as RESP reads it: numbers as decimal text, everything else as JSON; and integers, exactly.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Double, encode, integerOf, JsonText, valueToText } from "../../src/wire/value.ts";

const textOf = (value: unknown): string => valueToText(encode(value));

test("a number is its shortest decimal text, and a string is itself", () => {
  const cases: [value: unknown, text: string][] = [
    [0, "0"],
    [-1815, "-1815"],
    [0.1, "0.1"],
    [1e21, "1e+21"],
    [-0, "-0"],
    [new Double(3), "3"],
    [2n ** 63n, "9223372036854775808"],
    [-5n, "-5"],
    [Number.NaN, "nan"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    ["as it is", "as it is"],
  ];
  for (const [value, text] of cases) assert.equal(textOf(value), text);
});

test("what JSON knows is the JSON that JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      if (typeof value !== "string" && !Object.is(value, -0)) assert.equal(textOf(value), JSON.stringify(value));
    }),
  );
});

test("what JSON has no word for is said in JSON", () => {
  const failed = Object.assign(new RangeError("far", { cause: new Error("away") }), { code: "E_FAR" });
  const cases: [value: unknown, text: string][] = [
    [null, "null"],
    [undefined, "null"],
    [true, "true"],
    [{ a: undefined, b: Number.NaN, c: -0, d: 1n }, '{"a":null,"b":null,"c":0,"d":1}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [[new Date(Number.NaN)], "[null]"],
    [new Map([["a", new Map([["b", 1]])]]), '{"a":{"b":1}}'],
    [
      new Map<unknown, unknown>([
        ["a", 1],
        [1, "b"],
      ]),
      '[["a",1],[1,"b"]]',
    ],
    [new Map(), "{}"],
    [new Set([1, "a", new Set()]), '[1,"a",[]]'],
    [new Uint8Array([0, 255, 1]), '"AP8B"'],
    [new Uint8Array(40_000).buffer, `"${Buffer.alloc(40_000).toString("base64")}"`],
    [new DataView(new ArrayBuffer(1)), '"AA=="'],
    [[new Float64Array([0.5, Number.NaN]), new BigInt64Array([-1n])], "[[0.5,null],[-1]]"],
    [/a"b/g, '"/a\\"b/g"'],
    [failed, '{"name":"RangeError","message":"far","code":"E_FAR","cause":{"name":"Error","message":"away"}}'],
  ];
  for (const [value, text] of cases) {
    assert.equal(textOf(value), text);
    JSON.parse(text);
  }
  assert.equal(
    valueToText(Buffer.from("d606 92a128a0".replace(" ", ""), "hex")),
    '"/(/"',
    "a RegExp that does not compile",
  );
});

test("an object inside itself is named, and one that is shared is written out at each place", () => {
  const object: Record<string, unknown> = { a: 1 };
  object["self"] = { again: object };
  assert.equal(textOf(object), '{"a":1,"self":{"again":"[cycle]"}}');

  const shared = { b: 2 };
  assert.equal(textOf([shared, new Map([["x", shared]])]), '[{"b":2},{"x":{"b":2}}]');
});

test("sharing that multiplies without end becomes a text of bounded size", () => {
  let value: unknown = ["the innermost"];
  for (let level = 0; level < 60; level++) value = [value, value];
  const bytes = encode(value);
  assert.ok(bytes.length < 1_000);

  const text = valueToText(bytes);
  assert.ok(text.length < 3_000_000, `${text.length}`);
  JSON.parse(text);
});

test("an integer is found whatever its width, and nothing else is one", () => {
  const integers = [
    0,
    127,
    128,
    -1,
    -33,
    65_536,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    0n,
    5n,
    -129n,
    2n ** 53n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ];
  for (const value of integers) assert.equal(integerOf(encode(value)), value);
  const others = [
    2n ** 63n,
    2n ** 64n,
    -(2n ** 63n) - 1n,
    0.5,
    new Double(3),
    Number.NaN,
    "1",
    null,
    undefined,
    true,
    [1],
    new Date(0),
    { a: 1 },
    new Uint8Array(1),
    new Set([1]),
  ];
  for (const value of others) assert.equal(integerOf(encode(value)), undefined, String(value));
  assert.equal(integerOf(new Uint8Array(0)), undefined);

  const around = Uint8Array.of(0xc1, 0xcd, 0x07, 0x17, 0xc1);
  assert.equal(integerOf(around, 1, 4), 1815);
});

/** A few bytes that come to 2^levels texts where each place is written out. */
function foldedUp(levels: number): unknown {
  let value: unknown = ["a"];
  for (let i = 0; i < levels; i++) value = [value, value];
  return value;
}

test("values of one text share the bound of what they share, and it ends where it is told to", () => {
  const bytes = encode(foldedUp(30));
  const json = new JsonText(64 * 1024 * 1024);
  for (let i = 0; i < 500; i++) json.value(bytes);
  const { length } = json.bytes();
  assert.ok(length > 1024 * 1024 && length < 3 * 1024 * 1024, `${length} bytes`);
  const small = new JsonText(1000);
  small.add("x".repeat(900));
  small.value(encode("y".repeat(90)));
  assert.equal(small.text().length, 992);
  small.add("z".repeat(9));
  assert.throws(() => small.bytes(), { code: "OUTPUT_TOO_BIG" });
  const shared = Buffer.alloc(100_000);
  assert.ok(textOf(Array.from({ length: 1000 }, () => shared)).length < 3_000_000, "bytes are shared as objects are");
});
