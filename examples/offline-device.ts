// A device with a bad line: it starts with no hive in reach, goes on over cuts, and nothing is lost or stored twice.
//
//   npx node examples/offline-device.ts

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-device-"));
const address = join(folder, "hive.sock");

// The device begins. Nobody answers at this address yet.
const client = await connect(`unix:${address}`, {
  spool: { dir: join(folder, "spool"), bytesMax: 10_000_000, keepUntil: "stored" },
  reconnect: { minMs: 1, maxMs: 20 },
});
const sensor = client.device("sensor-7");
for (let reading = 0; reading < 500; reading++) await sensor.put(`reading ${reading}`, 20 + reading / 100);
console.log(`offline: ${client.spool.stats().waiting} readings wait`);

// Two hives, one after the other; the first dies without a snapshot of what came last.
const options = {
  port: false as const,
  unix: address,
  snapshots: { folder: join(folder, "snapshots"), atClose: false },
};
const first = await Hive.start(options);
await client.spool.drained();
await client.snapshot.store();
for (let reading = 500; reading < 600; reading++) await sensor.put(`reading ${reading}`, 20 + reading / 100);
await client.spool.drained();
console.log(
  `online: ${client.spool.stats().acknowledged} are there, ${client.spool.stats().unstored} in no snapshot yet`,
);
await first.close();
for (let reading = 600; reading < 700; reading++) await sensor.put(`reading ${reading}`, 20 + reading / 100);

await using second = await Hive.start(options);
await client.spool.drained();
const { accepted, acknowledged, dropped } = client.spool.stats();
console.log(`after all: ${accepted} were put, ${acknowledged} are there, ${dropped} were dropped`);
console.log(
  `the hive has ${(await sensor.labels()).length} readings, at ${second.address}`.replace(address, "its socket"),
);
await client.close();
rmSync(folder, { recursive: true, force: true });
