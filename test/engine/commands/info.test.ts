// INFO says what happened: times, errors, refusals, snapshots, the loop.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInfo } from "../../../src/client/info.ts";
import { connect } from "../../../src/client/node.ts";
import { Hive } from "../../../src/server/hive.ts";
import { type Calls, startCalls } from "../../kit/calls.ts";

function sections({ call }: Calls, ...words: string[]): ReturnType<typeof parseInfo> {
  return parseInfo(String(call("INFO", ...words)));
}

/** "calls=3,usec=5" ──▶ { calls: 3, usec: 5 } */
function figures(text: unknown): Record<string, number> {
  const pairs = String(text).split(",");
  return Object.fromEntries(pairs.map((pair) => pair.split("=")).map(([name, value]) => [name!, Number(value)]));
}

test("a fast command's time is estimated from the calls that were timed, and its percentiles are there", () => {
  const calls = startCalls();
  for (let i = 0; i < 2000; i++) {
    calls.call("SET", "k", "v");
    // Each timed call is seen to take no time: the clock stands still.
    if (i === 1000) calls.engine.commands.named("set")!.latency!.add(2_000_000, 20);
  }
  const { latency } = calls.engine.commands.named("set")!;
  assert.ok(latency!.calls > 1700 && latency!.calls <= 2020, `${latency!.calls} calls stand for 2000`);
  const info = sections(calls, "everything");
  const stats = figures(info["commandstats"]!["cmdstat_set"]);
  assert.equal(stats["calls"], 2000);
  assert.ok(stats["usec"]! > 35_000 && stats["usec"]! < 50_000, `${stats["usec"]}`);
  const percentiles = figures(info["latencystats"]!["latency_percentiles_usec_set"]);
  assert.ok(percentiles["p50"]! < 1);
  assert.ok(percentiles["p99.9"]! >= 2000);
});

test("one call in 128 or so is timed, and those with many arguments", () => {
  const calls = startCalls();
  const command = calls.engine.commands.named("mget")!;
  let timed = 0;
  const entry = command as unknown as { time(nanoseconds: number): void };
  const time = entry.time.bind(command);
  entry.time = (nanoseconds) => {
    timed++;
    time(nanoseconds);
  };
  const isFast = command.row.flags.includes("fast");
  for (let i = 0; i < 1000; i++) calls.call("MGET", "a");
  if (isFast) assert.ok(timed >= 3 && timed < 100, `${timed} of 1000`);
  else assert.equal(timed, 1000);
  const before = timed;
  for (let i = 0; i < 50; i++) calls.call("MGET", ...Array.from({ length: 20 }, (_, key) => `k${key}`));
  assert.equal(timed - before, 50);
});

test("errors are counted by Redis's word and by code, refused calls as rejected", () => {
  const calls = startCalls();
  calls.call("SET", "k", "v");
  calls.call("HGET", "k", "f");
  calls.call("INCR", "k");
  calls.call("NOSUCH");
  calls.call("GET");
  const info = sections(calls, "everything");
  assert.deepEqual(info["errorstats"], { errorstat_WRONGTYPE: "count=1", errorstat_ERR: "count=3" });
  assert.deepEqual(info["errorcodes"], {
    errorcode_WRONG_TYPE: "count=1",
    errorcode_NOT_INTEGER: "count=1",
    errorcode_UNKNOWN_COMMAND: "count=1",
    errorcode_WRONG_ARITY: "count=1",
  });
  assert.equal(figures(info["commandstats"]!["cmdstat_get"])["rejected_calls"], 1);
  assert.equal(figures(info["commandstats"]!["cmdstat_incr"])["failed_calls"], 1);
  assert.equal(info["stats"]!["total_error_replies"], 4);
  calls.call("CONFIG", "RESETSTAT");
  assert.deepEqual(sections(calls, "errorstats"), { errorstats: {} });
});

test("what a shared connection may not do is counted as rejected", async () => {
  await using hive = await Hive.start({ listen: false });
  await using client = await connect(hive);
  await assert.rejects(client.send(["MULTI"]), { code: "UNSUPPORTED" });
  await assert.rejects(client.send(["CLIENT", "REPLY", "OFF"]), { code: "UNSUPPORTED" });
  const info = await client.info("everything");
  assert.deepEqual(figures(info["commandstats"]!["cmdstat_multi"]), {
    calls: 0,
    usec: 0,
    usec_per_call: 0,
    rejected_calls: 1,
    failed_calls: 0,
  });
  assert.equal(info["errorcodes"]!["errorcode_UNSUPPORTED"], "count=2");
});

test("a call that is refused for want of memory is rejected, and was not called", () => {
  const calls = startCalls({ maxMemoryBytes: 1 });
  assert.match(String(calls.call("SET", "k", "v".repeat(1000))), /^-OOM /);
  const stats = figures(sections(calls, "commandstats")["commandstats"]!["cmdstat_set"]);
  assert.equal(stats["calls"], 0);
  assert.equal(stats["rejected_calls"], 1);
});

test("without snapshots every change is one that none has; whoever owns them says how they stand", () => {
  const calls = startCalls();
  assert.deepEqual(sections(calls, "persistence")["persistence"]!["rdb_changes_since_last_save"], 0);
  calls.call("SET", "k", "v");
  calls.call("HSET", "t", "f", "v");
  const none = sections(calls, "persistence")["persistence"]!;
  assert.ok(Number(none["rdb_changes_since_last_save"]) >= 2);
  assert.equal(none["rdb_last_save_time"], Math.floor(calls.engine.startedAtMs / 1000));
  assert.equal(none["rdb_last_bgsave_time_sec"], -1);
  const nowMs = calls.engine.nowMs;
  const last = { name: "a", bytes: 1, keys: 1, fields: 0, createdMs: nowMs - 60_000, durationMs: 1_500 };
  const work = {
    name: "b",
    keys: 5,
    keysTotal: 10,
    progress: 0.5,
    bytes: 9,
    backlogBytes: 3,
    startedMs: nowMs - 3_000,
  };
  calls.engine.persistence = {
    ...calls.engine.persistence,
    status: () => ({
      place: "somewhere",
      work: { kind: "store", ...work },
      last,
      lastFailure: { kind: "store", message: "the disk is full", atMs: nowMs - 10 },
      changes: 7,
      stores: 2,
      failures: 1,
    }),
  };
  const shown = sections(calls, "persistence")["persistence"]!;
  assert.equal(shown["rdb_bgsave_in_progress"], 1);
  assert.equal(shown["rdb_current_bgsave_time_sec"], 3);
  assert.equal(shown["current_save_keys_processed"], 5);
  assert.equal(shown["rdb_last_bgsave_status"], "err");
  assert.equal(shown["rdb_changes_since_last_save"], 7);
});

test("a hive measures its loop, and its rate of calls once it beats", async () => {
  await using hive = await Hive.start({ listen: false });
  await using client = await connect(hive);
  // Real time has to pass: the hive looks at itself ten times a second.
  let rate = 0;
  for (const fromMs = performance.now(); rate === 0 && performance.now() - fromMs < 10_000; ) {
    await client.get("k");
    rate = Number((await client.info("stats"))["stats"]!["instantaneous_ops_per_sec"]);
  }
  assert.ok(rate > 0);
  const { loop } = await client.info("loop");
  for (const name of ["loop_delay_p50_ms", "loop_delay_p99.9_ms", "loop_delay_max_ms", "loop_busy"]) {
    assert.ok(Number(loop![name]) >= 0, name);
  }
});

test("LATENCY HISTOGRAM counts the calls of each command by how long they took", () => {
  const { call } = startCalls();
  for (let i = 0; i < 3; i++) call("KEYS", "*");
  call("CLIENT", "ID");
  assert.deepEqual(call("LATENCY", "HISTOGRAM", "keys", "nosuch"), ["keys", ["calls", 3, "histogram_usec", [1, 3]]]);
  const all = call("LATENCY", "HISTOGRAM") as unknown[];
  assert.ok(all.includes("client|id") && all.includes("keys"));
  assert.equal((call("LATENCY", "HISTOGRAM", "CLIENT") as unknown[])[0], "client|id");
});
