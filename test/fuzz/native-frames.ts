// The fuzz over memhive's own protocol: calls, transactions and the frames between them, whole and spoilt.
//
//   rows ──▶ draw() ──▶ a whole frame ──▶ spoil() ──▶ perhaps a frame, perhaps noise
//
// Arguments are those of frames.ts, as raw bytes, text, bytes or values; now and then a value is one that
// no decoder is to meet. Whether a frame leaves its connection in step is asked of a door in this process.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { limitsWith } from "../../src/base/limits.ts";
import { NativeDoor } from "../../src/doors/native/door.ts";
import type { Row } from "../../src/engine/row.ts";
import * as kinds from "../../src/wire/frame.ts";
import { FrameReader } from "../../src/wire/frame.ts";
import { encode } from "../../src/wire/value.ts";
import type { Random } from "../differential/random.ts";
import { frameOf, helloOf, NativeClient } from "../kit/native-client.ts";
import { ScriptedRunner } from "../kit/scripted-runner.ts";
import { ScriptedTransport } from "../kit/scripted-transport.ts";
import { type Accident, BYTE_ACCIDENTS, drawCall, isHarmful } from "./frames.ts";
import type { Beside, FuzzWire, Seen } from "./wires.ts";

const OPENING: Buffer = Buffer.concat([kinds.PREAMBLE, helloOf({ heartbeatMs: 0 })]);
const HEAD_BYTES = 9;
const ID_LIMIT = 40;
const REPLY_BYTES_MAX = 1 << 29;

type Vector = { hex: string };
const vectors: Record<"values" | "refused", Vector[]> = JSON.parse(
  readFileSync(new URL("../wire/value-vectors.json", import.meta.url), "utf8"),
);
const VALUES: readonly Buffer[] = [...vectors.values, ...vectors.refused]
  .map(({ hex }) => Buffer.from(hex, "hex"))
  .filter(({ length }) => length < 600);
const HOSTILE: readonly Buffer[] = ["91".repeat(2000), "d47240", "d5724041", "92c0d40105", "0102", "ddffffffff"].map(
  (hex) => Buffer.from(hex, "hex"),
);

/** An item with its head, its size in any of the forms that it fits in. */
function item(random: Random, kind: number, bytes: Uint8Array): Buffer {
  const { length } = bytes;
  const forms = [
    length < 28 ? Buffer.of((kind << 5) | length) : undefined,
    length < 256 ? Buffer.of((kind << 5) | 28, length) : undefined,
    length < 65_536 ? Buffer.of((kind << 5) | 29, length >> 8, length) : undefined,
  ].filter((form) => form !== undefined);
  const long = Buffer.of((kind << 5) | 30, 0, 0, 0, 0);
  long.writeUInt32BE(length, 1);
  const head = forms.length === 0 || random.chance(0.05) ? long : random.chance(0.8) ? forms[0]! : random.pick(forms);
  return Buffer.concat([head, bytes]);
}

function argument(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const dice = random.below(100);
  if (dice < 40) return item(random, 1, Buffer.from(text, "utf8"));
  if (dice < 60) return item(random, 2, bytes);
  if (dice < 75) return item(random, 3, random.chance(0.5) ? encode(Number(text)) : random.pick(VALUES));
  if (dice < 77) return item(random, 3, random.pick(HOSTILE));
  return item(random, 0, bytes);
}

function items(random: Random, call: readonly string[]): Buffer[] {
  // What the engine refuses for its words would be obeyed if one of them were a number.
  const asWritten = isHarmful(call.join(" "));
  return call.map((text, i) =>
    i === 0 || asWritten ? item(random, 0, Buffer.from(text, "latin1")) : argument(random, text),
  );
}

function draw(random: Random, row: Row): Buffer {
  const dice = random.below(100);
  const id = 2 * random.below(ID_LIMIT) + 1;
  if (dice < 6) return control(random, id);
  const call = drawCall(random, row);
  if (dice < 14 && call.length < 28) {
    const one = Buffer.concat([Buffer.of(0xa0 | call.length), ...items(random, call)]);
    return frameOf(kinds.TRANSACTION, id, Buffer.concat(Array.from({ length: random.below(4) }, () => one)));
  }
  const flags = dice < 20 ? Buffer.of(1, 0, random.below(256), random.below(256), 0) : Buffer.of(0);
  return frameOf(kinds.CALL, id, Buffer.concat([flags, ...items(random, call)]));
}

/** A frame that is no call. Most are about calls that are not open. */
function control(random: Random, id: number): Buffer {
  const some = (): Buffer => argument(random, random.pick(["a", "1", "\xff"]));
  const frames = [
    frameOf(kinds.PING, id),
    frameOf(kinds.PONG, id),
    frameOf(kinds.CANCEL, id),
    frameOf(kinds.END, id),
    frameOf(kinds.CREDIT, id, Buffer.of(random.below(256), 0, 0, 1)),
    frameOf(kinds.ELEMENT, id, some()),
    frameOf(kinds.RESULT, id + 1, some()),
    frameOf(kinds.FAILURE, id + 1, Buffer.from("21612162", "hex")),
    frameOf(kinds.GOODBYE, 0, Buffer.from("21612162", "hex")),
  ];
  return random.pick(frames.slice(0, random.chance(0.1) ? frames.length : -1));
}

const ACCIDENTS: readonly Accident[] = [
  ...BYTE_ACCIDENTS,
  // A head is another one.
  (random, frame) => {
    const copy = Buffer.from(frame);
    if (copy.length > HEAD_BYTES) {
      copy[random.between(HEAD_BYTES, copy.length - 1)] = random.pick([0x1f, 0x3e, 0x7c, 0x80, 0x84, 0xa1, 0xbf, 0xde]);
    }
    return copy;
  },
  // Another kind, or another id.
  (random, frame) => {
    const copy = Buffer.from(frame);
    if (copy.length > 4) copy[random.pick([0, 0, 1, 4])] = random.between(0x80, 0xa0);
    return copy;
  },
  // A size is another number.
  (random, frame) => {
    const copy = Buffer.from(frame);
    if (copy.length < HEAD_BYTES) return copy;
    copy.writeUInt32BE(random.pick([0, 1, copy.length, 0xff, 0xffff, 0x0800_0001, 0xffff_ffff]), 5);
    return copy;
  },
];
const FITTING_SHARE = 0.6;

/** After most accidents the size of the body is right again, so that it is the items that are wrong. */
function spoil(random: Random, frame: Buffer): Buffer {
  const spoilt = random.pick(ACCIDENTS)(random, frame);
  if (isHarmful(frame.latin1Slice()) || isHarmful(spoilt.latin1Slice())) return frame;
  if (spoilt.length < HEAD_BYTES || spoilt[0]! < kinds.HELLO || !random.chance(FITTING_SHARE)) return spoilt;
  const fitting = Buffer.from(spoilt);
  fitting.writeUInt32BE(fitting.length - HEAD_BYTES, 5);
  return fitting;
}

const runner = new ScriptedRunner({});
const door = new NativeDoor({
  runner,
  limits: limitsWith({}),
  identity: { version: "", runId: "" },
  onNotice: () => {},
});

function leavesInStep(frame: Buffer): boolean {
  const transport = new ScriptedTransport();
  transport.receiver = door.open(transport)!;
  transport.arrive(OPENING);
  transport.arrive(frame);
  const inStep = transport.state === "open" && runner.contexts[0]!.peer.inputBytes === 0;
  if (transport.state === "open") transport.close();
  runner.contexts = [];
  runner.log = [];
  return inStep;
}

export const nativeWire: FuzzWire = {
  // It ends up to 24 MB above a start of 110, after 40,000 frames as after a million: it does not go on growing.
  growthMax: 1.3,
  open: () => [OPENING],
  draw,
  spoil,
  leavesInStep,
  listen(seen: Seen) {
    const reader = new FrameReader(REPLY_BYTES_MAX);
    return (chunk) => {
      reader.feed(chunk, 0, chunk.length);
      while (reader.next()) {
        if (reader.kind === kinds.FAILURE) seen.errors++;
        else if (reader.kind === kinds.GOODBYE) seen.broken++;
        else assert.ok([kinds.RESULT, kinds.WELCOME, kinds.PONG].includes(reader.kind as never), `kind ${reader.kind}`);
      }
      reader.settle();
    };
  },
  async beside(port: number): Promise<Beside> {
    const client = await NativeClient.connect({ port });
    const beside = { stopped: false, closed: client.closed, close: () => void client.socket.destroy() };
    const done = callsBeside(client, beside);
    // A failure is reported where it is awaited; until then it is not unhandled.
    done.catch(() => {});
    return Object.assign(beside, { done });
  },
};

async function callsBeside(client: NativeClient, beside: { readonly stopped: boolean }): Promise<number> {
  let count = 0;
  for (let round = 0; !beside.stopped; round++) {
    const value = { round, text: `${round}` };
    const calls = [
      client.call("ECHO", `${round}`),
      client.call("SET", "beside:value", value),
      client.call("GET", "beside:value"),
      client.call("INCR", "beside:count"),
      client.transact(["ECHO", `${round}`], ["ECHO", "end"]),
    ];
    const [echo, set, got, number, both] = await Promise.all(calls);
    assert.equal(echo, `${round}`);
    assert.equal(set, "OK");
    if (got !== undefined) assert.deepEqual(got, value);
    assert.ok((number as number) > 0, `INCR was answered ${number}`);
    assert.deepEqual(both, [`${round}`, "end"]);
    assert.deepEqual(client.frames, [], "the client beside got a reply too many");
    count += calls.length;
  }
  return count;
}
