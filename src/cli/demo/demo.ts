// memhive demo: what a hive is, played by itself in a minute, with figures as they are measured.
//
//   ten lines saved ──▶ four processes vote ──▶ redis-cli counts ──▶ shared reads beside redis-server
//     ──▶ an endless loop saved ──▶ DEADLINE, and nobody else notices ──▶ mended
//
// It ends with 1 where what it shows is not so.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HiveError, isHiveError } from "../../base/errors.ts";
import { type Client, connect } from "../../client/node.ts";
import { isInstalled, Redis, type StartedHive, startHive, Workers } from "./cast.ts";
import type { Seen } from "./demo-worker.ts";
import { COUNTING, EMPTY, LOOP, LOOPING, type Votes } from "./votes-code.ts";

const SECONDS = 60;
/** Calls of redis-benchmark for each second that it has. */
const GETS_A_SECOND = 60_000;
const OTHERS_MS_MAX = 100;

export type DemoOptions = { seconds?: number };

type Stage = {
  readonly db: Client;
  readonly hive: StartedHive;
  readonly workers: Workers;
  readonly redis: Redis | undefined;
  readonly file: string;
  /** Milliseconds of the demo for each of its 60 seconds. */
  readonly secondMs: number;
  /** Votes that the workers were answered. */
  voted: number;
};

/** Plays it. Resolves with whether all was as it has to be. */
export async function demo({ seconds = SECONDS }: DemoOptions): Promise<boolean> {
  if (!process.features.typescript) {
    throw new HiveError(
      "UNSUPPORTED",
      `the demo saves TypeScript, which Node runs from 22.18 on; this is ${process.versions.node}`,
    );
  }
  const fromMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "memhive-demo-"));
  const file = join(folder, "votes.ts");
  const closing: (() => void | Promise<void>)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    offerPackage(folder);
    writeFileSync(file, EMPTY);
    const hive = await startHive(file);
    closing.push(() => void hive.child.kill());
    const url = `hive://127.0.0.1:${hive.port}`;
    const db = await connect(url);
    closing.push(() => db.close());
    const users = db.table<{ born: number }>("users");
    for (const [name, born] of [
      ["ada", 1815],
      ["bob", 1916],
      ["cid", 1950],
      ["dan", 1978],
    ] as const) {
      await users.set(name, { born });
    }
    const workers = await Workers.start(url);
    closing.push(() => workers.close());
    const redis = await Redis.start(folder);
    closing.push(() => redis?.close());
    const stage: Stage = { db, hive, workers, redis, file, secondMs: (seconds * 1000) / SECONDS, voted: 0 };
    say(`a hive on port ${hive.port}, with one structure file that is empty yet, and four Node processes on it`);
    await wait(stage, 3);
    await votes(stage);
    await reads(stage);
    const isWhole = await loop(stage);
    say(`${((performance.now() - fromMs) / 1000).toFixed(0)} s, and no process was started again`);
    return isWhole;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** The structure's file imports the package by its name, from wherever this one is installed. */
function offerPackage(folder: string): void {
  const target = join(folder, "node_modules", "memhive-server");
  mkdirSync(target, { recursive: true });
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const address = new URL(`../../structures/index.${extension}`, import.meta.url).href;
  const facts = { name: "memhive-server", type: "module", exports: { "./structure": "./structure.js" } };
  writeFileSync(join(target, "package.json"), JSON.stringify(facts));
  writeFileSync(join(target, "structure.js"), `export * from ${JSON.stringify(address)};\n`);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
}

// The scenes.

async function votes(stage: Stage): Promise<void> {
  say("ten lines of TypeScript are saved:");
  for (const text of COUNTING.trimEnd().split("\n")) {
    show(text);
    await wait(stage, 0.7);
  }
  await save(stage, COUNTING);
  stage.workers.order({ votes: true });
  for (let second = 0; second < 8; second++) {
    await wait(stage, 1);
    const { voted } = await look(stage, { votes: true });
    if (second % 2 === 1) say(`the four processes voted ${voted} times more: await votes.VOTE("poll", "ada")`);
  }
  await quiet(stage);
  say(`they were answered ${stage.voted} votes; ${countBy()} counts ${sum(await counted(stage))}`);
}

async function reads({ workers, redis, hive, ...stage }: Stage): Promise<void> {
  const all = { ...stage, workers, redis, hive };
  if (!hive.shared) return say("shared reads need the package koffi, which is not here: that scene is left out");
  say(
    `the four read users.peek("ada") from the hive's memory, without asking it, each second in turn with ${redis === undefined ? "nobody: redis-server is not installed" : "redis-server"}`,
  );
  for (let round = 0; round < 8; round++) {
    workers.order({ reads: true });
    await wait(all, 1);
    const { reads: read, readMs } = await look(all, {});
    const theirs = await redis?.gets(Math.ceil((GETS_A_SECOND * stage.secondMs) / 1000));
    // The first one maps the memory.
    if (read === 0) continue;
    const rate = (4 * read * 1000) / readMs;
    const beside =
      theirs === undefined
        ? ""
        : `; redis-server, four clients: ${thousands(theirs)} GETs a second: ${(rate / theirs).toFixed(0)} times`;
    say(`${thousands(rate)} shared reads a second${beside}`);
  }
}

async function loop(stage: Stage): Promise<boolean> {
  const { db, workers } = stage;
  say("an endless loop is saved into it, for votes on eve:");
  for (const text of LOOPING.trimEnd().split("\n").slice(4, 9)) show(text);
  await save(stage, LOOPING);
  await wait(stage, 4);
  const before = sum(await counted(stage));
  workers.order({ asks: true });
  const codes: string[] = [];
  const structure = db.structure<Votes>("Votes");
  const seen: Seen[] = [];
  for (let round = 0; round < 6; round++) {
    const fromMs = performance.now();
    const code = await structure.VOTE("poll", "eve").then(
      () => "no error",
      (error: unknown) => (isHiveError(error) ? error.code : String(error)),
    );
    codes.push(code);
    say(`VOTE poll eve: ${code} after ${(performance.now() - fromMs).toFixed(0)} ms`);
    await wait(stage, 1);
    seen.push(await look(stage, { asks: true }));
  }
  const asked = seen.flatMap((one) => one.asked);
  const lateMs = percentile(asked, 0.99);
  say(
    `meanwhile the four asked ${asked.length} times for other things: half in ${ms(percentile(asked, 0.5))}, 99 % in ${ms(lateMs)}`,
  );
  const after = await counted(stage);
  say(`the votes are as they were: ${before} before, ${sum(after)} now, ${after.get("eve") ?? 0} for eve`);
  await wait(stage, 3);
  say("it is mended:");
  show(`-${LOOP.trimEnd()}`);
  await save(stage, COUNTING);
  workers.order({ votes: true });
  const eve = await again(() => structure.VOTE("poll", "eve"));
  await wait(stage, 4);
  await look(stage, { votes: true });
  await quiet(stage);
  const last = sum(await counted(stage));
  say(`eve has ${eve} vote; the four were answered ${stage.voted} votes, ${countBy()} counts ${last - eve} beside`);
  const isWhole = codes.every((code) => code === "DEADLINE") && sum(after) === before && last - eve === stage.voted;
  const isCalm = lateMs < OTHERS_MS_MAX;
  if (!isWhole) say("that is not what should have happened");
  if (!isCalm) say(`99 % of the other answers should have come within ${OTHERS_MS_MAX} ms`);
  return isWhole && isCalm;
}

// What they are made of.

async function save({ db, file }: Stage, code: string): Promise<void> {
  writeFileSync(file, code);
  await db.send(["STRUCTURES", "RELOAD"]);
  say("STRUCTURES RELOAD");
}

async function look(stage: Stage, work: Parameters<Workers["seen"]>[0]): Promise<Seen> {
  const seen = await stage.workers.seen(work);
  stage.voted += seen.voted;
  return seen;
}

/** On a busy machine even a good command may be late once. */
async function again<Result>(call: () => Promise<Result>, tries: number = 3): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (tries > 1 && isHiveError(error) && error.retryable) return again(call, tries - 1);
    throw error;
  }
}

/** Until no vote is under way. */
async function quiet(stage: Stage): Promise<void> {
  stage.workers.order({});
  for (let still = 0; still < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { voted } = await look(stage, {});
    still = voted === 0 ? still + 1 : 0;
  }
}

const hasRedisCli: boolean = isInstalled("redis-cli");

function countBy(): string {
  return hasRedisCli ? "redis-cli VOTES poll" : "VOTES poll (redis-cli is not installed: by the client)";
}

/** The votes by name, as a client of Redis sees them. */
async function counted({ db, hive }: Stage): Promise<Map<string, number>> {
  if (!hasRedisCli) return new Map(Object.entries((await db.send(["VOTES", "poll"])) as Record<string, number>));
  const text = execFileSync("redis-cli", ["-p", String(hive.port), "VOTES", "poll"], { encoding: "utf8" });
  const lines = text.trimEnd().split("\n");
  const counts = new Map<string, number>();
  for (let i = 0; i + 1 < lines.length; i += 2) counts.set(lines[i]!, Number(lines[i + 1]));
  return counts;
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`;
}

function thousands(count: number): string {
  return Math.round(count).toLocaleString("en");
}

function wait({ secondMs }: Pick<Stage, "secondMs">, seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * secondMs));
}

function say(text: string): void {
  process.stdout.write(`memhive: ${text}\n`);
}

function show(text: string): void {
  process.stdout.write(`    | ${text}\n`);
}
