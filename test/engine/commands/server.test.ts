// What tools and operators ask of the server: COMMAND, CONFIG, INFO, SLOWLOG, DEBUG, SHUTDOWN.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HIVE_VERSION } from "../../../src/engine/identity.ts";
import { startCalls } from "../../kit/calls.ts";
import { startWire } from "../../kit/wire-calls.ts";

test("COMMAND INFO gives name, arity, flags and positions of keys", () => {
  const client = startWire().connect();
  const info = client.call("COMMAND", "INFO", "mset", "nosuch", "client|id");
  assert.match(info, /^\*3\r\n\*10\r\n\$4\r\nmset\r\n:-3\r\n\*2\r\n\+write\r\n\+denyoom\r\n:1\r\n:-1\r\n:2\r\n/);
  assert.match(info, /\r\n\$-1\r\n\*10\r\n\$9\r\nclient\|id\r\n:2\r\n/);
});

test("COMMAND answers with one element per command and COUNT with their number", () => {
  const { call, engine } = startCalls();
  const all = call("COMMAND") as unknown[][];
  assert.equal(all.length, engine.commands.all.size);
  assert.equal(call("COMMAND", "COUNT"), all.length);
  for (const facts of all) assert.equal(facts.length, 10, String(facts[0]));
});

test("COMMAND LIST lists subcommands too, and filters", () => {
  const { call } = startCalls();
  const list = call("COMMAND", "LIST") as string[];
  assert.ok(list.includes("get") && list.includes("client|list"));
  assert.deepEqual(call("COMMAND", "LIST", "FILTERBY", "PATTERN", "hget?ll"), ["hgetall"]);
  assert.deepEqual(call("COMMAND", "LIST", "FILTERBY", "MODULE", "x"), []);
  assert.ok((call("COMMAND", "LIST", "FILTERBY", "ACLCAT", "transaction") as string[]).includes("multi"));
  assert.equal(call("COMMAND", "LIST", "FILTERBY", "NOSUCH", "x"), "-ERR syntax error");
});

test("COMMAND GETKEYS finds the keys of a call", () => {
  const { call } = startCalls();
  assert.deepEqual(call("COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2"), ["a", "b"]);
  assert.deepEqual(call("COMMAND", "GETKEYS", "OBJECT", "ENCODING", "k"), ["k"]);
  assert.deepEqual(call("COMMAND", "GETKEYS", "SINTERCARD", "2", "a", "b"), ["a", "b"]);
  assert.equal(call("COMMAND", "GETKEYS", "PING", "x"), "-ERR The command has no key arguments");
  assert.equal(call("COMMAND", "GETKEYS", "NOSUCH", "x"), "-ERR Invalid command specified");
  assert.equal(call("COMMAND", "GETKEYS", "GET", "a", "b"), "-ERR Invalid number of arguments specified for command");
});

test("COMMAND DOCS describes every command, with its arguments as a tree", () => {
  const { call, engine } = startCalls();
  const docs = call("COMMAND", "DOCS") as unknown[];
  assert.equal(docs.length, engine.commands.all.size * 2);
  const [name, set] = call("COMMAND", "DOCS", "psetex") as [string, unknown[]];
  assert.equal(name, "psetex");
  assert.deepEqual(set.slice(4, 6), ["group", "string"]);
  const names = (set[7] as unknown[][]).map((argument) => argument[1]);
  assert.deepEqual(names, ["key", "milliseconds", "value"]);
});

test("CONFIG SET changes all of its settings or none", () => {
  const { call, store } = startCalls();
  assert.equal(call("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "ALLKEYS-LRU"), "OK");
  assert.deepEqual(call("CONFIG", "GET", "maxmemory-p*"), ["maxmemory-policy", "allkeys-lru"]);
  assert.equal(store.eviction.maxMemoryBytes, 104857600);
  assert.equal(
    call("CONFIG", "SET", "maxmemory", "1gb", "slowlog-max-len", "x"),
    "-ERR CONFIG SET failed (possibly related to argument 'slowlog-max-len') - argument couldn't be parsed into an integer",
  );
  assert.equal(store.eviction.maxMemoryBytes, 104857600);
  assert.equal(
    call("CONFIG", "SET", "timeout", "1", "TIMEOUT", "2"),
    "-ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter",
  );
  assert.equal(
    call("CONFIG", "SET", "timeout", "1", "nosuch", "2"),
    "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
  );
  assert.deepEqual(call("CONFIG", "GET", "timeout"), ["timeout", "0"]);
});

test("settings without effect are checked, remembered and shown under all their names", () => {
  const { call } = startCalls();
  assert.equal(call("CONFIG", "SET", "hash-max-ziplist-entries", "100", "appendonly", "YES"), "OK");
  assert.deepEqual(call("CONFIG", "GET", "hash-max-listpack-entries", "appendonly"), [
    "hash-max-listpack-entries",
    "100",
    "appendonly",
    "yes",
  ]);
  assert.match(String(call("CONFIG", "SET", "appendonly", "maybe")), /argument must be 'yes' or 'no'$/);
  assert.match(String(call("CONFIG", "SET", "hz", "-1")), /must be between 0 and 2147483647 inclusive$/);
  assert.equal(call("CONFIG", "SET", "notify-keyspace-events", "KEA"), "OK");
  assert.deepEqual(call("CONFIG", "GET", "notify-keyspace-events"), ["notify-keyspace-events", "AKE"]);
  assert.equal(call("CONFIG", "SET", "client-output-buffer-limit", "replica 1mb 2 3"), "OK");
  assert.deepEqual(call("CONFIG", "GET", "client-output-*"), [
    "client-output-buffer-limit",
    "normal 0 0 0 slave 1048576 2 3 pubsub 33554432 8388608 60",
  ]);
});

test("folders, passwords and addresses are not for a connection to set", () => {
  const { call } = startCalls();
  for (const name of ["dir", "dbfilename", "requirepass"]) {
    assert.match(String(call("CONFIG", "SET", name, "x")), /can't set protected config$/);
  }
  for (const name of ["port", "bind", "databases"]) {
    assert.match(String(call("CONFIG", "SET", name, "1")), /can't set immutable config$/);
  }
  assert.equal(call("CONFIG", "REWRITE"), "-ERR The server is running without a config file");
});

test("maxclients refuses connections, timeout closes idle ones", () => {
  const { connect, advance } = startWire({ limits: { connectionsMax: 3 } });
  const client = connect();
  assert.deepEqual(client.call("CONFIG", "GET", "maxclients"), "*2\r\n$10\r\nmaxclients\r\n$1\r\n3\r\n");
  client.call("CONFIG", "SET", "maxclients", "2", "timeout", "10");
  const idle = connect();
  assert.equal(connect().isClosed, true);
  advance(9_000);
  client.call("PING");
  advance(2_000);
  assert.equal(idle.isClosed, true);
  assert.equal(client.call("PING"), "+PONG\r\n");
});

test("INFO has the sections that were asked for", () => {
  const { call } = startCalls();
  const sections = (...words: string[]): string[] =>
    [...String(call("INFO", ...words)).matchAll(/^# (\w+)/gm)].map((match) => match[1]!);
  call("SET", "k", "v");
  assert.deepEqual(sections("server", "keyspace", "nosuch"), ["Server", "Keyspace"]);
  assert.ok(!sections().includes("Commandstats"));
  assert.ok(sections("everything").includes("Commandstats"));
  const info = String(call("INFO", "all"));
  for (const field of ["redis_version:7.4.0", "loading:0", "role:master", "cluster_enabled:0", "db0:keys=1,"]) {
    assert.ok(info.includes(`\r\n${field}`), field);
  }
  assert.match(info, /cmdstat_set:calls=1,/);
});

test("CONFIG RESETSTAT sets the counters back", () => {
  const { call } = startCalls();
  call("GET", "k");
  call("NOSUCH");
  call("CONFIG", "RESETSTAT");
  const info = String(call("INFO", "everything"));
  assert.match(info, /total_commands_processed:1\r\n/);
  assert.match(info, /total_error_replies:0\r\n/);
  assert.match(info, /keyspace_misses:0\r\n/);
  assert.doesNotMatch(info, /cmdstat_get:/);
});

test("the slow log keeps the latest calls, cut short, without secrets", () => {
  const { call } = startCalls();
  call("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "3");
  call("SET", "k", "x".repeat(200));
  call("AUTH", "default", "secret");
  const calls = call("SLOWLOG", "GET") as [number, number, number, string[], string, string][];
  assert.equal(calls.length, 3, "the CONFIG SET itself is timed as well");
  assert.deepEqual(calls[0]![3], ["AUTH", "(redacted)"]);
  assert.deepEqual(calls[1]![3], ["SET", "k", `${"x".repeat(128)}... (72 more bytes)`]);
  assert.equal(calls[0]![0] - calls[1]![0], 1);
  assert.equal(calls[0]![4], "127.0.0.1:1");
  assert.equal((call("SLOWLOG", "GET", "1") as unknown[]).length, 1);
  assert.equal(call("SLOWLOG", "GET", "-2"), "-ERR count should be greater than or equal to -1");
  call("CONFIG", "SET", "slowlog-log-slower-than", "-1");
  call("SLOWLOG", "RESET");
  assert.equal(call("SLOWLOG", "LEN"), 0);
});

test("SHUTDOWN stops the hive without a word, and refuses what makes no sense", () => {
  const { connect, stops } = startWire();
  const client = connect();
  for (const words of [["NOSUCH"], ["SAVE", "NOSAVE"], ["ABORT", "NOW"]]) {
    assert.equal(client.call("SHUTDOWN", ...words), "-ERR syntax error\r\n");
  }
  assert.equal(client.call("SHUTDOWN", "ABORT"), "-ERR No shutdown in progress.\r\n");
  client.call("MULTI");
  assert.equal(client.call("SHUTDOWN"), "-ERR Command not allowed inside a transaction\r\n");
  client.call("DISCARD");
  assert.equal(stops(), 0);
  assert.equal(client.call("SHUTDOWN", "NOSAVE"), "");
  assert.equal(stops(), 1);
});

test("SHUTDOWN is refused where the owner of the engine does not allow it", () => {
  assert.match(String(startCalls().call("SHUTDOWN")), /^-ERR this hive is stopped by the process/);
});

test("DEBUG SET-ACTIVE-EXPIRE leaves what has run out until somebody asks", () => {
  const { call, advance } = startCalls();
  call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  call("SET", "k", "v", "PX", "10");
  advance(1000);
  assert.equal(call("DBSIZE"), 1);
  assert.equal(call("GET", "k"), null);
  assert.equal(call("DBSIZE"), 0);
  call("SET", "k", "v", "PX", "10");
  call("DEBUG", "SET-ACTIVE-EXPIRE", "1");
  advance(1000);
  assert.equal(call("DBSIZE"), 0);
});

test("DEBUG SLEEP lets every connection wait, but not inside a transaction", async () => {
  const { connect, advance } = startWire();
  const [client, other] = [connect(), connect()];
  assert.equal(client.call("DEBUG", "SLEEP", "0.001"), "");
  assert.equal(other.call("PING"), "");
  advance(1);
  while (client.read() === "") await new Promise((resolve) => setImmediate(resolve));
  assert.equal(other.read(), "+PONG\r\n");
  client.call("MULTI");
  client.call("DEBUG", "SLEEP", "1");
  assert.equal(client.call("EXEC"), "*1\r\n-ERR DEBUG SLEEP does not wait inside a transaction\r\n");
});

test("LATENCY knows no events", () => {
  const { call } = startCalls();
  assert.deepEqual(call("LATENCY", "LATEST"), []);
  assert.deepEqual(call("LATENCY", "HISTORY", "command"), []);
  assert.equal(call("LATENCY", "RESET", "command", "nosuch"), 0);
});

test("the hive's version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  assert.equal(HIVE_VERSION, manifest.version);
});
