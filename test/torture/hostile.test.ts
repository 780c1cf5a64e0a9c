// A short form of `npm run torture -- hostile`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostile } from "./hostile.ts";

const skip = process.platform === "linux" ? false : "reads a process's memory from /proc";

test("connections that push every limit at once neither fill the memory nor keep others waiting", {
  skip,
}, async (t) => {
  // Real processes push each other, and real time passes; nothing is judged by how long an answer took.
  const until = "exceeded waitingBytesMax";
  const result = await hostile({ connections: 320, seconds: 6, until, note: () => {} });
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.wrong, []);
  assert.ok(result.answers > 50, `${result.answers} answers`);
  assert.ok(Object.keys(result.notices).some((notice) => notice.includes(until)));
});
