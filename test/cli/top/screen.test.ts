// What memhive top shows: rates between two readings, in as much room as there is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ratesOf, readingOf } from "../../../src/cli/top/reading.ts";
import { bytes, duration, screenLines } from "../../../src/cli/top/screen.ts";
import { type Info, parseInfo } from "../../../src/client/info.ts";
import { startCalls } from "../../kit/calls.ts";

function info(calls: number, more: string = ""): Info {
  return parseInfo(
    [
      "# Server",
      "memhive_version:1.2.3",
      "uptime_in_seconds:3700",
      "# Stats",
      `total_commands_processed:${calls}`,
      `keyspace_hits:${calls / 2}`,
      `keyspace_misses:${calls / 8}`,
      "# Commandstats",
      `cmdstat_get:calls=${calls},usec=${calls * 2},usec_per_call=2.00,rejected_calls=1,failed_calls=2`,
      "cmdstat_set:calls=5,usec=50,usec_per_call=10.00,rejected_calls=0,failed_calls=0",
      "# Latencystats",
      "latency_percentiles_usec_get:p50=1.500,p99=12.000,p99.9=250.000",
      more,
    ].join("\r\n"),
  );
}

const ROOM = { address: "hive://127.0.0.1:4483", columns: 120, rows: 40, clients: false };

test("rates are of the time between two readings, the busiest command first", () => {
  const before = readingOf(info(1000), "", 10_000);
  const now = readingOf(info(3000), "", 12_000);
  const rates = ratesOf(before, now);
  assert.equal(rates.calls, 1000);
  assert.equal(rates.hits, 500);
  assert.deepEqual(
    rates.commands.map(({ name, perSecond, meanMicroseconds }) => [name, perSecond, meanMicroseconds]),
    [
      ["get", 1000, 2],
      ["set", 0, 0],
    ],
  );
  const lines = screenLines(now, rates, ROOM);
  assert.match(lines[0]!, /^memhive 1\.2\.3 at hive:\/\/127\.0\.0\.1:4483 {3}up 1 h 1 min$/);
  assert.match(lines[1]!, /^calls {4}1000\/s {3}hits 80\.0 %/);
  assert.match(lines[7]!, /^COMMAND {2}CALLS\/S/);
  assert.match(lines[8]!, /^get +1000 +3000 +2\.00 +1\.50 +12\.00 +250 +2 +1$/);
});

test("counters that went back count as nothing", () => {
  const rates = ratesOf(readingOf(info(3000), "", 0), readingOf(info(10), "", 1000));
  assert.equal(rates.calls, 0);
  assert.equal(rates.commands[0]!.perSecond, 0);
});

test("without a reading before it rates are since the start", () => {
  assert.equal(ratesOf(undefined, readingOf(info(3700), "", 0)).calls, 1);
});

test("no line is wider and no screen higher than there is room for", () => {
  const clients = Array.from(
    { length: 50 },
    (_, id) => `id=${id} addr=127.0.0.1:${id} name=n age=5 idle=1 omem=0 cmd=get`,
  );
  const now = readingOf(info(1000), clients.join("\n"), 1000);
  for (const [columns, rows] of [
    [80, 24],
    [20, 5],
    [300, 100],
    [1, 1],
  ] as const) {
    const lines = screenLines(now, ratesOf(undefined, now), { ...ROOM, columns, rows, clients: true });
    assert.ok(lines.length <= rows);
    for (const line of lines) assert.ok(line.length <= columns, line);
  }
});

test("connections are listed, and what they call themselves cannot move the cursor", () => {
  const list = "id=7 addr=10.0.0.1:50123 name=\x1b[2Jx age=61 idle=2 omem=2048 cmd=hset\n";
  const now = readingOf(info(1), list, 1000);
  const text = screenLines(now, ratesOf(undefined, now), { ...ROOM, clients: true }).join("\n");
  assert.match(text, /10\.0\.0\.1:50123 +\?\[2Jx +1 min 1 s +2 s +2\.0 KB +hset/);
});

test("a snapshot that is written has a bar, one that failed is loud", () => {
  const persistence = (...fields: string[]): string => {
    const now = readingOf(info(1, ["# Persistence", ...fields].join("\r\n")), "", 100_000);
    return screenLines(now, ratesOf(undefined, now), ROOM)[5]!;
  };
  assert.equal(persistence("rdb_changes_since_last_save:1234"), "snapshot none yet   1,234 changes since the last");
  assert.match(
    persistence(
      "rdb_bgsave_in_progress:1",
      "current_save_keys_processed:50",
      "current_save_keys_total:100",
      "rdb_current_bgsave_time_sec:3",
    ),
    /^snapshot \[#{10}\.{10}\] 50 %, 3 s/,
  );
  assert.match(
    persistence("rdb_saves:2", "rdb_last_bgsave_status:err", "rdb_last_save_time:40"),
    /^snapshot 1 min 0 s ago .* THE LAST ONE FAILED$/,
  );
});

test("it reads what a hive really says", () => {
  const { call } = startCalls();
  for (let i = 0; i < 10; i++) call("SET", `k${i}`, "v");
  const now = readingOf(parseInfo(String(call("INFO", "everything"))), String(call("CLIENT", "LIST")), 0);
  assert.equal(now.commands.get("set")!.calls, 10);
  assert.ok(now.commands.get("set")!.p50! >= 0);
  assert.equal(now.clients[0]!.address, "127.0.0.1:1");
  const lines = screenLines(now, ratesOf(undefined, now), ROOM);
  assert.match(lines.join("\n"), /10 keys/);
  assert.doesNotMatch(lines.join("\n"), /NaN|undefined/);
});

test("sizes and durations are short", () => {
  assert.deepEqual([0, 1023, 1536, 5 * 2 ** 30].map(bytes), ["0 B", "1023 B", "1.5 KB", "5.0 GB"]);
  assert.deepEqual([5, 65, 3700, 90_000].map(duration), ["5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]);
});
