// Listing a table: all of it, pages, random picks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, type Calls, startCalls } from "../../kit/calls.ts";

/** A table t of `size` fields f0, f1 … with the values v0, v1 … */
function filled(size: number): Calls {
  const calls = startCalls();
  for (let i = 0; i < size; i++) calls.call("HSET", "t", `f${i}`, `v${i}`);
  return calls;
}

function pairsOf(flat: Answer): Map<string, string> {
  const items = flat as string[];
  return new Map(items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1]!] as const] : [])));
}

const SIZES = [1, 30, 64, 65, 1000];

test("HGETALL, HKEYS and HVALS list every field once, in one order", () => {
  for (const size of SIZES) {
    const { call } = filled(size);
    const keys = call("HKEYS", "t") as string[];
    const values = call("HVALS", "t") as string[];

    assert.equal(new Set(keys).size, size);
    assert.deepEqual(
      call("HGETALL", "t"),
      keys.flatMap((key, index) => [key, values[index]!]),
    );
    assert.deepEqual(
      values,
      keys.map((key) => key.replace("f", "v")),
    );
  }
});

test("a key that does not exist lists nothing", () => {
  const { call } = startCalls();

  for (const name of ["HGETALL", "HKEYS", "HVALS"]) assert.deepEqual(call(name, "t"), [], name);
  assert.deepEqual(call("HSCAN", "t", "0", "NO", "SUCH"), ["0", []]);
  assert.equal(call("HRANDFIELD", "t"), null);
  assert.deepEqual(call("HRANDFIELD", "t", "-5", "WITHVALUES"), []);
});

test("HSCAN gives every field at least once, and only those that match", () => {
  for (const size of SIZES) {
    const { call } = filled(size);
    const seen = new Map<string, string>();
    let cursor = "0";
    do {
      const [next, page] = call("HSCAN", "t", cursor, "COUNT", "7") as [string, Answer];
      for (const [field, value] of pairsOf(page)) seen.set(field, value);
      cursor = next;
    } while (cursor !== "0");

    assert.deepEqual(seen, pairsOf(call("HGETALL", "t")));
    const [, names] = call("HSCAN", "t", "0", "MATCH", "f*0", "COUNT", "100000", "NOVALUES") as [string, string[]];
    assert.deepEqual(names.toSorted(), [...seen.keys()].filter((name) => name.endsWith("0")).toSorted());
  }
});

test("HSCAN checks its cursor before the key, and its options after", () => {
  const { call } = filled(1);
  call("SET", "text", "x");

  assert.equal(call("HSCAN", "text", "x"), "-ERR invalid cursor");
  assert.match(String(call("HSCAN", "text", "0", "NO")), /^-WRONGTYPE/);
  assert.equal(call("HSCAN", "t", "0", "NO"), "-ERR syntax error");
  assert.equal(call("HSCAN", "t", "0", "COUNT", "0"), "-ERR syntax error");
});

test("HRANDFIELD with a count gives that many different fields, or all", () => {
  for (const size of SIZES) {
    const { call } = filled(size);
    const all = pairsOf(call("HGETALL", "t"));
    for (const count of [0, 1, 2, Math.ceil(size / 2), size - 1, size, size + 10]) {
      const picked = pairsOf(call("HRANDFIELD", "t", `${count}`, "WITHVALUES"));
      assert.equal(picked.size, Math.min(count, size), `${count} of ${size}`);
      for (const [field, value] of picked) assert.equal(all.get(field), value);
    }
    assert.ok(all.has(call("HRANDFIELD", "t") as string));
  }
});

test("HRANDFIELD with a negative count gives as many, some more than once", () => {
  const { call } = filled(5);

  const picked = call("HRANDFIELD", "t", "-200") as string[];
  assert.equal(picked.length, 200);
  assert.equal(new Set(picked).size, 5);
  assert.equal((call("HRANDFIELD", "t", "-3", "withvalues") as string[]).length, 6);
});

test("every field has the same chance", () => {
  for (const size of [8, 200]) {
    const { call } = filled(size);
    const draws = size * 500;
    const times = new Map<string, number>();
    for (const field of call("HRANDFIELD", "t", `-${draws}`) as string[]) times.set(field, (times.get(field) ?? 0) + 1);
    // 500 is expected of each, with a deviation of 22: eight of them either way never happen by chance.
    for (const [field, count] of times) assert.ok(Math.abs(count - 500) < 180, `${field} came ${count} times`);
    assert.equal(times.size, size);
  }
});

test("HRANDFIELD refuses what is out of range, and what could never be sent", () => {
  const { call } = filled(2);

  assert.equal(call("HRANDFIELD", "t", "x"), "-ERR value is not an integer or out of range");
  assert.equal(call("HRANDFIELD", "t", "1", "NO"), "-ERR syntax error");
  assert.equal(
    call("HRANDFIELD", "t", "-9223372036854775808"),
    "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
  );
  assert.equal(call("HRANDFIELD", "t", "4611686018427387904", "WITHVALUES"), "-ERR value is out of range");
  assert.match(String(call("HRANDFIELD", "t", "-9223372036854775807")), /exceeds outputBytesMax/);
  assert.equal((call("HRANDFIELD", "t", "9223372036854775807") as string[]).length, 2);
});
