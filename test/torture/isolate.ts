// Endless loops and endless allocations in isolated structures, while others keep asking: how late are they answered, and how
// far above its cap does a worker come?
//
//   hive (a process) ◀── 50 clients that ask one thing after the other      ◀── one that calls what never ends

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Client, connect } from "../../src/client/node.ts";
import type { HiveError } from "../../src/structures/index.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const LEDGER = fileURLToPath(new URL("../structures/isolated/ledger.ts", import.meta.url));
const CLIENTS = 50;
const CAP_BYTES = 128 << 20;
const LATE_MS = 100;

export type IsolateResult = {
  calls: number;
  milliseconds: { p50: number; p90: number; p99: number; p999: number; max: number };
  loops: number;
  stoppedAfterMs: { median: number; max: number };
  /** MiB of the hive's process above what it had before, at the most, by what was allocated; and above the cap. */
  memory: Record<string, { code: string; peakMiB: number; overshootMiB: number }>;
  wrong: string[];
};

type Served = { pid: number; url: string; close(): void };

async function serve(limits: readonly string[]): Promise<Served> {
  const flags = limits.flatMap((limit) => ["--limit", limit]);
  const args = [MAIN, "serve", "--port", "0", "--structures", LEDGER, "--isolate", "--log-level", "error", ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk;
    const port = text.match(/ready on \S+:(\d+)/)?.[1];
    if (port !== undefined) return { pid: child.pid!, url: `hive://127.0.0.1:${port}`, close: () => void child.kill() };
  }
  throw new Error("the hive did not start");
}

function residentBytes(pid: number): number {
  const kib = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1];
  return Number(kib) * 1024;
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no error",
    (error: HiveError) => error.code,
  );
}

/** What ends by itself: on a machine that is busy with something else even that may be stopped once. */
async function sure(client: Client, ...call: string[]): Promise<unknown> {
  for (;;) {
    try {
      return await client.send(call);
    } catch (error) {
      if ((error as HiveError).code !== "DEADLINE") throw error;
    }
  }
}

/** @param seconds For how long loops follow each other. */
export async function tortureIsolated({
  seconds,
  note,
}: {
  seconds: number;
  note: (text: string) => void;
}): Promise<IsolateResult> {
  const wrong: string[] = [];
  const { loops, asked, stopped } = await loopsAndOthers(seconds, note, wrong);
  const memory = await allocations(note, wrong);
  const at = (values: readonly number[], share: number): number => {
    const sorted = [...values].sort((one, other) => one - other);
    return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2));
  };
  const milliseconds = {
    ...{ p50: at(asked, 0.5), p90: at(asked, 0.9), p99: at(asked, 0.99), p999: at(asked, 0.999), max: at(asked, 1) },
  };
  if (milliseconds.p99 >= LATE_MS) wrong.push(`99 % of the others were answered within ${milliseconds.p99} ms only`);
  const stoppedAfterMs = { median: at(stopped, 0.5), max: at(stopped, 1) };
  return { calls: asked.length, milliseconds, loops, stoppedAfterMs, memory, wrong };
}

async function loopsAndOthers(
  seconds: number,
  note: (text: string) => void,
  wrong: string[],
): Promise<{ loops: number; asked: number[]; stopped: number[] }> {
  const hive = await serve([]);
  const caller = await connect(hive.url);
  const others = await Promise.all(Array.from({ length: CLIENTS }, () => connect(hive.url)));
  const asked: number[] = [];
  const stopped: number[] = [];
  let isOver = false;
  const ask = async (client: Client): Promise<void> => {
    while (!isOver) {
      const fromMs = performance.now();
      await client.get("count");
      asked.push(performance.now() - fromMs);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  try {
    await sure(caller, "LEDGER_BOTH", "l");
    const before = JSON.stringify(await sure(caller, "TOTAL", "l"));
    const asking = others.map(ask);
    const endMs = performance.now() + seconds * 1000;
    let loops = 0;
    for (; performance.now() < endMs; loops++) {
      // It has to be there: what a new thread takes to start is not the loop's.
      await sure(caller, "TOTAL", "l");
      const fromMs = performance.now();
      const code = await codeOf(caller.send([loops % 4 === 3 ? "LEDGER_LOOP_PLAYS" : "LEDGER_LOOP", "l"]));
      if (loops % 4 !== 3) stopped.push(performance.now() - fromMs);
      if (code !== "DEADLINE") wrong.push(`a loop ended with ${code}`);
      note(`${loops} loops, ${asked.length} calls of others`);
    }
    isOver = true;
    await Promise.all(asking);
    if (JSON.stringify(await sure(caller, "TOTAL", "l")) !== before)
      wrong.push("a loop has left something in its state");
    if ((await caller.get("count")) !== "2") wrong.push("a loop has left something of what it played");
    return { loops, asked, stopped };
  } finally {
    isOver = true;
    for (const client of [caller, ...others]) await client.close();
    hive.close();
  }
}

async function allocations(note: (text: string) => void, wrong: string[]): Promise<IsolateResult["memory"]> {
  const found: IsolateResult["memory"] = {};
  for (const what of ["buffers", "shared", "one", "objects", "map", "arrays"]) {
    note(`allocating ${what}`);
    // The deadline is far away: it is the cap that has to stop it.
    const hive = await serve([`isolatedBytesMax=${CAP_BYTES}`, "commandMsMax=60000"]);
    const caller = await connect(hive.url);
    try {
      await caller.send(["LEDGER_OPEN", "l"]);
      const had = residentBytes(hive.pid);
      let peak = 0;
      const looking = setInterval(() => {
        peak = Math.max(peak, residentBytes(hive.pid) - had);
      }, 1);
      const code = await codeOf(caller.send(["LEDGER_EAT", "l", what]));
      clearInterval(looking);
      if (code !== "STRUCTURE_MEMORY") wrong.push(`${what} without end: ${code}`);
      if ((await caller.send(["EXISTS", "count"])) !== 0) wrong.push(`${what}: something that it played is left`);
      const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
      found[what] = { code, peakMiB: mib(peak), overshootMiB: Math.max(0, mib(peak - CAP_BYTES)) };
    } finally {
      await caller.close();
      hive.close();
    }
  }
  return found;
}
