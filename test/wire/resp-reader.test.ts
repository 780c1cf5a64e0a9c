// Requests are read alike however their bytes are cut, and every error is Redis's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Args } from "../../src/engine/args.ts";
import { type RequestLimits, RespReader } from "../../src/wire/resp-reader.ts";

type Vector = { name: string; bytes: string; calls: string[][]; error?: string; limits?: Partial<RequestLimits> };

const VECTORS: Vector[] = JSON.parse(readFileSync(new URL("resp-requests.json", import.meta.url), "utf8"));
const LIMITS: RequestLimits = {
  argumentsMax: 1024,
  argumentBytesMax: 1 << 20,
  lineBytesMax: 65_536,
  unauthenticated: false,
};

type Read = { calls: string[][]; error: string | undefined };

/** What a reader makes of `chunks`. Each is overwritten after it was read, as the static buffer is. */
function read(chunks: Iterable<Buffer>, limits: RequestLimits = LIMITS): Read {
  const reader = new RespReader<Args>(limits);
  const calls: string[][] = [];
  let spare = new Args();
  for (const chunk of chunks) {
    const shared = Buffer.concat([Buffer.from("###"), chunk, Buffer.from("###")]);
    reader.feed(shared, 3, 3 + chunk.length);
    for (let args = reader.next(spare); args !== undefined; args = reader.next(spare)) {
      calls.push(Array.from({ length: args.count }, (_, i) => args!.latin1(i)));
    }
    if (reader.holds(spare)) spare = new Args();
    reader.settle();
    shared.fill(0x23);
  }
  return { calls, error: reader.broken?.message };
}

function* pieces(bytes: Buffer, sizes: (at: number) => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = sizes(at);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

for (const { name, bytes, calls, error, limits } of VECTORS) {
  test(`${name}, whole and one byte at a time`, () => {
    const stream = Buffer.from(bytes, "latin1");
    const expected = { calls, error };
    for (const size of [stream.length, 1, 2, 3, 7]) {
      assert.deepEqual(
        read(
          pieces(stream, () => size),
          { ...LIMITS, ...limits },
        ),
        expected,
        `in pieces of ${size}`,
      );
    }
  });
}

test("after an error nothing is read", () => {
  const reader = new RespReader<Args>(LIMITS);
  const bytes = Buffer.from("*x\r\n*1\r\n$4\r\nPING\r\n");
  reader.feed(bytes, 0, bytes.length);
  assert.equal(reader.next(new Args()), undefined);
  reader.settle();
  reader.feed(bytes, 4, bytes.length);
  assert.equal(reader.next(new Args()), undefined);
  assert.equal(reader.broken?.message, "Protocol error: invalid multibulk length");
});

test("any stream is read alike whole, in bytes and in random pieces", () => {
  const argument = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 90, maxLength: 120 }));
  const call = fc.array(argument, { minLength: 1, maxLength: 14 }).map((args) => encode(args));
  const inline = fc.stringMatching(/^[a-z "'\\x1]{0,20}$/).map((line) => Buffer.from(`${line}\r\n`));
  const noise = fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes));
  const part = fc.oneof(
    { weight: 6, arbitrary: call },
    { weight: 2, arbitrary: inline },
    { weight: 1, arbitrary: noise },
  );
  const stream = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.concat(parts));
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(stream, sizes, (bytes, cuts) => {
      const bytewise = read(pieces(bytes, () => 1));
      assert.deepEqual(read([bytes]), bytewise);
      assert.deepEqual(read(pieces(bytes, (at) => cuts[at % cuts.length]!)), bytewise);
    }),
    { numRuns: 500 },
  );
});

test("calls that had to wait are given out in order, with the chunks that came meanwhile", () => {
  const reader = new RespReader<Args>(LIMITS);
  const stream = Buffer.concat(
    Array.from({ length: 300 }, (_, i) => encode([Buffer.from("ECHO"), Buffer.from(`${i}`)])),
  );
  const seen: string[] = [];
  let step = 0;
  const args = new Args();
  // One call per chunk while chunks arrive, then all that is left.
  for (const chunk of pieces(stream, () => 50)) {
    reader.feed(chunk, 0, chunk.length);
    if (step++ % 3 === 0) {
      const call = reader.next(args.clone());
      if (call) seen.push(call.text(1));
    }
    reader.settle();
  }
  assert.ok(reader.pendingBytes > 1000);
  for (;;) {
    const call = reader.next(new Args());
    if (call === undefined) break;
    seen.push(call.text(1));
  }
  reader.settle();
  assert.deepEqual(
    seen,
    Array.from({ length: 300 }, (_, i) => `${i}`),
  );
  assert.equal(reader.pendingBytes, 0);
});

test("the whole call is where the reader says, in one buffer", () => {
  const reader = new RespReader<Args>(LIMITS);
  const bytes = encode([Buffer.from("SET"), Buffer.from("key"), Buffer.alloc(1000, 7)]);
  const args = new Args();
  for (const chunk of pieces(bytes, () => 13)) {
    reader.feed(chunk, 0, chunk.length);
    const call = reader.next(args);
    reader.settle();
    if (call === undefined) continue;
    assert.equal(call.count, 3);
    assert.equal(call.text(1), "key");
    assert.deepEqual(call.bytes(2), Buffer.alloc(1000, 7));
  }
  assert.equal(reader.pendingBytes, 0);
});

test("a bulk of 64 MiB in pieces of 64 KiB is copied about twice, and many arguments likewise", () => {
  const limits = { ...LIMITS, argumentBytesMax: 128 << 20, argumentsMax: 1 << 20 };
  const big = encode([Buffer.from("SET"), Buffer.from("k"), Buffer.alloc(64 << 20, 1)]);
  const many = encode(Array.from({ length: 1 << 20 }, () => Buffer.from("abcdefgh")));
  for (const stream of [big, many]) {
    const copied = copiedBytes(() => {
      const reader = new RespReader<Args>(limits);
      const args = new Args();
      let calls = 0;
      for (const chunk of pieces(stream, () => 65_536)) {
        reader.feed(chunk, 0, chunk.length);
        if (reader.next(args) !== undefined) calls++;
        reader.settle();
      }
      assert.equal(calls, 1);
    });
    assert.ok(copied < stream.length * 6, `${copied} bytes copied for ${stream.length}`);
  }
});

test("an announced bulk takes no memory before its bytes come", () => {
  const reader = new RespReader<Args>({ ...LIMITS, argumentBytesMax: 128 << 20 });
  const before = process.memoryUsage().arrayBuffers;
  const bytes = Buffer.from("*2\r\n$3\r\nGET\r\n$67108864\r\nabc");
  reader.feed(bytes, 0, bytes.length);
  assert.equal(reader.next(new Args()), undefined);
  reader.settle();
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

function encode(args: Uint8Array[]): Buffer {
  const parts = args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from("\r\n")]);
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}

/** Bytes that Buffer.copy moved while `run` ran. */
function copiedBytes(run: () => void): number {
  const copy = Buffer.prototype.copy;
  let bytes = 0;
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>): number {
    const count = copy.apply(this, args);
    bytes += count;
    return count;
  };
  try {
    run();
  } finally {
    Buffer.prototype.copy = copy;
  }
  return bytes;
}
