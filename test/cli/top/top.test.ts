// memhive top as a process: once, as JSON, and live in a terminal that is as before afterwards.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Hive } from "../../../src/server/hive.ts";
import { type Ended, runMemhive } from "../../kit/run-memhive.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const children: ChildProcess[] = [];
let hive: Hive;

before(async () => {
  hive = await Hive.start({ port: 0 });
});
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await hive.close();
});

function top(...args: string[]): Promise<Ended> {
  const onStart = (child: ChildProcess): void => void children.push(child);
  return runMemhive(["top", "--url", `hive://127.0.0.1:${hive.port}`, ...args], { onStart });
}

test("without a terminal it prints once, with --clients the connections too", async () => {
  const { code, out, error } = await top("--interval", "20", "--clients");
  assert.equal(error, "");
  assert.equal(code, 0);
  assert.match(out, /^memhive \d+\.\d+\.\d+ at hive:\/\/127\.0\.0\.1:\d+/);
  assert.match(out, /\nCOMMAND +CALLS\/S/);
  assert.match(out, /\ninfo +\d/);
  assert.match(out, /\n127\.0\.0\.1:\d+ +memhive-cli /);
  assert.ok(!out.includes("\x1b"));
});

test("--json is one object that a program reads", async () => {
  const { out } = await top("--interval", "20", "--json");
  const shown = JSON.parse(out);
  assert.ok(shown.perSecond.calls > 0);
  assert.ok(shown.usedBytes > 0);
  assert.ok(shown.commands.some(({ name }: { name: string }) => name === "info"));
  assert.equal(shown.clients, undefined);
});

test("without a hive it says so, and fails", async () => {
  const child = spawnSync(process.execPath, [MAIN, "top", "--once", "--url", "hive://127.0.0.1:1"], {
    encoding: "utf8",
  });
  assert.equal(child.status, 1);
  assert.match(child.stderr, /CONNECTION_LOST/);
});

const hasTerminal = spawnSync("script", ["--version"]).error === undefined;
const inTerminal = { skip: hasTerminal ? false : "needs script(1), of util-linux" };

/** top in a terminal of its own, made by script(1). What goes in are keys, what comes out is the screen. */
function live(...args: string[]): { child: ChildProcess; shown: () => string; until(pattern: RegExp): Promise<void> } {
  const command = [
    process.execPath,
    MAIN,
    "top",
    "--url",
    `hive://127.0.0.1:${hive.port}`,
    "--interval",
    "30",
    ...args,
  ];
  const quoted = command.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", quoted, "/dev/null"], { env: { ...process.env, SHELL: "/bin/sh" } });
  children.push(child);
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(out)) await once(child.stdout, "data");
  };
  return { child, shown: () => out, until };
}

const ENTERED = "\x1b[?1049h\x1b[?25l";
const LEFT = "\x1b[?25h\x1b[?1049l";

for (const [what, key] of [
  ["q", "q"],
  ["Ctrl+C", "\x03"],
] as const) {
  test(
    `in a terminal it shows the screen again and again, and ${what} gives it back as it was`,
    inTerminal,
    async () => {
      const { child, shown, until } = live();
      await until(/(COMMAND.*){3}/s);
      assert.ok(shown().includes(ENTERED));
      assert.ok(!shown().includes(LEFT));
      child.stdin!.write(key);
      const [code] = await once(child, "exit");
      assert.equal(code, 0);
      assert.ok(shown().trimEnd().endsWith(LEFT), JSON.stringify(shown().slice(-40)));
    },
  );
}

test("c shows the connections and hides them again", inTerminal, async () => {
  const { child, shown, until } = live();
  await until(/COMMAND/);
  assert.doesNotMatch(shown(), /LAST COMMAND/);
  child.stdin!.write("c");
  await until(/LAST COMMAND/);
  child.stdin!.write("q");
  assert.equal((await once(child, "exit"))[0], 0);
});
