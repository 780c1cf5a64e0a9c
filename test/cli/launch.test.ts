// Starting over: the settings arrive, everything else stays as it was, and no second process is left.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ALLOCATOR_SETTINGS, NODE_FLAGS } from "../../src/cli/launch.ts";

const PROGRAM = fileURLToPath(new URL("fixtures/launched.ts", import.meta.url));
const onLinux = { skip: process.platform === "linux" ? false : "the settings are those of glibc, on Linux" };

type Report = { pid: number; args: string[]; execArgs: string[]; trim?: string; mmap?: string; folder: string };
type Run = { child: ChildProcess; nextLine: () => Promise<string>; report: Report };

/** Starts the fixture and reads its report. Its environment is ours without the allocator's settings. */
async function start(
  args: string[],
  options: { env?: Record<string, string>; nodeArgs?: string[] } = {},
): Promise<Run> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(ALLOCATOR_SETTINGS)) delete env[name];
  Object.assign(env, options.env);
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), PROGRAM, ...args], {
    cwd: tmpdir(),
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => (await lines.next()).value ?? "";
  return { child, nextLine, report: JSON.parse(await nextLine()) };
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

for (const way of [[], ["--without-execve"]]) {
  const name = way.length === 0 ? "with execve" : "without execve";

  test(`${name}, the program runs with the settings, its arguments and its folder`, onLinux, async () => {
    const { child, report } = await start([...way, "a b", "", "ü"], { nodeArgs: ["--max-old-space-size=100"] });

    assert.equal(report.trim, "65536");
    assert.equal(report.mmap, "65536");
    assert.deepEqual(report.args, [...way, "a b", "", "ü"]);
    assert.deepEqual(report.execArgs, ["--max-old-space-size=100", ...NODE_FLAGS]);
    assert.equal(report.folder, tmpdir());
    assert.equal(report.pid === child.pid, way.length === 0, "execve keeps the process, spawn makes another");
    assert.equal(await exitCode(child), 0);
  });

  test(`${name}, the exit code is the program's`, onLinux, async () => {
    const { child } = await start([...way, "exit-7"]);
    assert.equal(await exitCode(child), 7);
  });

  test(`${name}, standard input and output are the program's`, onLinux, async () => {
    const { child, nextLine } = await start([...way, "echo"]);
    child.stdin!.end("through and through\n");

    assert.equal(await nextLine(), "through and through");
    assert.equal(await exitCode(child), 0);
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    test(`${name}, ${signal} reaches the program, which ends as it likes`, onLinux, async () => {
      const { child, nextLine } = await start([...way, "wait"]);
      child.kill(signal);

      assert.equal(await nextLine(), signal);
      assert.equal(await exitCode(child), 0);
    });
  }
}

test("without execve, a program that dies of a signal shows as in a shell", onLinux, async () => {
  const { child, report } = await start(["--without-execve", "wait"]);
  process.kill(report.pid, "SIGKILL");
  assert.equal(await exitCode(child), 128 + 9);
});

test("a setting that is there already is left alone", onLinux, async () => {
  const one = await start([], { env: { MALLOC_TRIM_THRESHOLD_: "131072" } });
  assert.equal(one.report.trim, "131072");
  assert.equal(one.report.mmap, "65536");
  assert.equal(await exitCode(one.child), 0);

  const all = { ...ALLOCATOR_SETTINGS, MALLOC_TRIM_THRESHOLD_: "1", MALLOC_MMAP_THRESHOLD_: "2" };
  const two = await start(["--without-execve"], { env: all });
  assert.equal(two.report.pid, two.child.pid, "nothing is missing, so nothing starts over");
  assert.equal(await exitCode(two.child), 0);
});
