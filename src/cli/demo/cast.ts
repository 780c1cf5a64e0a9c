// The cast of the demo: a hive as a process, four workers, and redis-server where it is installed.

import { type ChildProcess, execFile, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HiveError } from "../../base/errors.ts";
import type { Order, Seen } from "./demo-worker.ts";

const extension: string = import.meta.url.endsWith(".ts") ? "ts" : "js";
const WORKERS = 4;
const START_MS_MAX = 30_000;

function own(path: string): string {
  return fileURLToPath(new URL(`${path}.${extension}`, import.meta.url));
}

export function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** The first line of a process that `is` it. @throws {HiveError} it ended before */
async function line(child: ChildProcess, is: RegExp): Promise<RegExpMatchArray> {
  let [text, error] = ["", ""];
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    error = (error + chunk).slice(-2_000);
  });
  const timer = setTimeout(() => child.kill(), START_MS_MAX);
  try {
    for await (const chunk of child.stdout!.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
      text += chunk;
      const found = text.match(is);
      if (found === null) continue;
      child.stdout!.resume();
      return found;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new HiveError("CANNOT_LISTEN", `the hive of the demo did not start: ${error.trim().split("\n").at(-1)}`);
}

export type StartedHive = { child: ChildProcess; port: number; shared: boolean };

/** Starts a hive whose one structure runs isolated. Without koffi its memory is not shared. */
export async function startHive(structure: string): Promise<StartedHive> {
  const start = async (more: readonly string[]): Promise<StartedHive> => {
    const args = [own("../main"), "serve", "--port", "0", "--structures", structure, "--isolate", ...more];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const [, port] = await line(child, /memhive ready on \S+:(\d+)/);
    return { child, port: Number(port), shared: more.length > 0 };
  };
  return start(["--shared"]).catch(() => start([]));
}

export class Workers {
  readonly #children: ChildProcess[];

  private constructor(children: ChildProcess[]) {
    this.#children = children;
  }

  static async start(url: string): Promise<Workers> {
    const children = Array.from({ length: WORKERS }, (_, id) => fork(own("demo-worker"), [url, String(id)]));
    await Promise.all(children.map((child) => once(child, "message")));
    return new Workers(children);
  }

  /** They do this from now on. */
  order(work: Partial<Order>): void {
    for (const child of this.#children) child.send({ votes: false, asks: false, reads: false, tell: false, ...work });
  }

  /** What all of them saw since the last time; they go on with `work`. */
  async seen(work: Partial<Order>): Promise<Seen> {
    const told = this.#children.map((child) => once(child, "message") as Promise<[Seen]>);
    this.order({ ...work, tell: true });
    const sum: Seen = { voted: 0, failed: [], asked: [], waited: [], reads: 0, readMs: 0 };
    for (const [seen] of await Promise.all(told)) {
      sum.voted += seen.voted;
      sum.reads += seen.reads;
      sum.readMs += seen.readMs;
      sum.failed.push(...seen.failed);
      sum.asked.push(...seen.asked);
      sum.waited.push(...seen.waited);
    }
    return sum;
  }

  close(): void {
    for (const child of this.#children) child.kill();
  }
}

/** redis-server on a unix socket, asked by four clients of redis-benchmark, one call at a time each. */
export class Redis {
  readonly #child: ChildProcess;
  readonly #socket: string;

  private constructor(child: ChildProcess, socket: string) {
    this.#child = child;
    this.#socket = socket;
  }

  /** Undefined where it is not installed. */
  static async start(folder: string): Promise<Redis | undefined> {
    if (!isInstalled("redis-server") || !isInstalled("redis-benchmark")) return undefined;
    const socket = join(folder, "redis.sock");
    const args = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder];
    const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
    await line(child, /ready to accept connections|The server is now ready/);
    return new Redis(child, socket);
  }

  /** GETs a second, of so many. */
  async gets(count: number): Promise<number> {
    const args = ["-s", this.#socket, "-t", "get", "-c", String(WORKERS), "-n", String(count), "-q"];
    const text = await new Promise<string>((resolve, reject) => {
      execFile("redis-benchmark", args, (error, out) => (error === null ? resolve(out) : reject(error)));
    });
    const figures = [...text.matchAll(/([\d.]+) requests per second/g)];
    return Number(figures.at(-1)?.[1] ?? 0);
  }

  close(): void {
    this.#child.kill();
  }
}
