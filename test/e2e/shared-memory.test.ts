// Shared memory where something is missing: room, koffi, /dev/shm, the right user, or a hive that was killed before.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect, isHiveError } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { ServedHive } from "../kit/served-hive.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-shared-"));
const shm = mkdtempSync("/dev/shm/test-");
after(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(shm, { recursive: true, force: true });
});

const url = (path: string): string => new URL(path, import.meta.url).href;
const NO_KOFFI: readonly string[] = ["--import", url("../kit/without-koffi.ts")];

/** What a program says that connects to `port`, by a process of its own. */
async function say(
  port: number,
  expression: string,
  options: { args?: readonly string[]; uid?: number } = {},
): Promise<string> {
  const program = `import { connect } from ${JSON.stringify(url("../../src/client/node.ts"))};
    const hive = await connect("hive://127.0.0.1:${port}");
    console.log(${expression});
    await hive.close();`;
  const args = [...(options.args ?? []), "--input-type=module", "--eval", program];
  const uid = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid, cwd: "/" };
  const { stdout } = await promisify(execFile)(process.execPath, args, uid);
  return stdout.trim();
}

function cannotMount(): string | undefined {
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", folder], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs unshare -m and mount (root), for a /dev/shm that is small";
  }
}

/** A shell script that gives what it runs a /dev/shm of this size. */
const smallShm = (size: string): string =>
  `exec unshare -m sh -c 'mount -t tmpfs -o size=${size} none /dev/shm && exec "$@"' sh "$@"`;

test("a /dev/shm with too little room is refused before anything is written, with what is needed", async (t) => {
  const reason = cannotMount();
  if (reason !== undefined) return t.skip(reason);
  await assert.rejects(ServedHive.start(["--shared"], { within: smallShm("8m") }), (error: Error) => {
    assert.match(error.message, /ended with 1: /);
    assert.match(error.message, /\/dev\/shm has 8\.0 MiB free and 16 MiB are needed at least: give it more/);
    return true;
  });
  await assert.rejects(ServedHive.start(["--shared", "--max-memory", "64mb"], { within: smallShm("64m") }), {
    message: /has 64 MiB free and 96 MiB are needed for maxMemoryBytes 67108864/,
  });
});

test("a /dev/shm that fills up while the hive runs is an error of the call, and everything goes on", async (t) => {
  const reason = cannotMount();
  if (reason !== undefined) return t.skip(reason);
  await using hive = await ServedHive.start(["--shared"], { within: smallShm("24m") });
  await using client = await connect(`hive://127.0.0.1:${hive.port}`);
  const value = "x".repeat(100_000);
  let stored = 0;
  const failure: unknown = await (async () => {
    for (; stored < 1000; stored++) await client.put(`key ${stored}`, `${stored} ${value}`);
  })().catch((error) => error);
  assert.ok(isHiveError(failure));
  assert.equal(failure.code, "OUT_OF_MEMORY");
  assert.match(failure.message, /MiB more of shared memory are needed, and \/dev\/shm has .* free: give it more/);
  assert.ok(stored > 150, `${stored} values were stored`);
  for (let i = 0; i < stored; i++) assert.ok(((await client.get<string>(`key ${i}`)) ?? "").startsWith(`${i} `));
  for (let i = 0; i < 20; i++) await client.delete(`key ${i}`);
  await client.put("again", value);
  assert.equal(await client.get("again"), value);
});

test("without koffi a hive says what to install, and a client asks the hive", async () => {
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [...NO_KOFFI, fileURLToPath(url("../../src/cli/main.ts")), "serve", "--port", "0", "--shared"],
    { env: { ...process.env, NODE_OPTIONS: "" } },
  ).catch((error: { stderr: string }) => error);
  assert.match(stderr, /memhive: shared memory needs the package koffi: npm install koffi/);
  await using hive = await Hive.start({ port: 0, shared: true });
  await using client = await connect(hive);
  await client.put("k", "v");
  const said = await say(hive.port, `await hive.get("k"), hive.shared.on, hive.shared.why`, { args: NO_KOFFI });
  assert.equal(said, "v false shared memory needs the package koffi: npm install koffi");
});

test("another user asks the hive", async (t) => {
  if (process.getuid!() !== 0) return t.skip("only root can run a program as another user");
  await using hive = await Hive.start({ port: 0, shared: true });
  await using client = await connect(hive);
  await client.put("k", "v");
  const said = await say(hive.port, `await hive.get("k"), hive.shared.on, hive.shared.why`, { uid: 65534 });
  assert.match(said, /^v false \S+: the hive runs as another user$/);
});

test("without a tmpfs there is no shared memory, and the error says how there is", async () => {
  for (const sharedFolder of [folder, join(folder, "none")]) {
    await assert.rejects(Hive.start({ port: 0, shared: true, sharedFolder }), {
      code: "REFUSED_SETTING",
      message: `shared: ${sharedFolder} is no tmpfs: memory is shared in one (mount one, and name it by sharedFolder)`,
    });
  }
});

test("what a killed hive left is removed by the next one, what another one has is not", async () => {
  const flags = ["--shared", "--shared-folder", shm];
  await using other = await ServedHive.start(flags);
  const kept = readdirSync(shm);
  {
    await using killed = await ServedHive.start(flags);
    assert.equal(readdirSync(shm).length, 2);
    killed.child.kill("SIGKILL");
    await killed.ended;
  }
  assert.equal(readdirSync(shm).length, 2);
  // A folder that a hive is about to lock stays, one that was never locked goes.
  mkdirSync(join(shm, "memhive-new"));
  mkdirSync(join(shm, "memhive-old"));
  utimesSync(join(shm, "memhive-old"), 1, 1);
  mkdirSync(join(shm, "someone-else"));
  const next = await ServedHive.start(flags);
  const names = readdirSync(shm);
  assert.equal(names.length, 4);
  for (const name of [...kept, "memhive-new", "someone-else"]) assert.ok(names.includes(name), name);
  assert.equal(await next.stop(), 0);
  assert.deepEqual(readdirSync(shm).sort(), [...kept, "memhive-new", "someone-else"].sort());
  await using client = await connect(`hive://127.0.0.1:${other.port}`);
  assert.equal(client.shared.on, true);
});

test("files are for their user alone", async () => {
  const place = join(shm, "modes");
  mkdirSync(place);
  chmodSync(place, 0o777);
  await using hive = await Hive.start({ port: 0, shared: true, sharedFolder: place });
  assert.ok(hive.port > 0);
  const listing = execFileSync("find", [place, "-mindepth", "1", "-printf", "%m %y\n"], { encoding: "utf8" });
  assert.deepEqual([...new Set(listing.trim().split("\n"))].sort(), ["600 f", "700 d"]);
});
