// structures: commands of structures beside Lua through EVALSHA, a queue beside a list, and suggestions.
//
//   npm run bench -- structures
//
//   speed     redis-benchmark, 50 clients, pipeline 16
//   suggest   98,177 words of Debian's wamerican-large and 424 misspellings made of them with one seed: how long all
//             queries take, and in how many of them the right word is among the first ten; the slow reference ranks
//             every word by the trigrams that it shares

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Suggest, trigramsOf } from "../src/structures/suggest.ts";
import { installDebianPackages } from "../test/kit/debian-packages.ts";
import { ask } from "./ask.ts";
import { comparePairs, type Measured } from "./pairs.ts";
import { REDIS, type Server, startHive, startPeerRedis } from "./peers.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { type BenchOptions, LIMIT, type Row, row } from "./row.ts";
import { SCRIPTS } from "./structures-work.ts";

const PAIRS = 7;
const PIPELINE = 16;
const WORDS = 98_177;
const MISSPELLINGS = 424;
const QUERIES_SECONDS_MAX = 0.32;
const FOUND_MIN = 10;
const DICTIONARY = "/usr/share/dict/american-english-large";

type Work = {
  name: string;
  hive: readonly string[];
  redis: readonly string[] | string;
  requests: number;
  goal: number;
};

const WORKS: readonly Work[] = [
  { name: "10,000 steps on locals", hive: ["LOCALS"], redis: "LOCALS", requests: 20_000, goal: 4 },
  { name: "1,000 steps on the state", hive: ["STEPS", "k"], redis: "STEPS", requests: 4_000, goal: 1 },
  { name: "increment and compare", hive: ["BUMP", "k"], redis: "BUMP", requests: 400_000, goal: 1.5 },
  {
    name: "queue: push",
    hive: ["FIFOADD", "q", "xxxxxxxx"],
    redis: ["LPUSH", "q", "xxxxxxxx"],
    requests: 30_000,
    goal: 1,
  },
  { name: "queue: pop", hive: ["POP", "q"], redis: ["RPOP", "q"], requests: 30_000, goal: 1 },
];

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  yield* suggest(options);
  const file = fileURLToPath(new URL("structures-work.ts", import.meta.url));
  await using hive = await startHive(undefined, ["--structures", `fifo,${file}`]);
  await using redis = await startPeerRedis();
  const servers = { hive, redis };
  for (const work of WORKS) yield await compare(servers, work, options);
}

async function compare(
  servers: { hive: Server; redis: Server },
  { name, hive, redis, requests, goal }: Work,
  options: BenchOptions,
): Promise<Row> {
  const script = typeof redis === "string" ? await ask(servers.redis.port, "SCRIPT", "LOAD", SCRIPTS[redis]!) : "";
  const theirs = typeof redis === "string" ? ["EVALSHA", script, "1", "k"] : redis;
  const measure = async (server: Server): Promise<Measured<"perSecond">> => {
    const test = server.name === "hive" ? hive : theirs;
    // A queue begins empty, or with as many as are taken out.
    if (hive[0] === "FIFOADD" || hive[0] === "POP") {
      await ask(server.port, "FLUSHALL");
      if (hive[0] === "POP") {
        const push = server.name === "hive" ? WORKS[3]!.hive : (WORKS[3]!.redis as readonly string[]);
        await redisBenchmark(server.port, { test: push, pipeline: PIPELINE, requests });
      }
    }
    const { perSecond } = await redisBenchmark(server.port, { test, pipeline: PIPELINE, requests });
    options.note(`${name} ${server.name}: ${perSecond}/s`);
    return { perSecond };
  };
  const { perSecond } = await comparePairs(servers, options.pairs ?? (options.quick ? 3 : PAIRS), measure);
  const peer = typeof redis === "string" ? `${REDIS}, Lua` : REDIS;
  return row({ work: `${name}, pipeline ${PIPELINE}, calls/s`, peer, ...perSecond, goal: { atLeast: goal } });
}

async function* suggest({ note }: BenchOptions): AsyncGenerator<Row> {
  if (!existsSync(DICTIONARY)) {
    const missing = await installDebianPackages(["wamerican-large"]);
    if (missing !== false) return note(`no suggestions: ${missing}`);
  }
  const all = readFileSync(DICTIONARY, "utf8")
    .split("\n")
    .filter((word) => /^[a-z]+$/.test(word));
  const step = all.length / WORDS;
  const words = step <= 1 ? all : Array.from({ length: WORDS }, (_, i) => all[Math.floor(i * step)]!);
  const misspelt = misspellings(words);
  const suggest = new Suggest();
  const fromMs = performance.now();
  suggest.add(words);
  note(`${words.length} words: added in ${Math.round(performance.now() - fromMs)} ms`);
  const queriedMs = performance.now();
  const answers = misspelt.map(({ wrong }) => suggest.SUGGEST(wrong, FOUND_MIN));
  const seconds = (performance.now() - queriedMs) / 1000;
  const hits = answers.filter((found, i) => found.includes(misspelt[i]!.right)).length;
  const ranked = words.map((word) => ({ word, own: new Set(trigramsOf(word)) }));
  const expected = misspelt.filter(({ wrong, right }) => reference(ranked, wrong).includes(right)).length;
  const fixed = misspelt.filter(({ wrong, right }) => suggest.SUGGESTFIX(wrong, FOUND_MIN).includes(right)).length;
  note(`${fixed} of ${misspelt.length} by edit distance`);
  yield row({
    work: `suggest: ${misspelt.length} queries of ${words.length} words, s`,
    peer: LIMIT,
    ours: seconds,
    theirs: QUERIES_SECONDS_MAX,
    goal: { atMost: 1 },
  });
  yield row({ work: "suggest: hits", peer: "slow reference", ours: hits, theirs: expected, goal: { atLeast: 1 } });
}

type Ranked = { word: string; own: ReadonlySet<string> };

/** Every word by the trigrams that it shares, the shorter one first. */
function reference(words: readonly Ranked[], wrong: string): string[] {
  const asked = trigramsOf(wrong);
  const scored = words
    .map(({ word, own }, i) => ({
      word,
      i,
      score: asked.reduce((sum, trigram) => sum + (own.has(trigram) ? 1 : 0), 0),
    }))
    .filter(({ score }) => score > 0);
  scored.sort((a, b) => b.score - a.score || a.word.length - b.word.length || a.i - b.i);
  return scored.slice(0, FOUND_MIN).map(({ word }) => word);
}

/** One letter left out, put in, exchanged or swapped with the next, of words drawn with one seed. */
function misspellings(words: readonly string[]): { wrong: string; right: string }[] {
  let seed = 20_260_101;
  const draw = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const letter = (): string => String.fromCharCode(97 + draw(26));
  const known = new Set(words);
  const made: { wrong: string; right: string }[] = [];
  while (made.length < MISSPELLINGS) {
    const right = words[draw(words.length)]!;
    if (right.length < 5) continue;
    const at = 1 + draw(right.length - 2);
    const [before, here, behind] = [right.slice(0, at), right[at]!, right.slice(at + 1)];
    const forms = [before + behind, before + letter() + here + behind, before + letter() + behind];
    const wrong = [...forms, before + (behind[0] ?? "") + here + behind.slice(1)][draw(4)]!;
    if (!known.has(wrong)) made.push({ wrong, right });
  }
  return made;
}
