// Every setting of Redis keeps what Redis shows: the value it begins with passes its own check, unchanged.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { REDIS_SETTINGS, SETTING_ALIASES } from "../../src/engine/redis-settings.ts";
import { bytesBetween, checkSavePoints, LONG_MAX, parseBytes, wholeBetween } from "../../src/engine/setting-values.ts";
import { Settings } from "../../src/engine/settings.ts";
import { SlowLog } from "../../src/engine/slow-log.ts";
import { Store } from "../../src/store/store.ts";

function newSettings(): Settings {
  return new Settings(new Store({ nowMs: 1 }), new SlowLog(DEFAULT_LIMITS), DEFAULT_LIMITS);
}

test("the value of a new Redis passes the setting's own check unchanged", () => {
  for (const { name, value, check, canChange } of REDIS_SETTINGS) {
    if (canChange) assert.equal(check(value, value), value, name);
    else assert.throws(() => check(value, value), HiveError, name);
  }
});

test("names stand once, and older names stand for names that exist", () => {
  const names = REDIS_SETTINGS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const [alias, name] of SETTING_ALIASES) {
    assert.ok(!names.includes(alias), alias);
    assert.ok(names.includes(name), name);
  }
});

test("what CONFIG GET shows can be given to CONFIG SET", () => {
  const settings = newSettings();
  const fixed = new Set(REDIS_SETTINGS.filter(({ canChange }) => !canChange).map(({ name }) => name));
  for (const name of settings.names()) {
    if (fixed.has(SETTING_ALIASES.get(name) ?? name)) continue;
    const value = settings.get(name)!;
    settings.set([[name, value]]);
    assert.equal(settings.get(name), value, name);
  }
});

test("whoever owns the engine tells what nobody can set", () => {
  const settings = newSettings();
  settings.tell("port", "4483");
  assert.equal(settings.get("PORT"), "4483");
  assert.throws(() => settings.set([["port", "1"]]), /can't set immutable config/);
});

test("sizes have Redis's units", () => {
  const sizes: Record<string, number> = { "0": 0, "7": 7, "7b": 7, "1k": 1000, "1kb": 1024, "2M": 2e6, "1Gb": 2 ** 30 };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseBytes(text), bytes, text);
  for (const text of ["", "-1", "1.5gb", "1tb", "mb", "1 mb", "99999999999999999999"]) {
    assert.throws(() => parseBytes(text), HiveError, text);
  }
  assert.throws(() => bytesBetween(10n, LONG_MAX)("9"), /must be between 10 and 9223372036854775807 inclusive/);
});

test("whole numbers are exact up to 64 bits", () => {
  const check = wholeBetween(-1n, LONG_MAX);
  assert.equal(check("9223372036854775807"), "9223372036854775807");
  for (const text of ["9223372036854775808", "1.0", " 1", "+1", "01", ""])
    assert.throws(() => check(text), HiveError, text);
  assert.throws(() => check("-2"), /must be between -1 and/);
});

test("save points are pairs of seconds and changes, or none", () => {
  assert.equal(checkSavePoints(""), "");
  assert.equal(checkSavePoints("60 1  300 10"), "60 1 300 10");
  for (const text of ["60", "0 1", "a b"]) assert.throws(() => checkSavePoints(text), /Invalid save parameters/);
});
