// Fuzz: a hive in a process of its own gets frames that are wrong in every way, beside a client that
// does everything right.
//
//   seed ──▶ batches ──▶ connections, some at a time ──▶ hive ◀── ECHO 1, SET, GET, INCR, ECHO 2, … each answered
//
// A batch is one connection of the wire that is fuzzed: calls of all rows, whole and spoilt, then one frame that ends it, and the
// end of our side. The hive answers what it can and closes; a batch that is not closed in time is a hang.
// Each batch depends on the seed and its number alone, so a failure names both. Memory is compared
// between two moments without data, each after work of the same kind.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";
import { deriveSeed, Random } from "../differential/random.ts";
import { RespClient } from "../kit/resp-client.ts";
import { allRows } from "./frames.ts";
import type { Beside, FuzzWire, Seen } from "./wires.ts";

const ROW_LIST = allRows(ROWS);
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** Spoilt frames of a batch that leave the connection in step; one that does not stands at its end. */
const IN_STEP_PER_BATCH = 24;
const SPOILT_PER_BATCH: number = IN_STEP_PER_BATCH + 1;
const BATCHES_AT_ONCE = 8;
const BATCH_TIMEOUT_MS = 30_000;
const WRITES_MAX = 6;
const SHOWN_FRAMES = 6;
const SHOWN_BYTES = 300;
const WHOLE_SHARE = 0.2;
/** Looks at the memory until so many in a row saw nothing go back; each takes a few round trips. */
const STEADY_LOOKS = 40;
const CALLS_PER_LOOK = 50;

export type FuzzOptions = {
  wire: FuzzWire;
  seed: number;
  frames: number;
  warmUpFrames: number;
  /** Memory that may come on top of the wire's share; the long form has none. */
  slackKib?: number;
};
export type FuzzReport = {
  frames: number;
  batches: number;
  rows: number;
  /** Connections that ended for a broken frame. */
  broken: number;
  replyBytes: number;
  /** Error replies, broken frames among them. */
  errors: number;
  /** Checked replies of the client beside. */
  beside: number;
  beforeKib: number;
  afterKib: number;
};

/**
 * Runs the fuzz, with at least `frames` spoilt frames.
 *
 * @throws {Error} the hive died, hung, grew or lost a reply; the message has seed, batch and last frames.
 */
export async function fuzz({ wire, seed, frames, warmUpFrames, slackKib = 0 }: FuzzOptions): Promise<FuzzReport> {
  const hive = await startHive();
  try {
    const beside = await wire.beside(hive.port);
    const warmUp = Math.ceil(warmUpFrames / SPOILT_PER_BATCH);
    await runBatches(hive, { wire, seed: deriveSeed(seed, 0), batches: warmUp });
    const beforeKib = await settledKib(hive, beside, 0);
    hive.seen = { broken: 0, replyBytes: 0, errors: 0 };
    const batches = Math.ceil(frames / SPOILT_PER_BATCH);
    await runBatches(hive, { wire, seed, batches });
    const mostKib = beforeKib * wire.growthMax + slackKib;
    const afterKib = await settledKib(hive, beside, mostKib);
    beside.stopped = true;
    const count = await beside.done;
    assert.ok(afterKib <= mostKib, `seed ${seed}: ${beforeKib} KiB before and ${afterKib} KiB after`);
    beside.close();
    return {
      frames: batches * SPOILT_PER_BATCH,
      batches,
      rows: ROW_LIST.length,
      ...hive.seen,
      beside: count,
      beforeKib,
      afterKib,
    };
  } finally {
    await hive.stop();
  }
}

type FuzzedHive = {
  port: number;
  child: ChildProcess;
  seen: Seen;
  /** The batches that connected last, as functions that show them. */
  recent: (() => string)[];
  isAlive(): boolean;
  stop(): Promise<void>;
};

async function startHive(): Promise<FuzzedHive> {
  const args = ["serve", "--port", "0", "--max-memory", "64mb", "--max-memory-policy", "allkeys-lru"];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  child.stderr.on("data", (chunk) => {
    tail = (tail + chunk).slice(-4000);
  });
  const exited = once(child, "exit");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const recent: (() => string)[] = [];
  return {
    port: Number(/:(\d+)$/.exec(line)![1]),
    child,
    seen: { broken: 0, replyBytes: 0, errors: 0 },
    recent,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      const alive = child.exitCode === null && child.signalCode === null;
      child.kill("SIGTERM");
      const [code] = await exited;
      if (alive && code === 0) return;
      const batches = recent.map((show) => show()).join("\n");
      assert.fail(`the hive ended with ${code}; the last it said:\n${tail}\nand the last it got:\n${batches}`);
    },
  };
}

async function runBatches(
  hive: FuzzedHive,
  { wire, seed, batches }: { wire: FuzzWire; seed: number; batches: number },
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < batches && hive.isAlive()) {
      const batch = next++;
      await runBatch(hive, batchFrames(wire, seed, batch), { wire, seed, batch });
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, lane));
}

/** The frames of a batch. Rows take turns, so that each has its share. */
export function batchFrames(wire: FuzzWire, seed: number, batch: number): Buffer[] {
  const random = new Random(deriveSeed(seed, batch + 1));
  const frames = wire.open(random);
  let last: Buffer | undefined;
  for (let turn = batch * SPOILT_PER_BATCH, spoilt = 0; spoilt < IN_STEP_PER_BATCH || last === undefined; turn++) {
    const frame = wire.draw(random, ROW_LIST[turn % ROW_LIST.length]!);
    if (random.chance(WHOLE_SHARE)) frames.push(frame);
    const broken = wire.spoil(random, frame);
    if (broken === frame) frames.push(frame);
    else if (!wire.leavesInStep(broken)) last ??= broken;
    else if (spoilt < IN_STEP_PER_BATCH) {
      spoilt++;
      frames.push(broken);
    }
  }
  return [...frames, last];
}

/** Sends the frames over one connection, cut at any place, and waits until the hive has closed it. */
function runBatch(
  hive: FuzzedHive,
  frames: Buffer[],
  { wire, seed, batch }: { wire: FuzzWire; seed: number; batch: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const show = (): string => {
      const last = frames
        .slice(-SHOWN_FRAMES)
        .map((frame) => JSON.stringify(frame.subarray(0, SHOWN_BYTES).latin1Slice()));
      return [`seed ${seed}, batch ${batch}, ends with:`, ...last].join("\n  ");
    };
    const socket = connect({ port: hive.port, host: "127.0.0.1", noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not closed within ${BATCH_TIMEOUT_MS} ms: ${show()}`));
    }, BATCH_TIMEOUT_MS);
    socket.on("connect", () => {
      hive.recent.push(show);
      if (hive.recent.length > BATCHES_AT_ONCE) hive.recent.shift();
    });
    socket.on("error", () => {});
    const listen = wire.listen(hive.seen);
    socket.on("data", (chunk) => {
      hive.seen.replyBytes += chunk.length;
      try {
        listen(chunk);
      } catch (cause) {
        socket.destroy();
        reject(new Error(`no reply of this wire: ${show()}`, { cause }));
      }
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    const bytes = Buffer.concat(frames);
    const random = new Random(deriveSeed(seed, -1 - batch));
    const cuts = Array.from({ length: random.below(WRITES_MAX) }, () => random.below(bytes.length));
    let from = 0;
    for (const cut of cuts.sort((a, b) => a - b)) {
      socket.write(bytes.subarray(from, cut));
      from = cut;
    }
    socket.end(bytes.subarray(from));
  });
}

/** Memory of the hive once its data is gone and it has come down to `wantedKib`, or comes down no more. */
async function settledKib(hive: FuzzedHive, beside: Beside, wantedKib: number): Promise<number> {
  await using own = await RespClient.connect({ port: hive.port });
  await own.callAll([["FLUSHALL"], ["CONFIG", "RESETSTAT"], ["SLOWLOG", "RESET"]]);
  let least = Number.POSITIVE_INFINITY;
  for (let steady = 0; steady < STEADY_LOOKS && least > wantedKib; steady++) {
    for (let i = 0; i < CALLS_PER_LOOK; i++) await own.callAll([["PING"]]);
    const now = residentKib(hive.child.pid!);
    if (now < least) steady = 0;
    least = Math.min(least, now);
  }
  // It must not have failed in the meantime.
  await Promise.race([beside.done, beside.closed, own.callAll([["PING"]])]);
  return least;
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}
