// What a connection may do before it has authenticated, and for how long. The commands are scripted, and
// so is the transport.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Limits, limitsWith } from "../../../src/base/limits.ts";
import { RespDoor } from "../../../src/doors/resp/door.ts";
import { GATE_AUTH } from "../../../src/engine/context.ts";
import { type Commands, ScriptedRunner } from "../../kit/scripted-runner.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";

const COMMANDS: Commands = {
  PING: ({ reply }) => reply.status("PONG"),
  ECHO: ({ args, reply }) => reply.bulk(args.buffer, args.start(1), args.end(1)),
  BIG: ({ args, reply }) => reply.bulk(Buffer.alloc(args.integer(1), 120), 0, args.integer(1)),
  LOGIN: ({ context, reply }) => {
    context.gate &= ~GATE_AUTH;
    reply.ok();
  },
  LOGOUT: ({ context, reply }) => {
    context.gate |= GATE_AUTH;
    reply.ok();
  },
};

type Setup = { runner: ScriptedRunner; notices: string[]; connect: () => ScriptedTransport };

function setup(limits: Partial<Limits> = {}): Setup {
  const runner = new ScriptedRunner(COMMANDS);
  const notices: string[] = [];
  const door = new RespDoor({ runner, limits: limitsWith(limits), onNotice: (_, message) => notices.push(message) });
  const connect = (): ScriptedTransport => {
    const transport = new ScriptedTransport();
    transport.receiver = door.open(transport)!;
    return transport;
  };
  return { runner, notices, connect };
}

test("before authentication a call is small, afterwards it is not, and RESET brings that back", () => {
  const { runner, connect } = setup();
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  const long = `*2\r\n$4\r\nECHO\r\n$16385\r\n${"x".repeat(16_385)}\r\n`;
  const stranger = connect();
  stranger.arrive(long);
  assert.equal(stranger.take(), "-ERR Protocol error: unauthenticated bulk length\r\n");
  const many = connect();
  many.arrive(`*11\r\n`);
  assert.equal(many.take(), "-ERR Protocol error: unauthenticated multibulk length\r\n");

  const friend = connect();
  friend.arrive(`LOGIN\r\n${long}`);
  assert.ok(friend.take().startsWith("+OK\r\n$16385\r\n"));
  friend.arrive(`LOGOUT\r\n${long}`);
  assert.equal(friend.take(), "+OK\r\n-ERR Protocol error: unauthenticated bulk length\r\n");
});

test("three unknown inline commands before authentication end the connection", () => {
  const { runner, notices, connect } = setup();
  const friend = connect();
  friend.arrive("a\r\nb\r\nc\r\nd\r\nPING\r\n");
  assert.ok(friend.take().endsWith("+PONG\r\n"), "an authenticated one may go on");

  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  const stranger = connect();
  stranger.arrive("a\r\nPING\r\n*1\r\n$1\r\nb\r\nb\r\n*1\r\n$1\r\nb\r\n");
  assert.equal(stranger.state, "open");
  stranger.arrive("c\r\nPING\r\n");
  assert.equal(stranger.state, "ended");
  assert.ok(stranger.take().endsWith("-ERR unknown command 'c'\r\n"));
  assert.deepEqual(notices, ["unknown inline commands: not RESP"]);
});

test("a connection that does not authenticate in time is closed, one that does is not", async () => {
  const { runner, notices, connect } = setup({ authenticationTimeoutMs: 1 });
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  const [stranger, friend] = [connect(), connect()];
  friend.arrive("LOGIN\r\n");
  await passed(() => stranger.state === "destroyed");
  assert.deepEqual(notices, ["no authentication in time"]);
  assert.equal(friend.state, "open");
});

test("a stranger that reads slowly has no longer to authenticate", async () => {
  const { runner, notices, connect } = setup({ authenticationTimeoutMs: 20, outputSoftBytesMax: 1000 });
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  const transport = connect();
  transport.reads = false;
  transport.arrive("BIG 70000\r\n");
  assert.equal(transport.state, "paused");
  transport.read();
  assert.equal(transport.state, "open");
  await passed(() => transport.state === "destroyed");
  assert.deepEqual(notices, ["no authentication in time"]);
});

test("replies to a stranger who does not read them pile up no further than what he may send", () => {
  const { runner, connect } = setup({});
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  const transport = connect();
  transport.reads = false;
  for (let i = 0; i < 10; i++) transport.arrive("BIG 20000\r\n");
  assert.equal(transport.state, "paused");
  assert.ok(transport.pendingBytes < 40_000, `${transport.pendingBytes} bytes wait`);
  transport.read();
  assert.equal(transport.state, "open", "who reads goes on");
});

/** Waits for `condition` by turns of the event loop, not by time. */
async function passed(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
