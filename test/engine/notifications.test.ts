// Key events from inside: what goes by itself, and what was taken back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Subscriber } from "../../src/engine/message-bus.ts";
import { startCalls } from "../kit/calls.ts";

function listening(letters: string): ReturnType<typeof startCalls> & { heard: string[] } {
  const calls = startCalls();
  const heard: string[] = [];
  class Listener extends Subscriber {
    receive({ channel, payload }: { channel: Buffer; payload: Buffer }): void {
      heard.push(`${channel} ${payload}`);
    }
  }
  calls.engine.bus.subscribe(new Listener(), "pattern", "__key*");
  calls.call("CONFIG", "SET", "notify-keyspace-events", letters);
  return { ...calls, heard };
}

test("what runs out is told, keys and fields, when it goes", () => {
  const { call, advance, heard } = listening("Exh");
  call("SET", "k", "v", "PX", "10");
  call("HSET", "t", "f", "v");
  call("HPEXPIRE", "t", "10", "FIELDS", "1", "f");
  heard.length = 0;
  advance(10);
  assert.deepEqual(heard.toSorted(), ["__keyevent@0__:expired k", "__keyevent@0__:hexpired t"]);
});

test("what was taken back is never told, what was done is told after it", () => {
  const { call, store, heard } = listening("E$n");
  store.undo.begin();
  call("SET", "k", "v");
  assert.deepEqual(heard, []);
  store.undo.rollback();
  assert.deepEqual(heard, []);
  store.undo.begin();
  call("SET", "k", "v");
  store.undo.commit();
  assert.deepEqual(heard, ["__keyevent@0__:new k", "__keyevent@0__:set k"]);
});

test("nothing is told where the setting names no channel", () => {
  const { call, store, heard } = listening("A");
  call("SET", "k", "v");
  assert.deepEqual(heard, []);
  assert.equal(store.memory.events.classes, 0);
});

test("SMOVE tells of a new set behind what it was taken out of, as Redis does", () => {
  const { call, heard } = listening("Esgn");
  call("SADD", "from", "a");
  heard.length = 0;
  call("SMOVE", "from", "to", "a");
  assert.deepEqual(heard, [
    "__keyevent@0__:srem from",
    "__keyevent@0__:del from",
    "__keyevent@0__:new to",
    "__keyevent@0__:sadd to",
  ]);
});
