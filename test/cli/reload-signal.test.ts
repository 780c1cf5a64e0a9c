// SIGHUP reloads, and ends what has lost its terminal.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ReloadSignal } from "../../src/cli/reload-signal.ts";

test("the signal reloads, with a terminal and without one; where the terminal is gone it hangs up", () => {
  for (const [had, has, expected] of [
    [true, true, "reload"],
    [false, false, "reload"],
    [true, false, "hang up"],
  ] as const) {
    const seen: string[] = [];
    let terminal: boolean = had;
    const signal = new ReloadSignal({
      reload: () => seen.push("reload"),
      hangUp: () => seen.push("hang up"),
      hasTerminal: () => terminal,
    });
    terminal = has;
    signal.receive();
    assert.deepEqual(seen, [expected]);
  }
});

test("it listens to SIGHUP until it is closed", () => {
  const before = process.listenerCount("SIGHUP");
  const signal = new ReloadSignal({ reload() {}, hangUp() {} });
  signal.open();
  assert.equal(process.listenerCount("SIGHUP"), before + 1);
  signal.close();
  assert.equal(process.listenerCount("SIGHUP"), before);
});
