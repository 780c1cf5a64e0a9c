// Doubles are written as C's printf("%.17g") writes them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { doubleText } from "../../src/base/double-text.ts";

// Taken from printf.
const TEXTS: [value: number, text: string][] = [
  [0, "0"],
  [-0, "-0"],
  [3, "3"],
  [-1.5, "-1.5"],
  [0.1, "0.10000000000000001"],
  [0.0001, "0.0001"],
  [0.00001, "1.0000000000000001e-05"],
  [100000, "100000"],
  [1e16, "10000000000000000"],
  [1e17, "1e+17"],
  [1e100, "1e+100"],
  [1.5e300, "1.5000000000000001e+300"],
  [82229694157014420, "82229694157014416"],
  [123456789012345680, "1.2345678901234568e+17"],
  [-76179725619116.56, "-76179725619116.562"],
  [-1953705752712537.2, "-1953705752712537.2"],
  [3.0517578125e-5, "3.0517578125e-05"],
  [5e-324, "4.9406564584124654e-324"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [Number.POSITIVE_INFINITY, "inf"],
  [Number.NEGATIVE_INFINITY, "-inf"],
  [Number.NaN, "nan"],
];

test("doubles have 17 digits, without trailing zeros, with an exponent outside 1e-4 to 1e17", () => {
  for (const [value, text] of TEXTS) assert.equal(doubleText(value), text);
});

test("the text of any double is that double", () => {
  let seed = 1;
  const random = (): number => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
  for (let i = 0; i < 20_000; i++) {
    const value = (random() - 0.5) * 10 ** Math.floor(random() * 600 - 300);
    assert.equal(Number(doubleText(value)), value);
  }
});
