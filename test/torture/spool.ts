// Spool: a device puts numbered readings while everything that can die does.
//
//   device (SIGKILL) ──▶ folder ──▶ proxy that cuts ──▶ memhive serve (killed, started from its snapshot) ◀── watcher
//
// Each reading has a label of its own. What is checked:
//   - at each start of a hive: the labels of its snapshot are the first ones that were put, none is missing between them
//   - from there on the watcher sees the next ones, each once and in the order in which they were put
//   - at the end: the labels are as many as the spool says were acknowledged, and accepted = acknowledged + dropped; where
//     the spool has room nothing was dropped, and every put() that has resolved is there

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, connect, type SpoolStats } from "../../src/client/node.ts";
import { ServedHive } from "../kit/served-hive.ts";
import { CutProxy, randomOf } from "./restarts.ts";

export type SpoolTortureOptions = {
  seed: number;
  readings: number;
  cuts: number;
  kills: number;
  restarts: number;
  /** Room for so few bytes that some has to be dropped; then the hive stores a snapshot before it goes. */
  bytesMax?: number | undefined;
  note(text: string): void;
};

export type SpoolTortureResult = {
  /** For how many put() has resolved; how many the spool had taken besides when its process was killed. */
  resolved: number;
  besides: number;
  stats: SpoolStats;
  /** Readings that hives lost when they were killed, and were sent again. */
  again: number;
  cuts: number;
  kills: number;
  restarts: number;
  wrong: string[];
};

const DEVICE_FILE = fileURLToPath(new URL("spool-device.ts", import.meta.url));
const DEVICE = "torture/1";
/** What is under way when something dies: so many readings further on the device may go. */
const AHEAD = 60;
/** Nobody listens there. */
const NOWHERE = 1;

type Happening = { at: number; kind: "cut" | "kill" | "restart" };

export async function tortureSpool(options: SpoolTortureOptions): Promise<SpoolTortureResult> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-spool-"));
  const random = randomOf(options.seed);
  const isSmall = options.bytesMax !== undefined;
  const hives = new Hives(join(folder, "snapshots"), isSmall);
  const proxy = await CutProxy.open(() => hives.port);
  const spool = {
    dir: join(folder, "spool"),
    bytesMax: options.bytesMax ?? 64 * 1024 * 1024,
    keepUntil: isSmall ? ("acknowledged" as const) : ("stored" as const),
  };
  const device = new Device({ url: `hive://127.0.0.1:${proxy.port}`, device: DEVICE, spool });
  const happenings: Happening[] = (["cut", "kill", "restart"] as const).flatMap((kind) =>
    Array.from({ length: options[`${kind}s`] }, () => ({ at: 120 + random(options.readings - 240), kind })),
  );
  happenings.sort((one, other) => one.at - other.at);
  try {
    // The first one starts with no hive in reach.
    device.start();
    await device.comesTo(100);
    await hives.start();
    for (const [index, { at, kind }] of happenings.entries()) {
      await device.comesTo(at);
      if (kind === "cut") proxy.cut();
      if (kind === "cut" && random(2) === 0) await hives.store();
      if (kind === "kill") await device.restart();
      if (kind === "restart") await hives.restart(isSmall || random(3) === 0 ? 300 + random(100) : 0, device);
      options.note(`${index + 1} of ${happenings.length}: ${kind} at ${at}`);
    }
    const stats = await device.finish(options.readings);
    const { wrong, labels } = await hives.finish();
    const result = { resolved: device.resolved, besides: labels.size + stats.dropped - device.resolved, stats };
    const died = { cuts: options.cuts, kills: device.kills, restarts: hives.restarts };
    judge(stats, labels, { device, wrong, hasRoom: !isSmall });
    return { ...result, again: hives.again, ...died, wrong: [...device.wrong, ...wrong] };
  } finally {
    await device.end();
    await hives.end();
    proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(
  stats: SpoolStats,
  labels: ReadonlySet<string>,
  { device, wrong, hasRoom }: { device: Device; wrong: string[]; hasRoom: boolean },
): void {
  const { accepted, acknowledged, dropped, refused, waiting, damaged } = stats;
  if (acknowledged !== labels.size) wrong.push(`${labels.size} labels, and ${acknowledged} acknowledged`);
  if (accepted !== acknowledged + dropped) wrong.push(`${accepted} accepted are not ${acknowledged} and ${dropped}`);
  if (refused + waiting + damaged > 0) wrong.push(`refused ${refused}, waiting ${waiting}, damaged ${damaged}`);
  const missing = [...device.labels].filter((label) => !labels.has(label));
  if (missing.length > dropped) wrong.push(`${missing.length} are missing, and ${dropped} were dropped`);
  if (hasRoom && dropped > 0) wrong.push(`${dropped} were dropped although there was room`);
}

/** The process of the device, one after the other. */
class Device {
  readonly wrong: string[] = [];
  readonly labels = new Set<string>();
  resolved = 0;
  kills = 0;
  #run = 0;
  #last = 0;
  #child: ChildProcess | undefined = undefined;
  #stats: SpoolStats | undefined = undefined;
  #told: () => void = () => {};
  readonly #given: object;

  constructor(given: object) {
    this.#given = given;
  }

  start(): void {
    const given = JSON.stringify({ ...this.#given, first: this.#last + 1, run: ++this.#run });
    const child = spawn(process.execPath, [DEVICE_FILE, given], { stdio: ["pipe", "pipe", "inherit"] });
    const end = (): void => void child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => {
      process.off("exit", end);
      this.#told();
    });
    child.stdin!.on("error", () => {});
    const run = this.#run;
    createInterface({ input: child.stdout! }).on("line", (line) => this.#line(line, run));
    this.#child = child;
  }

  #line(line: string, run: number): void {
    if (line.startsWith("{")) this.#stats = JSON.parse(line);
    else if (!/^\d+$/.test(line)) this.wrong.push(line);
    else {
      this.resolved++;
      this.labels.add(`${run}.${line}`);
      this.#last = Math.max(this.#last, Number(line));
    }
    this.#told();
  }

  /** Lets it go on to reading `number` and a little further; resolves when that was put. */
  async comesTo(number: number): Promise<void> {
    this.#child!.stdin!.write(`${number + AHEAD}\n`);
    await this.#until(() => this.#last >= number);
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#child!.exitCode !== null) throw new Error(`the device ended with ${this.#child!.exitCode}`);
      await new Promise<void>((resolve) => (this.#told = resolve));
    }
  }

  /** SIGKILL, and another one that goes on. */
  async restart(): Promise<void> {
    const child = this.#child!;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
    this.kills++;
    this.start();
  }

  async finish(last: number): Promise<SpoolStats> {
    this.#child!.stdin!.write(`${last}\nend\n`);
    await this.#until(() => this.#stats !== undefined);
    return this.#stats!;
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

/** One hive after the other, each from the snapshot of the one before, and a watcher of each. */
class Hives {
  port = NOWHERE;
  restarts = 0;
  again = 0;
  readonly #folder: string;
  readonly #isGraceful: boolean;
  readonly #wrong: string[] = [];
  #hive: ServedHive | undefined = undefined;
  #client: Client | undefined = undefined;
  /** What the hive that runs has, as the watcher knows it. */
  #labels = new Set<string>();
  #newest = "";
  #watching: Promise<void> = Promise.resolve();

  constructor(folder: string, isGraceful: boolean) {
    this.#folder = folder;
    this.#isGraceful = isGraceful;
  }

  /** The device finds it once the watcher does. */
  async start(): Promise<void> {
    const before = this.#labels;
    const hive = await ServedHive.start(["--snapshots", this.#folder, "--snapshot-keep", "3"]);
    const client = await connect(`hive://127.0.0.1:${hive.port}`, { reconnect: false });
    this.#hive = hive;
    this.#client = client;
    const watch = client.watch("$device:*");
    await watch.ready;
    this.#labels = new Set();
    this.#newest = "";
    const labels = await client.device(DEVICE).labels();
    for (const label of labels.sort(inOrder)) this.#see(label);
    this.#compare(before);
    this.#watching = (async () => {
      for await (const change of watch) {
        if (change.kind !== "set") this.#wrong.push(`a change of the kind ${change.kind}`);
        else this.#see(String(change.field));
      }
    })().catch(() => {}); // the hive was killed
    this.port = hive.port;
  }

  #see(label: string): void {
    if (this.#labels.has(label)) this.#wrong.push(`${label} was stored twice`);
    if (this.#newest !== "" && inOrder(label, this.#newest) < 0)
      this.#wrong.push(`${label} came behind ${this.#newest}`);
    this.#labels.add(label);
    this.#newest = label;
  }

  /** A snapshot has the first ones of what the hive before had: where one is missing, all behind it are. */
  #compare(before: ReadonlySet<string>): void {
    for (const label of before) {
      if (this.#labels.has(label)) continue;
      this.again++;
      if (this.#newest !== "" && inOrder(label, this.#newest) < 0) this.#wrong.push(`${label} is in no snapshot`);
    }
  }

  async store(): Promise<void> {
    await this.#client!.snapshot.store();
  }

  /** Ends the hive, and starts another one once the device has put `meanwhile` more. */
  async restart(meanwhile: number, device: Device): Promise<void> {
    this.port = NOWHERE;
    if (this.#isGraceful) await this.#hive!.stop();
    else await this.#hive!.kill();
    await this.#watching;
    await this.#client!.close({ graceMs: 0 });
    this.restarts++;
    if (meanwhile > 0) await device.comesTo(device.resolved + meanwhile);
    await this.start();
  }

  /** Everything that is there at the end. */
  async finish(): Promise<{ labels: Set<string>; wrong: string[] }> {
    const labels = new Set(await this.#client!.device(DEVICE).labels());
    await this.#client!.close();
    await this.#watching;
    for (const label of this.#labels) if (!labels.has(label)) this.#wrong.push(`${label} is there no more`);
    return { labels, wrong: this.#wrong };
  }

  async end(): Promise<void> {
    await this.#client?.close({ graceMs: 0 });
    await this.#hive?.kill();
  }
}

/** Labels are "run.number". */
function inOrder(one: string, other: string): number {
  const [run, number] = one.split(".").map(Number);
  const [otherRun, otherNumber] = other.split(".").map(Number);
  return run! - otherRun! || number! - otherNumber!;
}
