// Hostile: many connections that push every limit at once, and a hive that neither grows nor keeps others waiting.
//
//   hostile-clients.ts (a process) ──1,000 connections──▶ hive (a process) ◀──▶ clients that behave, plain and TLS
//
// The memory that the hive may take is computed from its limits before, and compared with the most that it
// took by the kernel's own count. The clients that behave ask without a pause and check each answer.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Limits, limitsWith } from "../../src/base/limits.ts";
import { UNCOUNTED_BYTES } from "../../src/base/waiting-bytes.ts";
import { ALLOCATOR_SETTINGS, NODE_FLAGS } from "../../src/cli/launch.ts";
import { type Client, connect } from "../../src/client/node.ts";
import { makeCertificate } from "../kit/certificates.ts";
import type { HostileTask } from "./hostile-clients.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const HIVE = fileURLToPath(new URL("../limits/limited-process.ts", import.meta.url));
const CLIENTS = fileURLToPath(new URL("hostile-clients.ts", import.meta.url));
const BIG_KEY = "big";

/** Small, so that a thousand connections are many times what all together may have. */
const LIMITS: Partial<Limits> = {
  frameBytesMax: 32 * MIB,
  valueBytesMax: 8 * MIB,
  outputBytesMax: 32 * MIB,
  outputSoftBytesMax: 4 * MIB,
  outputSoftTimeoutMs: 2_000,
  transactionBytesMax: 16 * MIB,
  waitingBytesMax: 256 * MIB,
  firstBytesTimeoutMs: 1_000,
  tlsHandshakeTimeoutMs: 1_000,
};
const MAX_MEMORY_BYTES = 64 * MIB;
/** Of a connection that holds nothing: its objects, Node's and ours, and its buffers of TLS. */
const CONNECTION_BYTES = 96 * KIB;

export type HostileOptions = {
  connections: number;
  seconds: number;
  /** It goes on until a notice has this in it, on a machine that is slow: up to ten times as long. */
  until?: string;
  note(text: string): void;
};

export type HostileResult = {
  /** Connections made, by kind of attack. */
  attempts: Record<string, number>;
  /** Notices of the hive, by what they say. */
  notices: Record<string, number>;
  /** What of the memory there was when nobody had connected, what may be there at the most, and what was. */
  memoryMib: { before: number; bound: number; most: number };
  /** Answers to the clients that behave, and how long they took. */
  answers: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** What must not be: one line each. */
  wrong: string[];
};

export async function hostile({ connections, seconds, until = "", note }: HostileOptions): Promise<HostileResult> {
  const limits = limitsWith(LIMITS);
  const tls = makeCertificate({});
  const hive = await startHive({ port: 0, limits: LIMITS, maxMemoryBytes: MAX_MEMORY_BYTES, tls });
  const wrong: string[] = [];
  const options = { timeoutMs: 30_000, reconnect: false } as const;
  const clients = [
    await connect(`hive://127.0.0.1:${hive.port}`, options),
    await connect(`hives://localhost:${hive.port}`, { ...options, tls: { ca: tls.cert } }),
  ];
  await clients[0]!.put(BIG_KEY, "x".repeat(limits.valueBytesMax - 100));
  const before = memoryOf(hive.child);
  const bound = before + boundOf(limits, connections);
  const tookMs: number[] = [];
  let stopped = false;
  const behaving = clients.map((client, lane) => behave(client, lane, { tookMs, wrong, isOver: () => stopped }));
  const task: HostileTask = { port: hive.port, connections, bigKey: BIG_KEY, limits };
  const attackers = spawn(process.execPath, [CLIENTS, JSON.stringify(task)], { stdio: ["pipe", "pipe", "inherit"] });
  const line = once(createInterface({ input: attackers.stdout }), "line");
  const seen = (): boolean => until === "" || Object.keys(hive.notices).some((notice) => notice.includes(until));
  for (let second = 1; second <= seconds || (!seen() && second <= seconds * 10); second++) {
    // Real time: other processes have to get on.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    note(`${second} of ${seconds} s: ${tookMs.length} answers, ${mib(memoryOf(hive.child))} of ${mib(bound)} MiB`);
  }
  stopped = true;
  await Promise.all(behaving);
  attackers.stdin.end();
  const attempts = JSON.parse((await line)[0]) as Record<string, number>;
  const most = memoryOf(hive.child, "VmHWM");
  if (most > bound) wrong.push(`the hive took ${mib(most)} MiB, and its limits allow ${mib(bound)}`);
  for (const client of clients) await client.close();
  await hive.stop();
  const sorted = Float64Array.from(tookMs).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return {
    attempts,
    notices: hive.notices,
    memoryMib: { before: mib(before), bound: mib(bound), most: mib(most) },
    answers: tookMs.length,
    ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
    wrong,
  };
}

/**
 * What the hive may take on top of what it had: the data; all that waits, twice, since a buffer that grows is
 * there beside its successor until the collector has seen it; the reply that is being built, in the same way;
 * and what each connection takes, those that are refused or about to be gone included.
 */
function boundOf(limits: Limits, connections: number): number {
  const each = UNCOUNTED_BYTES + CONNECTION_BYTES;
  return MAX_MEMORY_BYTES + 2 * limits.waitingBytesMax + 2 * limits.outputBytesMax + 2 * connections * each;
}

type Behaviour = { tookMs: number[]; wrong: string[]; isOver(): boolean };

async function behave(client: Client, lane: number, { tookMs, wrong, isOver }: Behaviour): Promise<void> {
  for (let turn = 0; !isOver(); turn++) {
    const fromMs = performance.now();
    try {
      await client.put(`behaves:${lane}`, `${turn}`);
      const value = await client.get<string>(`behaves:${lane}`);
      if (value !== `${turn}`) wrong.push(`lane ${lane} wrote ${turn} and read ${value}`);
    } catch (error) {
      wrong.push(`lane ${lane}: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    tookMs.push(performance.now() - fromMs);
  }
}

type RunningHive = { child: ChildProcess; port: number; notices: Record<string, number>; stop(): Promise<void> };

async function startHive(options: object): Promise<RunningHive> {
  const env = { ...process.env, ...ALLOCATOR_SETTINGS };
  const args = [...NODE_FLAGS, HIVE, JSON.stringify(options)];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const notices: Record<string, number> = {};
  createInterface({ input: child.stderr }).on("line", (line) => {
    const what = line
      .replace(/^\S+:\d+ /, "")
      .replace(/\d+/g, "N")
      .slice(0, 90);
    notices[what] = (notices[what] ?? 0) + 1;
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return {
    child,
    port: (JSON.parse(line) as { port: number }).port,
    notices,
    async stop() {
      process.off("exit", end);
      if (child.exitCode !== null) throw new Error(`the hive ended with ${child.exitCode}`);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Bytes that are in memory now, or were at the most (VmHWM), as Linux counts. */
function memoryOf({ pid }: ChildProcess, what: "VmRSS" | "VmHWM" = "VmRSS"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1]) * KIB;
}

function mib(bytes: number): number {
  return Math.round(bytes / MIB);
}
