// The reader of shared memory over copies of it, whole and damaged. What it does beside a writer is in test/torture.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Libc } from "../../src/mapping/libc.ts";
import { MappedSegments } from "../../src/mapping/mapped-segments.ts";
import { SharedFolder } from "../../src/mapping/shared-folder.ts";
import { enter, leave } from "../../src/store/header.ts";
import { KIND_TEXT, TYPE_SET, TYPE_TABLE } from "../../src/store/layout.ts";
import { NO_DEADLINE } from "../../src/store/placement.ts";
import { SharedReader } from "../../src/store/shared-reader.ts";
import {
  ABSENT,
  BUSY,
  FOUND,
  LARGE,
  OTHER_TYPE,
  type Outcome,
  SHARED_VALUE_BYTES_MAX,
  SILENT,
} from "../../src/store/shared-reader-outcomes.ts";
import { Store } from "../../src/store/store.ts";
import { CopiedSegments } from "../kit/copied-segments.ts";
import { generator } from "../kit/store-draws.ts";

const START_MS = 1_700_000_000_000;
let folder: SharedFolder;
let store: Store;
let nowMs = START_MS;

before(async () => {
  const libc = await Libc.load();
  folder = SharedFolder.open(libc, "/dev/shm", 0);
  store = new Store({ nowMs, provider: new MappedSegments(libc, folder) });
  put("text", "hello");
  put("large", "x".repeat(SHARED_VALUE_BYTES_MAX + 1));
  put("soon", "gone", nowMs + 100);
  set("packed", TYPE_TABLE, 20);
  set("wide", TYPE_TABLE, 3000);
  set("members", TYPE_SET, 500);
  for (let i = 0; i < 5000; i++) put(`key ${i}`, `value ${i}`.repeat(1 + (i % 20)));
});

after(() => {
  store.close();
  folder.close();
});

function put(key: string, value: string, deadlineMs: number = NO_DEADLINE): void {
  const name = Buffer.from(key);
  const bytes = Buffer.from(value);
  store.keys.put(name, 0, name.length, KIND_TEXT, bytes, 0, bytes.length, KIND_TEXT, deadlineMs);
}

function set(key: string, type: number, fields: number): void {
  const name = Buffer.from(key);
  let ref = store.fields.create(type, name, 0, name.length, KIND_TEXT);
  for (let i = 0; i < fields; i++) {
    const field = Buffer.from(`field ${i}`);
    const value = Buffer.from(type === TYPE_SET ? "" : `value ${i}`);
    ref = store.fields.set(ref, field, 0, field.length, KIND_TEXT, value, 0, value.length, KIND_TEXT);
  }
}

function look(reader: SharedReader, key: string, copies = true): Outcome {
  const { name } = reader;
  name.taken(name.room(key.length * 3).utf8Write(key, 0), 0);
  return reader.key(copies);
}

function lookIn(reader: SharedReader, table: string, type: number, field: string, copies = true): Outcome {
  const { name } = reader;
  name.taken(name.room(field.length * 3).utf8Write(field, 0), 0);
  return reader.field(table, type, copies);
}

function found(reader: SharedReader): string {
  const { scratch, start, end } = reader.found;
  return scratch.toString("utf8", start, end);
}

function openCopy(copy: CopiedSegments = CopiedSegments.of(folder.path)): SharedReader {
  return new SharedReader(copy, () => nowMs);
}

test("a reader finds what the store has, and nothing else", () => {
  const reader = openCopy();
  assert.equal(look(reader, "text"), FOUND);
  assert.equal(found(reader), "hello");
  assert.equal(look(reader, "none"), ABSENT);
  assert.equal(look(reader, "large"), LARGE);
  assert.equal(look(reader, "large", false), FOUND);
  assert.equal(look(reader, "wide"), OTHER_TYPE);
  for (const table of ["packed", "wide"]) {
    assert.equal(lookIn(reader, table, TYPE_TABLE, "field 7"), FOUND);
    assert.equal(found(reader), "value 7");
    assert.equal(lookIn(reader, table, TYPE_TABLE, "none"), ABSENT);
    assert.equal(lookIn(reader, table, TYPE_SET, "field 7", false), OTHER_TYPE);
  }
  assert.equal(lookIn(reader, "members", TYPE_SET, "field 499", false), FOUND);
  assert.equal(lookIn(reader, "no table", TYPE_TABLE, "field 7"), ABSENT);
  for (let i = 0; i < 5000; i++) {
    assert.equal(look(reader, `key ${i}`), FOUND);
    assert.equal(found(reader), `value ${i}`.repeat(1 + (i % 20)));
  }
  for (let i = 0; i < 3000; i++) assert.equal(lookIn(reader, "wide", TYPE_TABLE, `field ${i}`), FOUND);
  assert.equal(reader.retried, 0);
  reader.close();
});

test("what has run out is absent from its millisecond on, and a hive that is silent, busy or gone is not read", () => {
  const reader = openCopy();
  const header = reader.header;
  nowMs = START_MS + 99;
  assert.equal(look(reader, "soon"), FOUND);
  nowMs = START_MS + 100;
  assert.equal(look(reader, "soon"), ABSENT);
  nowMs = START_MS + 1000;
  assert.equal(look(reader, "text"), FOUND);
  nowMs = START_MS + 1001;
  assert.equal(look(reader, "text"), SILENT);
  assert.equal(lookIn(reader, "wide", TYPE_TABLE, "field 7"), SILENT);
  nowMs = START_MS;
  enter(header);
  assert.equal(look(reader, "text"), BUSY);
  assert.equal(lookIn(reader, "wide", TYPE_TABLE, "field 7"), BUSY);
  leave(header);
  assert.equal(look(reader, "text"), FOUND);
  reader.close();
});

test("a reader follows a hive whose segments open, grow, close and come back", async () => {
  const libc = await Libc.load();
  const { MappedSource } = await import("../../src/mapping/mapped-source.ts");
  const reader = new SharedReader(new MappedSource(libc, folder.path), () => nowMs);
  const bytes = "y".repeat(60_000);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 800; i++) {
      put(`bulk ${i}`, `${round} ${i} ${bytes}`);
      if (i % 50 !== 0) continue;
      assert.equal(look(reader, `bulk ${i}`), FOUND);
      assert.ok(found(reader).startsWith(`${round} ${i} `));
    }
    const open = store.memory.segments.words.filter((words) => words.length > 0).length;
    assert.ok(open >= 4, `${open} segments`);
    for (let i = 0; i < 800; i++) {
      const name = Buffer.from(`bulk ${i}`);
      store.keys.remove(store.keys.find(name, 0, name.length));
    }
    while (store.work(() => false));
    assert.equal(look(reader, "bulk 400"), ABSENT);
    assert.equal(look(reader, "text"), FOUND);
  }
  reader.close();
});

test("damaged memory never makes a reader throw, hang or reach outside", (t) => {
  const seed = Number(process.env["DAMAGE_SEED"] ?? Date.now() % 1_000_000_007);
  t.diagnostic(`DAMAGE_SEED=${seed}`);
  const random = generator(seed);
  const original = CopiedSegments.of(folder.path);
  const outcomes = new Map<Outcome, number>();
  const count = (outcome: Outcome): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  for (let round = 0; round < 40; round++) {
    const copy = original.copy();
    const files = [...copy.files.values()];
    // From a few bytes to every hundredth; the words of the header that say whether to read at all stay.
    for (let flips = 2 ** (round % 14); flips > 0; flips--) {
      const file = files[random(files.length)]!;
      const at = random(2) === 0 ? random(Math.min(file.length, 1 << 20)) : random(file.length);
      if (file !== files[0] || at >= 64) file[at]! ^= 1 << random(8);
    }
    const reader = openCopy(copy);
    for (let i = 0; i < 300; i++) {
      count(look(reader, `key ${random(5200)}`));
      count(lookIn(reader, "wide", TYPE_TABLE, `field ${random(3100)}`));
      count(lookIn(reader, "packed", TYPE_TABLE, `field ${random(24)}`));
      count(lookIn(reader, "members", TYPE_SET, `field ${random(600)}`, false));
    }
    reader.close();
  }
  assert.ok((outcomes.get(FOUND) ?? 0) > 1000, "almost nothing was found: this proves little");
});

test("memory of which nothing is right never makes a reader throw or hang", () => {
  const random = generator(7);
  for (let round = 0; round < 20; round++) {
    const copy = CopiedSegments.of(folder.path);
    for (const [name, file] of copy.files) {
      const from = name.startsWith("0.") ? 64 : 0;
      for (let at = from; at < Math.min(file.length, 400_000); at++) file[at] = random(256);
    }
    const reader = openCopy(copy);
    for (let i = 0; i < 50; i++) {
      look(reader, `key ${i}`);
      lookIn(reader, "wide", TYPE_TABLE, `field ${i}`);
    }
    reader.close();
  }
});
