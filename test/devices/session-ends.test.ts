// Who waits for the end of a session is told of it, whatever happens meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { withClock } from "../kit/clocked-hive.ts";
import { passed } from "../kit/limited-hive.ts";
import { code, folderOf, line } from "../kit/spool-line.ts";

test("who waits for the end of a session is told how it ended", async () => {
  await withClock(async (db, { hive, pass }) => {
    await using other = await connect(hive);
    const first = await db.session("d/1", { ttlMs: 1000 });
    const second = await db.session("d/1");
    const seen = await other.session("d/1", { resume: second.id });
    const ends = [first.ends(), seen.ends()];
    await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).split("$session:").length === 3);
    pass(1000);
    await second.close();
    assert.deepEqual(await Promise.all(ends), ["expired", "closed"]);
    assert.deepEqual([first.state, seen.state], ["expired", "closed"]);
    assert.equal(await first.ends(), "expired", "one that has ended is told at once");
  });
});

test("an end is told of although everything was flushed, and counted", async () => {
  await withClock(async (db, { hive }) => {
    const session = await db.session("d");
    const ended = session.ends();
    await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).includes("$session:"));
    await db.send(["FLUSHALL"]);
    assert.equal(await ended, "closed");
    assert.deepEqual(
      { ...hive.engine.statistics.sessions() },
      { open: 0, begun: 1, closed: 1, expired: 0, evicted: 0 },
    );
  });
});

test("a message that somebody made up ends no wait, and says nothing of how the session ended", async () => {
  await withClock(async (db) => {
    const session = await db.session("d/1");
    const channel = `$session:d%2F1:${session.id}`;
    const ended = session.ends();
    await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).includes("$session:"));
    for (const text of ["closed", "evicted", "whatever"]) await db.publish(channel, text);
    await session.put("l", 1);
    assert.equal(await Promise.race([ended, session.fetch("l")]), 1, "it goes on");
    assert.equal(session.state, "open");
    await session.close();
    assert.equal(await ended, "closed");
    assert.equal(session.state, "closed");
  });
});

test("an end that falls into a lost connection, a restart or a restored snapshot is told of all the same", async (t) => {
  const way = await line(t, { snapshots: { folder: folderOf(t) } });
  await way.start();
  const url = `hive://127.0.0.1:${way.proxy.port}`;
  await using db = await connect(url, { reconnect: { minMs: 1, maxMs: 10 } });
  await using other = await connect(way.hive());
  const isHeard = async (): Promise<boolean> => String(await other.send(["PUBSUB", "CHANNELS"])).includes("$session:");
  const session = await db.session("d");
  const ended = session.ends();
  await passed(isHeard);
  way.proxy.cut();
  await other.send(["SESSION.CLOSE", "d", session.id]);
  assert.equal(await ended, "closed");

  await other.snapshot.store("without");
  await session.begin();
  const restored = session.ends();
  await passed(isHeard);
  way.proxy.cut();
  await passed(isHeard);
  await other.snapshot.restore("without");
  assert.equal(await restored, "closed", "after a gap it listens again");

  await session.begin();
  const restarted = session.ends();
  await passed(isHeard);
  await other.close();
  await way.stop();
  await way.start();
  assert.equal(await restarted, "closed", "by another hive, which has never heard of it");

  await session.begin();
  const stop = new AbortController();
  const aborted = session.ends(stop.signal);
  stop.abort();
  await assert.rejects(aborted, code("ABORTED"));
  await way.stop();
});
