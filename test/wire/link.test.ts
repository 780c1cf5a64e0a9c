// Two links joined by a transport pair, as equal ends: each calls, streams both ways, cancels, fails, and
// both hear of it when what lies between them breaks.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HiveError } from "../../src/base/errors.ts";
import type { Transport } from "../../src/base/transport.ts";
import { transportPair } from "../../src/base/transport-pair.ts";
import { CallTable } from "../../src/wire/call-table.ts";
import { CALL, CANCEL, CREDIT, END, FAILURE, HELLO, PREAMBLE, RESULT, WELCOME } from "../../src/wire/frame.ts";
import { FrameWriter } from "../../src/wire/frame-writer.ts";
import { decodeItem, ItemReader } from "../../src/wire/items.ts";
import { type IncomingStream, Link, LinkCall, type LinkEnd, type LinkOwner } from "../../src/wire/link.ts";
import { WINDOW_BYTES } from "../../src/wire/streams.ts";
import { frameOf } from "../kit/native-client.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

class TestCall extends LinkCall {
  readonly answer: Promise<unknown>;
  readonly #settle: { resolve: (value: unknown) => void; reject: (error: unknown) => void };

  constructor() {
    super();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.answer = promise;
    this.#settle = { resolve, reject };
    promise.catch(() => {});
  }

  answered(items: ItemReader): void {
    this.#settle.resolve(decodeItem(items, "auto"));
  }

  failed(error: HiveError): void {
    this.#settle.reject(error);
  }
}

type Incoming = { id: number; args: unknown[]; stream: IncomingStream | undefined };

/** One end: it offers ECHO, FAIL, LATER, COUNT and SUM to the other. */
class End implements LinkOwner {
  readonly link: Link;
  readonly calls = new CallTable<LinkCall>(true);
  readonly transport: Transport;
  readonly log: string[] = [];
  readonly later: Incoming[] = [];
  over: LinkEnd | undefined = undefined;
  readonly #dialing: boolean;
  readonly #writer = new FrameWriter(1 << 30);
  #scheduled = false;

  constructor(transport: Transport, dialing: boolean) {
    this.transport = transport;
    this.#dialing = dialing;
    this.calls = new CallTable<LinkCall>(dialing);
    this.link = new Link({ dialing, owner: this, calls: this.calls, bodyBytesMax: 1 << 20 });
    transport.receiver = this.link;
    if (!dialing) return;
    for (const byte of PREAMBLE) this.#writer.uint8(byte);
    this.#say(HELLO, 0, (writer) => writer.encoded({ from: "dialing" }));
  }

  writer(): FrameWriter {
    return this.#writer;
  }

  wrote(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const { scratch } = this.#writer;
      this.transport.write(scratch.bytes, scratch.end);
      this.#writer.clear();
    });
  }

  #say(kind: number, id: number, body: (writer: FrameWriter) => void): void {
    this.#writer.begin(kind, id);
    body(this.#writer);
    this.#writer.finish();
    this.wrote();
  }

  greeted(body: unknown): void {
    this.log.push(`greeted by ${(body as { from: string }).from}`);
    if (!this.#dialing) this.#say(WELCOME, 0, (writer) => writer.encoded({ from: "accepting" }));
  }

  call(id: number, bytes: Uint8Array, start: number, end: number, stream: IncomingStream | undefined): void {
    const items = new ItemReader();
    items.reset(bytes, start, end);
    const args: unknown[] = [];
    while (!items.done) args.push(decodeItem(items, "auto"));
    const [name, ...rest] = args;
    if (name === "ECHO") this.answer(id, rest);
    else if (name === "COUNT") void this.#count(id, rest[0] as number, stream!);
    else if (name === "SUM") void this.#sum(id, stream!);
    else if (name === "LATER") this.later.push({ id, args: rest, stream });
    else {
      this.#say(FAILURE, id, (writer) => {
        writer.text("UNKNOWN_COMMAND");
        writer.text(String(name));
      });
    }
  }

  transact(id: number): void {
    this.answer(id, "transacted");
  }

  answer(id: number, value: unknown): void {
    this.#say(RESULT, id, (writer) => writer.any(value));
    this.link.closeIncoming(id);
  }

  /** Sends the numbers below `count`, padded. */
  async #count(id: number, count: number, { sink }: IncomingStream): Promise<void> {
    for (let i = 0; i < count && !sink.closed; i++) await sink.send({ i, pad: "x".repeat(1000) });
    this.log.push(`counted: ${sink.closed ? "left" : "all"}`);
    if (!sink.closed) this.answer(id, "counted");
  }

  /** Reads numbers and answers with their sum. */
  async #sum(id: number, { source }: IncomingStream): Promise<void> {
    let sum = 0;
    try {
      for await (const value of source) sum += value as number;
      this.answer(id, sum);
    } catch (error) {
      this.log.push(`sum: ${(error as HiveError).code}`);
    }
  }

  cancelled(id: number): void {
    this.log.push(`cancelled ${id}`);
  }

  received(): void {}
  drained(): void {}

  ended(why: LinkEnd): void {
    this.over = why;
  }

  // Calls of this end.

  send(name: string, ...args: unknown[]): TestCall {
    const call = new TestCall();
    this.calls.add(call, Number.POSITIVE_INFINITY);
    this.#say(CALL, call.id, (writer) => {
      writer.uint8(0);
      for (const arg of [name, ...args]) writer.any(arg);
    });
    return call;
  }

  /** Sends a call as a stream. */
  stream(windowBytes: number, name: string, ...args: unknown[]): TestCall {
    const call = new TestCall();
    this.calls.add(call, Number.POSITIVE_INFINITY);
    call.source = this.link.openSource(call.id, { windowBytes, granted: true });
    call.sink = this.link.openSink(call.id, 0);
    this.#say(CALL, call.id, (writer) => {
      writer.uint8(1);
      writer.uint32(windowBytes);
      for (const arg of [name, ...args]) writer.any(arg);
    });
    return call;
  }

  end(id: number): void {
    this.#say(END, id, () => {});
  }

  cancel(id: number): void {
    this.calls.take(id);
    this.#say(CANCEL, id, () => {});
  }
}

async function joined(): Promise<[End, End]> {
  const [near, far] = transportPair({ near: "near:1", far: "far:1" });
  const ends: [End, End] = [new End(near, true), new End(far, false)];
  await turns(3);
  assert.deepEqual(
    ends.map(({ log }) => log.splice(0)),
    [["greeted by accepting"], ["greeted by dialing"]],
  );
  return ends;
}

/** Both ways round: whatever one end does to the other works the other way too. */
function bothWays(name: string, run: (one: End, other: End) => Promise<void>): void {
  test(`${name}, dialing to accepting`, async () => run(...(await joined())));
  test(`${name}, accepting to dialing`, async () => {
    const [dialing, accepting] = await joined();
    await run(accepting, dialing);
  });
}

bothWays("calls are answered by their id, failures too", async (one, other) => {
  const calls = Array.from({ length: 500 }, (_, i) => one.send("ECHO", i));
  const back = other.send("ECHO", "back");
  const failed = one.send("NOSUCH");
  assert.deepEqual(
    await Promise.all(calls.map(({ answer }) => answer)),
    [...calls.keys()].map((i) => [i]),
  );
  assert.deepEqual(await back.answer, ["back"]);
  await assert.rejects(failed.answer, { code: "UNKNOWN_COMMAND", message: "NOSUCH" });
  assert.equal(one.calls.size + other.calls.size, 0);
});

bothWays("a slow reader bounds what the sender sends", async (one) => {
  const call = one.stream(10_000, "COUNT", 200);
  const source = call.source!;
  await turns(20);
  assert.ok(source.queuedBytes >= 9_000 && source.queuedBytes < 12_000, `${source.queuedBytes} bytes wait`);
  const read: number[] = [];
  for await (const element of source) {
    read.push((element as { i: number }).i);
    assert.ok(source.queuedBytes < 12_000);
  }
  assert.deepEqual(read, [...Array(200).keys()]);
  assert.equal(await call.answer, "counted");
});

bothWays("whoever makes the call streams to the other end, when that reads", async (one) => {
  const call = one.stream(1000, "SUM");
  let sum = 0;
  for (let i = 0; i < 2000; i++) {
    sum += i;
    await call.sink!.send(i);
  }
  one.end(call.id);
  assert.equal(await call.answer, sum);
});

bothWays("a reader that leaves cancels the call, and its sender sees that", async (one, other) => {
  const call = one.stream(5_000, "COUNT", 1_000_000);
  for await (const element of call.source!) if ((element as { i: number }).i === 20) break;
  await assert.rejects(call.answer, { code: "ABORTED" });
  await turns(5);
  assert.deepEqual(other.log, [`cancelled ${call.id}`, "counted: left"]);
  assert.deepEqual(await one.send("ECHO", 1).answer, [1], "elements under way hurt nobody");
});

bothWays("a cancelled call is told, and its late answer passed over", async (one, other) => {
  const call = one.send("LATER");
  await turns(2);
  one.cancel(call.id);
  await turns(2);
  assert.deepEqual(other.log, [`cancelled ${call.id}`]);
  other.answer(other.later[0]!.id, "late");
  assert.deepEqual(await one.send("ECHO", 1).answer, [1]);
});

bothWays("a transport that breaks ends streams and tells both ends, once", async (one, other) => {
  const call = one.stream(WINDOW_BYTES, "SUM");
  const count = other.stream(3_000, "COUNT", 1_000_000);
  await call.sink!.send(1);
  await turns(5);
  one.transport.destroy();
  await turns(3);
  assert.deepEqual([one.over!.how, other.over!.how], ["closed", "closed"]);
  assert.ok(other.log.includes("sum: CONNECTION_LOST"));
  assert.ok(one.log.includes("counted: left"));
  // What is open is the owner's to settle.
  assert.equal(one.calls.get(call.id), call);
  assert.equal(other.calls.get(count.id), count);
});

/** What the accepting end makes of frames that no end of ours sends. */
async function told(...frames: Buffer[]): Promise<End> {
  const [dialing, accepting] = await joined();
  const bytes = Buffer.concat(frames);
  dialing.transport.write(bytes, bytes.length);
  await turns(3);
  return accepting;
}

const STREAM = frameOf(CALL, 1, Buffer.from("010000000a254c41544552", "hex"));
const WRONG: Readonly<Record<string, Buffer[]>> = {
  "an answer to a call of the end that answers": [frameOf(RESULT, 1, Buffer.of(0x80))],
  "a failure of a call of the end that fails it": [frameOf(FAILURE, 1, Buffer.from("21612161", "hex"))],
  "a call with an id of the other end": [frameOf(CALL, 2, Buffer.from("002161", "hex"))],
  "a cancel of a call of the other end": [frameOf(CANCEL, 2)],
  "an end of a stream of the other end": [frameOf(END, 2)],
  "a PING with a body": [frameOf(0x84, 1, Buffer.of(0))],
  "a CANCEL with a body": [frameOf(CANCEL, 1, Buffer.of(0))],
  "a stream whose id is another's": [STREAM, STREAM],
  "an element before there was credit": [STREAM, frameOf(0x8a, 1, Buffer.of(0x80))],
  "more credit than there is": [STREAM, frameOf(CREDIT, 1, Buffer.from("7ffffff6", "hex"))],
  "a call whose credit is cut short": [frameOf(CALL, 1, Buffer.from("01000000", "hex"))],
};

for (const [name, frames] of Object.entries(WRONG)) {
  test(`${name} ends the link`, async () => {
    const { over } = await told(...frames);
    assert.deepEqual([over?.how, over?.error.code], ["broken", "BAD_FRAME"]);
  });
}

test("frames for calls that are not open are passed over", async () => {
  const item = Buffer.of(0x80);
  const failure = Buffer.from("21612161", "hex");
  const frames = [frameOf(RESULT, 2, item), frameOf(FAILURE, 4, failure), frameOf(0x8a, 1, item)];
  frames.push(frameOf(CREDIT, 1, Buffer.alloc(4)), frameOf(CANCEL, 1), frameOf(END, 1), frameOf(0x85, 7));
  assert.equal((await told(...frames)).over, undefined);
});

test("what comes behind the end is not kept", async () => {
  const end = await told(frameOf(0x83, 0, Buffer.from("21612162", "hex")), Buffer.alloc(1000));
  assert.deepEqual([end.over?.how, end.over?.error.message], ["goodbye", "b"]);
  assert.equal(end.link.pendingBytes, 0);
  const noise = Buffer.alloc(1000);
  for (let i = 0; i < 10; i++) end.link.receive(noise, 0, noise.length);
  assert.equal(end.link.pendingBytes, 0);
});

test("a link that is stopped handles what waits before it hears of the end", async () => {
  const [dialing, accepting] = await joined();
  accepting.link.stopped = true;
  const call = dialing.send("ECHO", 1);
  await turns(2);
  accepting.link.finished();
  assert.equal(accepting.over, undefined);
  accepting.link.stopped = false;
  accepting.link.goOn();
  assert.equal(accepting.over!.how, "finished");
  assert.deepEqual(await call.answer, [1]);
});
