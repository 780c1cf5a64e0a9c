// What a native connection does around the calls: who gets in, who hears what, and what an end leaves behind.
// The commands are scripted, and so is the transport.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Limits, limitsWith } from "../../../src/base/limits.ts";
import { NativeDoor } from "../../../src/doors/native/door.ts";
import { GATE_AUTH } from "../../../src/engine/context.ts";
import { CANCEL, FrameReader, GOODBYE, PING, PREAMBLE, RESULT, WELCOME } from "../../../src/wire/frame.ts";
import { callOf, contentOf, type Frame, failureOf, frameOf, helloOf } from "../../kit/native-client.ts";
import { type Commands, ScriptedRunner } from "../../kit/scripted-runner.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const gates: (() => void)[] = [];
const signals: AbortSignal[] = [];

const COMMANDS: Commands = {
  BUG: ({ reply }) => {
    reply.array(2);
    reply.status("half of a reply");
    throw new TypeError("a mistake of ours");
  },
  PING: ({ reply }) => reply.status("PONG"),
  BIG: ({ args, reply }) => reply.bulk(Buffer.alloc(args.integer(1), 120), 0, args.integer(1)),
  KILL: ({ context, reply }) => {
    reply.ok();
    context.peer.close("now");
  },
  AUTH: ({ context, args, reply }) => {
    if (args.text(1) === "secret") context.gate &= ~GATE_AUTH;
    reply.ok();
  },
  WAIT: async ({ args, reply }) => {
    args.keep();
    await new Promise<void>((resolve) => gates.push(resolve));
    reply.bulk(args.buffer, args.start(1), args.end(1));
  },
  SIGNAL: ({ context, args, reply }) => {
    args.keep();
    const { signal } = context;
    signals.push(signal);
    return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())).then(() => reply.ok());
  },
  /** Writes an error, then thinks better of it. */
  REGRET: ({ reply }) => {
    const mark = reply.mark();
    reply.error("ABORTED", "no");
    reply.rewind(mark);
    reply.ok();
  },
};

type Setup = {
  runner: ScriptedRunner;
  door: NativeDoor;
  notices: string[];
  connect: (hello?: object | null) => ScriptedTransport;
};

function setup(limits: Partial<Limits> = {}, commands: Commands = COMMANDS): Setup {
  gates.length = 0;
  signals.length = 0;
  const runner = new ScriptedRunner(commands);
  const notices: string[] = [];
  const identity = { version: "1", runId: "r" };
  const onNotice = (_: string, message: string): void => void notices.push(message);
  const door = new NativeDoor({ runner, limits: limitsWith(limits), identity, onNotice });
  const connect = (hello: object | null = { heartbeatMs: 0 }): ScriptedTransport => {
    const transport = new ScriptedTransport();
    transport.receiver = door.open(transport)!;
    if (hello !== null) {
      transport.arrive(Buffer.concat([PREAMBLE, helloOf(hello)]));
      assert.equal(framesOf(transport)[0]?.kind, WELCOME);
    }
    return transport;
  };
  return { runner, door, notices, connect };
}

/** The frames that were written since the last look. */
function framesOf(transport: ScriptedTransport): Frame[] {
  const bytes = Buffer.from(transport.take(), "latin1");
  const reader = new FrameReader(1 << 30);
  const frames: Frame[] = [];
  reader.feed(bytes, 0, bytes.length);
  while (reader.next()) {
    frames.push({ kind: reader.kind, id: reader.id, body: Buffer.from(reader.bytes.slice(reader.start, reader.end)) });
  }
  assert.equal(reader.pendingBytes, 0);
  return frames;
}

function answers(transport: ScriptedTransport): unknown[] {
  return framesOf(transport).map((frame) => (frame.kind === GOODBYE ? failureOf(frame).code : contentOf(frame)));
}

test("frames of one read event leave in one write", () => {
  const { connect, runner } = setup();
  const transport = connect();
  runner.log = [];
  transport.arrive(Buffer.concat([1, 3, 5].map((id) => callOf(id, ["PING"]))));
  assert.equal(transport.writes.length, 1);
  assert.deepEqual(answers(transport), ["PONG", "PONG", "PONG"]);
  assert.deepEqual(runner.log, ["tick", "PING", "PING", "PING"]);
});

test("an error of ours reaches the process, and nothing of the replies before it reaches the next client", () => {
  const { connect, runner } = setup();
  const transport = connect();
  const bytes = Buffer.concat([callOf(1, ["PING"]), callOf(3, ["BUG"]), callOf(5, ["PING"])]);
  assert.throws(() => transport.arrive(bytes), TypeError);
  assert.deepEqual([transport.state, runner.log.at(-1)], ["destroyed", "close"]);
  const other = connect();
  other.arrive(callOf(1, ["PING"]));
  assert.deepEqual(answers(other), ["PONG"]);
});

test("with its token a stranger gets in, with another one it does not", () => {
  const { connect, runner, notices } = setup();
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  connect({ heartbeatMs: 0, token: "secret" });
  const stranger = connect(null);
  stranger.arrive(Buffer.concat([PREAMBLE, helloOf({ heartbeatMs: 0, token: "x" }), callOf(1, ["PING"])]));
  assert.deepEqual(answers(stranger), ["WRONG_PASSWORD"]);
  assert.equal(stranger.state, "ended");
  assert.equal(notices.length, 1);
  assert.ok(!runner.log.includes("PING"));
});

test("where the token takes time nothing runs before it is known, and then what waited does", async () => {
  let decide!: () => void;
  const commands: Commands = {
    ...COMMANDS,
    AUTH: async (call) => {
      const right = call.args.text(1) === "secret";
      await new Promise<void>((resolve) => {
        decide = resolve;
      });
      if (right) call.context.gate &= ~GATE_AUTH;
      call.reply.ok();
    },
  };
  const { connect, runner } = setup({}, commands);
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  for (const [token, heard] of [
    ["secret", ["WELCOME", "PONG"]],
    ["wrong", ["WRONG_PASSWORD"]],
  ] as const) {
    const transport = connect(null);
    transport.arrive(Buffer.concat([PREAMBLE, helloOf({ heartbeatMs: 0, token }), callOf(1, ["PING"])]));
    assert.deepEqual(framesOf(transport), []);
    assert.equal(runner.log.filter((line) => line === "PING").length, token === "secret" ? 0 : 1);
    decide();
    for (let i = 0; i < 3; i++) await turn();
    const frames = framesOf(transport);
    assert.deepEqual(
      frames
        .map((frame) => {
          if (frame.kind === WELCOME) return "WELCOME";
          return frame.kind === GOODBYE ? failureOf(frame).code : contentOf(frame);
        })
        .sort((a, b) => Number(b === "WELCOME") - Number(a === "WELCOME")),
      heard,
    );
  }
});

test("a connection that is cut off in its own read event leaves nothing for the next one", () => {
  const { connect } = setup();
  const victim = connect();
  const other = connect();
  victim.arrive(Buffer.concat([callOf(1, ["PING"]), callOf(3, ["KILL"]), callOf(5, ["PING"])]));
  assert.equal(victim.state, "destroyed");
  other.arrive(callOf(9, ["PING"]));
  const frames = framesOf(other);
  assert.deepEqual(
    frames.map(({ id }) => id),
    [9],
  );
});

test("each waiting call has a signal of its own, which ends with CANCEL and with the connection", async () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive(Buffer.concat([callOf(1, ["SIGNAL"]), callOf(3, ["SIGNAL"])]));
  transport.arrive(frameOf(CANCEL, 1));
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  );
  await turn();
  assert.deepEqual(framesOf(transport), []);
  transport.close();
  assert.equal((signals[1]!.reason as { code: string }).code, "CONNECTION_LOST");
});

test("answers that come later leave together at the end of the turn, the large ones alone", async () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive(Buffer.concat([1, 3, 5].map((id) => callOf(id, ["WAIT", `${id}`]))));
  for (const open of gates) open();
  await turn();
  await turn();
  assert.equal(transport.writes.length, 1);
  assert.deepEqual(answers(transport), ["1", "3", "5"]);
  transport.arrive(Buffer.concat([1, 3].map((id) => callOf(id, ["WAIT", "x".repeat(100_000)]))));
  for (const open of gates) open();
  await turn();
  await turn();
  assert.equal(transport.writes.length, 2);
});

test("an error that was taken back leaves a result", () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive(callOf(1, ["REGRET"]));
  const [frame] = framesOf(transport);
  assert.equal(frame!.kind, RESULT);
  assert.equal(contentOf(frame!), "OK");
});

test("a hive that closes lets calls that wait answer, and says why it ends", async () => {
  const { connect, door, runner } = setup();
  const transport = connect();
  transport.arrive(callOf(1, ["WAIT", "late"]));
  door.close();
  transport.arrive(callOf(3, ["PING"]));
  assert.equal(transport.state, "open");
  gates[0]!();
  await turn();
  await turn();
  assert.deepEqual(answers(transport), ["late", "HIVE_CLOSED"]);
  assert.equal(transport.state, "ended");
  assert.equal(runner.log.at(-1), "close");
  const refused = new ScriptedTransport();
  assert.equal(door.open(refused), undefined);
  assert.deepEqual(answers(refused), ["HIVE_CLOSED"]);
});

test("heartbeats are the client's own: a slow one is not cut off by the hive's", async () => {
  const { connect, door, notices } = setup({ heartbeatMs: 1000 });
  const quick = connect({ heartbeatMs: 1000 });
  const slow = connect({ heartbeatMs: 10_000 });
  const none = connect();
  // A beat is half of the hive's heartbeat.
  const beats = async (count: number): Promise<void> => {
    for (let beat = 0; beat < count; beat++) {
      door.beat();
      await turn();
    }
  };
  await beats(6);
  assert.deepEqual([quick.state, slow.state, none.state], ["open", "open", "open"]);
  assert.ok(framesOf(quick).filter(({ kind }) => kind === PING).length >= 3);
  await beats(1);
  assert.deepEqual([quick.state, slow.state, none.state], ["destroyed", "open", "open"]);
  await beats(53);
  assert.equal(slow.state, "open");
  await beats(1);
  assert.equal(slow.state, "destroyed");
  assert.deepEqual(framesOf(none), []);
  assert.equal(notices.length, 2);
});

test("a client that does not read gets no further call, and is cut off above the hard limit", async () => {
  const limits = { outputSoftBytesMax: 100_000, outputBytesMax: 300_000, valueBytesMax: 200_000 };
  const { connect, runner, notices } = setup(limits);
  const transport = connect();
  transport.reads = false;
  transport.arrive(Buffer.concat([1, 3, 5].map((id) => callOf(id, ["BIG", "150000"]))));
  assert.equal(transport.state, "paused");
  assert.equal(runner.log.filter((line) => line.startsWith("BIG")).length, 1);
  transport.read();
  assert.equal(runner.log.filter((line) => line.startsWith("BIG")).length, 2);
  transport.read();
  transport.read();
  assert.equal(runner.log.filter((line) => line.startsWith("BIG")).length, 3);
  assert.equal(transport.state, "open");
  assert.deepEqual(notices, []);
  // Answers that were under way already may still exceed the hard limit.
  transport.arrive(Buffer.concat([7, 9, 11].map((id) => callOf(id, ["WAIT", "x".repeat(120_000)]))));
  for (const open of gates) open();
  await turn();
  assert.equal(transport.state, "destroyed");
  assert.match(notices[0]!, /^unread replies of \d+ bytes exceed outputBytesMax/);
});

test("more answers in one turn than the hive may keep cut the client off, and nothing else", async () => {
  const { connect, notices } = setup({ outputSoftBytesMax: 300_000, outputBytesMax: 300_000, valueBytesMax: 200_000 });
  const transport = connect();
  const other = connect();
  transport.reads = false;
  const ids = Array.from({ length: 12 }, (_, i) => 2 * i + 1);
  for (const id of ids) transport.arrive(callOf(id, ["WAIT", "x".repeat(60_000)]));
  for (const open of gates) open();
  await turn();
  await turn();
  assert.equal(transport.state, "destroyed");
  assert.equal(notices.length, 1);
  other.arrive(callOf(1, ["PING"]));
  assert.deepEqual(answers(other), ["PONG"]);
});
