// What a HiveError promises to programs: a stable code, a detail, a cause, and to be recognised.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ERRORS, type ErrorCode, HiveError, isHiveError } from "../../src/base/errors.ts";

test("an error carries its code, its message, its detail and its cause", () => {
  const cause = new Error("socket hang up");
  const error = new HiveError("CONNECTION_LOST", "connection to the hive was lost", { detail: { port: 4483 }, cause });

  assert.equal(error.name, "HiveError");
  assert.equal(error.code, "CONNECTION_LOST");
  assert.equal(error.message, "connection to the hive was lost");
  assert.deepEqual(error.detail, { port: 4483 });
  assert.equal(error.cause, cause);
  assert.ok(error.retryable);
  assert.ok(error instanceof Error);
});

test("an error without a cause has no cause property, and its detail cannot be written to", () => {
  const error = new HiveError("SYNTAX", "syntax error");

  assert.ok(!Object.hasOwn(error, "cause"));
  assert.deepEqual(error.detail, {});
  assert.ok(Object.isFrozen(error.detail));
  assert.equal(error.retryable, false);
});

test("no two codes share a fault number, and every RESP prefix is one word in upper case", () => {
  const codeOfFault = new Map<number, string>();
  for (const [code, info] of Object.entries(ERRORS)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.match(info.resp, /^[A-Z]+$/, code);
    assert.equal(codeOfFault.get(info.fault), undefined, `${code} has the fault number of another code`);
    codeOfFault.set(info.fault, code);
  }
});

test("the codes that Redis has a word for are spelled with that word", () => {
  const words: Partial<Record<ErrorCode, string>> = {
    WRONG_TYPE: "WRONGTYPE",
    OUT_OF_MEMORY: "OOM",
    NO_AUTH: "NOAUTH",
    WRONG_PASSWORD: "WRONGPASS",
    NO_PERMISSION: "NOPERM",
    EXEC_ABORT: "EXECABORT",
    BUSY_KEY: "BUSYKEY",
    NO_PROTOCOL: "NOPROTO",
  };
  for (const [code, word] of Object.entries(words)) assert.equal(ERRORS[code as ErrorCode].resp, word);
});

test("an error of another copy of the module is recognised, and nothing else is", () => {
  const foreign = Object.assign(new Error("no such key"), { name: "HiveError", code: "NO_KEY" });

  assert.ok(isHiveError(new HiveError("NO_KEY", "no such key")));
  assert.ok(isHiveError(foreign));
  for (const other of [
    undefined,
    null,
    "NO_KEY",
    { name: "HiveError", code: "NO_KEY" },
    new Error("NO_KEY"),
    Object.assign(new Error("no such file"), { code: "ENOENT" }),
    Object.assign(new Error("no such code"), { name: "HiveError", code: "toString" }),
  ]) {
    assert.ok(!isHiveError(other));
  }
});
