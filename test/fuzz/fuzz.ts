// Fuzz: a hive in a process of its own gets frames that are wrong in every way, beside a client that
// does everything right.
//
//   seed ──▶ batches ──▶ connections, some at a time ──▶ hive ◀── ECHO 1, SET, GET, INCR, ECHO 2, … each answered
//
// A batch is one connection, of RESP2 or RESP3: calls of all rows, whole and spoilt, then one frame that ends it, and the end
// of our side. The hive answers what it can and closes; a batch that is not closed in time is a hang.
// Each batch depends on the seed and its number alone, so a failure names both. Memory is compared
// between two moments without data, each after work of the same kind.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ROWS } from "../../src/engine/commands/table.ts";
import { deriveSeed, Random } from "../differential/random.ts";
import { RespClient } from "../kit/resp-client.ts";
import { allRows, drawFrame, leavesInStep, spoil } from "./frames.ts";

const ROW_LIST = allRows(ROWS);
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** Spoilt frames of a batch that leave the connection in step; one that does not stands at its end. */
const IN_STEP_PER_BATCH = 24;
const HELLO_3: Buffer = Buffer.from("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
const SPOILT_PER_BATCH: number = IN_STEP_PER_BATCH + 1;
const BATCHES_AT_ONCE = 8;
const BATCH_TIMEOUT_MS = 30_000;
const WRITES_MAX = 6;
const SHOWN_FRAMES = 6;
const SHOWN_BYTES = 300;
const MINUS = 0x2d;
const ERROR_LINE = "\r\n-";
const WHOLE_SHARE = 0.2;
const GROWTH_MAX = 1.1;
/** Looks at the memory until so many in a row saw nothing go back; each takes a few round trips. */
const STEADY_LOOKS = 40;
const CALLS_PER_LOOK = 50;

export type FuzzOptions = { seed: number; frames: number; warmUpFrames: number };
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
export async function fuzz({ seed, frames, warmUpFrames }: FuzzOptions): Promise<FuzzReport> {
  const hive = await startHive();
  try {
    const client = await RespClient.connect({ port: hive.port });
    const beside = callsBeside(client);
    await runBatches(hive, { seed: deriveSeed(seed, 0), from: 0, batches: Math.ceil(warmUpFrames / SPOILT_PER_BATCH) });
    const beforeKib = await settledKib(hive, client, beside, 0);
    hive.seen = { broken: 0, replyBytes: 0, errors: 0 };
    const batches = Math.ceil(frames / SPOILT_PER_BATCH);
    await runBatches(hive, { seed, from: 0, batches });
    const afterKib = await settledKib(hive, client, beside, beforeKib * GROWTH_MAX);
    beside.stopped = true;
    const count = await beside.done;
    assert.ok(afterKib <= beforeKib * GROWTH_MAX, `seed ${seed}: ${beforeKib} KiB before and ${afterKib} KiB after`);
    client.socket.destroy();
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
  seen: { broken: number; replyBytes: number; errors: number };
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
  { seed, from, batches }: { seed: number; from: number; batches: number },
): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + batches && hive.isAlive()) {
      const batch = next++;
      await runBatch(hive, batchFrames(seed, batch), { seed, batch });
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, lane));
}

/** The frames of a batch. Rows take turns, so that each has its share. */
export function batchFrames(seed: number, batch: number): Buffer[] {
  const random = new Random(deriveSeed(seed, batch + 1));
  const frames: Buffer[] = random.chance(0.5) ? [HELLO_3] : [];
  let last: Buffer | undefined;
  for (let turn = batch * SPOILT_PER_BATCH, spoilt = 0; spoilt < IN_STEP_PER_BATCH || last === undefined; turn++) {
    const frame = drawFrame(random, ROW_LIST[turn % ROW_LIST.length]!);
    if (random.chance(WHOLE_SHARE)) frames.push(frame);
    const broken = spoil(random, frame);
    if (broken === frame) frames.push(frame);
    else if (!leavesInStep(broken)) last ??= broken;
    else if (spoilt < IN_STEP_PER_BATCH) {
      spoilt++;
      frames.push(broken);
    }
  }
  return [...frames, last];
}

/** Sends the frames over one connection, cut at any place, and waits until the hive has closed it. */
function runBatch(hive: FuzzedHive, frames: Buffer[], { seed, batch }: { seed: number; batch: number }): Promise<void> {
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
    socket.on("data", (chunk) => {
      hive.seen.replyBytes += chunk.length;
      if (chunk.includes("-ERR Protocol error")) hive.seen.broken++;
      if (chunk[0] === MINUS) hive.seen.errors++;
      for (let at = chunk.indexOf(ERROR_LINE); at >= 0; at = chunk.indexOf(ERROR_LINE, at + 1)) hive.seen.errors++;
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

type Beside = { stopped: boolean; done: Promise<number> };

/**
 * Sends numbered pipelines, each when the one before has been answered. Resolves with how many replies
 * came. The data may vanish between two calls (FLUSHALL, eviction), never a reply.
 */
function callsBeside(client: RespClient): Beside {
  const beside: Beside = { stopped: false, done: Promise.resolve(0) };
  const next = async (): Promise<string> => (await client.readReply(BATCH_TIMEOUT_MS)).bytes.toString("latin1");
  beside.done = (async () => {
    let count = 0;
    for (let round = 0; !beside.stopped; round++) {
      const text = `${round}`;
      const bulk = `$${text.length}\r\n${text}\r\n`;
      client.sendAll([
        ["ECHO", text],
        ["SET", "beside:value", text],
        ["GET", "beside:value"],
        ["INCR", "beside:count"],
        ["ECHO", text],
      ]);
      assert.equal(await next(), bulk, "the client beside lost a reply");
      assert.equal(await next(), "+OK\r\n");
      const got = await next();
      assert.ok(got === bulk || got === "$-1\r\n", `GET was answered ${got}`);
      assert.match(await next(), /^:[1-9]\d*\r\n$/);
      assert.equal(await next(), bulk, "the client beside got a reply too many");
      count += 5;
    }
    return count;
  })();
  // A failure is reported where it is awaited; until then it is not unhandled.
  beside.done.catch(() => {});
  return beside;
}

/** Memory of the hive once its data is gone and it has come down to `wantedKib`, or comes down no more. */
async function settledKib(hive: FuzzedHive, client: RespClient, beside: Beside, wantedKib: number): Promise<number> {
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
  await Promise.race([beside.done, client.closed, own.callAll([["PING"]])]);
  return least;
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}
