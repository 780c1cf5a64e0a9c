// Devices that speak XML-RPC with Python's standard library, as real processes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";
import { HttpClient } from "../kit/http-client.ts";

const skip = await installDebianPackages(["python3"]);
const SCRIPT = fileURLToPath(new URL("../../examples/xml-rpc/device.py", import.meta.url));
const TOKEN = "the token of all devices";
const CAP = 1_000_000;
const DONE = "all of it was as it should be\n";

async function device(url: string, id: string, { token = TOKEN, cap = String(CAP) } = {}): Promise<string> {
  const args = [SCRIPT, url, token, id, ...(cap === "" ? [] : [cap])];
  const { stdout } = await promisify(execFile)("python3", args, { timeout: 60_000 });
  return stdout;
}

test("every type, every refusal, the cap too, and every fault, at /RPC2 and /", { skip }, async () => {
  await using hive = await Hive.start({
    port: 0,
    token: TOKEN,
    deviceBytesMax: CAP,
    limits: { authenticationDelayMs: 1, authenticationDelayMsMax: 1 },
  });
  for (const path of ["/RPC2", "/", ""]) {
    assert.equal(await device(`http://127.0.0.1:${hive.port}${path}`, "sensor/7 é"), DONE);
  }
});

test("a hive without tokens takes any", { skip }, async () => {
  await using hive = await Hive.start({ port: 0 });
  assert.equal(await device(`http://127.0.0.1:${hive.port}/RPC2`, "sensor", { token: "", cap: "" }), DONE);
});

test("eight devices at once beside one that stalls in the middle of its request", { skip }, async () => {
  await using hive = await Hive.start({
    port: 0,
    token: TOKEN,
    deviceBytesMax: CAP,
    limits: { authenticationDelayMs: 1, authenticationDelayMsMax: 1 },
  });
  await using stalled = await HttpClient.connect({ port: hive.port });
  stalled.write("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n<?xml");
  const url = `http://127.0.0.1:${hive.port}/RPC2`;
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => device(url, `sensor-${i}`)));
  assert.deepEqual(
    all,
    Array.from({ length: 8 }, () => DONE),
  );
});

test("what a device put is a table for the other doors", { skip }, async () => {
  await using hive = await Hive.start({ port: 0 });
  const program = `import xmlrpc.client as x; x.ServerProxy("http://127.0.0.1:${hive.port}").memory_put("", "a/b", "t", {"c": 21.5})`;
  await promisify(execFile)("python3", ["-c", program]);
  await using client = await connect(hive);
  assert.deepEqual(await client.table("$device:a%2Fb").get("t"), { c: 21.5 });
});
