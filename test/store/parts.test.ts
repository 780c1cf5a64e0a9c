// Names of parts in the value of a structure, whatever is in it; and whose part a key is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isPartName, ownerLength, ownerStart, partKey, readPartNames } from "../../src/store/parts.ts";
import { encode } from "../../src/wire/value.ts";
import { Random } from "../differential/random.ts";

function namesIn(value: unknown): string[] {
  const bytes = Buffer.from(encode(value));
  return readPartNames(bytes, 0, bytes.length);
}

test("the names stand in front of the state, whatever class and version are", () => {
  for (const version of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32, 2 ** 40, -1, -33, -200, -70_000]) {
    for (const cls of ["A", "x".repeat(31), "x".repeat(32), "x".repeat(200)]) {
      assert.deepEqual(namesIn([cls, version, ["jobs", "by-age"], { n: 1 }]), ["jobs", "by-age"], `${cls} ${version}`);
      assert.deepEqual(namesIn([cls, version, { n: 1 }]), []);
    }
  }
  const many = Array.from({ length: 64 }, (_, i) => `part_${i}`);
  assert.deepEqual(namesIn(["Many", 1, many, {}]), many);
});

test("what is no structure's value has no parts, and damage throws nothing", () => {
  for (const value of [
    1,
    "text",
    [],
    [1, 2, 3, 4],
    ["A", "B", ["x"], 1],
    ["A", 1, ["no:colon"], 1],
    ["A", 1, [7], 1],
  ]) {
    assert.deepEqual(namesIn(value), [], JSON.stringify(value));
  }
  const random = new Random(20_261_127);
  const whole = Buffer.from(encode(["Board", 3, ["jobs", "votes"], [1, 2, 3]]));
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(whole.subarray(0, 1 + random.below(whole.length)));
    bytes[random.below(bytes.length)] = random.below(256);
    for (const name of readPartNames(bytes, 0, bytes.length)) assert.ok(isPartName(name));
  }
});

test("the last colon ends the name of the key", () => {
  for (const owner of ["q", "a:b", ":", "$part:x:y", "\u00e4"]) {
    const key = partKey(Buffer.from(owner), "jobs");
    const length = ownerLength(key, 0, key.length);
    assert.equal(key.utf8Slice(ownerStart(0), ownerStart(0) + length), owner);
  }
  for (const name of ["$part:", "$part", "part:q:jobs", "$part:jobs", "$device:q:jobs"]) {
    const key = Buffer.from(name);
    assert.equal(ownerLength(key, 0, key.length), 0, name);
  }
});
