// The door as a whole: what closing does to its connections, and to those that come later.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../../src/base/limits.ts";
import { RespDoor } from "../../../src/doors/resp/door.ts";
import { ScriptedRunner } from "../../kit/scripted-runner.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";

test("a door that is closed ends its connections and lets no other in", () => {
  const runner = new ScriptedRunner({});
  const door = new RespDoor({ runner, limits: DEFAULT_LIMITS, onNotice() {} });
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
