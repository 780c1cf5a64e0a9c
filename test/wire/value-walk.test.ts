// The walk lets through what value-vectors.json lists as values, refuses what it lists as refused, and
// costs an attacker as much as it costs us.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { HiveError } from "../../src/base/errors.ts";
import { decode, encode, encodeScalar, type Scalar, Scratch, walk, walkScalar } from "../../src/wire/value.ts";
import { fromNotation } from "./value-notation.ts";

type Vector = { description: string; hex: string; value?: unknown };

const vectors: Record<"values" | "refused" | "scalars" | "refusedScalars", Vector[]> = JSON.parse(
  readFileSync(new URL("value-vectors.json", import.meta.url), "utf8"),
);
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const scalarBytes = (value: Scalar): Uint8Array => {
  const scratch = new Scratch();
  encodeScalar(value, scratch);
  return scratch.copy();
};

test("every vector of what is refused is refused, at any place in a buffer", () => {
  for (const { description, hex } of vectors.refused) {
    const bytes = bytesOf(hex);
    for (const offset of [0, 1, 3]) {
      // What lies around would make many of them whole: it must not be read.
      const around = new Uint8Array(bytes.length + offset + 300).fill(0x61);
      around.set(bytes, offset);
      assert.throws(() => walk(around, offset, offset + bytes.length), { code: "BAD_VALUE" }, description);
    }
  }
});

test("what is cut short anywhere, or followed by anything, is refused by walk and decode", () => {
  for (const { description, hex } of vectors.values) {
    const bytes = bytesOf(hex);
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => walk(bytes, 0, end), { code: "BAD_VALUE" }, `${description}, ${end} bytes`);
      assert.throws(() => decode(bytes, 0, end), { code: "BAD_VALUE" }, `${description}, ${end} bytes`);
    }
    for (const more of ["00", "c0", hex]) {
      const long = bytesOf(hex + more);
      assert.throws(() => walk(long), { code: "BAD_VALUE" }, `${description} and ${more}`);
      assert.throws(() => decode(long), { code: "BAD_VALUE" }, `${description} and ${more}`);
    }
  }
});

test("a failure says where, counted from the start of the value", () => {
  const bytes = bytesOf("c1c1" + "92a161c1");
  assert.throws(
    () => walk(bytes, 2),
    new HiveError("BAD_VALUE", "unknown tag c1 (byte 3 of the value)", { detail: { at: 3 } }),
  );
});

test("bounds that are not those of the bytes are refused, never read beyond", () => {
  for (const check of [walk, decode]) {
    assert.throws(() => check(new Uint8Array([1, 2]), 0, 3), { code: "BAD_VALUE" });
    assert.throws(() => check(new Uint8Array([1, 2]), -1, 1), { code: "BAD_VALUE" });
    assert.throws(() => check(new Uint8Array([1, 2]), 1, 0), { code: "BAD_VALUE" });
  }
});

test("keys and members are encoded to their bytes, have one form, and come back", () => {
  for (const { description, hex, value } of vectors.scalars) {
    assert.equal(Buffer.from(scalarBytes(fromNotation(value) as Scalar)).toString("hex"), hex, description);
    walkScalar(bytesOf(hex));
    const around = bytesOf(`c1${hex}c1`);
    walkScalar(around, 1, around.length - 1);
  }
  for (const { description, hex } of vectors.refusedScalars) {
    assert.throws(() => walkScalar(bytesOf(hex)), { code: "BAD_VALUE" }, description);
  }
  for (const value of [null, undefined, "text", new Uint8Array(1), [], {}, /x/, new Date(Number.NaN), Symbol("s")]) {
    assert.throws(() => encodeScalar(value as Scalar, new Scratch()), { code: "BAD_VALUE" }, String(value));
  }
});

test("equal keys are equal bytes and other keys are not, whatever was written", () => {
  const scalar = fc.oneof(
    fc.double(),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.boolean(),
    fc.date({ noInvalidDate: true }),
    fc.integer(),
  );
  const same = (one: Scalar, other: Scalar): boolean => {
    if (one instanceof Date || other instanceof Date)
      return String(one) === String(other) && Number(one) === Number(other);
    if (typeof one === "boolean" || typeof other === "boolean") return one === other;
    const exact = (value: unknown): boolean => typeof value === "bigint" || Number.isSafeInteger(value);
    if (exact(one) !== exact(other)) return false;
    return one === other || Object.is(one, other) || (exact(one) && BigInt(one as number) === BigInt(other as number));
  };
  fc.assert(
    fc.property(scalar, scalar, (one, other) => {
      walkScalar(scalarBytes(one));
      const equal = Buffer.compare(scalarBytes(one), scalarBytes(other)) === 0;
      assert.equal(equal, same(one, other), `${String(one)} and ${String(other)}`);
      assert.deepEqual(scalarBytes(decode(scalarBytes(one)) as Scalar), scalarBytes(one));
    }),
    { numRuns: 5_000 },
  );
  const small = fc.constantFrom<Scalar>(
    0,
    -0,
    0n,
    1,
    1n,
    1.5,
    true,
    false,
    Number.NaN,
    2 ** 60,
    2n ** 60n,
    new Date(1),
  );
  fc.assert(
    fc.property(small, small, (one, other) => {
      assert.equal(Buffer.compare(scalarBytes(one), scalarBytes(other)) === 0, same(one, other));
    }),
  );
});

test("what claims to be huge is refused in microseconds, without memory", () => {
  const claims = ["dd", "df", "db", "c6", "c9"].map((tag) => `${tag}ffffffff00`);
  const hostile = [...claims, ...claims.map((claim) => `9${1}${claim}`), "c70902ddffffffff00000000", "91".repeat(900)];
  for (const hex of hostile) {
    const bytes = bytesOf(hex);
    const before = process.memoryUsage();
    const startMs = performance.now();
    for (let round = 0; round < 100; round++) {
      assert.throws(() => walk(bytes), { code: "BAD_VALUE" });
      assert.throws(() => decode(bytes), { code: "BAD_VALUE" });
    }
    assert.ok(performance.now() - startMs < 1_000, hex);
    const after = process.memoryUsage();
    assert.ok(after.arrayBuffers - before.arrayBuffers < 1e6, hex);
    assert.ok(after.heapUsed - before.heapUsed < 50e6, hex);
  }
});

test("a big value of the densest kinds is walked in linear time", () => {
  const perByte = (count: number): number => {
    const nested = { sets: Array.from({ length: count }, () => new Set([new Set()])), text: "é".repeat(count) };
    const bytes = encode(nested);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const startMs = performance.now();
      walk(bytes);
      best = Math.min(best, (performance.now() - startMs) / bytes.length);
    }
    return best;
  };
  perByte(10_000);
  assert.ok(perByte(160_000) < 8 * perByte(10_000));
});
