// Mutated values: whatever comes in, the codec answers with a value or with BAD_VALUE, soon and in little memory.
//
//   FUZZ_SEED=1 FUZZ_COUNT=1000000 node --test test/fuzz/value.test.ts

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { isHiveError } from "../../src/base/errors.ts";
import { decode, encode, Types, valueToText, walk, walkScalar } from "../../src/wire/value.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000_000);
const COUNT = Number(process.env["FUZZ_COUNT"] ?? 120_000);

/** Mulberry32, by Tommy Ettinger: whole numbers below a bound, the same for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Vector = { description: string; hex: string };
const vectors: Record<"values" | "refused" | "scalars", Vector[]> = JSON.parse(
  readFileSync(new URL("../wire/value-vectors.json", import.meta.url), "utf8"),
);
const corpus: Buffer[] = [...vectors.values, ...vectors.refused, ...vectors.scalars]
  .map(({ hex }) => Buffer.from(hex, "hex"))
  .filter((bytes) => bytes.length > 0 && bytes.length < 600);
corpus.push(
  Buffer.from(encode(Array.from({ length: 20 }, (_, id) => ({ id, name: `user ${id}`, tags: new Set([id]) })))),
);

/** Tags and payload bytes that steer the codec, and ordinary bytes. */
const STEERING = Buffer.from(
  "80818f90919fa0a1bfc0c1c2c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0ff00010203040506077f",
  "hex",
);

function mutate(random: (below: number) => number): Buffer {
  let bytes = Buffer.from(corpus[random(corpus.length)]!);
  for (let step = random(4); step >= 0; step--) {
    const at = random(bytes.length + 1);
    const other = corpus[random(corpus.length)]!;
    const from = random(other.length);
    switch (random(7)) {
      case 0:
        bytes[at % Math.max(bytes.length, 1)]! ^= 1 << random(8);
        break;
      case 1:
        bytes[at % Math.max(bytes.length, 1)] = STEERING[random(STEERING.length)]!;
        break;
      case 2:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          STEERING.subarray(random(STEERING.length)).subarray(0, 1),
          bytes.subarray(at),
        ]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(3))]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + 1 + random(12)), bytes.subarray(at)]);
        break;
      case 5:
        bytes.subarray(at, at + random(5)).fill(0xff);
        break;
      default:
        bytes = Buffer.concat([Buffer.of([0x91, 0x92, 0x81][random(3)]!), bytes, other]);
    }
  }
  return bytes.subarray(0, 4_096);
}

/** What `run` returns; undefined where it was BAD_VALUE. Everything else is our mistake. */
function attempt<T>(run: () => T): { value: T } | { failure: string } {
  try {
    return { value: run() };
  } catch (error) {
    if (isHiveError(error) && error.code === "BAD_VALUE") return { failure: error.message };
    throw error;
  }
}

class Reading {}
class N {
  own = 1;
  static encode(): unknown {
    return 1;
  }
  static decode(): N {
    return new N();
  }
}
/** Classes that the corpus names, and code that is made of what is read. */
const named = { types: new Types([Reading, N]), revive: (code: unknown): unknown => [code] };

function check(bytes: Buffer): "accepted" | "refused" {
  const walked = attempt(() => walk(bytes));
  const decoded = attempt(() => decode(bytes, 0, bytes.length, { as: "doubles" }));
  attempt(() => walkScalar(bytes));
  attempt(() => decode(bytes, 0, bytes.length, named));
  if ("failure" in walked) return "refused";

  valueToText(bytes);
  if ("failure" in decoded) {
    assert.match(decoded.failure, /cannot compile/);
    return "accepted";
  }
  // What the walk lets pass in a second form (a name twice, parts of a millisecond) has none after one round.
  const first = encode(decoded.value);
  walk(first);
  assert.deepEqual(encode(decode(first, 0, first.length, { as: "doubles" })), first);
  return "accepted";
}

test(`${COUNT} mutated values are each a value or BAD_VALUE`, (context) => {
  context.diagnostic(`FUZZ_SEED=${SEED}`);
  const random = randomFrom(SEED);
  const startBytes = process.memoryUsage.rss();
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < COUNT; round++) {
    const bytes = mutate(random);
    try {
      counts[check(bytes)]++;
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${SEED} round ${round}: ${bytes.toString("hex")}`, { cause });
    }
    if (round % 10_000 === 0) assert.ok(process.memoryUsage.rss() - startBytes < 400e6, `round ${round}`);
  }
  context.diagnostic(`${counts.accepted} accepted, ${counts.refused} refused`);
  assert.ok(counts.accepted > COUNT / 20 && counts.refused > COUNT / 20, "both sides are tried");
});

test("the densest values take a bounded multiple of their bytes when they are decoded", (context) => {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc") as () => void;
  const COPIES = 70_000;
  const many = (hex: string): Buffer =>
    Buffer.from(`dd${COPIES.toString(16).padStart(8, "0")}${hex.repeat(COPIES)}`, "hex");
  const kinds: Record<string, Buffer> = {
    null: many("c0"),
    float64: many("cb3ff8000000000000"),
    "empty array": many("90"),
    "empty object": many("80"),
    "empty Map": many("d40290"),
    "empty Set": many("d40390"),
    Date: many("d6ff00000000"),
    "small bigint": many("d40401"),
    bytes: many("c400"),
    view: many("d40500"),
    RegExp: many("c7030692a0a0"),
    Error: many("c7030792a0a0"),
    reference: many("d40100"),
  };
  for (const [name, bytes] of Object.entries(kinds)) {
    walk(bytes);
    const { count, takenBytes } = takenBy(bytes, collect);
    const times = takenBytes / bytes.length;
    context.diagnostic(`${name}: ${times.toFixed(0)} times`);
    assert.ok(times < 160, `${name} takes ${times} times its bytes`);
    assert.equal(count, COPIES);
  }
});

/** Memory that the decoded value of `bytes`, an array, holds. */
function takenBy(bytes: Buffer, collect: () => void): { count: number; takenBytes: number } {
  collect();
  collect();
  const before = process.memoryUsage();
  const value = decode(bytes) as unknown[];
  collect();
  collect();
  const after = process.memoryUsage();
  const takenBytes = after.heapUsed + after.external - before.heapUsed - before.external;
  return { count: value.length, takenBytes };
}
