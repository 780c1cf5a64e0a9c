// test/differential/frame.test.ts
// Replies end where they end, whatever they hold and however they arrive.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenFrame, encodeCommand, parseReply, replyEnd } from "./frame.ts";

// biome-ignore format: one per line would fill pages
const replies = [
  "+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$-1\r\n", "$0\r\n\r\n", "$5\r\na\r\nbc\r\n", "*-1\r\n", "*0\r\n", "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
  "_\r\n", "#t\r\n", ",1.5\r\n", "(123456789012345678901234567890\r\n", "=7\r\ntxt:a\r\n\r\n", "!5\r\nERR x\r\n", "~2\r\n$1\r\na\r\n$1\r\nb\r\n",
  "%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n%1\r\n+x\r\n_\r\n", ">2\r\n+push\r\n:1\r\n", "|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n",
];

test("every type of reply is as long as it says, and unfinished until its last byte", () => {
  for (const reply of replies) {
    const bytes = Buffer.from(reply, "latin1");
    for (let length = 0; length < bytes.length; length++)
      assert.equal(replyEnd(bytes.subarray(0, length), 0), -1, reply);
    assert.equal(replyEnd(Buffer.concat([bytes, Buffer.from("+next\r\n")]), 0), bytes.length, reply);
  }
});

test("a reply behind others is found from where it begins", () => {
  const bytes = Buffer.from(replies.join(""), "latin1");
  let at = 0;
  for (const reply of replies) {
    const end = replyEnd(bytes, at);
    assert.equal(bytes.latin1Slice(at, end), reply);
    at = end;
  }
  assert.equal(at, bytes.length);
});

test("bytes that are no RESP are refused", () => {
  for (const bytes of ["?x\r\n", "x", "+a\rb\r\n", "$x\r\n", "$\r\n", "*1.5\r\n", "$1\r\nabc\r\n"]) {
    assert.throws(() => replyEnd(Buffer.from(`${bytes}\r\n`), 0), BrokenFrame, bytes);
  }
});

test("a reply taken apart keeps the raw bytes of each part", () => {
  const map = parseReply("%1\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n");
  assert.equal(map.type, "%");
  assert.deepEqual(
    map.items?.map(({ raw }) => raw),
    ["$1\r\na\r\n", "*2\r\n:1\r\n$-1\r\n"],
  );
  assert.deepEqual(
    map.items?.[1]?.items?.map(({ text }) => text),
    ["1", undefined],
  );
});

test("a command is an array of bulk strings", () => {
  assert.equal(encodeCommand(["ECHO", "", "a\r\nb"]), "*3\r\n$4\r\nECHO\r\n$0\r\n\r\n$4\r\na\r\nb\r\n");
});
