// snapshots: what a store costs those who use the hive meanwhile, and how long it and a restore take.
//
//   npm run bench -- snapshots
//
//   rates    1 M keys of 16 bytes with 64: SNAPSHOT STORE beside SAVE, SNAPSHOT RESTORE beside DEBUG RELOAD NOSAVE
//   pauses   2 M keys and a table of 1 M fields, numbered writes going on: the loop's delay with and without a store, in
//            pairs; RENAME, DEL and COPY of the table in the middle of both; then the stored hive is started anew and
//            has to hold exactly the writes up to one number

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ALLOCATOR_SETTINGS } from "../src/cli/launch.ts";
import { startRedis } from "../test/kit/redis-server.ts";
import { RespClient, RespError, type RespValue } from "../test/kit/resp-client.ts";
import { NUMBER } from "./call-block.ts";
import { load, loadKeys } from "./load.ts";
import { REDIS } from "./peers.ts";
import { residentBytes, settled } from "./process-usage.ts";
import { type BenchOptions, LIMIT, median, type Row, row } from "./row.ts";
import type { LoopFigures } from "./snapshot-hive.ts";

const RATE_KEYS = 1_000_000;
const PAUSE_KEYS = 2_000_000;
const FIELDS = 1_000_000;
const PAIRS = 5;
const SLOTS = 256;
/** Numbered writes go out in groups of this many, this often: about 20,000 a second. */
const GROUP = 40;
const GROUP_EVERY_MS = 2;
const WATCH_MS = 4_000;
const LONG_MS = 120_000;

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-bench-"));
  try {
    yield* measureRates(folder, options);
    yield* measurePauses(folder, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* measureRates(folder: string, options: BenchOptions): AsyncGenerator<Row> {
  const pairs = options.pairs ?? (options.quick ? 1 : PAIRS);
  await using hive = await BenchHive.start(join(folder, "rates"), "none");
  await using redis = await startRedis({ args: ["--enable-debug-command", "yes", "--dir", folder] });
  for (const { port, pid } of [hive, redis]) {
    await loadKeys(port, RATE_KEYS);
    await settled(pid);
  }
  await using ours = await RespClient.connect({ port: hive.port });
  await using theirs = await RespClient.connect({ port: redis.port });
  const rates: { store: number[][]; restore: number[][] } = { store: [], restore: [] };
  for (let pair = 0; pair < pairs; pair++) {
    const storeOurs = await seconds(ours, ["SNAPSHOT", "STORE", `pair${pair}`]);
    const storeTheirs = await seconds(theirs, ["SAVE"]);
    const restoreOurs = await seconds(ours, ["SNAPSHOT", "RESTORE", `pair${pair}`]);
    const restoreTheirs = await seconds(theirs, ["DEBUG", "RELOAD", "NOSAVE"]);
    await ask(ours, "SNAPSHOT", "REMOVE", `pair${pair}`);
    await settled(hive.pid);
    options.note(
      `store ${storeOurs.toFixed(2)} s, SAVE ${storeTheirs.toFixed(2)} s; restore ${restoreOurs.toFixed(2)} s, RELOAD ${restoreTheirs.toFixed(2)} s`,
    );
    rates.store.push([RATE_KEYS / storeOurs, RATE_KEYS / storeTheirs]);
    rates.restore.push([RATE_KEYS / restoreOurs, RATE_KEYS / restoreTheirs]);
  }
  for (const [name, runs] of Object.entries(rates)) {
    const [one, other] = [median(runs.map(([own]) => own!)), median(runs.map(([, peer]) => peer!))];
    const ratio = median(runs.map(([own, peer]) => own! / peer!));
    yield row({
      work: `${name} of 1 M keys, keys/s`,
      peer: REDIS,
      ours: one,
      theirs: other,
      ratio,
      goal: { atLeast: 0.5 },
    });
  }
}

/** What a call answers. @throws {Error} where that is an error */
async function ask(client: RespClient, ...call: string[]): Promise<RespValue> {
  client.send(call);
  const { value } = await client.readReply(LONG_MS);
  if (value instanceof RespError) throw new Error(`${call.join(" ")}: ${value.message}`);
  return value;
}

async function seconds(client: RespClient, call: string[]): Promise<number> {
  const fromMs = performance.now();
  await ask(client, ...call);
  return (performance.now() - fromMs) / 1000;
}

async function* measurePauses(folder: string, options: BenchOptions): AsyncGenerator<Row> {
  const pairs = options.pairs ?? (options.quick ? 1 : PAIRS);
  const keys = options.quick ? PAUSE_KEYS / 4 : PAUSE_KEYS;
  const path = join(folder, "pauses");
  await using hive = await BenchHive.start(path, "none");
  await loadKeys(hive.port, keys);
  await load(hive.port, { call: ["HSET", "big", `field:${NUMBER}`, "value"], count: FIELDS, reply: ":1\r\n" });
  await settled(hive.pid);
  await using client = await RespClient.connect({ port: hive.port });
  const writer = new NumberedWriter(await RespClient.connect({ port: hive.port }));
  const rises: number[] = [];
  const plain: number[] = [];
  const stored: number[] = [];
  const slices: LoopFigures[] = [];
  let extraBytes = 0;
  for (let pair = 0; pair < pairs; pair++) {
    for (const stores of pair % 2 === 0 ? [false, true] : [true, false]) {
      const before = residentBytes(hive.pid);
      const { figures, peak } = await hive.watch(async () => {
        const store = stores ? ask(client, "SNAPSHOT", "STORE", `pause${pair}`) : sleep(WATCH_MS);
        await sleep(300);
        await moveTable(hive.port);
        await store;
      }, writer);
      if (stores) {
        stored.push(figures.delayP999Ms);
        slices.push(figures);
        extraBytes = Math.max(extraBytes, peak - before);
      } else plain.push(figures.delayP999Ms);
      const what = stores
        ? `with a store: slices ${figures.slices}, 99.99 % ${figures.sliceOwnMs.toFixed(2)} ms own, ${figures.sliceClockMs.toFixed(2)} by the clock, longest ${figures.sliceOwnMaxMs.toFixed(2)}; memory at most ${((peak - before) / 1e6).toFixed(0)} MB more`
        : "without";
      options.note(
        `pair ${pair} ${what}; delay p99.9 ${figures.delayP999Ms.toFixed(2)}, longest ${figures.delayMaxMs.toFixed(1)} ms`,
      );
      await settled(hive.pid);
    }
    rises.push(stored.at(-1)! - plain.at(-1)!);
    await provesItself(path, `pause${pair}`, options);
  }
  writer.close();
  const name = `store of ${keys / 1e6} M keys beside writes`;
  const sliceMs = median(slices.map(({ sliceOwnMs }) => sliceOwnMs));
  yield row({
    work: `${name}: slices, 99.99th percentile, ms`,
    peer: LIMIT,
    ours: sliceMs,
    theirs: 2,
    goal: { atMost: 1 },
  });
  const rise = median(rises);
  options.note(
    `p99.9 of the loop's delay: ${median(plain).toFixed(2)} ms without, ${median(stored).toFixed(2)} with; extra memory ${(extraBytes / 1e6).toFixed(0)} MB`,
  );
  yield row({ work: `${name}: rise of the loop's p99.9, ms`, peer: LIMIT, ours: rise, theirs: 2, goal: { atMost: 1 } });
}

/** A big table is renamed, copied, and the copy deleted. */
async function moveTable(port: number): Promise<void> {
  await using client = await RespClient.connect({ port });
  await ask(client, "RENAME", "big", "moved");
  await ask(client, "COPY", "moved", "copy");
  await ask(client, "DEL", "moved");
  await ask(client, "RENAME", "copy", "big");
}

/** Starts a hive from a snapshot, and looks whether it has exactly the writes up to its counter. */
async function provesItself(path: string, name: string, options: BenchOptions): Promise<void> {
  await using hive = await BenchHive.start(path, name);
  await using client = await RespClient.connect({ port: hive.port });
  const last = Number(await ask(client, "GET", "written:last"));
  for (let slot = 0; slot < SLOTS; slot++) {
    const expected = last - ((last - slot + SLOTS * 2) % SLOTS);
    const value = Number((await ask(client, "GET", `written:${slot}`)) ?? 0);
    if (value !== Math.max(0, expected)) throw new Error(`${name} has ${last} writes, and slot ${slot} has ${value}`);
  }
  const fields = await ask(client, "HLEN", "big");
  if (Number(fields) !== FIELDS) throw new Error(`${name}: the table has ${fields} fields`);
  options.note(`${name} holds exactly the writes up to ${last}, and the table`);
  await ask(client, "SNAPSHOT", "REMOVE", name);
}

/** Write n puts n into slot n mod SLOTS and into the counter, as one transaction. */
class NumberedWriter {
  readonly #client: RespClient;
  #last = 0;

  constructor(client: RespClient) {
    this.#client = client;
  }

  /** Writes at an even pace until `isOver()`. */
  async write(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const calls: string[][] = [];
      for (let i = 0; i < GROUP; i++) {
        const number = ++this.#last;
        calls.push(
          ["MULTI"],
          ["SET", `written:${number % SLOTS}`, `${number}`],
          ["SET", "written:last", `${number}`],
          ["EXEC"],
        );
      }
      await Promise.all([this.#client.callAll(calls), sleep(GROUP_EVERY_MS)]);
    }
  }

  close(): void {
    void this.#client[Symbol.asyncDispose]();
  }
}

class BenchHive implements AsyncDisposable {
  readonly #child: ReturnType<typeof fork>;
  readonly port: number;
  readonly pid: number;

  private constructor(child: ReturnType<typeof fork>, port: number) {
    this.#child = child;
    this.port = port;
    this.pid = child.pid!;
  }

  static async start(folder: string, from: string): Promise<BenchHive> {
    const program = fileURLToPath(new URL("snapshot-hive.ts", import.meta.url));
    const env = { ...process.env, ...ALLOCATOR_SETTINGS };
    const child = fork(program, [folder, from], { env, execArgv: ["--max-semi-space-size=1"] });
    const [message] = await once(child, "message");
    return new BenchHive(child, (message as { port: number }).port);
  }

  /** Figures of the loop while `work` runs and `writer` writes; and the most memory it had. */
  async watch(work: () => Promise<unknown>, writer: NumberedWriter): Promise<{ figures: LoopFigures; peak: number }> {
    let over = false;
    let peak = 0;
    const writing = writer.write(() => over);
    await sleep(200);
    await this.#request("reset");
    const memory = setInterval(() => {
      peak = Math.max(peak, residentBytes(this.pid));
    }, 20);
    await work();
    const figures = (await this.#request("report")) as LoopFigures;
    clearInterval(memory);
    over = true;
    await writing;
    return { figures, peak };
  }

  async #request(message: string): Promise<unknown> {
    const answer = once(this.#child, "message");
    this.#child.send(message);
    return (await answer)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await gone;
  }
}
