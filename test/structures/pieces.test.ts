// States given in pieces: written a slice at a time, and what a call finds meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { Args } from "../../src/engine/args.ts";
import { type HiveCalls, Structure } from "../../src/structures/index.ts";
import { Structures } from "../../src/structures/structures.ts";
import { type Answer, type Calls, RecordingReply, startCalls } from "../kit/calls.ts";

const PIECE = 1000;

class Archive extends Structure {
  lines: string[] = [];

  static ARCHIVE(hive: HiveCalls, key: string, line: string, many: unknown = 1): number {
    const { lines } = hive.open(Archive, key);
    for (let i = 0; i < Number(many); i++) lines.push(`${line} ${i}`);
    return lines.length;
  }

  static async ARCHIVE_LATER(hive: HiveCalls, key: string, line: string): Promise<number> {
    return Archive.ARCHIVE(hive, key, line);
  }

  LINES(): number {
    return this.lines.length;
  }

  LAST(): string | undefined {
    return this.lines.at(-1);
  }

  CUT(): number {
    return this.lines.splice(0, 1).length;
  }

  override *encode(): Generator<string[]> {
    for (let from = 0; from < this.lines.length; from += PIECE) yield this.lines.slice(from, from + PIECE);
  }

  override decode(pieces: string[][]): void {
    this.lines = pieces.flat();
  }
}

type Given = Calls & {
  structures: Structures;
  /** Begins a call that may answer later. */
  begin: (...words: string[]) => { later: Promise<void> | undefined; answer: () => Answer };
  /** So many slices of the hive's maintenance, of one piece each. */
  slices: (many: number) => void;
};

function start(): Given {
  const calls = startCalls({ maxMemoryBytes: 512 * 1024 * 1024 });
  const { store, engine, context } = calls;
  const limits = DEFAULT_LIMITS;
  const structures = new Structures({ store, commands: engine.commands, services: engine, limits, log: undefined });
  structures.register(Archive);
  const begin: Given["begin"] = (...words) => {
    const reply = new RecordingReply();
    const later = engine.run(context, Args.of(...words), reply);
    return { later: later ?? undefined, answer: () => reply.take() };
  };
  const slices = (many: number): void => {
    for (let i = 0; i < many; i++) structures.instances.work(() => true);
  };
  return { ...calls, structures, begin, slices };
}

test("a state above structureBytesMax is written slice by slice, and other keys are served between", () => {
  const { call, slices, advance, structures } = start();
  assert.equal(call("ARCHIVE", "a", "a line of some length, so that it is large", "40000"), 40_000);
  advance(1001);
  slices(20);
  assert.equal(structures.instances.dirty, 1);
  assert.equal(call("ARCHIVE", "b", "another"), 1);
  assert.equal(call("LINES", "a"), 40_000, "who only reads does not wait");
  slices(21);
  assert.equal(structures.instances.dirty, 1, "the other one is left");
  const bytes = call("MEMORY", "USAGE", "a") as number;
  assert.ok(bytes > 1.5 * 1024 * 1024, `${bytes} bytes`);
  structures.instances.forgetAll();
  assert.equal(call("LINES", "a"), 40_000);
  assert.equal(call("LAST", "a"), "a line of some length, so that it is large 39999");
});

test("a call that changes what is being written waits for the end, and runs once", async () => {
  const { begin, call, slices, advance, structures } = start();
  call("ARCHIVE", "a", "line", "5000");
  advance(1001);
  slices(2);
  const cut = begin("CUT", "a");
  const added = begin("ARCHIVE", "a", "more");
  const later = begin("ARCHIVE_LATER", "a", "and more");
  assert.ok(cut.later && added.later && later.later, "they answer later");
  slices(4);
  assert.equal(structures.instances.dirty, 0, "written as it was");
  await Promise.all([cut.later, added.later, later.later]);
  assert.deepEqual([cut.answer(), added.answer(), later.answer()], [1, 5000, 5001]);
  structures.instances.forgetAll();
  assert.equal(call("LINES", "a"), 5001);
});

test("where a call cannot wait the writing begins anew", () => {
  const { call, slices, advance, structures } = start();
  call("ARCHIVE", "a", "line", "5000");
  advance(1001);
  slices(3);
  call("MULTI");
  call("CUT", "a");
  assert.deepEqual(call("EXEC"), [1]);
  slices(3);
  assert.equal(structures.instances.dirty, 1);
  slices(3);
  assert.equal(structures.instances.dirty, 0);
  assert.equal(call("LINES", "a"), 4999);
});

test("who needs the bytes at once gets all of them", () => {
  const { call, slices, advance } = start();
  call("ARCHIVE", "a", "line", "3000");
  advance(1001);
  slices(2);
  assert.equal(call("COPY", "a", "b"), 1);
  assert.equal(call("LINES", "b"), 3000);
  call("ARCHIVE", "a", "line");
  advance(1001);
  slices(1);
  call("RENAME", "a", "c");
  slices(5);
  assert.equal(call("LINES", "c"), 3001);
  call("ARCHIVE", "c", "line");
  advance(1001);
  slices(1);
  call("DEL", "c");
  slices(2);
  assert.equal(call("EXISTS", "c"), 0);
});
