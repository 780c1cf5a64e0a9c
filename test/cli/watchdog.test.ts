// The watchdog of a hive that serves: what blocks it is named while it blocks, and counted afterwards.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RespClient } from "../kit/resp-client.ts";
import { runMemhive } from "../kit/run-memhive.ts";

const INDEX = fileURLToPath(new URL("../../src/structures/index.ts", import.meta.url));

test("a command that blocks the hive is named on standard error while it does, and in INFO afterwards", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-watchdog-"));
  const file = join(folder, "slow.ts");
  const socket = join(folder, "hive");
  writeFileSync(
    file,
    `import { Structure } from ${JSON.stringify(INDEX)};
export class Slow extends Structure {
  static BLOCK_FOR(_hive, ms) { const end = performance.now() + Number(ms); while (performance.now() < end); return "done"; }
}`,
  );
  let child: ChildProcess | undefined;
  const ended = runMemhive(["serve", "--no-tcp", "--unix", socket, "--structures", file], {
    onStart: (started) => {
      child = started;
    },
  });
  try {
    await new Promise((resolve) => child!.stdout!.once("data", resolve));
    await using client = await RespClient.connect({ path: socket });
    assert.equal((await client.call("BLOCK_FOR", "1")).value, "done");
    assert.equal((await client.call("BLOCK_FOR", "300")).value, "done");
    const info = String((await client.call("INFO", "structures")).value);
    assert.match(info, /structures_blocked:1\r\n/);
    assert.match(info, /BLOCK_FOR/);
  } finally {
    child!.kill("SIGTERM");
  }
  const { code, error } = await ended;
  assert.equal(code, 0);
  assert.match(error, /memhive: BLOCK_FOR has been blocking the hive for \d+ ms/);
  assert.match(error, /BLOCK_FOR blocked the hive for \d+ ms: more than commandMsMax \(50 ms\)/);
  rmSync(folder, { recursive: true });
});
