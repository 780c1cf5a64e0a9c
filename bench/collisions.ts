// collisions: 100,000 keys that were chosen to collide are no slower than random ones.
//
//   npm run bench -- collisions
//
// For FNV-1a, MurmurHash2 and xxHash32, the hashes that hash tables usually take: keys that all have one
// hash, set and read through the RESP door of an engine in this process, beside as many random keys of the
// same length. CPU time of the thread counts; every round has a new store, and the order alternates.

import { randomBytes } from "node:crypto";
import { BareDoor, encodeCall } from "./bare-door.ts";
import { fnv1a, fnvCollisions, murmur2, murmurCollisions, xxHash32, xxHashCollisions } from "./colliding-keys.ts";
import { microsecondsOf } from "./cpu-time.ts";
import { type BenchOptions, median, type Row, row } from "./row.ts";

const KEYS = 100_000;
const ROUNDS = 15;
const GET_REPLY_BYTES = "$8\r\nxxxxxxxx\r\n".length;

const HASHES = [
  { name: "FNV-1a", hash: fnv1a, choose: fnvCollisions },
  { name: "MurmurHash2", hash: murmur2, choose: murmurCollisions },
  { name: "xxHash32", hash: xxHash32, choose: xxHashCollisions },
];

export async function run(options: BenchOptions): Promise<Row[]> {
  return HASHES.map(({ name, hash, choose }) => {
    const chosen = choose(KEYS);
    if (new Set(chosen.map((key) => hash(key))).size !== 1) throw new Error(`the keys do not collide under ${name}`);
    if (new Set(chosen.map((key) => key.toString("latin1"))).size !== KEYS) throw new Error("two keys are the same");
    const random = chosen.map((key) => randomBytes(key.length));

    const [chosenCalls, randomCalls] = [calls(chosen), calls(random)];
    const ours: number[] = [];
    const theirs: number[] = [];
    const rounds = options.pairs ?? (options.quick ? 5 : ROUNDS);
    // The first round only warms the code up.
    for (let round = 0; round <= rounds; round++) {
      const first = cost(round % 2 === 0 ? chosenCalls : randomCalls);
      const second = cost(round % 2 === 0 ? randomCalls : chosenCalls);
      if (round === 0) continue;
      ours.push(round % 2 === 0 ? first : second);
      theirs.push(round % 2 === 0 ? second : first);
    }
    return row({
      work: `SET and GET of ${KEYS} keys that collide under ${name}, µs a call`,
      peer: "random keys",
      ours: median(ours),
      theirs: median(theirs),
      ratio: median(ours.map((value, i) => value / theirs[i]!)),
      goal: { atMost: 1.1 },
    });
  });
}

type Calls = { sets: Buffer; gets: Buffer };

function calls(keys: readonly Buffer[]): Calls {
  return {
    sets: Buffer.concat(keys.map((key) => encodeCall("SET", key, "xxxxxxxx"))),
    gets: Buffer.concat(keys.map((key) => encodeCall("GET", key))),
  };
}

/** CPU microseconds of a call, in a store of its own. */
function cost({ sets, gets }: Calls): number {
  const door = new BareDoor();
  let answered = 0;
  const microseconds = microsecondsOf(() => {
    door.send(sets);
    answered = door.send(gets);
  });
  door.close();
  if (answered !== KEYS * GET_REPLY_BYTES) throw new Error("a key was not found");
  return microseconds / (2 * KEYS);
}
