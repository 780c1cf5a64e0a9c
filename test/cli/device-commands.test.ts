// memhive device, as processes: what is printed, where, and with which exit code.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { type Ended, runMemhive } from "../kit/run-memhive.ts";

let hive: Hive;

before(async () => {
  hive = await Hive.start({ port: 0, deviceBytesMax: 10_000 });
});
after(() => hive.close());

function device(...args: string[]): Promise<Ended> {
  return runMemhive(["device", ...args], { env: { MEMHIVE_URL: `hive://127.0.0.1:${hive.port}` } });
}

test("list, usage and clear of a running hive", async () => {
  assert.deepEqual(await device("list"), { code: 0, out: "", error: "" });
  await using client = await connect(hive);
  await client.device("shelf/3 ä").put("t", 21.5);
  await client.device("shelf/3 ä").put("u", Buffer.alloc(1000));
  await client.session("only a session");
  const listed = await device("list");
  assert.match(listed.out, /^ +1\.\d KB +2 labels {2}shelf\/3 ä\n +\d+ B +0 labels {2}only a session\n$/);
  const json = (await device("list", "--json")).out.trim().split("\n");
  const { bytes } = await client.device("shelf/3 ä").usage();
  assert.deepEqual(JSON.parse(json[0]!), { device: "shelf/3 ä", bytes, labels: 2 });

  const usage = await device("usage", "shelf/3 ä");
  assert.match(
    usage.out,
    /^labels: +2\nsessions: +0\nbytes: +\d+ \(1\.\d KB\), of 10000 \(10\.0 KB\), sessions included\n/,
  );
  assert.match(usage.out, /^all devices: \d+ \(1\.\d KB\), no cap$/m);
  const found = JSON.parse((await device("usage", "shelf/3 ä", "--json")).out);
  assert.deepEqual([found.device, found.bytes, found.bytesMax], ["shelf/3 ä", bytes, 10_000]);
  const session = await client.session("shelf/3 ä");
  await session.put("l", 1);
  assert.match((await device("usage", "shelf/3 ä")).out, /^labels: +2, with those of its sessions 3\nsessions: +1\n/);
  await session.close();

  assert.deepEqual(await device("clear", "shelf/3 ä"), { code: 0, out: "cleared shelf/3 ä\n", error: "" });
  assert.deepEqual(await client.device("shelf/3 ä").labels(), []);
});

test("where there is nothing the exit code is 3, and 2 where it is called wrongly", async () => {
  const usage = await device("usage", "nobody");
  assert.deepEqual([usage.code, usage.error], [3, "memhive: device nobody has nothing\n"]);
  assert.match(usage.out, /^labels: +0\nsessions: +0\n/);
  await using client = await connect(hive);
  await client.device("one").put("l", 1);
  const cleared = await device("clear", "nobody", "one", "--json");
  assert.deepEqual([cleared.code, cleared.error], [3, "memhive: device nobody has nothing\n"]);
  assert.equal(cleared.out, '{"device":"nobody","cleared":false}\n{"device":"one","cleared":true}\n');
  for (const args of [["show"], ["usage"], ["usage", "a", "b"], ["list", "x"], ["clear"]]) {
    const { code, error } = await device(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(error, /memhive device: expected/);
  }
  const failed = await device("usage", "x".repeat(200));
  assert.deepEqual([failed.code, /^memhive: INVALID_ARGUMENT: /.test(failed.error)], [1, true]);
  const help = await device("--help");
  assert.match(help.out, /device list *\n {2}device usage <device>\n {2}device clear <devices\.\.\.>/);
});
