// Sessions: they end on time, by use or by hand, and are apart from everything else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { withClock } from "../kit/clocked-hive.ts";
import { code } from "../kit/spool-line.ts";

test("a fixed session ends although it is in use, a sliding one goes on while it is, an open one stays", async () => {
  await withClock(async (db, { pass }) => {
    const fixed = await db.session("d", { ttlMs: 1000 });
    const sliding = await db.session("d", { ttlMs: 1000, sliding: true });
    const open = await db.session("d");
    for (const session of [fixed, sliding, open]) await session.put("l", session.id);
    for (let i = 0; i < 3; i++) {
      pass(300);
      for (const session of [fixed, sliding, open]) assert.equal(await session.fetch("l"), session.id);
    }
    assert.deepEqual(await fixed.check(), { ttlMs: 1000, leftMs: 100, sliding: false });
    assert.deepEqual(await sliding.check(), { ttlMs: 1000, leftMs: 1000, sliding: true });
    assert.deepEqual(await open.check(), { ttlMs: undefined, leftMs: undefined, sliding: false });
    pass(100);
    assert.equal(await fixed.fetch("l"), undefined);
    await assert.rejects(fixed.put("l", 1), code("SESSION_GONE"));
    assert.equal(fixed.state, "expired");
    pass(899);
    assert.equal(await sliding.has("l"), true);
    pass(1000);
    assert.equal(await sliding.has("l"), false);
    assert.equal(await sliding.check(), undefined);
    pass(1e9);
    assert.equal(await open.fetch("l"), open.id);
    assert.deepEqual(await open.labels(), ["l"]);
    assert.equal(await open.close(), true);
    assert.equal(open.state, "closed");
    assert.equal(await open.close(), false);
    await assert.rejects(open.merge("l", { a: 1 }), code("SESSION_GONE"));
  });
});

test("a session is prolonged by its own time or by another one, and begun with an id of the caller's", async () => {
  await withClock(async (db, { pass }) => {
    const fixed = await db.session("d", { ttlMs: 1000 });
    await fixed.put("l", "kept");
    pass(900);
    assert.equal(await fixed.touch(), true);
    pass(900);
    assert.equal(await fixed.touch({ ttlMs: 5000 }), true);
    assert.deepEqual(await fixed.check(), { ttlMs: 5000, leftMs: 5000, sliding: false });
    assert.deepEqual([await fixed.labels(), await fixed.fetch("l")], [["l"], "kept"]);
    const sliding = await db.session("d", { ttlMs: 1000, sliding: true });
    await sliding.touch({ ttlMs: 3000 });
    pass(2000);
    assert.equal(await sliding.has("l"), false);
    assert.equal((await sliding.check())!.leftMs, 3000, "use prolongs it by its new time");
    const open = await db.session("d");
    assert.equal(await open.touch(), true);
    pass(1e6);
    assert.deepEqual([await fixed.touch(), fixed.state, await open.touch()], [false, "expired", true]);

    assert.equal(await db.send(["SESSION.BEGIN", "d", "PX", 1000, "SLIDING", "ID", "own id"]), "own id");
    await assert.rejects(db.send(["SESSION.BEGIN", "d", "ID", "own id"]), code("BUSY_KEY"));
    assert.deepEqual(await (await db.session("d", { resume: "own id" })).labels(), []);
    pass(1000);
    assert.equal(await db.send(["SESSION.BEGIN", "d", "ID", "own id"]), "own id");
    for (const id of ["", "x".repeat(129), 7]) {
      await assert.rejects(db.send(["SESSION.BEGIN", "d", "ID", id]), code("INVALID_ARGUMENT"));
    }
    await assert.rejects(db.send(["SESSION.BEGIN", "d", "ID"]), code("SYNTAX"));
  });
});

test("sessions and the device's own memory are apart, and count for it together", async () => {
  await withClock(async (db) => {
    const device = db.device("d");
    await device.put("l", "the device's");
    const one = await db.session("d");
    const two = await db.session("d");
    await one.put("l", "one");
    assert.equal(await two.has("l"), false);
    assert.equal(await device.fetch("l"), "the device's");
    const before = (await device.usage()).bytes;
    await one.put("more", Buffer.alloc(1000));
    assert.ok((await device.usage()).bytes >= before + 1000);
    assert.equal((await one.usage()).labels, 2);
    assert.equal(await one.clear(), true);
    assert.deepEqual([await one.labels(), one.state], [[], "open"]);
    assert.equal(await device.clear(), true);
    await one.put("l", "still open");
    assert.ok((await device.usage()).bytes > 0);
    await one.close();
    await two.close();
    assert.equal((await device.usage()).bytes, 0);
  });
});

test("a session is gone on with by its id, and begun again it is empty", async () => {
  await withClock(async (db, { hive }) => {
    const session = await db.session("d", { ttlMs: 1000, sliding: true });
    await session.put("l", [1]);
    await using other = await connect(hive);
    const same = await other.session("d", { resume: session.id });
    assert.deepEqual(await same.fetch("l"), [1]);
    await assert.rejects(other.session("e", { resume: session.id }), code("SESSION_GONE"), "of another device");
    await same.close();
    await assert.rejects(other.session("d", { resume: session.id }), code("SESSION_GONE"));
    await session.begin();
    assert.deepEqual(await session.labels(), []);
    assert.notEqual(session.id, same.id);
  });
});

test("patches from many sides at once all count, and a close wins over them", async () => {
  await withClock(async (db) => {
    const session = await db.session("d");
    await Promise.all(Array.from({ length: 50 }, (_, i) => session.merge("cart", { [`item ${i}`]: i })));
    assert.equal(Object.keys((await session.fetch<object>("cart"))!).length, 50);
    await session.merge("cart", JSON.parse('{"__proto__": {"a": 1}, "item 1": 7}'));
    const cart = (await session.fetch<Record<string, unknown>>("cart"))!;
    assert.equal(cart["item 1"], 7);
    assert.equal((cart as { a?: number }).a, undefined);
    await session.put("text", "no object");
    await assert.rejects(session.merge("text", { a: 1 }), code("INVALID_ARGUMENT"));
    const late = [session.merge("cart", { a: 1 }), session.close(), session.merge("cart", { b: 1 })];
    const [, closed, after] = await Promise.allSettled(late);
    assert.equal(closed!.status, "fulfilled");
    assert.ok(after?.status === "rejected" && code("SESSION_GONE")(after.reason));
  });
});

test("what a session is stands under a name that no label can have", async () => {
  await withClock(async (db) => {
    const session = await db.session("d", { ttlMs: 1000 });
    for (const call of [
      ["SESSION.PUT", "d", session.id, false, 1],
      ["SESSION.MERGE", "d", session.id, false, {}],
      ["SESSION.FETCH", "d", session.id, false],
      ["SESSION.HAS", "d", session.id, false],
      ["SESSION.DELETE", "d", session.id, "a", false],
      ["SESSION.PUT", "d", 7, "label", 1],
      ["SESSION.PUT", 7, session.id, "label", 1],
    ]) {
      await assert.rejects(db.send(call), code("INVALID_ARGUMENT"), String(call));
    }
    await assert.rejects(db.send(["HDEL", `$session:d:${session.id}`, false]), code("NO_PERMISSION"));
    assert.deepEqual(await session.check(), { ttlMs: 1000, leftMs: 1000, sliding: false });
    await db.device("d").put(7 as unknown as string, "a number");
    assert.deepEqual(await db.device("d").labels(), [7]);
  });
});
