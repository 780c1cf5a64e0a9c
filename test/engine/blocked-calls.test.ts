// Calls that wait for a key: their order, what wakes them, what ends their wait. With a row of the test's own
// that waits for a member of a set, so that nothing here depends on a type of data.

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitArgument } from "../../src/engine/deadline.ts";
import { containerToWrite } from "../../src/engine/fields.ts";
import { oneKey, type Row } from "../../src/engine/row.ts";
import { TYPE_SET } from "../../src/store/layout.ts";
import { startWire, type WireClient } from "../kit/wire-calls.ts";

/** WAITMEMBER key [key …] seconds: takes the first member of the first set that is there. */
const WAIT_MEMBER: Row = {
  name: "WAITMEMBER",
  family: "sets",
  arity: -3,
  flags: ["write", "mayWait"],
  permission: "write",
  keys: { ...oneKey(1, "both"), last: -2 },
  summary: "For tests",
  syntax: "",
  run(context, args, reply) {
    const { store, services } = context;
    const serve = (index: number): boolean => {
      const key = containerToWrite(store, args, index, TYPE_SET);
      if (key === 0) return false;
      const member = store.fields.random(key, () => 0);
      const slice = store.fields.name(key, member, { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 });
      reply.bulk(slice.bytes, slice.start, slice.end);
      store.fields.delete(key, member);
      return true;
    };
    const timeoutMs = waitArgument(args, args.count - 1, context.nowMs);
    const keys = Array.from({ length: args.count - 2 }, (_, i) => i + 1);
    if (keys.some(serve)) return;
    if (context.executing) return reply.nullArray();
    return services.blocked.wait({
      ...{ clientId: context.id, signal: context.signal, args, reply, keys, type: TYPE_SET, timeoutMs, serve },
      expire: () => reply.nullArray(),
    });
  },
};

/** What has been answered since, once everything that settles has settled. */
async function read(...clients: readonly WireClient[]): Promise<string[]> {
  await new Promise((resolve) => setImmediate(resolve));
  return clients.map((client) => client.read());
}

function start(count: number) {
  const wire = startWire({ rows: [WAIT_MEMBER], limits: { blockedCallsMax: 3, blockedKeysMax: 5 } });
  const [one, ...others] = Array.from({ length: count }, () => wire.connect());
  return { ...wire, clients: [one!, ...others] as [WireClient, WireClient, WireClient, WireClient] };
}

test("who came first is served first, by the end of the call that made the key", async () => {
  const { clients, engine } = start(4);
  const [a, b, c, writer] = clients;
  for (const client of [a, b, c]) assert.equal(client.call("WAITMEMBER", "s", "0"), "");
  assert.equal(engine.blocked.size, 3);
  assert.equal(writer.call("SADD", "s", "1", "2"), ":2\r\n", "the writer's own answer knows nothing of it");
  assert.equal(writer.call("EXISTS", "s"), ":0\r\n");
  const [first, second, third] = await read(a, b, c);
  assert.deepEqual([first!.length, second!.length, third], [7, 7, ""]);
  writer.call("SADD", "s", "3");
  assert.deepEqual(await read(c), ["$1\r\n3\r\n"]);
  assert.equal(engine.blocked.size, 0);
});

test("within MULTI nothing waits, and what EXEC makes is served at its end", async () => {
  const { clients } = start(2);
  const [a, writer] = clients;
  a.call("WAITMEMBER", "s", "0");
  for (const words of [["MULTI"], ["SADD", "s", "1"], ["SREM", "s", "1"], ["SADD", "t", "1"]]) writer.call(...words);
  assert.equal(writer.call("EXEC"), "*3\r\n:1\r\n:1\r\n:1\r\n");
  assert.deepEqual(await read(a), [""], "the key is gone again");
  for (const words of [["MULTI"], ["WAITMEMBER", "s", "0"], ["SADD", "s", "1"]]) writer.call(...words);
  assert.equal(writer.call("EXEC"), "*2\r\n*-1\r\n:1\r\n");
  assert.deepEqual(await read(a), ["$1\r\n1\r\n"]);
});

test("of several keys the one that was made first is taken, and another type wakes nobody", async () => {
  const { clients } = start(2);
  const [a, writer] = clients;
  a.call("WAITMEMBER", "s", "t", "0");
  writer.call("SET", "s", "a string");
  assert.deepEqual(await read(a), [""]);
  for (const words of [["MULTI"], ["SADD", "t", "1"], ["DEL", "s"], ["SADD", "s", "2"]]) writer.call(...words);
  writer.call("EXEC");
  assert.deepEqual(await read(a), ["$1\r\n1\r\n"]);
});

test("RENAME and COPY make a key too, over one that is there as well", async () => {
  const { clients } = start(3);
  const [a, b, writer] = clients;
  a.call("WAITMEMBER", "s", "0");
  b.call("WAITMEMBER", "t", "0");
  writer.call("SET", "s", "in the way");
  writer.call("SADD", "from", "1");
  writer.call("COPY", "from", "t");
  writer.call("RENAME", "from", "s");
  assert.deepEqual(await read(a, b), ["$1\r\n1\r\n", "$1\r\n1\r\n"]);
});

test("time runs out for each by itself, and an answer takes it away", async () => {
  const { clients, wait, engine } = start(3);
  const [a, b, writer] = clients;
  a.call("WAITMEMBER", "s", "0.5");
  b.call("WAITMEMBER", "s", "2");
  await wait(499);
  assert.deepEqual(await read(a, b), ["", ""]);
  await wait(1);
  assert.deepEqual(await read(a, b), ["*-1\r\n", ""]);
  writer.call("SADD", "s", "1");
  assert.deepEqual(await read(b), ["$1\r\n1\r\n"]);
  await wait(2000);
  assert.deepEqual(await read(a, b), ["", ""]);
  assert.equal(engine.store.memory.funnel.on, false, "nobody listens any more");
});

test("CLIENT UNBLOCK ends a wait, as time does or with an error", async () => {
  const { clients, engine } = start(3);
  const [a, b, operator] = clients;
  a.call("WAITMEMBER", "s", "0");
  b.call("WAITMEMBER", "s", "0");
  const [idA, idB] = [...engine.clients.keys()];
  assert.match(operator.call("CLIENT", "LIST", "ID", String(idA)), / flags=b /);
  assert.equal(operator.call("CLIENT", "UNBLOCK", String(idA)), ":1\r\n");
  assert.equal(operator.call("CLIENT", "UNBLOCK", String(idB), "error"), ":1\r\n");
  assert.equal(operator.call("CLIENT", "UNBLOCK", String(idB)), ":0\r\n");
  assert.match(operator.call("CLIENT", "UNBLOCK", String(idB), "now"), /^-ERR CLIENT UNBLOCK reason should be/);
  assert.deepEqual(await read(a, b), ["*-1\r\n", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"]);
});

test("nothing is taken for a connection that ended, or that sends no more", async () => {
  const { clients } = start(3);
  const [a, b, writer] = clients;
  a.call("WAITMEMBER", "s", "0");
  b.call("WAITMEMBER", "s", "0");
  a.leave();
  b.receiver.finished();
  writer.call("SADD", "s", "1");
  await read(a, b);
  assert.equal(writer.call("SCARD", "s"), ":1\r\n");
  assert.ok(b.isClosed);
});

test("a connection parses no further until its call is answered", async () => {
  const { clients } = start(2);
  const [a, writer] = clients;
  a.call("WAITMEMBER", "s", "0");
  assert.equal(a.call("PING"), "");
  writer.call("SADD", "s", "1");
  assert.deepEqual(await read(a), ["$1\r\n1\r\n+PONG\r\n"]);
});

test("more calls or keys than the limits are refused, and places come back", async () => {
  const { clients, engine } = start(4);
  const [a, b, c, d] = clients;
  for (const client of [a, b, c]) client.call("WAITMEMBER", "s", "0");
  assert.match(d.call("WAITMEMBER", "s", "0"), /^-BUSY blockedCallsMax \(3\)/);
  b.leave();
  assert.match(d.call("WAITMEMBER", "1", "2", "3", "4", "0"), /^-BUSY .* blockedKeysMax \(5\)/);
  assert.equal(d.call("WAITMEMBER", "1", "2", "1", "3", "0"), "", "a key that is named twice counts once");
  assert.deepEqual([engine.blocked.size, engine.blocked.keys], [3, 4]);
});

test("a time to wait is read as Redis reads it", () => {
  const { clients } = start(1);
  const [a] = clients;
  assert.equal(a.call("WAITMEMBER", "s", "-1"), "-ERR timeout is negative\r\n");
  assert.equal(a.call("WAITMEMBER", "s", "soon"), "-ERR timeout is not a float or out of range\r\n");
  assert.equal(a.call("WAITMEMBER", "s", "inf"), "-ERR timeout is out of range\r\n");
  assert.equal(a.call("WAITMEMBER", "s", "1e300"), "-ERR timeout is out of range\r\n");
});

test("making many keys that are waited for takes time in proportion, whatever they hold", async () => {
  const wire = startWire({ rows: [WAIT_MEMBER], limits: { blockedCallsMax: 3, blockedKeysMax: 50_000 } });
  const [waiter, writer] = [wire.connect(), wire.connect()];
  const names = Array.from({ length: 40_000 }, (_, i) => `k${i}`);
  waiter.call("WAITMEMBER", ...names, "0");
  // With every change looking at all of them this would be 800 million looks.
  assert.equal(writer.call("MSET", ...names.flatMap((name) => [name, "no set"])), "+OK\r\n");
  assert.deepEqual(await read(waiter), [""]);
  writer.call("DEL", names[7]!);
  writer.call("SADD", names[7]!, "member");
  assert.deepEqual(await read(waiter), ["$6\r\nmember\r\n"]);
});
