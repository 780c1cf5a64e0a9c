// Sessions: thousands that end at random times, and at one time, while a hive is busy.
//
//   hive in this process ◀── load from another one       10,000 sessions ──▶ how late each ended, and what of it is left
//
// What is checked:
//   - each fixed session ends within 100 ms behind its deadline and none before it, those in use too
//   - a sliding one does not end while it is in use, and within 100 ms behind its deadline once it is not
//   - 100 ms after 10,000 sessions of 4 KiB have ended together no byte of them is in the memory

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Client, connect, type DeviceSession, type Subscription } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import type { ChangeListener } from "../../src/store/funnel.ts";
import { randomOf } from "./restarts.ts";

export type SessionsOptions = {
  seed: number;
  sessions: number;
  /** What times are multiplied with. */
  pace?: number;
  /** How late an end may be. A machine that is busy with something else makes all of them late. */
  lateMsMax?: number;
  note(text: string): void;
};

export type Lateness = { count: number; p50: number; p99: number; p999: number; max: number };

export type SessionsResult = {
  /** Milliseconds behind the deadline at which the end was told. */
  random: Lateness;
  /** Sliding sessions that were in use for three times their time, and did not end. */
  outlived: number;
  together: Lateness;
  /** Sessions whose bytes were there still, so many milliseconds after they had ended together. */
  left: { afterMs: number; sessions: number };
  /** Milliseconds behind the last deadline at which the store had nothing more to overwrite. */
  overwrittenMs: number;
  /** The part of that time in which this process had a processor: below 1 the machine was busy with others. */
  processorShare: number;
  /** Calls of the load a second, meanwhile. */
  callsPerSecond: number;
  wrong: string[];
};

const LOAD_FILE = fileURLToPath(new URL("session-load.ts", import.meta.url));
const LATE_MS_MAX = 100;
const LABELS = 4;
const LABEL_BYTES = 1024;
/** Of the random ones, by their place among them: every tenth is in use, and of those every second slides. */
const USED = 10;
const DEVICES = 100;

export async function tortureSessions(options: SessionsOptions): Promise<SessionsResult> {
  const hive = await Hive.start({ port: 0 });
  const load = await begin(`hive://127.0.0.1:${hive.port}`);
  const client = await connect(hive, { timeoutMs: 0 });
  const wrong: string[] = [];
  try {
    const { calls } = hive.engine.statistics;
    const fromMs = performance.now();
    const random = await endAtRandom(client, options, wrong);
    const callsPerSecond = Math.round((hive.engine.statistics.calls - calls) / ((performance.now() - fromMs) / 1000));
    return { ...random, ...(await endTogether(hive, client, options, wrong)), callsPerSecond, wrong };
  } finally {
    load.kill("SIGKILL");
    await client.close({ graceMs: 0 });
    await hive.close();
  }
}

async function begin(url: string): Promise<ChildProcess> {
  const load = spawn(process.execPath, [LOAD_FILE, url], { stdio: ["ignore", "pipe", "ignore"] });
  const end = (): void => void load.kill("SIGKILL");
  process.once("exit", end);
  load.once("exit", () => process.off("exit", end));
  await once(load.stdout!, "data");
  return load;
}

type Tracked = { session: DeviceSession; deadlineMs: number; slides: boolean; endedMs: number; lastUseMs: number };

async function endAtRandom(
  client: Client,
  { seed, sessions, pace = 1, lateMsMax = LATE_MS_MAX, note }: SessionsOptions,
  wrong: string[],
): Promise<Pick<SessionsResult, "random" | "outlived">> {
  const random = randomOf(seed);
  const all = new Map<string, Tracked>();
  const ends = await listen(client, (id, atMs) => {
    const tracked = all.get(id);
    if (tracked !== undefined) tracked.endedMs = atMs;
  });
  for (let i = 0; i < sessions; ) {
    const part = Array.from({ length: Math.min(200, sessions - i) }, (_, n) => i + n);
    i += part.length;
    await Promise.all(
      part.map(async (nth) => {
        const slides = nth % (2 * USED) === 0;
        const ttlMs = Math.round(pace * (slides ? 2000 : 3000 + random(7000)));
        const session = await client.session(`d${nth % DEVICES}`, { ttlMs, sliding: slides });
        const tracked = { session, deadlineMs: 0, slides, endedMs: 0, lastUseMs: 0 };
        all.set(session.id, tracked);
        tracked.deadlineMs = await deadlineOf(client, session);
        await session.put("label", `secret ${nth}`);
      }),
    );
    note(`${all.size} of ${sessions} sessions begun`);
  }
  const used = [...all.values()].filter((_, nth) => nth % USED === 0);
  const untilMs = Date.now() + 6000 * pace;
  while (Date.now() < untilMs) {
    await Promise.all(
      used.map(async (tracked) => {
        if (tracked.endedMs !== 0) return;
        tracked.lastUseMs = Date.now();
        await tracked.session.has("label");
        if (tracked.slides) tracked.deadlineMs = await deadlineOf(client, tracked.session);
      }),
    );
    await passes(100 * pace);
  }
  const outlived = used.filter(({ slides, endedMs }) => slides && endedMs === 0).length;
  // One may have ended where this process stood still for longer than its time; each is judged by its last use.
  if (outlived < used.length / 4)
    wrong.push(`of ${used.length / 2} sliding sessions ${outlived} lived while they were in use`);
  const latest = Math.max(...[...all.values()].map(({ deadlineMs }) => deadlineMs));
  while (Date.now() < latest + 10 * lateMsMax && [...all.values()].some(({ endedMs }) => endedMs === 0))
    await passes(50);
  await ends.return();
  return { random: judge([...all.values()], lateMsMax, wrong), outlived };
}

async function endTogether(
  hive: Hive,
  client: Client,
  { sessions, pace = 1, lateMsMax = LATE_MS_MAX, note }: SessionsOptions,
  wrong: string[],
): Promise<Pick<SessionsResult, "together" | "left" | "overwrittenMs" | "processorShare">> {
  const all = new Map<string, Tracked>();
  // Here and not as a subscriber: that one would work for each of them in this process.
  const listener: ChangeListener = {
    change(kind, key) {
      if (kind !== "expire") return;
      const { entries } = hive.engine.store.memory;
      const start = entries.keyStart(key);
      const name = entries.bytesOf(key).latin1Slice(start, start + entries.keyLength(key));
      const tracked = all.get(name.slice(name.lastIndexOf(":") + 1));
      if (tracked !== undefined) tracked.endedMs = Date.now();
    },
  };
  hive.engine.store.memory.funnel.listen(listener);
  const mark = `plain text of a session ${"!".repeat(8)}`;
  const text = mark.padEnd(LABEL_BYTES, "x");
  for (let i = 0; i < sessions; ) {
    const part = Array.from({ length: Math.min(200, sessions - i) }, (_, n) => i + n);
    i += part.length;
    await Promise.all(
      part.map(async (nth) => {
        const session = await client.session(`d${nth % DEVICES}`);
        await Promise.all(Array.from({ length: LABELS }, (_, label) => session.put(`label ${label}`, text)));
        all.set(session.id, { session, deadlineMs: 0, slides: false, endedMs: 0, lastUseMs: 0 });
      }),
    );
    note(`${all.size} of ${sessions} sessions with ${LABELS} labels begun`);
  }
  const present = (): number => marksIn(hive, mark);
  if (present() < sessions * LABELS) wrong.push(`${present()} labels are in the memory before the end`);
  // One deadline for all, when each of them has it.
  const endMs = Date.now() + 5000 * pace;
  for (const part of parts([...all.values()], 200)) {
    await Promise.all(part.map(({ session }) => session.touch({ ttlMs: Math.max(1, Math.round(endMs - Date.now())) })));
    await Promise.all(part.map(async (tracked) => (tracked.deadlineMs = await deadlineOf(client, tracked.session))));
  }
  const last = Math.max(...[...all.values()].map(({ deadlineMs }) => deadlineMs));
  const first = Math.min(...[...all.values()].map(({ deadlineMs }) => deadlineMs));
  note(`${sessions} sessions end within ${last - first} ms`);
  const { memory } = hive.engine.store;
  while (Date.now() < first) await passes(1);
  const began = { cpu: process.cpuUsage(), ms: performance.now() };
  while (memory.totals.sessionKeys > 0 || memory.reaper.hasSecrets) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const overwrittenMs = Date.now() - last;
  const { user, system } = process.cpuUsage(began.cpu);
  const processorShare = Number(((user + system) / 1000 / (performance.now() - began.ms)).toFixed(2));
  await passes(Math.max(0, last + lateMsMax - Date.now()));
  const left = { afterMs: Date.now() - last, sessions: present() / LABELS };
  if (left.sessions > 0) wrong.push(`bytes of ${left.sessions} sessions are left ${left.afterMs} ms after their end`);
  if (overwrittenMs > lateMsMax) wrong.push(`overwritten ${overwrittenMs} ms after their end`);
  memory.funnel.leave(listener);
  return { together: judge([...all.values()], lateMsMax, wrong), left, overwrittenMs, processorShare };
}

/** How often a text is in the memory. */
function marksIn(hive: Hive, mark: string): number {
  let count = 0;
  const sought = Buffer.from(mark);
  for (const bytes of hive.engine.store.memory.segments.bytes) {
    for (let at = bytes.indexOf(sought); at >= 0; at = bytes.indexOf(sought, at + sought.length)) count++;
  }
  return count;
}

async function listen(client: Client, onEnd: (id: string, atMs: number) => void): Promise<Subscription> {
  const ends = client.subscribe("$session:*", { patterns: true });
  await ends.ready;
  void (async () => {
    for await (const { channel } of ends) onEnd(channel.slice(channel.lastIndexOf(":") + 1), Date.now());
  })();
  return ends;
}

async function deadlineOf(client: Client, { device, id }: DeviceSession): Promise<number> {
  return Number(await client.send(["PEXPIRETIME", `$session:${device}:${id}`]));
}

function judge(all: readonly Tracked[], lateMsMax: number, wrong: string[]): Lateness {
  const late = all.map(({ session, deadlineMs, endedMs }) => {
    if (endedMs === 0) wrong.push(`${session.id} did not end`);
    else if (endedMs < deadlineMs - 1) wrong.push(`${session.id} ended ${deadlineMs - endedMs} ms too early`);
    else if (endedMs - deadlineMs > lateMsMax) wrong.push(`${session.id} ended ${endedMs - deadlineMs} ms late`);
    return endedMs - deadlineMs;
  });
  late.sort((one, other) => one - other);
  const at = (share: number): number => late[Math.min(late.length - 1, Math.floor(share * late.length))] ?? 0;
  return { count: late.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

function* parts<Item>(items: readonly Item[], size: number): Iterable<readonly Item[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

function passes(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
