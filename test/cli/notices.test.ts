// Notices never hold up or end the hive: what nobody reads is dropped, counted, and told of later.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { Notices } from "../../src/cli/notices.ts";

const TIME = "2026-01-31T12:00:00.000Z";
const OPTIONS = { bytesMax: 100, nowMs: () => Date.parse(TIME) };

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
  const notices = new Notices(stream, OPTIONS);
  for (let i = 0; i < 20; i++) notices.write(`notice ${i}`);
  assert.ok(stream.writableLength < 200);
  const kept = 20 - notices.dropped;
  assert.ok(kept >= 3 && notices.dropped > 10, `${kept} kept`);
  const { dropped } = notices;
  while (stream.take()) await null;
  notices.write("at last");
  while (stream.take()) await null;
  assert.equal(notices.dropped, 0);
  assert.equal(stream.read.at(0), `${TIME} notice 0\n`);
  assert.equal(stream.read.at(-2), `${TIME} dropped before this: ${dropped} notices, since nobody read them\n`);
  assert.equal(stream.read.at(-1), `${TIME} at last\n`);
  assert.equal(stream.read.length, kept + 2);
});

test("a reader that has gone is no reason to end", async () => {
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      done(new Error("EPIPE"));
    },
  });
  const notices = new Notices(stream, OPTIONS);
  notices.write("to nobody");
  while (!stream.destroyed) await new Promise((resolve) => setImmediate(resolve));
  notices.write("to nobody either");
  assert.equal(notices.dropped, 1);
});
