// Members at random: as many as asked for, all different where that is promised, all with the same chance.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Calls, startCalls } from "../../kit/calls.ts";

function filled(size: number): Calls {
  const calls = startCalls();
  for (let i = 0; i < size; i++) calls.call("SADD", "s", `m${i}`);
  return calls;
}

const SIZES = [1, 30, 64, 65, 1000];

test("SPOP takes every member once, then the key is gone", () => {
  for (const size of SIZES) {
    const { call, store } = filled(size);
    const popped = new Set<string>();
    for (let i = 0; i < size; i++) popped.add(call("SPOP", "s") as string);

    assert.equal(popped.size, size);
    assert.equal(store.keys.count, 0);
    assert.equal(call("SPOP", "s"), null);
    assert.deepEqual(call("SPOP", "s", "5"), []);
  }
});

test("SPOP with a count takes that many different members, or all", () => {
  for (const size of SIZES) {
    for (const count of [0, 1, Math.ceil(size / 2), size - 1, size, size + 10]) {
      const { call, store } = filled(size);
      const popped = call("SPOP", "s", `${count}`) as string[];

      assert.equal(new Set(popped).size, Math.min(count, size), `${count} of ${size}`);
      assert.equal(call("SCARD", "s"), Math.max(0, size - count));
      for (const member of popped) assert.equal(call("SISMEMBER", "s", member), 0);
      assert.equal(store.keys.count, count >= size ? 0 : 1);
    }
  }
});

test("SRANDMEMBER leaves the set as it is", () => {
  for (const size of SIZES) {
    const { call } = filled(size);
    const all = new Set(call("SMEMBERS", "s") as string[]);
    assert.ok(all.has(call("SRANDMEMBER", "s") as string));
    for (const count of [0, 1, Math.ceil(size / 2), size - 1, size, size + 10]) {
      const picked = call("SRANDMEMBER", "s", `${count}`) as string[];
      assert.equal(picked.length, Math.min(count, size));
      assert.equal(new Set(picked).size, picked.length);
      assert.ok(picked.every((member) => all.has(member)));
    }
    assert.equal((call("SRANDMEMBER", "s", "-20") as string[]).length, 20);
    assert.equal(call("SCARD", "s"), size);
  }
});

test("counts are checked before the key", () => {
  const { call } = startCalls();
  call("SET", "text", "x");

  for (const count of ["x", "-1", "9223372036854775808"])
    assert.equal(call("SPOP", "text", count), "-ERR value is out of range, must be positive");
  assert.match(String(call("SPOP", "text", "0")), /^-WRONGTYPE/);
  assert.equal(call("SRANDMEMBER", "text", "x"), "-ERR value is not an integer or out of range");
  assert.equal(
    call("SRANDMEMBER", "text", "-9223372036854775808"),
    "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
  );
  assert.equal(call("SPOP", "text", "1", "2"), "-ERR syntax error");
  assert.equal(call("SRANDMEMBER", "text", "1", "2"), "-ERR syntax error");
  assert.deepEqual(call("SRANDMEMBER", "missing", "-9223372036854775807"), []);
  call("SADD", "s", "a");
  assert.match(String(call("SRANDMEMBER", "s", "-9223372036854775807")), /exceeds outputBytesMax/);
});

test("every member has the same chance to be popped first, and to be among several", () => {
  const size = 100;
  const first = new Map<string, number>();
  const among = new Map<string, number>();
  const { call } = filled(size);
  for (let i = 0; i < 20_000; i++) {
    const member = call("SPOP", "s") as string;
    first.set(member, (first.get(member) ?? 0) + 1);
    call("SADD", "s", member);
    for (const other of call("SRANDMEMBER", "s", "4") as string[]) among.set(other, (among.get(other) ?? 0) + 1);
  }
  // 200 and 800 are expected, with deviations of 14 and 28.
  for (const [member, times] of first) assert.ok(Math.abs(times - 200) < 120, `${member} popped ${times} times`);
  for (const [member, times] of among) assert.ok(Math.abs(times - 800) < 240, `${member} picked ${times} times`);
  assert.equal(first.size, size);
  assert.equal(among.size, size);
});
