// A client that knows nothing but docs/protocol.md, in Python, against a hive.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Hive } from "../../src/server/hive.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";

const CLIENT = fileURLToPath(new URL("native-client.py", import.meta.url));
const skip = await installDebianPackages(["python3-msgpack"]);

test("a client in Python greets, stores, reads, transacts, fails and is told why it ends", { skip }, async () => {
  await using hive = await Hive.start({ port: 0 });
  const { stdout } = await promisify(execFile)("/usr/bin/python3", [CLIENT, "127.0.0.1", String(hive.port)], {
    env: { ...process.env, PYTHONIOENCODING: "utf-8" },
  });
  const lines: unknown[] = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines, [
    {
      connectionId: "int",
      features: "list",
      heartbeatMs: "int",
      hive: "str",
      limits: "dict",
      runId: "str",
      version: "int",
    },
    "OK",
    "grüße",
    null,
    "OK",
    { bytes: "00ff" },
    1,
    true,
    true,
    2,
    1,
    [1, { failed: "WRONG_TYPE" }, 2, "2"],
    "EXEC_ABORT",
    "UNKNOWN_COMMAND",
    "NOT_INTEGER",
    "2",
    true,
    true,
    [true, 0, "BAD_FRAME", true],
  ]);
});
