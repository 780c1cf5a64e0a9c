// The two packages as a user gets them: built, packed, installed into an empty folder, and run there.
//
//   npm run build ──▶ npm pack ──▶ npm install in a new folder ──▶ JavaScript and TypeScript, Node 22 and 24
//
// It needs the registry, for commander, pino and Node 22: without it the tests are skipped and say so, and
// with CI=true they fail.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memhive-packages-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const execute = promisify(execFile);
let missing: string | undefined;
let node22 = "";

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const env = { ...process.env, npm_config_update_notifier: "false", MEMHIVE_URL: "" };
  const { stdout } = await execute(command, args, { cwd, env, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

/** A new folder with these packages in it. */
async function install(name: string, packages: string[]): Promise<string> {
  const target = join(folder, name);
  mkdirSync(target);
  writeFileSync(join(target, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--no-fund", "--no-audit", "--prefer-offline", ...packages], target);
  return target;
}

before(async () => {
  await run(process.execPath, [join(ROOT, "scripts", "build.ts"), folder], ROOT);
  for (const name of ["memhive", "memhive-server"]) {
    await run("npm", ["pack", "--pack-destination", folder], join(folder, name));
  }
  try {
    const target = await install("node-22", ["node@22"]);
    node22 = join(target, "node_modules", "node", "bin", "node");
    assert.match(await run(node22, ["--version"], target), /^v22\./);
  } catch (error) {
    missing = `the registry cannot be reached: ${String(error).split("\n")[0]}`;
    if (process.env["CI"] === "true") throw error;
  }
});

/** pino, and what it brings. */
const PINO: readonly string[] = [
  "@pinojs",
  "atomic-sleep",
  "on-exit-leak-free",
  "pino",
  "pino-abstract-transport",
  "pino-std-serializers",
  "process-warning",
  "quick-format-unescaped",
  "real-require",
  "safe-stable-stringify",
  "sonic-boom",
  "split2",
  "thread-stream",
];

/** What suggestions by edit distance bring. */
const SUGGEST = ["mnemonist", "obliterator"];

const tarball = (name: string): string => join(folder, `${name}-0.1.0.tgz`);

const PROGRAM = `
import { connect, HiveError, isHiveError } from "memhive";
import { Hive, HiveError as TheirError } from "memhive-server";

if (HiveError !== TheirError) throw new Error("two classes of one name");
await using hive = await Hive.start({ port: 0 });
await using embedded = await connect(hive);
await using client = await connect(\`hive://127.0.0.1:\${hive.port}\`);
const users = client.table("users");
await users.set("ada", { born: 1815 });
console.log(JSON.stringify(await embedded.table("users").get("ada")));
try {
  await client.get("users");
} catch (error) {
  console.log(isHiveError(error), error.code);
}
`;

const TYPED_PROGRAM = `
import { connect, type Table } from "memhive";
import { Hive, ManualClock } from "memhive-server";
import { type HiveCalls, Structure } from "memhive-server/structure";
import { Fifo } from "memhive-server/structures";

class Stack extends Structure {
  items: unknown[] = [];
  static STACKADD(hive: HiveCalls, key: string, value: unknown): number {
    return hive.open(Stack, key).items.push(value);
  }
}

type User = { born: number };
const clock = new ManualClock();
const hive = await Hive.start({ listen: false, clock, structures: [Fifo, Stack] });
const client = await connect(hive);
const pushed: number = await client.structure<typeof Stack>("Stack").STACKADD("s", 1);
await client.structure<typeof Fifo>("Fifo").FIFOADD("q", pushed);
const users: Table<User> = client.table<User>("users");
await users.set("ada", { born: 1815 }, { ttlMs: 1_000 });
const ada: User | undefined = await users.get("ada");
// @ts-expect-error: a value is a User
const wrong: () => Promise<void> = () => users.set("x", { born: "1815" });
clock.advance(1_000);
console.log(ada?.born, await users.get("ada"), typeof wrong);
await client.close();
await hive.close();
`;

/** What is run; Node 22 has no \`await using\` before 24, which compilers write out. */
function forNode22(program: string): string {
  return (
    program.replaceAll("await using ", "const ") +
    "\nawait client.close(); await embedded.close(); await hive.close();\n"
  );
}

test("the client alone is one package, and says clearly that there is no hive", async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const target = await install("client", [tarball("memhive")]);
  const installed = readdirSync(join(target, "node_modules")).filter((name) => !name.startsWith("."));
  assert.deepEqual(installed, ["memhive"]);
  const program = `import { connect } from "memhive";
    await connect("hive://127.0.0.1:1").catch((error) => console.log(error.code, error.message));`;
  writeFileSync(join(target, "main.js"), program);
  for (const node of [node22, process.execPath]) {
    assert.match(
      await run(node, ["main.js"], target),
      /^CONNECTION_LOST cannot connect to hive:\/\/127\.0\.0\.1:1: .*memhive serve/,
    );
  }
});

test("memhive/ship says what to install, and ships once it is", async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const target = await install("ship", [tarball("memhive")]);
  writeFileSync(
    join(target, "main.js"),
    `import { revive, ship } from "memhive/ship";
    const rate = 2;
    try {
      console.log(revive(ship((n) => n * rate, { bindings: { rate } }))(21));
    } catch (error) {
      console.log(error.code, error.message);
    }`,
  );
  const advice = "UNSUPPORTED ship() needs the package acorn: npm install acorn eslint-scope\n";
  for (const node of [node22, process.execPath]) assert.equal(await run(node, ["main.js"], target), advice);
  await run("npm", ["install", "--no-fund", "--no-audit", "--prefer-offline", "acorn", "eslint-scope"], target);
  for (const node of [node22, process.execPath]) assert.equal(await run(node, ["main.js"], target), "42\n");
});

test("memhive/express is there for whoever has express-session, and nobody else needs it", async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const target = await install("express", [tarball("memhive"), "express-session"]);
  const program = `import { HiveStore } from "memhive/express";
    import { Store } from "express-session";
    console.log(new HiveStore({ client: undefined }) instanceof Store);`;
  writeFileSync(join(target, "main.js"), program);
  for (const node of [node22, process.execPath]) assert.equal(await run(node, ["main.js"], target), "true\n");
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(join(folder, "memhive", "package.json"), "utf8"),
  );
  assert.deepEqual(Object.keys(peerDependencies), ["acorn", "eslint-scope", "express-session", "koffi"]);
  assert.deepEqual(peerDependenciesMeta["express-session"], { optional: true });
});

test("client and hive together run from JavaScript and TypeScript, on Node 22 and 24", async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const target = await install("both", [tarball("memhive"), tarball("memhive-server")]);
  const installed = readdirSync(join(target, "node_modules"))
    .filter((name) => !name.startsWith("."))
    .sort();
  const direct = ["commander", "memhive", "memhive-server", "re2js", "ws"];
  assert.deepEqual(installed, [...direct, ...PINO, ...SUGGEST].sort());
  writeFileSync(join(target, "main.js"), PROGRAM);
  writeFileSync(join(target, "main22.js"), forNode22(PROGRAM));
  writeFileSync(join(target, "typed.ts"), TYPED_PROGRAM);
  const expected = '{"born":1815}\ntrue WRONG_TYPE\n';
  assert.equal(await run(process.execPath, ["main.js"], target), expected);
  assert.equal(await run(node22, ["main22.js"], target), expected);

  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  const options = ["--module", "nodenext", "--target", "es2022", "--strict", "--skipLibCheck", "--outDir", "out"];
  const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules", "@types")];
  await run(tsc, [...options, ...types, "typed.ts"], target);
  for (const node of [node22, process.execPath]) {
    assert.equal(await run(node, ["out/typed.js"], target), "1815 undefined function\n");
    assert.equal(await run(node, ["typed.ts"], target), "1815 undefined function\n");
  }
});

test("the memhive command of the installed package serves and answers", async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const target = join(folder, "both");
  const command = join(target, "node_modules", ".bin", "memhive");
  assert.equal(await run(command, ["--version"], target), "0.1.0\n");
  const socket = join(folder, "hive.sock");
  const serving = execFile(command, ["serve", "--no-tcp", "--unix", socket], { cwd: target });
  try {
    await new Promise((resolve) => serving.stdout!.once("data", resolve));
    await run(command, ["set", "greeting", "hello", "--url", `unix:${socket}`], target);
    assert.equal(await run(command, ["get", "greeting", "--url", `unix:${socket}`], target), "hello\n");
  } finally {
    serving.kill("SIGTERM");
    await new Promise((resolve) => serving.once("exit", resolve));
  }
  assert.equal(serving.exitCode, 0);
});

test("what the packages import stands in their manifests, and nothing else does", () => {
  const manifest = (name: string) => JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8"));
  assert.deepEqual(manifest("memhive").dependencies, {});
  const { peerDependencies, peerDependenciesMeta, exports } = manifest("memhive");
  assert.deepEqual(Object.keys(peerDependencies), ["acorn", "eslint-scope", "express-session", "koffi"]);
  for (const name of Object.keys(peerDependencies)) assert.deepEqual(peerDependenciesMeta[name], { optional: true });
  assert.deepEqual(Object.keys(exports).slice(0, 2), [".", "./ship"]);
  assert.deepEqual(Object.keys(manifest("memhive-server").dependencies), [
    "commander",
    "memhive",
    "mnemonist",
    "pino",
    "re2js",
    "ws",
  ]);
  assert.equal(manifest("memhive-server").dependencies.memhive, manifest("memhive").version);
});

test("the server brings the schema of its settings and what runs it as a service", () => {
  const folderOf = (name: string): string[] => readdirSync(join(folder, "memhive-server", name)).sort();
  assert.deepEqual(folderOf("deploy"), ["Containerfile", "memhive.json", "memhive.service"]);
  const schema = readFileSync(join(folder, "memhive-server", "memhive.schema.json"), "utf8");
  assert.equal(schema, readFileSync(join(ROOT, "docs", "memhive.schema.json"), "utf8"));
});
