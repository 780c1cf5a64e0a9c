// Served hive: `memhive serve` as a process of its own, for tests that kill it, fill its disk or look at its memory.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export class ServedHive implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it has said on standard error. */
  notices = "";
  readonly #ended: Promise<number | null>;

  private constructor(child: ChildProcess, port: number, ended: Promise<number | null>) {
    this.child = child;
    this.port = port;
    this.#ended = ended;
  }

  /**
   * Resolves when it answers. @param options.within A shell script that ends in `exec "$@"`, around it.
   * @throws {Error} with what it said, where it did not start
   */
  static async start(args: readonly string[], options: { within?: string } = {}): Promise<ServedHive> {
    const call = [process.execPath, MAIN, "serve", "--port", "0", ...args];
    const [file, ...rest] = options.within === undefined ? call : ["sh", "-c", options.within, "sh", ...call];
    const child = spawn(file!, rest, { stdio: ["ignore", "pipe", "pipe"] });
    let notices = "";
    const ended = once(child, "close").then(([code]) => code as number | null);
    child.stderr.on("data", (chunk) => {
      notices += chunk;
      if (hive !== undefined) hive.notices = notices;
    });
    let hive: ServedHive | undefined;
    const line = await Promise.race([
      once(createInterface({ input: child.stdout }), "line").then(([text]) => String(text)),
      ended.then((code) => {
        throw new Error(`it ended with ${code}: ${notices}`);
      }),
    ]);
    hive = new ServedHive(child, Number(/:(\d+)$/.exec(line)![1]), ended);
    hive.notices = notices;
    return hive;
  }

  /** Bytes that are resident: now, or the most so far ("VmHWM"). */
  memoryBytes(line: "VmRSS" | "VmHWM" = "VmRSS"): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)![1]) * 1024;
  }

  /** "VmHWM" is from now on what was resident at the most since now (proc_pid_clear_refs(5)). */
  resetPeak(): void {
    writeFileSync(`/proc/${this.child.pid}/clear_refs`, "5");
  }

  /** Its exit code where it ends by itself: a signal that comes at the very end would make it another one. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Ends it with SIGTERM. Resolves with its exit code. */
  stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return this.#ended;
  }

  /** Ends it with SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
