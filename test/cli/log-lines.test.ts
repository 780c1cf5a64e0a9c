// Log lines never hold up or end the hive: what nobody reads is dropped, counted, and told of later.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { LogLines } from "../../src/cli/log-lines.ts";

const OPTIONS = { bytesMax: 50, droppedLine: (count: number) => `${count} lines dropped` };

/** A stream whose reader takes a chunk when it is told to. */
class SlowStream extends Writable {
  readonly read: string[] = [];
  #taken: (() => void) | undefined = undefined;

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.read.push(chunk.toString());
    this.#taken = taken;
  }

  /** Reads what is there; true while there was something. */
  take(): boolean {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    return taken !== undefined;
  }
}

test("what does not fit is dropped, and the next notice that does says how many were", async () => {
  const stream = new SlowStream();
  const lines = new LogLines(stream, OPTIONS);
  for (let i = 0; i < 20; i++) lines.write(`notice ${i}`);
  assert.ok(stream.writableLength < 200);
  const kept = 20 - lines.dropped;
  assert.ok(kept >= 3 && lines.dropped > 10, `${kept} kept`);
  const { dropped } = lines;
  while (stream.take()) await null;
  lines.write("at last");
  while (stream.take()) await null;
  assert.equal(lines.dropped, 0);
  assert.equal(stream.read.at(0), "notice 0\n");
  assert.equal(stream.read.at(-2), `${dropped} lines dropped\n`);
  assert.equal(stream.read.at(-1), "at last\n");
  assert.equal(stream.read.length, kept + 2);
});

test("a reader that has gone is no reason to end", async () => {
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      done(new Error("EPIPE"));
    },
  });
  const lines = new LogLines(stream, OPTIONS);
  lines.write("to nobody");
  while (!stream.destroyed) await new Promise((resolve) => setImmediate(resolve));
  lines.write("to nobody either");
  assert.equal(lines.dropped, 1);
});
