// Writing into a string where it stands: gaps, growth, deadlines, undo, accounting.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_RAW, KIND_TEXT } from "../../src/store/layout.ts";
import { NO_DEADLINE } from "../../src/store/placement.ts";
import { Store } from "../../src/store/store.ts";

const KEY = Buffer.from("key");

function open(): { store: Store; put: (text: string, deadlineMs?: number) => void; read: () => string } {
  const store = new Store({ nowMs: 1_000_000 });
  const put = (text: string, deadlineMs: number = NO_DEADLINE): void => {
    store.keys.put(KEY, 0, 3, KIND_RAW, Buffer.from(text), 0, text.length, KIND_RAW, deadlineMs);
  };
  const read = (): string => {
    const { entries } = store.memory;
    const ref = find(store);
    const start = entries.valueStart(ref);
    return entries.bytesOf(ref).latin1Slice(start, start + entries.valueLength(ref));
  };
  return { store, put, read };
}

function find(store: Store): number {
  return store.keys.find(KEY, 0, 3);
}

function write(store: Store, at: number, text: string, size: number): number {
  return store.keys.write(find(store), at, Buffer.from(text), 0, text.length, size, KIND_TEXT);
}

test("bytes are written in the middle, behind the end, and behind a gap of zeros", () => {
  const { store, put, read } = open();
  put("0123456789");
  write(store, 2, "ab", 10);
  assert.equal(read(), "01ab456789");
  write(store, 10, "c", 11);
  assert.equal(read(), "01ab456789c");
  write(store, 14, "d", 15);
  assert.equal(read(), "01ab456789c\0\0\0d");
  write(store, 2000, "e", 2001);
  assert.equal(read(), `01ab456789c\0\0\0d${"\0".repeat(1985)}e`);
  assert.equal(store.memory.entries.valueKind(find(store)), KIND_TEXT);
});

test("a value that is replaced may shrink, and stays accounted for to the byte", () => {
  const { store, put, read } = open();
  put("x".repeat(5000), 2_000_000);
  write(store, 0, "7", 1);
  assert.equal(read(), "7");
  assert.equal(store.memory.entries.deadline(find(store)), 2_000_000);
  store.keys.remove(find(store));
  assert.equal(store.memory.totals.entryBytes, 0);
});

test("undo takes a write back, in place or moved", () => {
  for (const size of [10, 3000]) {
    const { store, put, read } = open();
    put("0123456789");
    store.undo.begin();
    write(store, size - 1, "z", size);
    store.undo.rollback();
    assert.equal(read(), "0123456789", `${size} bytes`);
  }
});

test("a long value that is appended to moves now and then, not each time", () => {
  const { store, put, read } = open();
  put("");
  const piece = "x".repeat(10_000);
  let moves = 0;
  let ref = find(store);
  for (let size = piece.length; size <= 8_000_000; size += piece.length) {
    const next = write(store, size - piece.length, piece, size);
    if (next !== ref) moves++;
    ref = next;
  }
  assert.ok(moves < 70, `${moves} moves`); // log(800) / log(9 / 8) is 57
  assert.equal(read().length, 8_000_000);
  assert.ok(store.memory.pages.sizeOf(ref) < 8_000_000 * 1.14, "an eighth more room");
  write(store, 0, "short", 5);
  assert.ok(store.memory.pages.sizeOf(find(store)) < 65536);
  store.keys.remove(find(store));
  assert.equal(store.memory.totals.entryBytes, 0);
});

test("a value above valueBytesMax is refused, and nothing changes", () => {
  const { store, put, read } = open();
  put("0123456789");
  store.keys.valueBytesMax = 20;
  assert.throws(() => write(store, 20, "z", 21), /exceeds valueBytesMax/);
  assert.equal(read(), "0123456789");
});
