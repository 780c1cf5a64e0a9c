// The history of changes: order, bounds, and gaps that are told.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CHANGE_EXPIRED,
  CHANGE_RENAMED,
  CHANGE_SET,
  ChangeHistory,
  ChangeView,
  HistoryCursor,
} from "../../src/store/change-history.ts";

const view = new ChangeView();

function stored(text: string): { bytes: Buffer; kind: number } {
  return { bytes: Buffer.from(text), kind: 1 };
}

function set(history: ChangeHistory, key: string): void {
  history.append({ kind: CHANGE_SET, key: stored(key), other: undefined, value: undefined });
}

function keys(history: ChangeHistory, cursor: HistoryCursor): string[] {
  const found: string[] = [];
  while (history.read(cursor, view)) found.push(view.bytes.latin1Slice(view.keyStart, view.keyEnd));
  return found;
}

test("changes are read in order, each once, from any number on", () => {
  const history = new ChangeHistory({ changesMax: 1000, bytesMax: 100_000 });
  const made = Array.from({ length: 500 }, (_, i) => `key ${i}`);
  for (const key of made) set(history, key);
  for (const from of [0, 1, 63, 125, 126, 499, 500]) {
    assert.deepEqual(keys(history, new HistoryCursor(from)), made.slice(from));
  }
  const cursor = new HistoryCursor(0);
  assert.equal(keys(history, cursor).length, 500);
  set(history, "one more");
  assert.deepEqual(keys(history, cursor), ["one more"]);
  assert.equal(view.sequence, 501);
});

test("every part of a change comes back as it was", () => {
  const history = new ChangeHistory({ changesMax: 8, bytesMax: 10_000 });
  const value = { bytes: Buffer.from([0xc0]), kind: 3 };
  history.append({ kind: CHANGE_EXPIRED, key: stored("k"), other: { bytes: Buffer.from([1]), kind: 3 }, value });
  assert.ok(history.read(new HistoryCursor(0), view));
  assert.deepEqual([view.kind, view.keyKind, view.otherKind, view.valueKind], [CHANGE_EXPIRED, 1, 3, 3]);
  assert.deepEqual([view.hasOther, view.hasValue], [true, true]);
  assert.deepEqual(view.bytes.subarray(view.otherEnd, view.valueEnd), value.bytes);
});

test("it never holds more than it may, and says exactly how many are missing", () => {
  for (const limits of [
    { changesMax: 40, bytesMax: 1_000_000 },
    { changesMax: 1_000_000, bytesMax: 2_000 },
  ]) {
    const history = new ChangeHistory(limits);
    const cursor = new HistoryCursor(0);
    for (let i = 1; i <= 1000; i++) {
      set(history, `key ${i}`);
      assert.ok(history.changes <= limits.changesMax && history.bytes <= limits.bytesMax);
    }
    const gap = history.gapBehind(0)!;
    assert.deepEqual(gap, { why: "history", until: 1000 - history.changes, lost: 1000 - history.changes });
    assert.ok(history.changes >= 30, `${history.changes} are kept`);
    cursor.sequence = gap.until;
    assert.deepEqual(keys(history, cursor)[0], `key ${gap.until + 1}`);
    assert.equal(history.gapBehind(gap.until), undefined);
  }
});

test("one change that is larger than all that may be kept is a gap", () => {
  const history = new ChangeHistory({ changesMax: 10, bytesMax: 1_000 });
  set(history, "small");
  set(history, "k".repeat(2_000));
  assert.deepEqual(history.gapBehind(0), { why: "history", until: 2, lost: 2 });
  assert.equal(history.bytes, 0);
  set(history, "next");
  assert.deepEqual(keys(history, new HistoryCursor(2)), ["next"]);
});

test("what was not counted is a gap without a number for all who come from before it", () => {
  const history = new ChangeHistory({ changesMax: 10, bytesMax: 1_000 });
  set(history, "a");
  history.interrupt("unwatched");
  assert.deepEqual(history.gapBehind(1), { why: "unwatched", until: 2, lost: undefined });
  assert.equal(history.gapBehind(2), undefined);
  set(history, "b");
  assert.deepEqual(history.gapBehind(0), { why: "unwatched", until: 2, lost: undefined });
  const cursor = new HistoryCursor(2);
  assert.deepEqual(keys(history, cursor), ["b"]);
});

test("a reader that stands still holds the block where it stands, and none of those after it", () => {
  const history = new ChangeHistory({ changesMax: 1_000, bytesMax: 4_000 });
  set(history, "first");
  const cursor = new HistoryCursor(0);
  assert.ok(history.read(cursor, view));
  const { block } = cursor;
  for (let i = 0; i < 1_000; i++) set(history, `key ${i}`);
  assert.ok(history.bytes <= 4_000);
  assert.equal(block!.next, undefined);
  const { until } = history.gapBehind(cursor.sequence)!;
  assert.deepEqual(keys(history, new HistoryCursor(until)).at(-1), "key 999");
});

test("a name that is taken out leaves no byte, and the numbers as they were", () => {
  const history = new ChangeHistory({ changesMax: 10, bytesMax: 10_000 });
  set(history, "a");
  set(history, "secret name");
  history.append({ kind: CHANGE_RENAMED, key: stored("a"), other: stored("secret name"), value: undefined });
  set(history, "b");
  history.erase(Buffer.from("secret name"));
  const cursor = new HistoryCursor(0);
  const seen: boolean[] = [];
  while (history.read(cursor, view)) {
    seen.push(view.isErased);
    assert.equal(view.bytes.includes("secret"), false);
  }
  assert.deepEqual(seen, [false, true, true, false]);
});
