// The options that the three SCANs share, and who takes which.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../src/engine/args.ts";
import { parseCursor, parseScanOptions, passesPattern } from "../../src/engine/scan-options.ts";

test("cursors are read as C reads an unsigned number", () => {
  const cursor = (text: string): number => parseCursor(Args.of("SCAN", text), 1);
  assert.equal(cursor("4294967295"), 4294967295);
  assert.equal(cursor("4294967297"), 1, "a cursor of ours has 32 bits");
  assert.equal(cursor("-1"), 4294967295);
  assert.equal(cursor(""), 0);
  assert.equal(cursor("7\0junk"), 7);
  for (const text of ["x", "7x", " 7", "+", "18446744073709551616"])
    assert.throws(() => cursor(text), /invalid cursor/);
});

test("options come in any order, the last of a kind counts", () => {
  const args = Args.of("SCAN", "0", "count", "5", "MATCH", "a*", "COUNT", "7", "TYPE", "set");
  const options = parseScanOptions(args, 2, "TYPE");
  assert.deepEqual(options, { count: 7, pattern: 5, type: 9, noValues: false });
  assert.equal(passesPattern(options, args, Buffer.from("xabc"), 1, 4), true);
  assert.equal(passesPattern(options, args, Buffer.from("xabc"), 0, 4), false);
});

test("a lone star is no pattern at all: it lets the empty name pass", () => {
  const args = Args.of("SCAN", "0", "MATCH", "*");
  const options = parseScanOptions(args, 2, "");
  assert.equal(options.pattern, 0);
  assert.equal(passesPattern(options, args, Buffer.alloc(0), 0, 0), true);
});

test("each command takes its own words only", () => {
  assert.equal(parseScanOptions(Args.of("HSCAN", "k", "0", "NOVALUES"), 3, "NOVALUES").noValues, true);
  assert.throws(() => parseScanOptions(Args.of("HSCAN", "k", "0", "TYPE", "set"), 3, "NOVALUES"), /syntax error/);
  assert.throws(() => parseScanOptions(Args.of("SCAN", "0", "NOVALUES"), 2, "TYPE"), /can only be used in HSCAN/);
});
