// Grants: what texts mean, and which keys they cover.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_GRANTS, type Grantable, Grants } from "../../src/engine/grants.ts";

function covers(texts: string[], permission: Grantable, key: string): boolean {
  // Not at the start of the buffer, so that a mistake about offsets shows.
  const bytes = Buffer.from(`##${key}##`);
  return Grants.parse(texts).covers(permission, bytes, 2, bytes.length - 2);
}

test("a grant covers the keys that its pattern matches, and no permission implies another", () => {
  assert.ok(covers(["read:users:*"], "read", "users:ada"));
  assert.ok(covers(["read:users:*"], "read", "users:"));
  assert.ok(!covers(["read:users:*"], "read", "users"));
  assert.ok(!covers(["read:users:*"], "read", "xusers:ada"));
  assert.ok(!covers(["read:users:*"], "write", "users:ada"));
  assert.ok(!covers(["write:*"], "read", "k"));
  assert.ok(covers(["read:a", "read:b"], "read", "b"));
  assert.ok(!covers(["read:a"], "read", "ab"));
  assert.ok(covers(["read:h[ae]llo?"], "read", "hallo!"));
  assert.ok(covers(["read:*:public"], "read", "docs:public"));
  assert.ok(covers(["read:\\*"], "read", "*"), "an escaped star is a star");
  assert.ok(!covers(["read:\\*"], "read", "x"));
  assert.ok(covers(["write"], "write", ""), "the empty key is a key");
  assert.ok(covers(["read:ä*"], "read", "äh"), "patterns are UTF-8");
});

test("texts are kept in their full form, once each", () => {
  assert.deepEqual(Grants.parse(["read", "read:*", "admin:*", "write:a:b"]).texts, ["read:*", "admin", "write:a:b"]);
  assert.deepEqual(Grants.parse(["all", "read"]).texts, ALL_GRANTS);
});

test("all of them on every key is unrestricted, and one less is not", () => {
  assert.ok(Grants.parse(["all"]).unrestricted);
  assert.ok(Grants.parse(["read:**", "write", "run", "files", "admin"]).unrestricted);
  for (const missing of ALL_GRANTS) {
    assert.ok(!Grants.parse(ALL_GRANTS.filter((grant) => grant !== missing)).unrestricted, missing);
  }
  assert.ok(!Grants.parse([...ALL_GRANTS.slice(1), "read:?*"]).unrestricted);
});

test("has() and everywhere() tell some keys from all", () => {
  const grants = Grants.parse(["read:a*", "write"]);
  assert.deepEqual([grants.has("read"), grants.everywhere("read")], [true, false]);
  assert.deepEqual([grants.has("write"), grants.everywhere("write")], [true, true]);
  assert.deepEqual([grants.has("admin"), grants.everywhere("admin")], [false, false]);
});

test("what is no grant is refused by name", () => {
  const bad: [texts: string[], message: RegExp][] = [
    [["reed:*"], /grant reed:\*: expected read, write, run, files, admin or all/],
    [[""], /expected read/],
    [["read:"], /no pattern behind the colon: read:\* is every key/],
    [["admin:users:*"], /admin is not about keys/],
    [[`read:${"x".repeat(257)}`], /257 bytes exceeds grantBytesMax \(256\)/],
    [Array.from({ length: 129 }, (_, index) => `read:${index}`), /more than grantsMax \(128\)/],
  ];
  for (const [texts, message] of bad) assert.throws(() => Grants.parse(texts), { code: "INVALID_ARGUMENT", message });
});
