// Replies as bytes: each kind in both protocols, collections that are counted afterwards, and what is
// taken back.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import type { Reply } from "../../src/engine/reply.ts";
import { endOfValue } from "../../src/wire/resp-walk.ts";
import { RespWriter } from "../../src/wire/resp-writer.ts";
import { encode } from "../../src/wire/value.ts";

type Call = [method: string, ...args: unknown[]];
type Vector = { write: Call[]; resp2: string; resp3?: string };

const VECTORS: Vector[] = JSON.parse(readFileSync(new URL("resp-replies.json", import.meta.url), "utf8"));

function writer(protocol: 2 | 3, bytesMax = 1 << 26, buffer?: Buffer): RespWriter & Reply {
  return new RespWriter({ protocol }, bytesMax, buffer);
}

function written(reply: RespWriter): string {
  return reply.buffer.toString("latin1", 0, reply.length);
}

function write(reply: Reply, [method, ...args]: Call): void {
  const [first] = args;
  if (method === "bulk") {
    const bytes = Buffer.from(`<<${first}>>`, "latin1");
    reply.bulk(bytes, 2, bytes.length - 2);
  } else if (method === "bigint") reply.bigint(BigInt(first as string));
  else if (method === "double") reply.double(Number(first));
  else (reply as unknown as Record<string, (...args: unknown[]) => void>)[method]!(...args);
}

for (const { write: calls, resp2, resp3 = resp2 } of VECTORS) {
  test(`${calls.map(([method]) => method).join(" ")} reads as RESP2 ${JSON.stringify(resp2).slice(0, 40)}`, () => {
    for (const [protocol, expected] of [
      [2, resp2],
      [3, resp3],
    ] as const) {
      // Also where every write has to grow the buffer.
      for (const size of [1 << 16, 1]) {
        const reply = writer(protocol, 1 << 20, Buffer.alloc(size));
        for (const call of calls) write(reply, call);
        assert.equal(written(reply), expected);
        for (let at = 0; at < reply.length; ) {
          const end = endOfValue(reply.buffer, at);
          assert.ok(end > at && end <= reply.length);
          at = end;
        }
      }
    }
  });
}

test("every whole number is written as JavaScript writes it", () => {
  const reply = writer(2);
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.integer({ min: -1100, max: 1100 })), (value) => {
      reply.clear();
      reply.integer(value);
      assert.equal(written(reply), `:${value}\r\n`);
    }),
    { numRuns: 5_000 },
  );
});

test("a value is decimal text where it is a number, else JSON", () => {
  const reply = writer(3);
  for (const value of [42, 0.5, { born: 1815 }, new Map([["a", 1]])]) {
    const bytes = encode(value);
    reply.value(Buffer.concat([Buffer.from("x"), bytes]), 1, 1 + bytes.length);
  }
  assert.equal(written(reply), '$2\r\n42\r\n$3\r\n0.5\r\n$13\r\n{"born":1815}\r\n$7\r\n{"a":1}\r\n');
});

test("a collection of many values is moved by the digits of its count", () => {
  for (const count of [9, 10, 99, 100, 12_345]) {
    const reply = writer(3);
    reply.ok();
    reply.open("map");
    for (let i = 0; i < count; i++) {
      reply.integer(i);
      reply.text(`value ${i}`);
    }
    reply.close();
    reply.ok();
    const body = Array.from({ length: count }, (_, i) => `:${i}\r\n$${`value ${i}`.length}\r\nvalue ${i}\r\n`).join("");
    assert.equal(written(reply), `+OK\r\n%${count}\r\n${body}+OK\r\n`);
  }
});

test("rewind takes back what was written since the mark, open collections included", () => {
  const reply = writer(2);
  reply.open("array");
  reply.ok();
  const mark = reply.mark();
  reply.open("map");
  reply.bulk(Buffer.from("half"), 0, 4);
  reply.rewind(mark);
  reply.error("NO_KEY", "no such key");
  reply.close();
  assert.equal(written(reply), "*2\r\n+OK\r\n-ERR no such key\r\n");
});

test("HELLO can change the protocol in the middle", () => {
  const session: { protocol: 2 | 3 } = { protocol: 2 };
  const reply: RespWriter & Reply = new RespWriter(session, 1 << 20);
  reply.nil();
  assert.equal(reply.typed, false);
  session.protocol = 3;
  assert.equal(reply.typed, true);
  reply.nil();
  assert.equal(written(reply), "$-1\r\n_\r\n");
});

test("a call that answers later takes the writer and its marks; the scratch stays behind", () => {
  const reply = writer(2);
  const scratch = reply.buffer;
  reply.ok();
  const from = reply.length;
  const mark = reply.mark();
  reply.array(2);
  const successor = reply.leave(from);

  assert.equal(successor.buffer, scratch);
  assert.equal(written(successor), "+OK\r\n");
  reply.integer(1);
  reply.integer(2);
  assert.equal(written(reply), "*2\r\n:1\r\n:2\r\n");
  assert.notEqual(reply.buffer, scratch);
  reply.open("array");
  reply.rewind(mark);
  reply.error("ABORTED", "gave up");
  assert.equal(written(reply), "-ERR gave up\r\n");
  successor.append(reply);
  assert.equal(written(successor), "+OK\r\n-ERR gave up\r\n");
});

test("a reply above the limit fails its call, and the error fits", () => {
  const reply = writer(2, 100_000);
  const mark = reply.mark();
  assert.throws(
    () => {
      for (;;) reply.bulk(Buffer.alloc(1000), 0, 1000);
    },
    { code: "OUTPUT_TOO_BIG" },
  );
  reply.rewind(mark);
  reply.error("OUTPUT_TOO_BIG", "too big");
  assert.equal(written(reply), "-ERR too big\r\n");
});

test("an error is written whatever it says and however much is there already", () => {
  const reply = writer(2, 100_000);
  reply.bulk(Buffer.alloc(99_000), 0, 99_000);
  const from = reply.length;
  for (const message of ["\udcff".repeat(16 << 20), "ü".repeat(1 << 20), "\ud83d", ""]) reply.error("SYNTAX", message);
  for (let i = 0; i < 10_000; i++) reply.error("OUTPUT_TOO_BIG", "too big");
  const lines = reply.buffer.latin1Slice(from, reply.length).split("\r\n");
  assert.equal(lines.length, 10_005);
  assert.equal(lines[0], `-ERR ${"\xff".repeat(4096)}`);
  assert.equal(lines[10_003], "-ERR too big");
});

test("a buffer that grew is kept up to 1 MiB and given up above", () => {
  const reply = writer(2);
  reply.bulk(Buffer.alloc(500_000), 0, 500_000);
  const grown = reply.buffer;
  reply.clear();
  assert.equal(reply.buffer, grown);
  reply.bulk(Buffer.alloc(5_000_000), 0, 5_000_000);
  reply.clear();
  assert.ok(reply.buffer.length < 1 << 20);
});
