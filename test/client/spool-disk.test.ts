// SpoolDisk: readings outlive the process, whatever a write has left behind.

import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { crc32 } from "node:zlib";
import { ManualTimers } from "../../src/base/timers.ts";
import { SpoolDisk } from "../../src/client/spool-disk.ts";
import { freshMarks, type OpenedSpool } from "../../src/client/spool-keeper.ts";
import type { Reading } from "../../src/client/spool-readings.ts";
import { code, folderOf, line } from "../kit/spool-line.ts";

test("readings in a folder outlive the client, and none is stored twice", async (t) => {
  const dir = join(folderOf(t), "deep", "spool");
  const way = await line(t);
  const first = await way.connect({ bytesMax: 1_000_000, dir, syncMs: 0 });
  for (let i = 0; i < 50; i++) await first.device("d").put(`${i}`, i);
  await assert.rejects(way.connect({ bytesMax: 1_000_000, dir }), /REFUSED_SETTING|process \d+ uses it already/);
  await first.close();
  await assert.rejects(first.device("d").put("late", 1), code("HIVE_CLOSED"));
  await way.start();
  const second = await way.connect({ bytesMax: 1_000_000, dir });
  await second.device("d").put("50", 50);
  await second.spool.drained();
  const { accepted, acknowledged, waiting } = second.spool.stats();
  assert.deepEqual([accepted, acknowledged, waiting], [51, 51, 0]);
  await second.close();
  const third = await way.connect({ bytesMax: 1_000_000, dir });
  assert.equal(third.spool.stats().accepted, 51, "the figures are those of the folder");
  assert.equal((await third.device("d").labels()).length, 51);
  await third.close();
});

test("a torn tail is cut off, and what was left by a process that died is taken over", async (t) => {
  const dir = join(folderOf(t), "spool");
  const way = await line(t);
  const first = await way.connect({ bytesMax: 1_000_000, dir });
  for (let i = 0; i < 5; i++) await first.device("d").put(`${i}`, i);
  await first.close();
  const file = join(dir, readdirSync(dir).find((name) => name.endsWith(".spool"))!);
  const whole = readFileSync(file);
  // Our own id, in a lock that this process has not: of one that had it before, in another container.
  writeFileSync(join(dir, "lock"), `${process.pid} 1\n`);
  // Each end that a write may have: fewer readings, never other ones, and none that was whole is missing.
  for (let size = whole.length; size > 0; size -= 7) {
    writeFileSync(file, whole.subarray(0, size));
    const client = await way.connect({ bytesMax: 1_000_000, dir });
    assert.ok(client.spool.stats().waiting <= 5);
    assert.equal(client.spool.stats().damaged, 0);
    await client.close();
  }
  // Zeros are what many file systems have in place of what a loss of power took; others are no record, with a good sum.
  const noValue = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xc1]);
  noValue.writeUInt32LE(crc32(noValue.subarray(8)), 4);
  const noRecord = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 7]);
  noRecord.writeUInt32LE(crc32(noRecord.subarray(8)), 4);
  for (const tail of [Buffer.alloc(8), Buffer.alloc(4096), Buffer.alloc(13), noValue, noRecord]) {
    writeFileSync(file, Buffer.concat([whole, tail]));
    const client = await way.connect({ bytesMax: 1_000_000, dir });
    assert.deepEqual([client.spool.stats().waiting, client.spool.stats().damaged], [5, 0]);
    await client.close();
  }
  writeFileSync(file, whole);
  appendFileSync(file, Buffer.from([200, 0, 0, 0, 1, 2, 3, 4, 5]));
  const client = await way.connect({ bytesMax: 1_000_000, dir });
  assert.equal(client.spool.stats().waiting, 5);
  await way.start();
  await client.device("d").put("5", 5);
  await client.spool.drained();
  assert.deepEqual((await client.device("d").labels()).sort(), ["0", "1", "2", "3", "4", "5"]);
  await client.close();
});

test("many puts at once into a folder that is full drop what came first, as they do in memory", async (t) => {
  const way = await line(t);
  const client = await way.connect({ bytesMax: 16 * 1024, dir: join(folderOf(t), "spool") });
  const device = client.device("d");
  await Promise.all(Array.from({ length: 1000 }, (_, i) => device.put(`${i}`, i)));
  const { accepted, dropped, waiting } = client.spool.stats();
  assert.deepEqual([accepted, dropped + waiting, waiting > 100], [1000, 1000, true]);
  await way.start();
  await client.spool.drained();
  const labels = (await device.labels()).map(Number).sort((a, b) => a - b);
  assert.deepEqual(
    labels,
    Array.from({ length: waiting }, (_, i) => dropped + i),
  );
  await client.close();
});

test("a disk that takes nothing more rejects the put, and what was kept before is sent", async (t) => {
  const dir = join(folderOf(t), "spool");
  const way = await line(t);
  const client = await way.connect({ bytesMax: 1_000_000, dir, syncMs: 0 });
  for (let i = 0; i < 400; i++) await client.device("d").put(`${i}`, Buffer.alloc(300));
  // The next file cannot be made.
  rmSync(dir, { recursive: true });
  let failed = 0;
  for (let i = 0; i < 400; i++) {
    await client
      .device("d")
      .put(`more ${i}`, Buffer.alloc(300))
      .catch((error) => {
        assert.ok(code("OVERLOADED")(error) && /cannot write to .*spool/.test(error.message), String(error));
        failed++;
      });
  }
  assert.ok(failed > 0);
  assert.equal(client.spool.stats().accepted, 800 - failed);
  mkdirSync(dir);
  await client.device("d").put("last", 1);
  await way.start();
  await client.spool.drained();
  assert.equal((await client.device("d").labels()).length, 801 - failed);
  await client.close();
});

test("files go when nothing of them is wanted, and one that is damaged is told of", async (t) => {
  const dir = join(folderOf(t), "spool");
  const way = await line(t);
  const first = await way.connect({ bytesMax: 1_000_000, dir });
  for (let i = 0; i < 300; i++) await first.device("d").put(`${i}`, Buffer.alloc(1000, i));
  await first.close();
  const files = readdirSync(dir).sort();
  assert.ok(files.length >= 3, String(files));
  const damaged = join(dir, files[0]!);
  const bytes = readFileSync(damaged);
  bytes[statSync(damaged).size >> 1]! ^= 1;
  writeFileSync(damaged, bytes);
  const second = await way.connect({ bytesMax: 1_000_000, dir });
  const { waiting } = second.spool.stats();
  assert.equal(second.spool.stats().damaged, 1);
  assert.ok(waiting > 200 && waiting < 300, `${waiting} are left`);
  await way.start();
  await second.spool.drained();
  await second.device("d").put("last", 1);
  await second.spool.drained();
  await second.close();
  assert.deepEqual(readdirSync(dir), files.slice(-1));
  truncateSync(join(dir, files.at(-1)!), 3);
  const third = await way.connect({ bytesMax: 1_000_000, dir });
  assert.equal(third.spool.stats().accepted, 0, "a folder without a good file begins anew");
  await third.close();
});

// The disk alone.

const READING_BYTES = 10_000;

function reading(sequence: number): Reading {
  const item = (bytes: Buffer) => ({ kind: 1, bytes });
  return {
    sequence,
    atMs: 1,
    device: "d",
    label: item(Buffer.from("l")),
    value: item(Buffer.alloc(READING_BYTES)),
    ttlMs: 0,
  };
}

function openDisk(dir: string, syncMs: number, timers: ManualTimers = new ManualTimers()): Promise<OpenedSpool> {
  return SpoolDisk.open({ dir, bytesMax: 1_000_000, syncMs, timers }, { producer: "p", marks: freshMarks() });
}

/** Puts `count` readings behind those that are there, a write each. */
async function keep({ keeper, marks }: OpenedSpool, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    keeper!.append(reading(++marks.last));
    keeper!.mark(marks);
    await keeper!.flush();
  }
}

function spoolFiles(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith(".spool"));
}

/** What every open file inherits its methods from: a disk that fails is made there. */
async function fileMethods(t: TestContext): Promise<FileHandle> {
  const handle = await open(join(folderOf(t), "any"), "w");
  const methods = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  return methods;
}

test("a put that was rejected is not there at the next start, whatever of its write had come to the file", async (t) => {
  const methods = await fileMethods(t);
  const { appendFile } = methods;
  const half = async function (this: FileHandle, bytes: Buffer): Promise<void> {
    await appendFile.call(this, bytes.subarray(0, bytes.length - 3));
    throw new Error("ENOSPC");
  };
  const whole = async function (this: FileHandle, bytes: Buffer): Promise<void> {
    await appendFile.call(this, bytes);
    throw new Error("EIO");
  };
  const failures: [name: "appendFile" | "datasync", run: () => Promise<void>][] = [
    ["datasync", () => Promise.reject(new Error("EIO"))],
    ["appendFile", half as () => Promise<void>],
    ["appendFile", whole as () => Promise<void>],
  ];
  for (const [name, run] of failures) {
    const dir = join(folderOf(t), "spool");
    const first = await openDisk(dir, 0);
    await keep(first, 3);
    const failing = t.mock.method(methods, name, run);
    await assert.rejects(keep(first, 1), code("OVERLOADED"));
    failing.mock.restore();
    await keep(first, 1);
    await first.keeper!.close();
    const { readings, damaged, keeper } = await openDisk(dir, 0);
    assert.deepEqual([readings.map(({ sequence }) => sequence), damaged], [[1, 2, 3, 5], 0], `${name} ${run.name}`);
    await keeper!.close();
  }
});

test("a file whose head could not be written is in nobody's way", async (t) => {
  const methods = await fileMethods(t);
  const dir = join(folderOf(t), "spool");
  const disk = await openDisk(dir, 0);
  await keep(disk, 7);
  const failing = t.mock.method(methods, "appendFile", () => Promise.reject(new Error("ENOSPC")));
  for (let i = 0; i < 3; i++) await assert.rejects(keep(disk, 1), code("OVERLOADED"));
  failing.mock.restore();
  await keep(disk, 1);
  await disk.keeper!.close();
  const again = await openDisk(dir, 0);
  assert.equal(again.readings.length, 8);
  await again.keeper!.close();
});

test("a file goes when the marks on the disk want nothing of it, and not by those of the process", async (t) => {
  const methods = await fileMethods(t);
  const dir = join(folderOf(t), "spool");
  const disk = await openDisk(dir, 1_000);
  await keep(disk, 30);
  const before = spoolFiles(dir);
  assert.ok(before.length >= 3);
  const { appendFile } = methods;
  const forgetting = t.mock.method(methods, "appendFile", function (this: FileHandle, bytes: Buffer) {
    // While the marks of before are on their way to the disk, all is acknowledged.
    Object.assign(disk.marks, { from: disk.marks.last + 1, waitFrom: disk.marks.last + 1, acknowledged: 30 });
    return appendFile.call(this, bytes);
  });
  disk.keeper!.mark(disk.marks);
  await disk.keeper!.flush();
  forgetting.mock.restore();
  assert.deepEqual(spoolFiles(dir), before, "the disk still says that they wait");

  const { datasync } = methods;
  const seen: number[] = [];
  const syncing = t.mock.method(methods, "datasync", function (this: FileHandle) {
    seen.push(spoolFiles(dir).length);
    return datasync.call(this);
  });
  disk.keeper!.mark(disk.marks);
  await disk.keeper!.flush();
  syncing.mock.restore();
  assert.deepEqual([spoolFiles(dir).length, seen], [1, [before.length]], "the marks are synced before files go");
  await disk.keeper!.close();
});
