// The door as a whole: what closing does to connections that come later, and which deadline belongs to whom.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Limits, limitsWith } from "../../../src/base/limits.ts";
import { RespDoor } from "../../../src/doors/resp/door.ts";
import { GATE_AUTH } from "../../../src/engine/context.ts";
import { ScriptedRunner } from "../../kit/scripted-runner.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";

type Setup = { runner: ScriptedRunner; door: RespDoor; notices: string[] };

function setup(limits: Partial<Limits> = {}): Setup {
  const runner = new ScriptedRunner({
    PING: ({ reply }) => reply.status("PONG"),
    BIG: ({ args, reply }) => reply.bulk(Buffer.alloc(args.integer(1), 120), 0, args.integer(1)),
  });
  const notices: string[] = [];
  const door = new RespDoor({ runner, limits: limitsWith(limits), onNotice: (_, message) => notices.push(message) });
  return { runner, door, notices };
}

test("a door that is closed ends its connections and lets no other in", () => {
  const { runner, door } = setup();
  const before = new ScriptedTransport();
  before.receiver = door.open(before)!;
  door.close();
  assert.equal(before.state, "ended");
  const late = new ScriptedTransport();
  assert.equal(door.open(late), undefined);
  assert.match(late.take(), /^-ERR the hive is closing/);
  assert.equal(late.state, "ended");
  assert.deepEqual(runner.log, ["open", "close"]);
});

test("a stranger that reads slowly has no longer to authenticate", async () => {
  const { runner, door, notices } = setup({ authenticationTimeoutMs: 20, outputSoftBytesMax: 1000 });
  runner.onOpen = (context) => {
    context.gate |= GATE_AUTH;
  };
  const transport = new ScriptedTransport();
  transport.receiver = door.open(transport)!;
  transport.reads = false;
  transport.arrive("BIG 70000\r\n");
  assert.equal(transport.state, "paused");
  transport.read();
  assert.equal(transport.state, "open");
  while ((transport.state as string) !== "destroyed") await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(notices, ["no authentication in time"]);
});
