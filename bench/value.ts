// The value codec beside @msgpack/msgpack, JSON and structuredClone.
//
//   node bench/value.ts      or, with all the others, npm run bench
//
// Pairs of a few milliseconds of CPU time, interleaved, and the median of their ratios; what else runs on
// the machine is not counted. Both sides get what they are best at: one Encoder and Decoder of @msgpack/msgpack is kept, and where ours writes into a buffer that
// is used again, theirs does (encodeSharedRef). Before it is measured each side's result is compared.
//
// Ours does more: it looks for objects met twice and checks names against Object.prototype.

import assert from "node:assert/strict";
import { Decoder, Encoder } from "@msgpack/msgpack";
import { decode, encode, encodeInto, Scratch, walk } from "../src/wire/value.ts";
import { type BenchOptions, median, type Row, row } from "./row.ts";

const PAIRS = 15;
const SLICE_MS = 8;
const WARM_MS = 60;
/** The walk is on the way of every value that arrives: it may cost a fifth of what decoding costs. */
const WALK_AT_LEAST = 5;

const user = {
  id: 123456,
  name: "Ada Lovelace",
  email: "ada@example.org",
  born: 1815,
  active: true,
  score: 0.9731,
  tags: ["a", "bb"],
};
const nested = {
  id: 4711,
  name: "Ada Lovelace",
  born: 1815,
  admin: false,
  tags: ["math", "engine"],
  address: { city: "London", zip: "SW1Y 4JH" },
  ratio: 1.25,
};
const listOf = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** What is encoded and decoded, by name. */
const SHAPES: Readonly<Record<string, unknown>> = {
  "an object of 91 B": user,
  "a nested object of 107 B": nested,
  "1,000 objects": listOf(1_000, (id) => ({
    id,
    name: `user ${id}`,
    score: id / 7,
    active: id % 2 === 0,
    at: 1.7e12 + id,
  })),
  "1,000 integers": listOf(1_000, (index) => (index * 37) % 70_000),
  "1,000 floats": listOf(1_000, (index) => index / 3),
  "200 texts": listOf(200, (index) => `element number ${index * 7919}`),
  "200 names": Object.fromEntries(listOf(200, (index) => [`key:${index * 7919}`, index])),
  "a text of 1 KB": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod. ".repeat(14),
  "text that is not ASCII": { title: "Größe und Maß — 日本語テキスト", note: "naïve café" },
};

type Task = () => unknown;

/** Keeps results alive, so that nothing measured is dropped as dead code. */
let sink: unknown;

/** CPU milliseconds of `rounds` runs. */
function timed(task: Task, rounds: number): number {
  const start = process.cpuUsage();
  for (let round = 0; round < rounds; round++) sink = task();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e3;
}

/** Runs `task` until it has been compiled; returns how many times it runs in about SLICE_MS. */
function warmUp(task: Task): number {
  let rounds = 1;
  while (timed(task, rounds) < WARM_MS) rounds *= 2;
  return Math.max(1, Math.round((rounds * SLICE_MS) / timed(task, rounds)));
}

/** Nanoseconds of one run of each, and the median of the ratios theirs / ours. */
function compare(ours: Task, theirs: Task, pairs: number): { oursNs: number; theirsNs: number; ratio: number } {
  const sides = [ours, theirs].map((task) => ({ task, rounds: warmUp(task), ns: [] as number[] }));
  for (let pair = 0; pair < pairs; pair++) {
    for (const side of pair % 2 === 0 ? sides : sides.toReversed()) {
      side.ns.push((timed(side.task, side.rounds) * 1e6) / side.rounds);
    }
  }
  const [oursNs, theirsNs] = sides.map((side) => side.ns) as [number[], number[]];
  return {
    oursNs: median(oursNs),
    theirsNs: median(theirsNs),
    ratio: median(oursNs.map((ns, i) => theirsNs[i]! / ns)),
  };
}

type Pair = { work: string; peer: string; ours: Task; theirs: Task };

function pairsOf(name: string, value: unknown): Pair[] {
  const scratch = new Scratch();
  const encoder = new Encoder();
  const decoder = new Decoder();
  const bytes = encode(value);
  const json = Buffer.from(JSON.stringify(value));
  assert.deepEqual(Buffer.from(encoder.encode(value)), Buffer.from(bytes), name);
  assert.deepStrictEqual(decode(bytes), value, name);

  const into = (): unknown => {
    scratch.end = 0;
    encodeInto(value, scratch);
    return scratch.end;
  };
  const there = (): unknown => decode(bytes, 0, bytes.length);
  const msgpack = "@msgpack/msgpack";
  const pairs = [
    { work: `encode ${name}`, peer: msgpack, ours: into, theirs: () => encoder.encodeSharedRef(value) },
    { work: `decode ${name}`, peer: msgpack, ours: there, theirs: () => decoder.decode(bytes) },
  ];
  if (!name.includes("object")) return pairs;
  const back = (): unknown => {
    into();
    return decode(scratch.bytes, 0, scratch.end);
  };
  return [
    ...pairs,
    { work: `encode ${name}`, peer: "JSON", ours: into, theirs: () => Buffer.from(JSON.stringify(value)) },
    { work: `decode ${name}`, peer: "JSON", ours: there, theirs: () => JSON.parse(json.toString()) },
    { work: `encode and decode ${name}`, peer: "structuredClone", ours: back, theirs: () => structuredClone(value) },
  ];
}

/** Every shape and peer, in thousands of values a second, and the walk. */
export async function run(options?: Partial<BenchOptions>): Promise<Row[]> {
  const pairs = options?.pairs ?? (options?.quick ? 5 : PAIRS);
  const rows: Row[] = [];
  for (const [name, value] of Object.entries(SHAPES)) {
    for (const { work, peer, ours, theirs } of pairsOf(name, value)) {
      const { oursNs, theirsNs, ratio } = compare(ours, theirs, pairs);
      const figures = { ours: 1e6 / oursNs, theirs: 1e6 / theirsNs, ratio };
      rows.push(row({ work: `${work}, k/s`, peer, ...figures, goal: { atLeast: 1 } }));
    }
  }
  const bytes = encode(nested);
  const decoder = new Decoder();
  const { oursNs, theirsNs, ratio } = compare(
    () => walk(bytes, 0, bytes.length),
    () => decoder.decode(bytes),
    pairs,
  );
  const figures = { ours: 1e6 / oursNs, theirs: 1e6 / theirsNs, ratio };
  const work = `walk ${bytes.length} B, where theirs decodes, k/s`;
  rows.push(row({ work, peer: "@msgpack/msgpack", ...figures, goal: { atLeast: WALK_AT_LEAST } }));
  return rows;
}

if (import.meta.main) {
  console.table(await run());
  assert.ok(sink !== null);
}
