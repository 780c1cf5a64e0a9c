// test/differential/known-differences.test.ts
// The list for programs and the page for people name the same differences, and none is idle.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { comparisons } from "./comparisons.ts";
import { explain, knownDifferences } from "./known-differences.ts";

const page = readFileSync(new URL("../../docs/redis-differences.md", import.meta.url), "utf8");
const ids = knownDifferences.map(({ id }) => id);

test("docs/redis-differences.md has a heading for every known difference, and no other", () => {
  const headings = [...page.matchAll(/^### `([a-z0-9-]+)`$/gm)].map(([, id]) => id);
  assert.deepEqual(headings.toSorted(), ids.toSorted());
});

test("every difference on the page says what differs and why", () => {
  for (const section of page.split(/^### /m).slice(1)) {
    const [heading = "", ...lines] = section.split(/^## /m)[0]!.split("\n");
    const text = lines.join(" ").trim();
    assert.match(text, /\S.*Reason: \S/, heading);
  }
});

test("an id stands once and every entry has a reason", () => {
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, what, reason } of knownDifferences) assert.ok(what.length > 10 && reason.length > 5, id);
});

test("every comparison refers to an entry", () => {
  for (const [name, { difference }] of comparisons) assert.ok(ids.includes(difference), name);
});

test("entries allow what they describe and nothing beside it", () => {
  const ok = "+OK\r\n";
  const refused = "-ERR DB index is out of range\r\n";
  const unknown = "-ERR unknown command 'MOVE', with args beginning with: 'a' '1' \r\n";
  assert.equal(explain({ args: ["select", "3"], theirs: ok, ours: refused }), "one-database");
  assert.equal(explain({ args: ["SELECT", "0"], theirs: ok, ours: refused }), undefined);
  assert.equal(explain({ args: ["SELECT", "3"], theirs: ok, ours: "+FINE\r\n" }), undefined);
  assert.equal(explain({ args: ["COPY", "a", "b", "DB", "2"], theirs: ":1\r\n", ours: refused }), "one-database");
  assert.equal(explain({ args: ["COPY", "a", "b"], theirs: ":1\r\n", ours: refused }), undefined);
  assert.equal(explain({ args: ["MOVE", "a", "1"], theirs: ":0\r\n", ours: unknown }), "no-move-swapdb");
  const page = (score: string): string => `$1\r\nm\r\n$${score.length}\r\n${score}\r\n`;
  const [short, long] = [page("1e+17"), page("100000000000000000")];
  assert.equal(explain({ args: ["ZSCAN", "a", "0"], theirs: short, ours: long }), "large-scores-in-pages");
  assert.equal(explain({ args: ["ZSCAN", "a", "0"], theirs: short, ours: page("100000000000000001") }), undefined);
  assert.equal(
    explain({ args: ["ZSCAN", "a", "0"], theirs: page("1e+16"), ours: page("10000000000000000") }),
    undefined,
  );
  assert.equal(explain({ args: ["BZPOPMIN", "a", "1"], theirs: ",-0\r\n", ours: ",0\r\n" }), "minus-zero");
  const unsorted = "-ERR One or more scores can't be converted into double\r\n";
  assert.equal(explain({ args: ["SORT", "a"], theirs: unsorted, ours: "*0\r\n" }), undefined);
  assert.equal(explain({ args: ["GET", "a"], theirs: "$-1\r\n", ours: unknown }), undefined);
});
