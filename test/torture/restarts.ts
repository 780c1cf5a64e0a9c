// Restarts: a hive that is killed and started again, at random, under busy clients.
//
//   20 clients ──▶ proxy that cuts connections ──▶ memhive serve, SIGKILL, memhive serve, SIGKILL …
//
// What is checked, over every call that was made:
//   - it settles: a result, or an error with a code and, where there was no answer, `sent`
//   - it settles within its deadline (the worst is returned; a limit is the caller's)
//   - a counter that one client alone increments has, at each answer, at least as many increments as were
//     acknowledged by this run of the hive, and at most those and the doubtful ones (`sent: true`)
//   - no rejection is left unhandled; what was open is closed afterwards

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";

export type RestartsOptions = {
  seed: number;
  restarts: number;
  clients: number;
  timeoutMs: number;
  /** A line of progress. */
  note(text: string): void;
};

export type RestartsResult = {
  calls: number;
  answered: number;
  /** By code, with what was sent and what was not. */
  failed: Record<string, number>;
  /** Milliseconds beyond the deadline of the call that took longest; below 0: all within it. */
  lateMs: number;
  /** Milliseconds a call took: median, 99th percentile, longest. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** What must not be: one line each. */
  wrong: string[];
  reconnects: number;
};

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export async function torture(options: RestartsOptions): Promise<RestartsResult> {
  const random = randomOf(options.seed);
  const hive = new KilledHive();
  await hive.start();
  const proxy = await CutProxy.open(() => hive.port);
  const result = new Tally();
  const unhandled = (reason: unknown): void => void result.wrong.push(`unhandled rejection: ${String(reason)}`);
  process.on("unhandledRejection", unhandled);
  const workers: Worker[] = [];
  for (let i = 0; i < options.clients; i++) workers.push(await Worker.open(i, proxy.port, result, options.timeoutMs));
  const working = workers.map((worker) => worker.work());
  for (let restart = 1; restart <= options.restarts; restart++) {
    await passes(20 + random(180));
    if (random(3) === 0) proxy.cut();
    else {
      await hive.kill();
      if (random(2) === 0) await passes(random(100));
      await hive.start();
    }
    options.note(`${restart} of ${options.restarts}: ${result.calls} calls, ${result.answered} answered`);
  }
  for (const worker of workers) worker.stop();
  await Promise.all(working);
  await Promise.all(workers.map((worker) => worker.close()));
  proxy.close();
  await hive.kill();
  await passes(0);
  process.off("unhandledRejection", unhandled);
  return result.summary(workers.reduce((sum, { reconnects }) => sum + reconnects, 0));
}

/** Real time: other processes have to get on. */
function passes(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Numbers from 0 to below what is asked for, the same for the same seed. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed % 2147483647 || 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

class KilledHive {
  port = 0;
  #child: ChildProcess | undefined = undefined;

  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, "serve", "--port", "0"], { stdio: ["ignore", "pipe", "ignore"] });
    const end = (): void => void child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.off("exit", end));
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout! })) {
      const port = /:(\d+)$/.exec(line)?.[1];
      if (port === undefined) continue;
      this.port = Number(port);
      child.stdout!.resume();
      return;
    }
    throw new Error("the hive did not start");
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}

/** One address for all runs of the hive; cut() breaks every connection while the hive lives on. */
export class CutProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as { port: number }).port;
  }

  static async open(target: () => number): Promise<CutProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = dial(target(), "127.0.0.1");
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CutProxy(server, sockets);
  }

  /** Connections that go through it now, each of two sockets. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

/** What happened, over all clients. */
class Tally {
  calls = 0;
  answered = 0;
  readonly failed: Record<string, number> = {};
  readonly wrong: string[] = [];
  readonly #tookMs: number[] = [];
  #lateMs = Number.NEGATIVE_INFINITY;

  took(ms: number, timeoutMs: number): void {
    this.#tookMs.push(ms);
    this.#lateMs = Math.max(this.#lateMs, ms - timeoutMs);
  }

  summary(reconnects: number): RestartsResult {
    const { calls, answered, failed, wrong } = this;
    const sorted = Float64Array.from(this.#tookMs).sort();
    const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
    return {
      ...{ calls, answered, failed, wrong, reconnects },
      lateMs: this.#lateMs,
      ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
    };
  }
}

/** One client with eight calls under way, and a counter of its own. */
class Worker {
  reconnects = 0;
  readonly #index: number;
  readonly #hive: Client;
  readonly #tally: Tally;
  readonly #timeoutMs: number;
  #stopped = false;
  /** Of this run of the hive: increments that were acknowledged, and those of which nobody knows. */
  #run = "";
  #acknowledged = 0;
  #doubtful = 0;

  private constructor(index: number, hive: Client, tally: Tally, timeoutMs: number) {
    this.#index = index;
    this.#hive = hive;
    this.#tally = tally;
    this.#timeoutMs = timeoutMs;
    hive.addEventListener("state", ({ state }) => {
      if (state === "reconnecting") this.reconnects++;
    });
  }

  static async open(index: number, port: number, tally: Tally, timeoutMs: number): Promise<Worker> {
    const reconnect = { minMs: 5, maxMs: 50 };
    const hive = await connect(`hive://127.0.0.1:${port}`, { timeoutMs, waitMs: 5_000, reconnect });
    return new Worker(index, hive, tally, timeoutMs);
  }

  stop(): void {
    this.#stopped = true;
  }

  close(): Promise<void> {
    return this.#hive.close();
  }

  async work(): Promise<void> {
    await Promise.all([this.#count(), ...Array.from({ length: 7 }, (_, lane) => this.#mix(lane))]);
  }

  /** Increments one by one, so that each answer can be judged. */
  async #count(): Promise<void> {
    const key = `counter:${this.#index}`;
    while (!this.#stopped) {
      await this.#made(() => this.#hive.incr(key), {
        onAnswer: (value) => this.#judge(Number(value)),
        onFailure: (sent) => this.#doubt(sent),
      });
    }
  }

  #newRun(run: string): void {
    this.#run = run;
    this.#acknowledged = 0;
    this.#doubtful = 0;
  }

  #judge(value: number): void {
    if (this.#hive.runId !== this.#run) this.#newRun(this.#hive.runId);
    this.#acknowledged++;
    const most = this.#acknowledged + this.#doubtful;
    if (value >= this.#acknowledged && value <= most) return;
    this.#tally.wrong.push(`counter ${this.#index} is ${value}, not ${this.#acknowledged} to ${most}`);
  }

  /** A call that is lost rejects while the client still knows the hive that it was sent to. */
  #doubt(sent: boolean): void {
    if (this.#hive.runId !== this.#run) this.#newRun(this.#hive.runId);
    if (sent) this.#doubtful++;
  }

  async #mix(lane: number): Promise<void> {
    const hive = this.#hive;
    const table = hive.table<{ n: number }>(`table:${lane}`);
    const key = `key:${this.#index}:${lane}`;
    const single: (() => Promise<unknown>)[] = [
      () => hive.put(key, { lane, text: "x".repeat(100) }),
      () => hive.get(key),
      () => table.set(key, { n: lane }),
      () => table.get(key),
      () => hive.multi().put(key, 1).incr(key).exec(),
    ];
    // Each of these is several calls, with a deadline each.
    const several: (() => Promise<unknown>)[] = [
      () => table.update(key, (old) => ({ n: (old?.n ?? 0) + 1 })),
      async () => {
        for await (const name of table.keys()) if (name === key) break;
      },
    ];
    for (let turn = lane; !this.#stopped; turn++) {
      if (turn % 4 === 0) await this.#made(several[(turn / 4) % several.length]!, { several: true });
      else await this.#made(single[turn % single.length]!);
    }
  }

  async #made<T>(
    call: () => Promise<T>,
    options: { onAnswer?(value: T): void; onFailure?(sent: boolean): void; several?: boolean } = {},
  ): Promise<void> {
    const tally = this.#tally;
    const startMs = performance.now();
    tally.calls++;
    try {
      const value = await call();
      tally.answered++;
      options.onAnswer?.(value);
    } catch (error) {
      if (!isHiveError(error)) {
        tally.wrong.push(`not a HiveError: ${String(error)}`);
        return;
      }
      const sent = error.sent === undefined ? "answered" : error.sent ? "sent" : "not sent";
      tally.failed[`${error.code}, ${sent}`] = (tally.failed[`${error.code}, ${sent}`] ?? 0) + 1;
      options.onFailure?.(error.sent === true);
      if (error.call === undefined) tally.wrong.push(`${error.code} without its call`);
      if (!options.several) tally.took(performance.now() - startMs, this.#timeoutMs);
      // While there is no hive a client that calls in a loop would do nothing else.
      await passes(1);
      return;
    }
    if (!options.several) tally.took(performance.now() - startMs, this.#timeoutMs);
  }
}
