// Deadlines from arguments: units, overflows of 64 bits, what SET refuses and EXPIRE takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../src/engine/args.ts";
import { deadlineArgument, UNIT_ABSOLUTE, UNIT_SECONDS } from "../../src/engine/deadline.ts";

const NOW_MS = 1_700_000_000_000;

function deadline(time: string, unit: number, mayPass = true): number {
  return deadlineArgument(Args.of("X", time), 1, unit, NOW_MS, mayPass, "x");
}

test("seconds and milliseconds, from now and from 1970", () => {
  assert.equal(deadline("60", UNIT_SECONDS), NOW_MS + 60_000);
  assert.equal(deadline("60", 0), NOW_MS + 60);
  assert.equal(deadline("1800000000", UNIT_SECONDS | UNIT_ABSOLUTE), 1_800_000_000_000);
  assert.equal(deadline("1800000000001", UNIT_ABSOLUTE), 1_800_000_000_001);
  assert.equal(deadline("-60", UNIT_SECONDS), NOW_MS - 60_000);
});

test("only a time above 0 is taken where it may not have passed", () => {
  for (const time of ["0", "-1", "-9223372036854775808"]) {
    assert.throws(() => deadline(time, UNIT_SECONDS, false), /invalid expire time in 'x' command/);
  }
  assert.equal(deadline("1", UNIT_SECONDS | UNIT_ABSOLUTE, false), 1000);
});

test("what 64 bits of milliseconds do not hold is refused, to the last of them", () => {
  const refused = /invalid expire time in 'x' command/;
  assert.throws(() => deadline("9223372036854776", UNIT_SECONDS | UNIT_ABSOLUTE), refused);
  assert.throws(() => deadline("-9223372036854776", UNIT_SECONDS | UNIT_ABSOLUTE), refused);
  assert.throws(() => deadline("9223372036854775807", 0), refused);
  const furthest = 9223372036854775807n - BigInt(NOW_MS);
  assert.throws(() => deadline(`${furthest + 1n}`, 0), refused);
  assert.ok(deadline(`${furthest}`, 0) < 2 ** 63);
  assert.ok(deadline("9223372036854775807", UNIT_ABSOLUTE) < 2 ** 63);
  assert.throws(() => deadline("9223372036854775808", UNIT_ABSOLUTE), /not an integer/);
});
