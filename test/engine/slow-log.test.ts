// The slow log: newest first, bounded in every direction, without secrets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../src/engine/args.ts";
import { SlowLog } from "../../src/engine/slow-log.ts";

const limits = { slowlogEntriesMax: 3, slowlogArgumentsMax: 4, slowlogArgumentBytesMax: 5 };

function add(log: SlowLog, ...words: string[]): void {
  log.add(words[0]!, Args.of(...words), 42, 1_700_000_000_999, "127.0.0.1:1", "worker");
}

function shown(log: SlowLog): string[] {
  return log.latest(10).map((call) => call.args.join(" "));
}

test("the newest calls come first, the oldest go", () => {
  const log = new SlowLog(limits);
  for (const name of ["A", "B", "C", "D"]) add(log, name);
  assert.deepEqual(shown(log), ["D", "C", "B"]);
  const { args, ...rest } = log.latest(1)[0]!;
  assert.deepEqual(args, [Buffer.from("D")]);
  assert.deepEqual(rest, {
    id: 3,
    atSeconds: 1_700_000_000,
    microseconds: 42,
    address: "127.0.0.1:1",
    clientName: "worker",
  });
  log.entriesMax = 1;
  log.trim();
  assert.deepEqual(shown(log), ["D"]);
  log.clear();
  assert.equal(log.length, 0);
});

test("arguments are cut short in length and number", () => {
  const log = new SlowLog(limits);
  add(log, "SET", "key", "123456789");
  add(log, "DEL", "a", "b", "c");
  add(log, "DEL", "a", "b", "c", "d");
  assert.deepEqual(shown(log), ["DEL a b ... (2 more arguments)", "DEL a b c", "SET key 12345... (4 more bytes)"]);
});

test("what is kept does not change with the door's buffer", () => {
  const log = new SlowLog(limits);
  const args = Args.of("GET", "abc");
  log.add("GET", args, 1, 0, "", "");
  args.buffer.fill(120);
  assert.deepEqual(shown(log), ["GET abc"]);
});

test("secrets are left out, and with no entries nothing is kept", () => {
  const log = new SlowLog(limits);
  add(log, "AUTH", "default", "secret");
  add(log, "HELLO", "3", "AUTH", "default", "secret");
  assert.deepEqual(shown(log), ["HELLO (redacted)", "AUTH (redacted)"]);
  log.entriesMax = 0;
  log.trim();
  add(log, "GET", "a");
  assert.equal(log.length, 0);
});
