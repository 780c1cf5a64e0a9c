// Lines that browsers send, told from lines that people type.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isHostile } from "../../src/wire/resp-inline.ts";

// biome-ignore format: a table reads better aligned
const CASES: [line: string, first: boolean, later: boolean][] = [
  ["POST / HTTP/1.1",                       true,  true],
  ["Host: x",                               true,  true],
  ["  post x",                              true,  true],
  ["POSTAL",                                false, false],
  ["PING",                                  false, false],
  ["",                                      false, false],
  ["GET /a HTTP/1.1",                       true,  false],
  [`GET /${"a".repeat(60_000)} HTTP/1.1`,   true,  false],
  ["put /a http/1.0",                       true,  false],
  ["SET a HTTP/1.1x",                       false, false],
  ["SET a HTTP/2.0",                        false, false],
  ["SET aHTTP/1.1",                         false, false],
];

for (const [line, first, later] of CASES) {
  const name = line.length > 40 ? `${line.slice(0, 20)}… (${line.length} bytes)` : line;
  test(`"${name}" ${first ? "ends" : "does not end"} a connection that begins with it`, () => {
    assert.equal(isHostile(Buffer.from(line), true), first);
    assert.equal(isHostile(Buffer.from(line), false), later);
  });
}
