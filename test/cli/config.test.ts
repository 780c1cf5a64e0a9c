// memhive config as a process: what serve would use, and the settings of a running hive.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Hive } from "../../src/server/hive.ts";
import { SETTINGS } from "../../src/server/settings/table.ts";
import { type Ended, runMemhive } from "../kit/run-memhive.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memhive-config-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function memhive(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return runMemhive(args, { env, cwd: folder });
}

test("it prints every setting with its value, unit and source, without starting a hive", async () => {
  writeFileSync(
    join(folder, "memhive.json"),
    JSON.stringify({ limits: { valueBytesMax: "1mb" }, maxMemoryBytes: "1gb" }),
  );
  const args = ["config", "--config", "memhive.json", "--port", "1"];
  const { code, out } = await memhive(args, { MEMHIVE_LOG_FORMAT: "json" });
  assert.equal(code, 0);
  for (const { name } of SETTINGS) assert.match(out, new RegExp(`^  ${name} `, "m"));
  assert.match(out, /^ {2}port +1 +--port$/m);
  assert.match(out, /^ {2}host +127\.0\.0\.1 +default$/m);
  assert.match(out, /^ {2}maxMemoryBytes +1gb +bytes +memhive\.json$/m);
  assert.match(out, /^ {2}limits\.valueBytesMax +1mb +bytes +memhive\.json$/m);
  assert.match(out, /^ {2}logFormat +json +environment MEMHIVE_LOG_FORMAT$/m);
  const json = JSON.parse((await memhive([...args, "--json", "port", "memory"])).out);
  assert.deepEqual(json, [
    { name: "port", value: 1, unit: "", source: "--port" },
    { name: "maxMemoryBytes", value: 2 ** 30, unit: "bytes", source: "memhive.json" },
    { name: "maxMemoryPolicy", value: "noeviction", unit: "", source: "default" },
    { name: "deviceBytesMax", value: 0, unit: "bytes", source: "default" },
    { name: "devicesBytesMax", value: 0, unit: "bytes", source: "default" },
    { name: "shared", value: false, unit: "", source: "default" },
    { name: "sharedFolder", value: "/dev/shm", unit: "", source: "default" },
  ]);
});

test("isolate is a flag, a variable and a line of the file", async () => {
  const flag = await memhive(["config", "--isolate", "isolate"]);
  assert.match(flag.out, /^ {2}isolate +(true|on|yes) +--isolate$/m);
  const variable = await memhive(["config", "--json", "isolate"], { MEMHIVE_ISOLATE: "true" });
  assert.deepEqual(JSON.parse(variable.out), [
    { name: "isolate", value: true, unit: "", source: "environment MEMHIVE_ISOLATE" },
  ]);
});

test("what serve would refuse it refuses, and a name that is not there", async () => {
  const wrong = await memhive(["config"], { MEMHIVE_PORT: "x" });
  assert.equal(wrong.code, 1);
  assert.match(wrong.error, /environment MEMHIVE_PORT: expected a whole number/);
  assert.match((await memhive(["config", "prot"])).error, /there is no setting prot; did you mean port\?/);
  assert.equal((await memhive(["config", "--prot", "1"])).code, 2);
  assert.equal((await memhive(["serve", "--limit", "valueBytesMax"])).code, 2);
});

test("a hive serves with the settings of a file", async () => {
  const limits = { connectionsMax: 7 };
  writeFileSync(
    join(folder, "serve.json"),
    JSON.stringify({ port: 0, logLevel: "warn", maxMemoryBytes: "100mb", limits }),
  );
  const child = spawn(process.execPath, [MAIN, "serve", "--config", "serve.json"], { cwd: folder });
  let error = "";
  child.stderr.on("data", (chunk) => {
    error += chunk;
  });
  const [line] = await once(child.stdout, "data");
  const port = /127\.0\.0\.1:(\d+)/.exec(String(line))![1];
  const { out } = await memhive(["config", "get", "maxmemory", "maxclients", "--url", `hive://127.0.0.1:${port}`]);
  child.kill("SIGTERM");
  assert.equal((await once(child, "exit"))[0], 0);
  assert.equal(out, `maxmemory ${100 * 2 ** 20}\nmaxclients 7\n`);
  assert.equal(error, "", "nothing below warn");
});

test("the settings of a running hive are read and changed", async () => {
  await using hive = await Hive.start({ port: 0 });
  const url = ["--url", `hive://127.0.0.1:${hive.port}`];
  assert.equal((await memhive(["config", "set", "maxmemory", "1gb", "timeout", "5", ...url])).code, 0);
  assert.equal((await memhive(["config", "get", "maxmemory", ...url, "--json"])).out, '{"maxmemory":"1073741824"}\n');
  const refused = await memhive(["config", "set", "maxmemory", "lots", ...url]);
  assert.equal(refused.code, 1);
  assert.match(refused.error, /argument must be a memory value/);
  assert.equal((await memhive(["config", "set", "maxmemory", ...url])).code, 1);
  assert.equal((await memhive(["config", "get", "nosuch", ...url])).code, 3);
});
