// The log of serve: lines for people or JSON, from the level that was asked for, one line an event.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { LogLines } from "../../src/cli/log-lines.ts";
import { droppedLine, type LogSettings, openLog } from "../../src/cli/serve-log.ts";

const TIME = "2026-01-31T12:00:00.000Z";
const nowMs = (): number => Date.parse(TIME);

function collecting(settings: Omit<LogSettings, "nowMs">) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const lines = new LogLines(stream, { bytesMax: 1000, droppedLine: droppedLine({ ...settings, nowMs }) });
  return { written, log: openLog(lines, { ...settings, nowMs }) };
}

test("text has time, level, words and fields, and each event is one line", async () => {
  const { written, log } = collecting({ level: "info", format: "text" });
  (await log).warn(
    { address: "127.0.0.1:5", reason: "two\nlines", settings: { port: "0" }, list: ["a", "b"] },
    "ended",
  );
  (await log).debug({}, "not wanted");
  (await log).info({}, "closed");
  assert.deepEqual(written, [
    `${TIME} warn  ended  address=127.0.0.1:5 reason="two\\nlines" settings.port=0 list=a,b\n`,
    `${TIME} info  closed\n`,
  ]);
});

test("json is one object a line, with the level as a word", async () => {
  const { written, log } = collecting({ level: "warn", format: "json" });
  (await log).info({}, "not wanted");
  (await log).error({ address: "127.0.0.1:5", reason: "two\nlines" }, "ended");
  assert.equal(written.length, 1);
  const { time, ...rest } = JSON.parse(written[0]!);
  assert.ok(!Number.isNaN(Date.parse(time)));
  assert.deepEqual(rest, {
    level: "error",
    pid: process.pid,
    address: "127.0.0.1:5",
    reason: "two\nlines",
    msg: "ended",
  });
});

test("silent says nothing, and the line for what was dropped has the form of the others", async () => {
  for (const format of ["text", "json"] as const) {
    const { written, log } = collecting({ level: "silent", format });
    (await log).error({}, "nothing");
    assert.deepEqual(written, []);
    const line = droppedLine({ format, nowMs })(3);
    if (format === "json") assert.equal(JSON.parse(line).lines, 3);
    else assert.match(line, /^2026-01-31T12:00:00\.000Z warn {2}lines of the log were dropped .* lines=3$/);
  }
});
