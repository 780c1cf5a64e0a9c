// The limits hold together, and a change that would break them is refused with its reason.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS, type Limits, limitsWith } from "../../src/base/limits.ts";

test("every default is a whole number above 0, and the defaults pass their own check", () => {
  for (const [name, value] of Object.entries(DEFAULT_LIMITS)) assert.ok(Number.isSafeInteger(value) && value > 0, name);
  assert.deepEqual(limitsWith({}), DEFAULT_LIMITS);
  assert.deepEqual(limitsWith({ ...DEFAULT_LIMITS }), DEFAULT_LIMITS);
});

test("a changed limit counts and leaves the others and the defaults alone", () => {
  const limits = limitsWith({ connectionsMax: 5 });

  assert.equal(limits.connectionsMax, 5);
  assert.equal(limits.valueBytesMax, DEFAULT_LIMITS.valueBytesMax);
  assert.equal(DEFAULT_LIMITS.connectionsMax, 10_000);
  assert.ok(Object.isFrozen(DEFAULT_LIMITS));
});

test("a limit that is unknown, no whole number or more than the layout allows is refused by name", () => {
  const bad: [changes: Record<string, unknown>, message: RegExp][] = [
    [{ memoryMax: 1 }, /limit memoryMax: there is no such limit/],
    [{ constructor: 1 }, /limit constructor: there is no such limit/],
    [{ connectionsMax: 0 }, /limit connectionsMax: expected a whole number above 0, got 0/],
    [{ connectionsMax: 1.5 }, /got 1.5/],
    [{ connectionsMax: "10" }, /got 10|expected a whole number/],
    [{ connectionsMax: undefined }, /got undefined/],
    [{ keyBytesMax: 1_048_576 }, /limit keyBytesMax: 1048576 exceeds 1048575/],
  ];
  for (const [changes, message] of bad) {
    assert.throws(() => limitsWith(changes as Partial<Limits>), { code: "REFUSED_SETTING", message });
  }
});

test("a limit that another one makes unreachable is refused, and both changed together pass", () => {
  assert.throws(() => limitsWith({ valueBytesMax: 200 * 1024 * 1024 }), {
    code: "REFUSED_SETTING",
    message: /limit valueBytesMax: 209715200 exceeds frameBytesMax \(134217728\): change both/,
  });
  const both = limitsWith({ valueBytesMax: 200 * 1024 * 1024, frameBytesMax: 201 * 1024 * 1024 });
  assert.equal(both.valueBytesMax, 200 * 1024 * 1024);
});
