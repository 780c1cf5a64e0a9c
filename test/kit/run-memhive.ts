// Run memhive: the command as a process of its own, to its end, with what it has said.
//
//   await runMemhive(["config", "--json"], { env: { MEMHIVE_PORT: "1" } }) ──▶ { code: 0, out: "…", error: "" }

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export type Ended = { code: number | null; out: string; error: string };

export type RunOptions = {
  /** Beside this process's own. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Its standard input; without it that is empty. */
  input?: string;
  /** Told of the process at once, for whoever may have to end it. */
  onStart?(child: ChildProcess): void;
};

/** What it writes to standard output comes back with one character a byte where `latin1` is set, else as UTF-8. */
export async function runMemhive(
  args: readonly string[],
  { env = {}, cwd, input = "", onStart, latin1 = false }: RunOptions & { latin1?: boolean } = {},
): Promise<Ended> {
  const where = cwd === undefined ? {} : { cwd };
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env }, ...where });
  onStart?.(child);
  let [out, error] = ["", ""];
  child.stdout.setEncoding(latin1 ? "latin1" : "utf8").on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    error += chunk;
  });
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, out, error };
}
