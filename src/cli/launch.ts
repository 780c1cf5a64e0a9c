// Launch: starts this program over with the allocator settings that a hive needs.
//
//   memhive serve ──▶ settings missing? ──▶ execve (same process id) ──▶ memhive serve ──▶ goes on
//                                      └──▶ spawn, where there is no execve
//
//   await relaunchWithAllocatorSettings();                 // first thing in a command that runs a hive
//   const { serve } = await import("./serve.ts");          // only then what is dear to load
//
// glibc reads these settings when a process starts, so a running one cannot give them to itself.
// Without them libuv's read buffers stay in glibc's heap for good: a hive of 1 M keys then takes a third
// more memory. process.execve (Node 22.15, 23.11) puts the new program in the place of the old one: no
// second process, the same process id, about 20 ms. Older ones run the hive as a child and pass on
// signals and exit code.
//
// A variable that is set already is left alone, so whoever sets all is never started over. It must not
// know what the program does.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isMainThread } from "node:worker_threads";

/**
 * glibc's variables: from how many bytes on memory is given back to the system; one arena instead of one
 * for each thread (1.5 MB); large blocks on huge pages where the system allows it on request, which makes
 * reads of 10 M keys a quarter to a third cheaper.
 */
export const ALLOCATOR_SETTINGS: Readonly<Record<string, string>> = {
  MALLOC_MMAP_THRESHOLD_: "65536",
  MALLOC_TRIM_THRESHOLD_: "65536",
  MALLOC_ARENA_MAX: "1",
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

/** Node's flags: the heap of a hive holds little that lives for long, so its young half stays small (6 MB). */
export const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=1"];

/**
 * Returns where this process may go on: it has the settings, or they mean nothing to it (no Linux, or
 * a worker thread). Otherwise it never returns: the program starts over with the same arguments, working
 * directory, environment and standard streams, and this process ends with its exit code.
 *
 * Call it before anything is opened: what this process has open is lost or open twice.
 */
export async function relaunchWithAllocatorSettings(): Promise<void> {
  if (process.platform !== "linux" || !isMainThread) return;
  const missing = Object.entries(ALLOCATOR_SETTINGS).filter(([name]) => process.env[name] === undefined);
  if (missing.length === 0) return;

  const environment = { ...process.env, ...Object.fromEntries(missing) };
  const flags = NODE_FLAGS.filter((flag) => !process.execArgv.some((given) => given.startsWith(flag.split("=")[0]!)));
  const args = [...process.execArgv, ...flags, ...process.argv.slice(1)];
  if (process.execve) process.execve(process.execPath, [process.execPath, ...args], environment);
  process.exitCode = await runChild(args, environment);
  process.exit();
}

/** Runs Node as a child until it ends. Resolves with the exit code that a shell would show. */
function runChild(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, args, { env: environment, stdio: "inherit" });
  // A terminal sends its own signals to every process of the group, so the child has them already.
  const signals: NodeJS.Signals[] = process.stdin.isTTY ? ["SIGTERM"] : ["SIGTERM", "SIGINT", "SIGHUP"];
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (signals.includes(signal)) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}
