// Structures whose code is wrong, or is used at the wrong time: whole or not at all, and the hive lives on.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Client } from "../../src/client/node.ts";
import { Fifo } from "../../src/structures/fifo.ts";
import { type HiveCalls, Structure } from "../../src/structures/index.ts";
import { encode } from "../../src/wire/value.ts";
import { startNoticed } from "../kit/noticed-hive.ts";
import { RespClient, type RespError } from "../kit/resp-client.ts";

/** What a test has to let go on. */
let release: () => void = () => {};
let later: Promise<void> = Promise.resolve();
function hold(): void {
  later = new Promise((resolve) => {
    release = resolve;
  });
}
/** What code behind an await came to. */
const outcomes: unknown[] = [];

class Odd extends Structure {
  static override reads: readonly string[] = ["ODD_N", "ODD_LIE"];
  static override args = {
    ODD_PARSED: {
      key: { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } },
      json: {
        "~standard": { version: 1, vendor: "test", validate: (text: unknown) => ({ value: JSON.parse(String(text)) }) },
      },
    },
  } as never;
  n = 0;
  at: unknown = 0;

  static ODD_SET(hive: HiveCalls, key: string, n: unknown): number {
    hive.open(Odd, key).n = Number(n);
    return Number(n);
  }

  static ODD_RESET(hive: HiveCalls, key: string): void {
    hive.play("DEL", key);
    hive.open(Odd, key).n = -1;
    throw new Error("after all not");
  }

  static ODD_MOVED(hive: HiveCalls, key: string): void {
    hive.open(Odd, key).n = 5;
    hive.play("COPY", key, `${key}:copy`, "REPLACE");
    hive.play("RENAME", key, `${key}:moved`);
  }

  static ODD_PARSED(_hive: HiveCalls, _key: string, json: unknown): unknown {
    return json;
  }

  static ODD_THROW(_hive: HiveCalls, what: string): unknown {
    if (what === "nothing") throw Object.create(null);
    if (what === "getter") throw Object.defineProperty({}, "message", { get: () => Odd.ODD_THROW(_hive, "nothing") });
    throw undefined;
  }

  static ODD_CYCLE(): unknown {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    return cycle;
  }

  static async ODD_CYCLE_LATER(): Promise<unknown> {
    await Promise.resolve();
    return Odd.ODD_CYCLE();
  }

  static ODD_PROMISE(hive: HiveCalls, key: string): Promise<unknown> {
    hive.open(Odd, key).n = 8;
    return later.then(() => {
      try {
        outcomes.push(hive.play("SET", "late", "x"));
      } catch (error) {
        outcomes.push((error as { code: string }).code);
      }
      throw new Error("later");
    });
  }

  static ODD_PUBLISH(hive: HiveCalls, fails: unknown): unknown {
    const reached = hive.play("PUBLISH", "odd", "message");
    if (fails === "yes") throw new Error("no");
    return reached;
  }

  static ODD_RESERVED(hive: HiveCalls, key: string): void {
    hive.open(Odd, key);
  }

  static ODD_FLUSH(hive: HiveCalls): unknown {
    return hive.play("FLUSHALL");
  }

  static async ODD_KEPT(hive: HiveCalls, key: string): Promise<void> {
    const odd = hive.open(Odd, key);
    await later;
    odd.n += 100;
  }

  ODD_N(): number {
    return this.n;
  }

  ODD_LIE(): void {
    this.n = 1;
  }

  ODD_INSIDE(): number {
    this.hive.play("ODD_N", this.key);
    this.hive.play("SET", "inside", "x");
    return this.n;
  }

  async ODD_HIVE(): Promise<unknown> {
    await later;
    return this.hive.play("GET", "secret");
  }
}

/** Whose encoding fails when it is told to. */
class Stubborn extends Structure {
  static override undo = false;
  n = 0;
  broken = false;

  static STUB_SET(hive: HiveCalls, key: string, n: unknown, broken: unknown): void {
    const stub = hive.open(Stubborn, key);
    stub.n = Number(n);
    stub.broken = broken === "broken";
  }

  STUB_N(): number {
    return this.n;
  }

  override encode(): unknown {
    if (this.broken) throw new RangeError("not now");
    return this.n;
  }

  override decode(state: unknown): void {
    if (state === "poison") throw new TypeError("cannot be read");
    this.n = Number(state);
  }
}

test("a key that a failed command had deleted and made anew is what it was", async () => {
  await using given = await startNoticed({ structures: [Odd] });
  const { db } = given;
  await db.send(["ODD_SET", "k", 7]);
  await assert.rejects(db.send(["ODD_RESET", "k"]), { code: "STRUCTURE_FAILED", message: /after all not/ });
  assert.equal(await db.send(["ODD_N", "k"]), 7);
  await assert.rejects(db.send(["ODD_RESET", "none"]), { code: "STRUCTURE_FAILED" });
  assert.equal(await db.send(["EXISTS", "none"]), 0);
});

test("what is played sees what the call has changed, and takes it along", async () => {
  await using given = await startNoticed({ structures: [Odd] });
  const { db } = given;
  await db.send(["ODD_SET", "k", 1]);
  await db.send(["ODD_MOVED", "k"]);
  assert.equal(await db.send(["ODD_N", "k:copy"]), 5);
  assert.equal(await db.send(["ODD_N", "k:moved"]), 5);
  assert.equal(await db.send(["EXISTS", "k"]), 0);
});

test("whatever code throws, returns or refuses to read, its caller is told and the hive lives on", async () => {
  await using given = await startNoticed({ structures: [Odd, Stubborn] });
  const { db } = given;
  await using client = await RespClient.connect({ port: given.hive.port });
  await assert.rejects(db.send(["ODD_PARSED", "k", "{"]), { code: "STRUCTURE_FAILED", message: /ODD_PARSED.*JSON/ });
  assert.deepEqual(await db.send(["ODD_PARSED", "k", "[1]"]), [1]);
  await assert.rejects(db.send(["ODD_THROW", "nothing"]), { code: "STRUCTURE_FAILED", message: /cannot be shown/ });
  await assert.rejects(db.send(["ODD_THROW", "getter"]), { code: "STRUCTURE_FAILED", message: /cannot be shown/ });
  await assert.rejects(db.send(["ODD_THROW", "undefined"]), { code: "STRUCTURE_FAILED", message: /undefined/ });
  for (const command of ["ODD_CYCLE", "ODD_CYCLE_LATER"]) {
    assert.match(((await client.call(command)).value as RespError).message, /nests deeper than 64, or in itself/);
  }
  const dump = (await dumpOf(db, "s", "poison")) as Uint8Array;
  await db.send(["RESTORE", "s", 0, dump]);
  assert.equal(await db.send(["STRUCTURE", "s"]), "Stubborn");
  await assert.rejects(db.send(["STUB_N", "s"]), { code: "STRUCTURE_FAILED", message: /cannot be read/ });
  assert.equal(await db.send(["PING"]), "PONG");
});

/** The payload of a Stubborn with this state. */
async function dumpOf(db: Client, key: string, state: string): Promise<unknown> {
  await db.send(["STUB_SET", key, 1, ""]);
  const dump = Buffer.from((await db.send(["DUMP", key], { as: "bytes" })) as Uint8Array);
  const value = Buffer.from(encode(["Stubborn", 1, state]));
  const payload = Buffer.concat([dump.subarray(0, 6), value, Buffer.alloc(6)]);
  payload.writeUInt32LE(value.length, 2);
  dump.copy(payload, payload.length - 6, dump.length - 6, dump.length - 4);
  const { crc32 } = process.getBuiltinModule("node:zlib");
  payload.writeUInt32LE(crc32(payload.subarray(0, -4)), payload.length - 4);
  await db.send(["DEL", key]);
  return payload;
}

test("a state that cannot be encoded is told to operators and to the next call that changes it", async () => {
  await using given = await startNoticed({ structures: [Stubborn] });
  const { db, notices } = given;
  await db.send(["STUB_SET", "s", 1, ""]);
  await db.send(["COPY", "s", "copy"]);
  await db.send(["STUB_SET", "s", 2, "broken"]);
  await db.send(["COPY", "s", "copy", "REPLACE"]);
  assert.match(notices.join("\n"), /Stubborn under s: cannot be encoded.*not now/);
  await assert.rejects(db.send(["STUB_SET", "s", 3, "broken"]), { code: "STRUCTURE_FAILED", message: /not now/ });
  assert.equal(await db.send(["STUB_N", "copy"]), 1);
});

test("a command that was refused inside MULTI does nothing later, and what it returned ends nothing", async () => {
  await using given = await startNoticed({ structures: [Odd] });
  await using client = await RespClient.connect({ port: given.hive.port });
  hold();
  outcomes.length = 0;
  await client.call("MULTI");
  await client.call("ODD_PROMISE", "k");
  const { value } = await client.call("EXEC");
  assert.match((value as RespError[])[0]!.message, /answers later/);
  release();
  await later;
  assert.equal((await client.call("EXISTS", "late", "k")).value, 0);
  assert.deepEqual(outcomes, ["UNSUPPORTED"]);
});

test("a message leaves when its call stands", async () => {
  await using given = await startNoticed({ structures: [Odd] });
  const { db } = given;
  const news = db.subscribe("odd");
  await news.ready;
  await assert.rejects(db.send(["ODD_PUBLISH", "yes"]), { code: "STRUCTURE_FAILED" });
  assert.equal(await db.send(["ODD_PUBLISH", "no"]), 1);
  await db.publish("odd", "last");
  const got: unknown[] = [];
  for await (const { value } of news) {
    got.push(value);
    if (value === "last") break;
  }
  assert.deepEqual(got, ["message", "last"]);
});

test("reserved names and commands that could not be taken back are refused", async () => {
  await using given = await startNoticed({ structures: [Odd, Fifo] });
  const { db } = given;
  for (const key of ["$part:q:items", "$device:shelf", "$session:shelf:1"]) {
    await assert.rejects(db.send(["ODD_RESERVED", key]), { code: "NO_PERMISSION", message: /reserved/ });
    await assert.rejects(db.send(["FIFOADD", key, 1]), { code: "NO_PERMISSION" });
  }
  await assert.rejects(db.send(["ODD_FLUSH"]), { code: "UNSUPPORTED" });
  await db.send(["ODD_SET", "k", 3]);
  await assert.rejects(db.send(["ODD_LIE", "k"]), { code: "UNSUPPORTED", message: /says that it reads/ });
  assert.equal(await db.send(["ODD_N", "k"]), 3);
  assert.equal(
    await db.send(["ODD_INSIDE", "k"]),
    3,
    "a command that reads, played in between, changes nothing of this one",
  );
});

test("behind an await this.hive is nobody's, and an instance that was replaced is told so", async () => {
  await using given = await startNoticed({ structures: [Odd] });
  const { db, hive } = given;
  await db.send(["SET", "secret", "x"]);
  await db.send(["ODD_SET", "k", 1]);
  hold();
  const waiting = db.send(["ODD_HIVE", "k"]);
  const changing = db.send(["ODD_KEPT", "k"]);
  await db.send(["ODD_N", "k"]);
  hive.register(Fifo);
  release();
  await assert.rejects(waiting, { code: "UNSUPPORTED", message: /no call is under way/ });
  await assert.rejects(changing, { code: "CONFLICT" });
  assert.equal(await db.send(["ODD_N", "k"]), 1);
  hold();
  const deleted = db.send(["ODD_KEPT", "k"]);
  await db.send(["DEL", "k"]);
  release();
  await assert.rejects(deleted, { code: "CONFLICT" });
  hold();
  await db.send(["ODD_SET", "k", 1]);
  const kept = db.send(["ODD_KEPT", "k"]);
  await db.send(["ODD_SET", "k", 2]);
  release();
  await kept;
  assert.equal(await db.send(["ODD_N", "k"]), 102);
});

test("a class that its file no longer exports is gone, and another may have its commands", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-gone-"));
  const file = join(folder, "votes.ts");
  const base = fileURLToPath(new URL("../../src/structures/index.ts", import.meta.url));
  const source = (name: string): string => `import { Structure } from ${JSON.stringify(base)};
export class ${name} extends Structure { votes = 0; static VOTE_FOR(hive, key) { return ++hive.open(${name}, key).votes; } }`;
  try {
    writeFileSync(file, source("Votes"));
    await using given = await startNoticed({ structures: [file] });
    const { db } = given;
    assert.equal(await db.send(["VOTE_FOR", "a"]), 1);
    writeFileSync(file, source("Ballots"));
    assert.deepEqual(await db.send(["STRUCTURES", "RELOAD"]), ["Ballots"]);
    assert.equal(await db.send(["VOTE_FOR", "b"]), 1);
    assert.equal(await db.send(["STRUCTURE", "a"]), "Votes");
    writeFileSync(file, source("Votes"));
    await db.send(["STRUCTURES", "RELOAD"]);
    assert.equal(await db.send(["VOTE_FOR", "a"]), 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
