// Long doubles: sums that redis-server 7.0 gave on x86-64, edges of the range, and what is no number.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addLongDoubles, formatLongDouble, parseLongDouble } from "../../src/engine/long-double.ts";

function sum(one: string, other: string): string {
  return formatLongDouble(addLongDoubles(parseLongDouble(one)!, parseLongDouble(other)!));
}

// biome-ignore format: a table reads better aligned
const SUMS: readonly [string, string, string][] = [
  ["0.1", "0.2", "0.3"],
  ["3.0", "1.000000000000000005", "4.00000000000000001"],
  ["1e17", "0.1", "100000000000000000.1015625"],
  ["1e15", "0.3", "1000000000000000.29998779296875"],
  ["100.25", "-0.1", "100.15"],
  ["12345678901234567", "0.5", "12345678901234567.5"],
  ["1e20", "1", "100000000000000000000"],
  ["99999999999999999999.9", "1", "100000000000000000000"],
  ["0.30000000000000004", "0", "0.30000000000000004"],
  ["1e-17", "0", "0.00000000000000001"],
  ["5e-18", "0", "0"],
  ["15e-18", "0", "0.00000000000000002"],
  ["25e-18", "0", "0.00000000000000002"],
  ["1e-18", "0", "0"],
  ["-1e-18", "0", "0"],
  ["0x1p3", "0x1.8p1", "11"],
  ["1.0000000000000000001", "1", "2"],
  ["9223372036854775807", "1", "9223372036854775808"],
  ["18446744073709551615", "1", "18446744073709551616"],
  ["18446744073709551617", "0", "18446744073709551616"],
  ["36893488147419103233", "0", "36893488147419103232"],
  ["-12345.678", "0.001", "-12345.6769999999999996"],
  ["1e100", "-1e100", "0"],
  ["1e22", "1e-5", "10000000000000000000000"],
  [".5", "5.", "5.5"],
  ["-0.0", "-0.0", "0"],
  ["3.6e-4951", "0", "0"],
  ["0.1", "-0.1", "0"],
  ["1", "1e-17", "1.00000000000000001"],
  ["1", "1e-19", "1"],
  ["4503599627370497.5", "0.25", "4503599627370497.75"],
];

test("sums have the digits that Redis gives", () => {
  for (const [one, other, expected] of SUMS) assert.equal(sum(one, other), expected, `${one} + ${other}`);
});

test("the largest number is one, and twice that is not", () => {
  const largest = "1.18973149535723176502e4932";
  assert.ok(sum(largest, "0").startsWith("118973149535723176502"));
  assert.equal(sum(largest, "0").length, 4933);
  assert.throws(() => sum(largest, largest), /increment would produce NaN or Infinity/);
  assert.throws(() => sum("inf", "-inf"), /increment would produce NaN or Infinity/);
});

test("a text is read whole or not at all", () => {
  for (const text of [
    "",
    ".",
    "-",
    "e1",
    "1e",
    "1e+",
    "1.5.5",
    " 1",
    "1 ",
    "0x",
    "0x1p",
    "nan",
    "1,5",
    "1_0",
    "infin",
  ]) {
    assert.equal(parseLongDouble(text), undefined, JSON.stringify(text));
  }
  for (const text of ["1e5000", "1e-5000", `1e${"9".repeat(400)}`, `1e-${"9".repeat(400)}`, "9".repeat(5120)]) {
    assert.equal(parseLongDouble(text), undefined, text.slice(0, 20));
  }
  assert.equal(parseLongDouble("-Infinity"), "-inf");
  assert.equal(formatLongDouble(parseLongDouble("0e99999999999")!), "0");
  assert.equal(formatLongDouble(parseLongDouble("-0")!), "0");
});
