// List commands: what differential runs do not say of themselves, by name: order, edges, errors, kinds, memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_VALUE } from "../../../src/store/layout.ts";
import { encode } from "../../../src/wire/value.ts";
import { startCalls } from "../../kit/calls.ts";

const value = (of: unknown): { bytes: Uint8Array; kind: number } => ({ bytes: encode(of), kind: KIND_VALUE });

test("LPUSH puts its elements in front one after the other, RPUSH behind", () => {
  const { call } = startCalls();
  assert.equal(call("LPUSH", "l", "b", "a"), 2);
  assert.equal(call("RPUSH", "l", "c", "d"), 4);
  assert.deepEqual(call("LRANGE", "l", "0", "-1"), ["a", "b", "c", "d"]);
  assert.equal(call("TYPE", "l"), "list");
  assert.equal(call("LPUSHX", "none", "x"), 0);
  assert.equal(call("EXISTS", "none"), 0);
});

test("a list goes with its last element, whichever way it is taken", () => {
  const { call } = startCalls();
  for (const last of [
    ["LPOP", "l"],
    ["RPOP", "l", "5"],
    ["LREM", "l", "0", "x"],
    ["LTRIM", "l", "5", "9"],
    ["LMPOP", "1", "l", "LEFT", "COUNT", "9"],
    ["RPOPLPUSH", "l", "other"],
  ]) {
    call("RPUSH", "l", "x");
    call(...last);
    assert.equal(call("EXISTS", "l"), 0, last.join(" "));
  }
});

test("decimal texts come back as they were, whatever their width and sign", () => {
  const { call } = startCalls();
  const texts = ["0", "-0", "007", "12", "-128", "128", "-32769", "8388608", "-2147483649", "281474976710656"];
  texts.push(
    "999999999999999",
    "-999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
  );
  call("RPUSH", "l", ...texts);
  assert.deepEqual(call("LRANGE", "l", "0", "-1"), texts);
  assert.deepEqual(call("LPOP", "l", "3"), texts.slice(0, 3));
  for (const [i, text] of texts.slice(3).entries()) assert.equal(call("LPOS", "l", text), i);
});

test("elements of every size stand side by side, and an index finds each", () => {
  const { call } = startCalls();
  const sizes = [0, 1, 54, 55, 255, 256, 3000, 4060, 5000, 65_535, 65_536, 300_000];
  const elements = Array.from({ length: 600 }, (_, i) => `${i}`.padEnd(sizes[(i * 7) % sizes.length]!, "."));
  for (const [i, element] of elements.entries()) call(i % 2 === 0 ? "RPUSH" : "LPUSH", "l", element);
  const order = [...elements.filter((_, i) => i % 2 === 1).reverse(), ...elements.filter((_, i) => i % 2 === 0)];
  assert.equal(call("LLEN", "l"), 600);
  for (let i = 0; i < 600; i += 7) {
    assert.equal(call("LINDEX", "l", String(i)), order[i]);
    assert.equal(call("LINDEX", "l", String(i - 600)), order[i]);
  }
  assert.deepEqual(call("LRANGE", "l", "250", "-250"), order.slice(250, 351));
});

test("what RESP shows of a typed element, it finds; what is typed is found by what it is", () => {
  const { call } = startCalls();
  call("RPUSH", "l", "7", value(7), value("text"), "text");
  assert.deepEqual(call("LRANGE", "l", "0", "-1"), ["7", "7", "text", "text"]);
  assert.equal(call("LPOS", "l", value(7)), 1);
  assert.equal(call("LREM", "l", "0", "7"), 2);
  assert.equal(call("LREM", "l", "0", { bytes: Buffer.from("text"), kind: 1 }), 1);
});

test("an index of a middle element is found by skips, which follow what happens to the list", () => {
  const { call, store } = startCalls();
  const model: string[] = [];
  for (let i = 0; i < 30; i++) {
    const some = Array.from({ length: 500 }, (_, j) => `${i}-${j}`);
    call("RPUSH", "l", ...some);
    model.push(...some);
  }
  const before = store.memory.pages.blockBytes;
  assert.equal(call("LINDEX", "l", "7000"), model[7000]);
  assert.ok(store.memory.pages.blockBytes > before, "they are made when they are needed");
  for (let i = 0; i < 300; i++) {
    const at = (i * 7919) % model.length;
    if (i % 3 === 0) {
      call("LINSERT", "l", "BEFORE", model[at]!, `new ${i}`);
      model.splice(at, 0, `new ${i}`);
    } else if (i % 3 === 1) {
      call("LSET", "l", String(at), "y".repeat(i * 20) + i);
      model[at] = "y".repeat(i * 20) + i;
    } else {
      assert.equal(call("LREM", "l", "1", model[at]!), 1);
      model.splice(at, 1);
    }
    const look = (i * 104_729) % model.length;
    assert.equal(call("LINDEX", "l", String(look)), model[look]);
  }
  call("LTRIM", "l", "2000", "-3000");
  assert.deepEqual(call("LRANGE", "l", "0", "-1"), model.slice(2000, -2999));
});

test("LMOVE within one list turns it, and changes nothing where there is no room", () => {
  const { call } = startCalls();
  call("RPUSH", "l", "a", "b", "c");
  assert.equal(call("LMOVE", "l", "l", "LEFT", "RIGHT"), "a");
  assert.deepEqual(call("LRANGE", "l", "0", "-1"), ["b", "c", "a"]);
  assert.equal(call("LMOVE", "l", "l", "RIGHT", "RIGHT"), "a");
  assert.deepEqual(call("LRANGE", "l", "0", "-1"), ["b", "c", "a"]);
  call("SET", "s", "v");
  assert.match(String(call("LMOVE", "l", "s", "LEFT", "LEFT")), /^-WRONGTYPE/);
  assert.equal(call("LLEN", "l"), 3);
});

test("COPY, DUMP and RESTORE keep every element, and MEMORY USAGE counts the chunks", () => {
  const { call } = startCalls();
  const all = Array.from({ length: 5000 }, (_, i) => `element ${i}`);
  call("RPUSH", "l", ...all, value({ deep: 1 }));
  assert.equal(call("COPY", "l", "copy"), 1);
  assert.deepEqual(call("LRANGE", "copy", "0", "4999"), all);
  const payload = Buffer.from(String(call("DUMP", "copy")), "latin1");
  assert.equal(call("RESTORE", "again", "0", payload), "OK");
  assert.deepEqual(call("LRANGE", "again", "0", "-1"), call("LRANGE", "l", "0", "-1"));
  payload[9]! ^= 1;
  assert.match(String(call("RESTORE", "broken", "0", payload)), /^-ERR DUMP payload/);
  assert.ok(Number(call("MEMORY", "USAGE", "l")) > 60_000);
  assert.equal(call("OBJECT", "ENCODING", "l"), "quicklist");
  call("RPUSH", "small", "a");
  assert.equal(call("OBJECT", "ENCODING", "small"), "listpack");
});

test("a push that does not fit leaves nothing of itself", () => {
  const { call, store } = startCalls({ maxMemoryBytes: 4 * 1024 * 1024, valueBytesMax: 1000 });
  assert.match(String(call("RPUSH", "l", "a", "b".repeat(1001))), /^-ERR value of 1001 bytes/);
  assert.equal(call("EXISTS", "l"), 0);
  const many = Array.from({ length: 8000 }, (_, i) => `${i}`.padEnd(999, "x"));
  assert.match(String(call("RPUSH", "l", ...many)), /^-OOM/);
  assert.equal(call("EXISTS", "l"), 0);
  assert.equal(store.undo.armed, false);
});

test("within MULTI the pops that wait answer at once", () => {
  const { call } = startCalls();
  call("MULTI");
  call("BLPOP", "none", "0");
  call("BLMOVE", "none", "to", "LEFT", "LEFT", "0");
  call("BLMPOP", "0", "1", "none", "LEFT");
  call("RPUSH", "l", "a");
  call("BRPOP", "l", "0");
  assert.deepEqual(call("EXEC"), [null, null, null, 1, ["l", "a"]]);
});
