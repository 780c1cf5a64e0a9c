// Snapshots of a hive in a process of its own: what survives, and what happens when the disk does not play along.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { ServedHive } from "../kit/served-hive.ts";
import { tortureSnapshots } from "../torture/snapshot-kills.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-snapshots-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function place(name: string): string {
  return join(folder, name);
}

function dial(hive: ServedHive): ReturnType<typeof connect> {
  return connect(`hive://127.0.0.1:${hive.port}`, { reconnect: false });
}

test("a hive that is stopped stores a snapshot, and one that starts has it", async () => {
  const path = place("stopped");
  {
    await using hive = await ServedHive.start(["--snapshots", path]);
    await using client = await dial(hive);
    await client.put("text", "hello");
    await client.put("value", { born: 1815 });
    await client.put("soon gone", 1, { ttlMs: 1 });
    await client.table("users").set("ada", { born: 1815 });
    for (let i = 0; i < 200; i++) await client.setOf<number>("seen").push(i);
    assert.equal(await hive.stop(), 0);
    assert.match(hive.notices, /snapshot stored {2}name=auto-\S+ keys=4/);
  }
  await using hive = await ServedHive.start(["--snapshots", path]);
  await using client = await dial(hive);
  assert.equal(await client.get("text"), "hello");
  assert.deepEqual(await client.get("value"), { born: 1815 });
  assert.deepEqual(await client.table("users").get("ada"), { born: 1815 });
  assert.equal(await client.setOf("seen").size(), 200);
  assert.equal(await client.exists("soon gone"), false);
  const info = await client.info("persistence");
  assert.equal(info["persistence"]!["rdb_last_bgsave_status"], "ok");
});

test("SHUTDOWN NOSAVE and --no-snapshot-at-close store none, SHUTDOWN SAVE one all the same", async () => {
  const path = place("shutdown");
  const stored = async (args: string[], shutdown: string[]): Promise<number> => {
    await using hive = await ServedHive.start(["--snapshots", path, ...args]);
    const client = await dial(hive);
    await client.put("k", Math.random());
    const before = readdirSync(path).length;
    await client.send(["SHUTDOWN", ...shutdown]).catch(() => {});
    assert.equal(await hive.ended, 0);
    await client.close({ graceMs: 0 });
    return readdirSync(path).length - before;
  };
  assert.equal(await stored([], ["NOSAVE"]), 0);
  assert.equal(await stored(["--no-snapshot-at-close"], []), 0);
  assert.equal(await stored(["--no-snapshot-at-close"], ["SAVE"]), 1);
});

test("names stay in the folder, and links are not followed", async () => {
  const path = place("names");
  await using hive = await ServedHive.start(["--snapshots", path]);
  await using client = await dial(hive);
  for (const name of ["../out", "a/b", "", ".hidden", "x".repeat(101), "a\0b"]) {
    await assert.rejects(client.snapshot.store(name), { code: "INVALID_ARGUMENT" }, name);
    await assert.rejects(client.snapshot.restore(name), { code: "INVALID_ARGUMENT" }, name);
  }
  symlinkSync("/etc/passwd", join(path, "link.memhive"));
  await assert.rejects(client.snapshot.restore("link"), { code: "SNAPSHOT_FAILED", message: /it is a link/ });
  assert.deepEqual(await client.snapshot.list(), [], "nor are they listed");
  await assert.rejects(client.snapshot.restore("none"), { code: "NO_SNAPSHOT" });
  await client.snapshot.store("mine");
  await assert.rejects(client.snapshot.store("mine"), { code: "INVALID_ARGUMENT", message: /already/ });
  await client.snapshot.remove("mine");
  assert.deepEqual(await client.snapshot.list(), []);
});

test("a hive does not start from a snapshot that is damaged, and says which and why", async () => {
  const path = place("damaged");
  mkdirSync(path);
  writeFileSync(join(path, "bad.memhive"), "this is no snapshot, whatever its name says");
  await assert.rejects(ServedHive.start(["--snapshots", path]), /ended with 1: .*bad is refused: it has 43 bytes/s);
  await using hive = await ServedHive.start(["--snapshots", path, "--snapshot-from", "none"]);
  await using client = await dial(hive);
  await client.put("k", "v");
  await assert.rejects(client.snapshot.restore("bad"), { code: "BAD_SNAPSHOT" });
  assert.equal(await client.get("k"), "v", "the memory is as it was");
});

test("a damaged snapshot takes no more memory than four times its size", async (t) => {
  const path = place("memory");
  await using hive = await ServedHive.start(["--snapshots", path]);
  await using client = await dial(hive);
  for (let i = 0; i < 400; i++) await client.put(`k${i}`, randomBytes(100_000));
  const { bytes } = await client.snapshot.store("whole");
  const whole = readFileSync(join(path, "whole.memhive"));
  await client.send(["FLUSHALL"]);
  await client.ping();
  // What loading and storing took at the most is not what a damaged one takes.
  hive.resetPeak();
  const before = hive.memoryBytes();
  for (let run = 0; run < 12; run++) {
    const damaged = Buffer.from(whole);
    // Late in the file, so that most of it was read before.
    damaged[whole.length - 1 - run * 1000]! ^= 255;
    writeFileSync(join(path, "damaged.memhive"), damaged);
    await assert.rejects(client.snapshot.restore("damaged"), { code: "BAD_SNAPSHOT" });
  }
  const grown = hive.memoryBytes("VmHWM") - before;
  t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB, at most ${(grown / 1e6).toFixed(1)} MB more`);
  assert.ok(grown <= bytes * 4);
});

/** Mounts need a namespace of their own, which only root may have in most places. */
function reasonToSkip(): string | false {
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", folder], { stdio: "ignore" });
    return false;
  } catch {
    return "needs unshare -m and mount (root), for a disk that is full";
  }
}
const skip = reasonToSkip();

test("a full disk, a read-only one and a folder that disappears: an error that says so, and the old snapshot", {
  skip,
}, async () => {
  const path = place("full");
  mkdirSync(path);
  // The hive sees a small disk of its own, which a second process in its namespace can change.
  const within = `exec unshare -m sh -c 'mount -t tmpfs -o size=3m none "$0" && exec "$@"' "${path}" "$@"`;
  await using hive = await ServedHive.start(["--snapshots", join(path, "kept")], { within });
  await using client = await dial(hive);
  const inside = (command: string): void => {
    execFileSync("nsenter", ["-m", "-t", `${hive.child.pid}`, "sh", "-c", command], { stdio: "pipe" });
  };
  await client.put("small", "1");
  await client.snapshot.store("old");
  for (let i = 0; i < 60; i++) await client.put(`k${i}`, randomBytes(100_000));

  await assert.rejects(client.snapshot.store("new"), {
    code: "SNAPSHOT_FAILED",
    message: /the disk is full: make room/,
  });
  assert.deepEqual(
    (await client.snapshot.list()).map(({ name }) => name),
    ["old"],
  );
  const status = await client.snapshot.status();
  assert.match(status.lastFailure, /full/);
  assert.equal((await client.info("persistence"))["persistence"]!["rdb_last_bgsave_status"], "err");

  inside(`mount -o remount,ro "${path}"`);
  await assert.rejects(client.snapshot.store("new"), { code: "SNAPSHOT_FAILED", message: /read-only/ });
  inside(`mount -o remount,rw "${path}"`);

  inside(`mv "${path}/kept" "${path}/away"`);
  await assert.rejects(client.snapshot.store("new"), { code: "SNAPSHOT_FAILED", message: /the folder is gone/ });
  inside(`mv "${path}/away" "${path}/kept"`);
  await client.send(["FLUSHALL"]);
  assert.equal((await client.snapshot.restore("old")).keys, 1, "the old one is untouched");
  assert.equal(await client.get("small"), "1");

  await client.send(["CONFIG", "RESETSTAT"]);
  for (let i = 0; i < 60; i++) await client.put(`k${i}`, randomBytes(100_000));
  assert.equal(await hive.stop(), 1, "a hive whose last snapshot fails says so with its exit code");
  assert.match(hive.notices, /full/);
});

test("killed in the middle of stores, it comes back with a whole snapshot", async (t) => {
  const result = await tortureSnapshots({ seed: Date.now() % 1_000_000, kills: 4, keys: 20_000, note() {} });
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.wrong, []);
  assert.ok(result.writes > 0);
});
