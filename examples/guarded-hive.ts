// A guarded hive: tokens, snapshots and a limit, in your own process, with two clients that may do different things.
//
//   node examples/guarded-hive.ts

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, isHiveError } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";

const folder = mkdtempSync(join(tmpdir(), "guarded-hive-"));
try {
  await using hive = await Hive.start({
    port: 0,
    tokens: true, // kept in memory; a path keeps them in a file of `memhive token`
    snapshots: { folder: join(folder, "snapshots"), intervalMs: 60_000 },
    limits: { valueBytesMax: 1024 * 1024 },
  });
  const sensor = await hive.tokens.create({
    name: "sensor-7",
    grants: ["write:readings:*"],
    quotas: { keys: 2, callsPerSecond: 50 },
    expiresAtMs: Date.now() + 3_600_000,
  });
  const analyst = await hive.tokens.create({ name: "analyst", grants: ["read:readings:*"] });

  const url = `hive://${hive.address}`;
  await using writes = await connect(url, { token: sensor.token });
  await using reads = await connect(url, { token: analyst.token });

  await writes.put("readings:1", { celsius: 21.5 });
  await writes.put("readings:2", { celsius: 21.7 });
  console.log("the analyst reads", await reads.get("readings:1"));
  for (const refused of [
    () => writes.get("readings:1"),
    () => reads.delete("readings:1"),
    () => writes.put("readings:3", 0),
  ]) {
    await refused().catch((error: unknown) => {
      if (!isHiveError(error)) throw error;
      console.log(`${error.code}: ${error.message}`);
    });
  }

  const { name, keys } = (await hive.snapshots?.store("by-hand"))!;
  console.log(`snapshot ${name} has ${keys} keys; what is written after it is lost where the process is killed`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
