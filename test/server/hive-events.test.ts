// What a hive tells its operator: events with fields, never a secret, and nothing per call.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log, LogFields } from "../../src/base/log.ts";
import { Statistics } from "../../src/engine/statistics.ts";
import { Hive } from "../../src/server/hive.ts";
import { HiveEvents } from "../../src/server/hive-events.ts";
import { Pulse } from "../../src/server/pulse.ts";
import { Store } from "../../src/store/store.ts";
import { RespClient } from "../kit/resp-client.ts";

type Event = { level: string; message: string; fields: LogFields };

function recordingLog(): { log: Log; events: Event[]; of(message: string): LogFields[] } {
  const events: Event[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void events.push({ level, message, fields });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { log, events, of: (message) => events.filter((event) => event.message === message).map((e) => e.fields) };
}

test("a hive says that it is ready and that it closes, and nothing of calls", async () => {
  const { log, events } = recordingLog();
  const hive = await Hive.start({ port: 0, log });
  {
    await using client = await RespClient.connect({ port: hive.port });
    for (let i = 0; i < 10; i++) {
      client.send(["SET", "k", "v"]);
      await client.readReply();
    }
  }
  await hive.close();
  assert.deepEqual(
    events.map(({ level, message }) => [level, message]),
    [
      ["info", "ready"],
      ["info", "closing: no new connections, last replies go out"],
      ["info", "closed"],
    ],
  );
  assert.deepEqual(events[0]!.fields, { addresses: [hive.address] });
});

test("a connection that is ended or refused is told of with its reason, as a notice too", async () => {
  const { log, of } = recordingLog();
  const notices: string[] = [];
  await using hive = await Hive.start({ port: 0, log, onNotice: (message) => notices.push(message) });
  await using stranger = await RespClient.connect({ port: hive.port });
  stranger.write(Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f]));
  await stranger.closed;
  await using broken = await RespClient.connect({ port: hive.port });
  broken.send(["PING"]);
  await broken.readReply();
  broken.write("*1\r\n:1\r\n");
  await broken.closed;
  const [refused] = of("connection refused");
  assert.equal(refused!["wire"], "zmtp");
  const [ended] = of("connection ended by the hive");
  assert.match(String(ended!["address"]), /^127\.0\.0\.1:\d+$/);
  assert.equal(notices.length, 2);
  assert.equal(notices[1], `${ended!["address"]} ${ended!["reason"]}`);
});

test("a failed authentication is logged with its address and without what was tried", async () => {
  const { log, events } = recordingLog();
  await using hive = await Hive.start({ port: 0, log, token: "the right token of this hive" });
  await using client = await RespClient.connect({ port: hive.port });
  client.send(["AUTH", "nobody", "s3cr3t"]);
  assert.match(String((await client.readReply()).bytes), /WRONGPASS/);
  const [failure] = events.filter(({ level }) => level === "warn");
  assert.match(failure!.message, /^127\.0\.0\.1:\d+ came with a wrong token over resp/);
  assert.ok(!JSON.stringify(events).includes("s3cr3t"));
  assert.ok(!JSON.stringify(events).includes("right token"));
});

test("evictions are told of when they begin and when they have ended, however many there are", () => {
  const { log, events } = recordingLog();
  const store = new Store({ nowMs: 1, maxMemoryBytes: 1 << 20, maxMemoryPolicy: "allkeys-lru" });
  const pulse = new Pulse({
    store,
    statistics: new Statistics(),
    events: new HiveEvents({ log, onNotice: undefined }),
  });
  pulse.beat(100);
  assert.equal(events.length, 0);
  for (let beat = 2; beat < 10; beat++) {
    store.keys.evicted += 10;
    pulse.beat(beat * 100);
  }
  assert.equal(events.length, 1);
  assert.deepEqual(events[0]!.fields, { usedBytes: store.usedBytes, maxMemoryBytes: 1 << 20, policy: "allkeys-lru" });
  pulse.beat(30_000);
  assert.equal(events.length, 1, "not yet over");
  pulse.beat(70_000);
  assert.deepEqual(events[1], { level: "info", message: "evictions ended", fields: { evicted: 80 } });
  store.keys.evicted += 1;
  pulse.beat(70_100);
  assert.equal(events.length, 3);
  store.close();
});

test("snapshots have their events, failures as errors", () => {
  const { log, events } = recordingLog();
  const hive = new HiveEvents({ log, onNotice: undefined });
  hive.snapshot({ kind: "stored", name: "a", keys: 1, bytes: 2, ms: 3 });
  hive.snapshot({ kind: "store-failed", name: "b", reason: "the disk is full" });
  assert.deepEqual(events, [
    { level: "info", message: "snapshot stored", fields: { name: "a", keys: 1, bytes: 2, ms: 3 } },
    { level: "error", message: "snapshot store failed", fields: { name: "b", reason: "the disk is full" } },
  ]);
});
