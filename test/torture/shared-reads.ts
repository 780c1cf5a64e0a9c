// Shared reads: processes that read a hive's memory while it changes, and while it is killed.
//
//   one writer, a hive ──▶ shared memory ──▶ readers, a process each ──▶ every value proves itself (shared-values.ts)

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generator } from "../kit/store-draws.ts";

export type SharedReadsOptions = {
  seed: number;
  readers: number;
  /** How long they read; with kills, how long between two of them at the most. */
  seconds: number;
  kills: number;
  note(text: string): void;
};

export type SharedReadsResult = {
  writes: number;
  /** Answered from memory; of them those that met a writer and were made again; those that were not answered. */
  reads: number;
  retried: number;
  asked: number;
  found: number;
  kills: number;
  /** Readers that mapped the hive again after each kill. */
  mappedAgain: number;
  wrong: string[];
};

type ReaderCounts = Pick<SharedReadsResult, "reads" | "retried" | "asked" | "found" | "wrong"> & { on: boolean };

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** What a process may take to say something: it hangs otherwise. */
const PATIENCE_MS = 30_000;
const MORE_SECONDS_MAX = 60;

async function ask<Answer>(child: ChildProcess, message: string): Promise<Answer> {
  const answer = once(child, "message", { signal: AbortSignal.timeout(PATIENCE_MS) });
  child.send(message);
  return (await answer)[0] as Answer;
}

async function start(name: string, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(file(name), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await once(child, "message", { signal: AbortSignal.timeout(PATIENCE_MS) });
  return child;
}

export async function tortureShared(options: SharedReadsOptions): Promise<SharedReadsResult> {
  const { seed, readers, seconds, kills, note } = options;
  const random = generator(seed);
  const folder = mkdtempSync(join(tmpdir(), "memhive-shared-"));
  const unix = join(folder, "socket");
  const wrong: string[] = [];
  let writer = await start("./shared-writer.ts", [unix, String(seed)]);
  const children = await Promise.all(
    Array.from({ length: readers }, (_, i) => start("./shared-reads-process.ts", [unix, String(seed + 1 + i)])),
  );
  for (const [i, child] of children.entries()) {
    child.once("exit", (code, signal) => wrong.push(`reader ${i} ended with ${code ?? signal}`));
  }
  let mappedAgain = 0;
  try {
    for (let kill = 0; kill < kills; kill++) {
      await pause(50 + random(seconds * 1000));
      writer.kill("SIGKILL");
      await once(writer, "exit");
      writer = await start("./shared-writer.ts", [unix, String(seed + kill)]);
      mappedAgain += (await countsOf(children, (counts) => counts.on)).filter(({ on }) => on).length;
      note(`${kill + 1} kills`);
    }
    if (kills === 0) await pause(seconds * 1000);
    // On a machine that is busy with other things it may take longer until a read has met a write.
    const haveNone = async (): Promise<boolean> =>
      (await countsOf(children, () => true)).every(({ retried }) => retried === 0);
    for (let more = 0; more < MORE_SECONDS_MAX && kills === 0 && (await haveNone()); more++) await pause(1000);
    const { writes } = await ask<{ writes: number }>(writer, "count");
    const counts = await countsOf(children, () => true);
    const sum = (of: (count: ReaderCounts) => number): number => counts.reduce((total, each) => total + of(each), 0);
    return {
      writes,
      reads: sum((count) => count.reads),
      retried: sum((count) => count.retried),
      asked: sum((count) => count.asked),
      found: sum((count) => count.found),
      kills,
      mappedAgain,
      wrong: [...wrong, ...counts.flatMap((count) => count.wrong)],
    };
  } finally {
    for (const child of children) {
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
    }
    writer.send("close");
    await once(writer, "exit");
    const left = readdirSync(folder);
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) wrong.push(`left in its folder: ${left}`);
  }
}

/** What every reader has counted, as soon as all of them are as `until` says, or after a while anyway. */
async function countsOf(
  children: readonly ChildProcess[],
  until: (counts: ReaderCounts) => boolean,
): Promise<ReaderCounts[]> {
  for (let look = 0; ; look++) {
    const all = await Promise.all(children.map((child) => ask<ReaderCounts>(child, "count")));
    if (all.every(until) || look === 200) return all;
    await pause(10);
  }
}
