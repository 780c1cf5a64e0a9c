// What MULTI, EXEC and WATCH promise: all or nothing of the queue, nothing between, changes noticed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HEADER_BUSY } from "../../../src/store/layout.ts";
import { startWire } from "../../kit/wire-calls.ts";

test("calls are queued and run in order, a failure in its place does not stop the rest", () => {
  const client = startWire().connect();
  assert.equal(client.call("MULTI"), "+OK\r\n");
  assert.equal(client.call("SET", "a", "x"), "+QUEUED\r\n");
  assert.equal(client.call("INCR", "a"), "+QUEUED\r\n");
  assert.equal(client.call("GET", "a"), "+QUEUED\r\n");
  assert.equal(client.call("EXEC"), "*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nx\r\n");
  assert.equal(client.call("MULTI"), "+OK\r\n");
  assert.equal(client.call("EXEC"), "*0\r\n");
});

test("EXEC and DISCARD need a MULTI, MULTI and WATCH do not stand inside one", () => {
  const client = startWire().connect();
  assert.equal(client.call("EXEC"), "-ERR EXEC without MULTI\r\n");
  assert.equal(client.call("DISCARD"), "-ERR DISCARD without MULTI\r\n");
  client.call("MULTI");
  assert.equal(client.call("MULTI"), "-ERR MULTI calls can not be nested\r\n");
  assert.equal(client.call("WATCH", "a"), "-ERR WATCH inside MULTI is not allowed\r\n");
  assert.equal(client.call("EXEC"), "*0\r\n", "neither spoils the transaction");
});

test("a call that cannot be queued spoils the transaction", () => {
  const client = startWire().connect();
  for (const refused of [["NOSUCH"], ["GET"], ["CLIENT", "NOSUCH"], ["SHUTDOWN"]]) {
    client.call("MULTI");
    client.call("SET", "a", "1");
    assert.match(client.call(...refused), /^-ERR /);
    assert.equal(client.call("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    assert.equal(client.call("GET", "a"), "$-1\r\n");
  }
});

test("EXEC with arguments ends the transaction", () => {
  const client = startWire().connect();
  client.call("MULTI");
  const refused = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
  assert.equal(client.call("EXEC", "now"), refused);
  assert.equal(client.call("EXEC"), "-ERR EXEC without MULTI\r\n");
});

test("EXEC answers nil when a watched key was changed, by whomever", () => {
  const { connect } = startWire();
  const [client, other] = [connect(), connect()];
  const changes: [string, ...string[]][] = [
    ["SET", "a", "1", "EXAT", "1"],
    ["SET", "a", "1"],
    ["DEL", "a"],
    ["HSET", "a", "f", "v"],
    ["HSET", "a", "f", "w"],
    ["HDEL", "a", "f"],
    ["SADD", "a", "m"],
    ["PEXPIRE", "a", "100000"],
    ["PERSIST", "a"],
    ["RENAME", "a", "b"],
    ["RENAME", "b", "a"],
    ["FLUSHALL"],
  ];
  for (const change of changes) {
    client.call("WATCH", "a");
    other.call(...change);
    client.call("MULTI");
    client.call("SET", "written", "1");
    assert.equal(client.call("EXEC"), "*-1\r\n", change.join(" "));
    assert.equal(client.call("EXISTS", "written"), ":0\r\n");
  }
  client.call("WATCH", "a");
  client.call("SET", "a", "2");
  client.call("MULTI");
  assert.equal(client.call("EXEC"), "*-1\r\n", "the connection's own changes count too");
});

test("what does not change a watched key lets EXEC run", () => {
  const { connect } = startWire();
  const [client, other] = [connect(), connect()];
  client.call("SET", "a", "1");
  for (const harmless of [
    ["GET", "a"],
    ["DEL", "missing"],
    ["SET", "b", "1"],
    ["SET", "a", "2", "NX"],
    ["TTL", "a"],
    ["GETEX", "a", "PERSIST"],
    ["PERSIST", "a"],
  ]) {
    client.call("WATCH", "a", "missing");
    other.call(...harmless);
    client.call("MULTI");
    client.call("PING");
    assert.equal(client.call("EXEC"), "*1\r\n+PONG\r\n", harmless.join(" "));
  }
});

test("a watched key that runs out has changed, one that had run out before has not", () => {
  const { connect, advance, store } = startWire();
  const client = connect();
  store.activeExpiry = false;
  client.call("SET", "a", "1", "PX", "100");
  client.call("WATCH", "a");
  advance(100);
  client.call("MULTI");
  assert.equal(client.call("EXEC"), "*-1\r\n");

  client.call("SET", "a", "1", "PX", "100");
  advance(100);
  client.call("WATCH", "a");
  client.call("MULTI");
  assert.equal(client.call("EXEC"), "*0\r\n");
});

test("UNWATCH, DISCARD, EXEC, RESET and the end of the connection forget what was watched", () => {
  const { connect, engine, store } = startWire();
  const client = connect();
  const forget: Record<string, () => void> = {
    UNWATCH: () => client.call("UNWATCH"),
    DISCARD: () => void [client.call("MULTI"), client.call("DISCARD")],
    EXEC: () => void [client.call("MULTI"), client.call("EXEC")],
    RESET: () => client.call("RESET"),
    end: () => client.leave(),
  };
  for (const [name, act] of Object.entries(forget)) {
    client.call("WATCH", "a", "b");
    assert.equal(engine.watches.size, 2);
    act();
    assert.equal(engine.watches.size, 0, name);
    assert.equal(store.memory.funnel.on, false, `${name}: nobody listens`);
  }
});

test("an error comes before a change of a watched key", () => {
  const client = startWire().connect();
  client.call("WATCH", "a");
  client.call("SET", "a", "1");
  client.call("MULTI");
  client.call("NOSUCH");
  assert.match(client.call("EXEC"), /^-EXECABORT/);
});

test("readers of shared memory are sent away while EXEC runs, and not after", () => {
  const { connect, store, engine } = startWire();
  const client = connect();
  const words = store.memory.segments.words[0]!;
  const seen: number[] = [];
  const listener = { change: () => void seen.push(words[HEADER_BUSY]!) };
  store.memory.funnel.listen(listener);
  client.call("MULTI");
  client.call("SET", "a", "1");
  client.call("INCRBY", "a", "x");
  client.call("EXEC");
  store.memory.funnel.leave(listener);
  assert.deepEqual(seen, [1]);
  assert.equal(words[HEADER_BUSY], 0);
  assert.equal(engine.clients.size, 1);
});

test("a transaction has limits, and giving up on it gives its memory back", () => {
  const { connect, engine } = startWire({ limits: { transactionCallsMax: 2, watchedKeysMax: 2 } });
  const client = connect();
  client.call("MULTI");
  client.call("PING");
  client.call("PING");
  assert.match(client.call("PING"), /^-ERR transaction exceeds transactionCallsMax \(2\)/);
  assert.equal([...engine.clients.values()][0]!.transaction!.queue.length, 0);
  assert.match(client.call("EXEC"), /^-EXECABORT/);

  assert.equal(client.call("WATCH", "a", "b", "a"), "+OK\r\n");
  assert.match(client.call("WATCH", "b", "c"), /^-ERR more than watchedKeysMax \(2\)/);
  assert.equal(engine.watches.size, 2);
});

test("bytes in a transaction are limited too", () => {
  const client = startWire({ limits: { transactionBytesMax: 1000 } }).connect();
  client.call("MULTI");
  assert.equal(client.call("SET", "a", "x".repeat(300)), "+QUEUED\r\n");
  assert.match(client.call("SET", "b", "x".repeat(300)), /transactionBytesMax \(1000\)/);
});

test("without memory nothing is queued, and an EXEC of calls that need some is refused", () => {
  const { connect } = startWire();
  const [client, operator] = [connect(), connect()];
  const noMemory = "OOM command not allowed when used memory > 'maxmemory'.\r\n";
  operator.call("CONFIG", "SET", "maxmemory", "1");
  client.call("MULTI");
  assert.equal(client.call("GET", "a"), `-${noMemory}`);
  assert.equal(client.call("DISCARD"), "+OK\r\n");

  operator.call("CONFIG", "SET", "maxmemory", "0");
  client.call("MULTI");
  client.call("SET", "a", "2");
  operator.call("CONFIG", "SET", "maxmemory", "1");
  assert.equal(client.call("EXEC"), `-EXECABORT Transaction discarded because of: ${noMemory}`);
  assert.equal(client.call("EXEC"), "-ERR EXEC without MULTI\r\n");
});

test("CLIENT REPLY inside a transaction counts reply by reply", () => {
  const { connect } = startWire();
  const run = (...calls: string[][]): string => {
    const client = connect();
    client.call("MULTI");
    for (const call of calls) client.call(...call);
    return client.call("EXEC") + client.call("PING", "1") + client.call("PING", "2");
  };
  const after = "$1\r\n1\r\n$1\r\n2\r\n";
  assert.equal(run(["PING"], ["CLIENT", "REPLY", "OFF"], ["PING"]), "*3\r\n+PONG\r\n");
  assert.equal(run(["CLIENT", "REPLY", "OFF"], ["PING"], ["CLIENT", "REPLY", "ON"]), `*3\r\n+OK\r\n${after}`);
  assert.equal(run(["CLIENT", "REPLY", "SKIP"], ["PING"]), `*2\r\n+PONG\r\n${after.slice(7)}`);
  // A skip stays for the call after EXEC, whatever is said in between, and has never an answer itself.
  const skip = ["CLIENT", "REPLY", "SKIP"];
  assert.equal(run(skip, skip), `*2\r\n${after.slice(7)}`);
  assert.equal(run(skip, ["CLIENT", "REPLY", "ON"]), `*2\r\n+OK\r\n${after.slice(7)}`);
  assert.equal(run(skip, ["CLIENT", "REPLY", "OFF"], ["CLIENT", "REPLY", "ON"]), `*3\r\n+OK\r\n${after.slice(7)}`);
});

test("HELLO, RESET and QUIT work inside a transaction as Redis has them", () => {
  const { connect } = startWire();
  const client = connect();
  client.call("MULTI");
  assert.equal(client.call("HELLO", "3"), "+QUEUED\r\n");
  assert.match(client.call("EXEC"), /^\*1\r\n%7\r\n/);
  client.call("MULTI");
  assert.equal(client.call("RESET"), "+RESET\r\n");
  assert.equal(client.call("EXEC"), "-ERR EXEC without MULTI\r\n");
  client.call("MULTI");
  assert.equal(client.call("QUIT"), "+OK\r\n");
  assert.equal(client.isClosed, true);
});
