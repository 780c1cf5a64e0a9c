// Noise into one end of a link, as the hive and as the client: whatever comes, the link goes on or ends with
// a HiveError, and keeps no more than a body.
//
//   FUZZ_SEED=1 FUZZ_COUNT=1000000 node --test test/fuzz/link.test.ts

import assert from "node:assert/strict";
import { test } from "node:test";
import { isHiveError } from "../../src/base/errors.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";
import { CallTable } from "../../src/wire/call-table.ts";
import { FAILURE, HELLO, ID_MAX, PREAMBLE, RESULT, WELCOME } from "../../src/wire/frame.ts";
import { FrameWriter } from "../../src/wire/frame-writer.ts";
import { decodeItem, ItemReader } from "../../src/wire/items.ts";
import { type IncomingStream, Link, LinkCall, type LinkEnd, type LinkOwner } from "../../src/wire/link.ts";
import { Random } from "../differential/random.ts";
import { frameOf, helloOf } from "../kit/native-client.ts";
import { allRows } from "./frames.ts";
import { nativeWire } from "./native-frames.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Date.now() / 86_400_000));
const COUNT = Number(process.env["FUZZ_COUNT"] ?? 20_000);
const BODY_MAX = 1 << 20;
const ROW_LIST = allRows(ROWS);
const seen = { calls: 0, answers: 0, failures: 0, elements: 0, ended: 0 };

class NoisyCall extends LinkCall {
  answered(items: ItemReader): void {
    decodeItem(items, "auto");
    seen.answers++;
  }

  failed(): void {
    seen.failures++;
  }
}

class NoisyEnd implements LinkOwner {
  readonly link: Link;
  readonly calls: CallTable<LinkCall>;
  over: LinkEnd | undefined = undefined;
  readonly #writer = new FrameWriter(1 << 30);

  constructor(dialing: boolean) {
    this.calls = new CallTable<LinkCall>(dialing);
    this.link = new Link({ dialing, owner: this, calls: this.calls, bodyBytesMax: BODY_MAX });
    const hello = helloOf({ heartbeatMs: 0 });
    hello[0] = dialing ? WELCOME : HELLO;
    this.receive(dialing ? hello : Buffer.concat([PREAMBLE, hello]));
    assert.ok(this.link.greeted);
    // Calls that answers may be for, every other one a stream that is read.
    for (let i = 0; i < 20; i++) {
      const call = new NoisyCall();
      this.calls.add(call, Number.POSITIVE_INFINITY);
      if (i % 2 === 0) continue;
      call.source = this.link.openSource(call.id, { windowBytes: 100, granted: true });
      call.sink = this.link.openSink(call.id, 100);
      void this.#drain(call);
    }
  }

  async #drain({ source }: NoisyCall): Promise<void> {
    try {
      for await (const _ of source!) seen.elements++;
    } catch (error) {
      if (!isHiveError(error)) throw error;
    }
  }

  receive(bytes: Buffer): void {
    this.link.receive(bytes, 0, bytes.length);
  }

  writer(): FrameWriter {
    return this.#writer;
  }

  wrote(): void {
    if (this.#writer.length > 4096) this.#writer.clear();
  }

  greeted(): void {}

  call(id: number, bytes: Uint8Array, start: number, end: number, stream: IncomingStream | undefined): void {
    const items = new ItemReader();
    items.reset(bytes, start, end);
    while (!items.done) items.next();
    seen.calls++;
    // Some streams stay open, and one that is read takes elements.
    if (stream !== undefined && id % 4 === 1) void stream.source.next().catch(() => {});
    else this.link.closeIncoming(id);
  }

  transact(): void {
    seen.calls++;
  }

  cancelled(): void {}
  received(): void {}
  drained(): void {}

  ended(why: LinkEnd): void {
    assert.equal(this.over, undefined, "it ends once");
    assert.ok(isHiveError(why.error));
    seen.ended++;
    this.over = why;
  }
}

/** A frame for one end, most of them spoilt; those that draw() makes are the dialing end's. */
function noise(random: Random, dialing: boolean): Buffer {
  const frame = nativeWire.draw(random, random.pick(ROW_LIST));
  if (dialing && frame.length > 9) {
    // What a hive sends: answers to calls of the client, and its own calls.
    const id = frame.readUInt32BE(1);
    if (random.chance(0.6)) {
      const body = frame.subarray(Math.min(frame.length, 9 + random.below(3)));
      return frameOf(random.chance(0.5) ? RESULT : random.chance(0.5) ? FAILURE : 0x8a, id & ID_MAX, body);
    }
    frame.writeUInt32BE(id + 1, 1);
  }
  return random.chance(0.3) ? frame : nativeWire.spoil(random, frame);
}

for (const dialing of [false, true]) {
  test(`${COUNT} frames into the ${dialing ? "dialing" : "accepting"} end (FUZZ_SEED=${SEED})`, async (t) => {
    const random = new Random(SEED);
    let end = new NoisyEnd(dialing);
    for (let i = 0; i < COUNT; i++) {
      const bytes = noise(random, dialing);
      const shown = bytes.toString("hex").slice(0, 400);
      try {
        for (let at = 0; at < bytes.length; ) {
          const next = random.chance(0.7) ? bytes.length : Math.min(bytes.length, at + random.between(1, 9));
          const chunk = Buffer.from(bytes.subarray(at, next));
          end.receive(chunk);
          chunk.fill(0x23);
          at = next;
        }
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${SEED}, frame ${i}: ${shown}`, { cause });
      }
      assert.ok(end.link.pendingBytes <= BODY_MAX + 9);
      if (end.over !== undefined || random.chance(0.02)) {
        end.link.abandon();
        end = new NoisyEnd(dialing);
      }
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    t.diagnostic(JSON.stringify(seen));
    assert.ok(seen.ended > COUNT / 50 && seen.calls > COUNT / 50, "both sides are tried");
  });
}
