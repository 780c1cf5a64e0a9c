// Values as numbers: read in both kinds, added exactly, written back in their kind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLongDouble } from "../../src/engine/long-double.ts";
import {
  addIntegers,
  readFloat,
  readInteger,
  type Written,
  writeFloat,
  writeInteger,
} from "../../src/engine/values.ts";
import { KIND_RAW, KIND_TEXT, KIND_VALUE } from "../../src/store/layout.ts";
import { Double, decode, encode } from "../../src/wire/value.ts";

function read(bytes: Uint8Array, kind: number): number | bigint | undefined {
  return readInteger(bytes, 0, bytes.length, kind);
}

function textOf({ bytes, start, length }: Written): string {
  return Buffer.from(bytes.subarray(start, start + length)).latin1Slice();
}

test("an integer is read from its digits and from its encoding", () => {
  assert.equal(read(Buffer.from("-41"), KIND_RAW), -41);
  assert.equal(read(Buffer.from("9223372036854775807"), KIND_TEXT), 9223372036854775807n);
  assert.equal(read(encode(-41), KIND_VALUE), -41);
  assert.equal(read(encode(41n), KIND_VALUE), 41n);
  assert.equal(read(encode(2n ** 63n), KIND_VALUE), undefined);
  assert.equal(read(encode(1.5), KIND_VALUE), undefined);
  assert.equal(read(Buffer.from("1.5"), KIND_RAW), undefined);
});

test("sums are exact, and end where 64 bits do", () => {
  assert.equal(addIntegers(2 ** 50, 2 ** 50), 2 ** 51);
  assert.equal(addIntegers(2 ** 53 - 1, 2), 2n ** 53n + 1n);
  assert.equal(addIntegers(-1, 1), 0);
  assert.throws(() => addIntegers(9223372036854775807n, 1), /would overflow/);
  assert.throws(() => addIntegers(-9223372036854775808n, -1), /would overflow/);
});

test("digits are written for every length, as a number and as a bigint", () => {
  for (let power = 0; power <= 15; power++) {
    for (const value of [10 ** power, 10 ** power - 1, -(10 ** power), 7 * 10 ** power + 3]) {
      const expected = String(value === 0 ? 0 : value);
      assert.equal(textOf(writeInteger(value, KIND_RAW, 0)), expected);
      assert.equal(textOf(writeInteger(BigInt(value), KIND_TEXT, 0)), expected);
    }
  }
  assert.equal(textOf(writeInteger(-9223372036854775808n, KIND_RAW, 0)), "-9223372036854775808");
});

test("what is written has the kind of what was there", () => {
  assert.equal(writeInteger(5, KIND_TEXT, 4).kind, KIND_TEXT);
  const encoded = writeInteger(5, KIND_VALUE, 4);
  assert.equal(decode(encoded.bytes, encoded.start, encoded.start + encoded.length), 5);
  const bigint = writeInteger(5, KIND_VALUE, 4n);
  assert.equal(decode(bigint.bytes, bigint.start, bigint.start + bigint.length), 5n);
});

test("floats are read from both kinds and written back, beyond a float64 as text", () => {
  const double = encode(new Double(3));
  assert.equal(formatLongDouble(readFloat(Buffer.from(double), 0, double.length, KIND_VALUE)), "3");
  const written = writeFloat("4", KIND_VALUE, { bytes: double, start: 0 });
  assert.deepEqual(decode(written.bytes, 0, written.length, { as: "doubles" }), new Double(4));
  const beyond = writeFloat("1".padEnd(400, "0"), KIND_VALUE, { bytes: double, start: 0 });
  assert.equal(beyond.kind, KIND_RAW);
  assert.equal(textOf(writeFloat("0.25", KIND_RAW, { bytes: Buffer.from("1"), start: 0 })), "0.25");
  assert.throws(() => readFloat(Buffer.from("x"), 0, 1, KIND_RAW), /value is not a valid float/);
});
