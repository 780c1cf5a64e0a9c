// Snapshots that are damaged, by accident and on purpose: each is refused and nothing changes, or it is
// restored as what it says. SNAPSHOT_SEED=… repeats a run, SNAPSHOT_RUNS=… makes it longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { isHiveError } from "../../src/base/errors.ts";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { BLOCK_HEADER_BYTES, HEADER_BYTES } from "../../src/snapshot/format.ts";
import { restoreSnapshot } from "../../src/snapshot/restore.ts";
import { Store } from "../../src/store/store.ts";
import { memorySource } from "../kit/memory-snapshots.ts";
import { SAMPLE_MS, sampleStore, takeSnapshot } from "../kit/snapshot-samples.ts";
import { generator } from "../kit/store-draws.ts";
import { imageOf } from "../kit/store-image.ts";
import { checkStore } from "../kit/store-invariants.ts";

const seed = Number(process.env["SNAPSHOT_SEED"] ?? Math.floor(Math.random() * 0x7fffffff));
const RUNS = Number(process.env["SNAPSHOT_RUNS"] ?? 1000);

/** Where the blocks of a snapshot begin. */
function blocksOf(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; at += BLOCK_HEADER_BYTES + bytes.readUInt32LE(at + 8)) starts.push(at);
  return starts;
}

/** Makes all checksums right, as an attacker would. */
function mend(bytes: Buffer): void {
  if (bytes.length < HEADER_BYTES) return;
  bytes.writeUInt32LE(0, 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES)), 12);
  for (let at = HEADER_BYTES, number = 0; at + BLOCK_HEADER_BYTES <= bytes.length; number++) {
    const stored = bytes.readUInt32LE(at + 8);
    const end = at + BLOCK_HEADER_BYTES + stored;
    bytes.writeUInt32LE(number, at + 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + BLOCK_HEADER_BYTES, Math.min(end, bytes.length))), at + 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 20)), at + 20);
    if (end > bytes.length) return;
    at = end;
  }
}

type Damage = (bytes: Buffer, below: (count: number) => number) => Buffer;

const DAMAGES: Readonly<Record<string, Damage>> = {
  flipped(bytes, below) {
    for (let i = below(3); i >= 0; i--) bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  },
  cut: (bytes, below) => bytes.subarray(0, below(bytes.length)),
  "with more behind": (bytes, below) => Buffer.concat([bytes, Buffer.alloc(1 + below(100), below(256))]),
  "with a block twice"(bytes, below) {
    const starts = blocksOf(bytes);
    const from = starts[below(starts.length)]!;
    const to = starts.find((start) => start > from) ?? bytes.length;
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to)]);
  },
  "without a block"(bytes, below) {
    const starts = blocksOf(bytes);
    const from = starts[below(starts.length)]!;
    const to = starts.find((start) => start > from) ?? bytes.length;
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  "with another size"(bytes, below) {
    const starts = blocksOf(bytes);
    const at = starts[below(starts.length)]! + 8 + 4 * below(2);
    bytes.writeUInt32LE(
      [0, 1, 0x7fffffff, 0xffffffff, 1 << 20, bytes.readUInt32LE(at) + 1 + below(1 << 20)][below(6)]! >>> 0,
      at,
    );
    return bytes;
  },
  "with another header"(bytes, below) {
    bytes[below(HEADER_BYTES)] = below(256);
    return bytes;
  },
};

test(`${RUNS} damaged snapshots are refused, or restored as what they say (SNAPSHOT_SEED=${seed})`, async (t) => {
  const below = generator(seed);
  const source = sampleStore(6_000);
  const whole = await takeSnapshot(source);
  source.close();
  const store = sampleStore(40);
  const before = imageOf(store);
  const own = await takeSnapshot(store);
  const outcomes = new Map<string, number>();
  for (let run = 0; run < RUNS; run++) {
    const { bytes, what, mended } = damaged(whole, run, below);
    const outcome = await tryRestore(store, bytes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (outcome === "restored") {
      checkStore(store);
      // A snapshot whose checksums are right is what it says; one that was only damaged is the old one.
      if (!mended) assert.deepEqual(Buffer.compare(bytes, whole), 0, what);
      assert.equal(await tryRestore(store, own), "restored");
    } else if (run % 10 === 0) {
      assert.deepEqual(contents(imageOf(store)), contents(before), what);
    }
  }
  checkStore(store);
  store.close();
  t.diagnostic(JSON.stringify(Object.fromEntries(outcomes)));
  assert.ok(outcomes.get("refused")! > RUNS / 2);
});

/** A copy of a snapshot with one kind of damage, and two of three times with all checksums made right again. */
function damaged(
  whole: Buffer,
  run: number,
  below: (count: number) => number,
): { bytes: Buffer; what: string; mended: boolean } {
  const name = Object.keys(DAMAGES)[run % Object.keys(DAMAGES).length]!;
  const bytes = DAMAGES[name]!(Buffer.from(whole), below);
  const mended = below(3) > 0;
  if (mended) mend(bytes);
  return { bytes, mended, what: `run ${run}, ${name}${mended ? ", checksums mended" : ""}` };
}

async function tryRestore(store: Store, bytes: Buffer): Promise<"refused" | "restored"> {
  try {
    await restoreSnapshot(memorySource(bytes), { store, limits: DEFAULT_LIMITS });
    return "restored";
  } catch (error) {
    if (!isHiveError(error) || error.code !== "BAD_SNAPSHOT") throw error;
    assert.match(error.message, /^test is refused: /);
    return "refused";
  } finally {
    while (store.work(() => false));
  }
}

/** What is compared where versions have moved on. */
function contents(image: ReturnType<typeof imageOf>): Map<string, unknown> {
  return new Map([...image].map(([name, { version, ...rest }]) => [name, rest] as [string, unknown]).sort());
}

test("everything comes back as it was, with its versions, kinds, forms, deadlines and owners", async () => {
  const from = sampleStore(1_000);
  const bytes = await takeSnapshot(from);
  const to = new Store({ nowMs: SAMPLE_MS });
  await restoreSnapshot(memorySource(bytes), { store: to, limits: DEFAULT_LIMITS });
  assert.deepEqual(imageOf(to), imageOf(from));
  assert.equal(to.memory.totals.entryBytes, from.memory.totals.entryBytes);
  assert.deepEqual(to.memory.totals.ownerBytes, from.memory.totals.ownerBytes);
  assert.ok(to.memory.entries.version > from.memory.entries.version, "versions go on above all that there were");
  checkStore(to);
  to.setNow(SAMPLE_MS + 10_000);
  assert.equal(to.keys.find(Buffer.from("owned"), 0, 5), 0, "what runs out does so");
});

test("each reason to refuse a snapshot is told", async () => {
  const store = sampleStore(10);
  const whole = await takeSnapshot(store);
  const refusal = async (change: (bytes: Buffer) => Buffer | undefined, mended = true): Promise<string> => {
    const copy = Buffer.from(whole);
    const bytes = change(copy) ?? copy;
    if (mended) mend(bytes);
    const error = await restoreSnapshot(memorySource(bytes), { store, limits: DEFAULT_LIMITS }).then(
      () => undefined,
      (e) => e,
    );
    return error?.message ?? "restored";
  };
  const first = blocksOf(whole)[0]!;
  assert.match(await refusal((bytes) => bytes.subarray(0, 10), false), /has 10 bytes/);
  assert.match(await refusal((bytes) => void bytes.write("RIFF", 0), false), /no snapshot of a hive/);
  assert.match(await refusal((bytes) => void bytes.writeUInt16LE(2, 8)), /format version 2.*use a newer memhive/);
  assert.match(await refusal((bytes) => void (bytes[30]! ^= 1), false), /header is damaged/);
  assert.match(await refusal((bytes) => bytes.subarray(0, bytes.length - 10), false), /cut short/);
  assert.match(
    await refusal((bytes) => bytes.subarray(0, blocksOf(bytes).at(-1)), false),
    /cut short: block \d+ is missing/,
  );
  assert.match(await refusal((bytes) => void (bytes[first + BLOCK_HEADER_BYTES]! ^= 1), false), /block 0 is damaged/);
  assert.match(await refusal((bytes) => void (bytes[first]! = 9)), /unknown kind/);
  assert.match(await refusal((bytes) => void bytes.writeUInt32LE(0x7fffffff, first + 12)), /says it has/);
  const end = blocksOf(whole).at(-1)! + BLOCK_HEADER_BYTES;
  assert.match(await refusal((bytes) => void bytes.writeUInt32LE(5, end)), /says that it has 5 keys/);
  assert.match(await refusal((bytes) => Buffer.concat([bytes, Buffer.alloc(3)]), false), /something behind its end/);
  store.close();
});
