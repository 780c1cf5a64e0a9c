// What a connection may say of itself, and what operators may do to connections.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startWire, type WireClient } from "../../kit/wire-calls.ts";

const hello = (client: WireClient, ...args: string[]): string => client.call("HELLO", ...args);

test("HELLO tells what the server is in the protocol that was asked for", () => {
  const client = startWire().connect();
  const fields =
    "$6\r\nserver\r\n$7\r\nmemhive\r\n$7\r\nversion\r\n$5\r\n7.4.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
  assert.equal(hello(client, "3"), `%7\r\n${fields}`);
  assert.equal(client.call("GET", "missing"), "_\r\n");
  assert.equal(hello(client), `%7\r\n${fields}`, "without a version it keeps the protocol");
  assert.equal(hello(client, "2"), `*14\r\n${fields.replace(":3", ":2")}`);
  assert.equal(client.call("GET", "missing"), "$-1\r\n");
});

test("a HELLO that is refused changes nothing", () => {
  const client = startWire().connect();
  assert.equal(hello(client, "4"), "-NOPROTO unsupported protocol version\r\n");
  assert.equal(hello(client, "x"), "-ERR Protocol version is not an integer or out of range\r\n");
  assert.equal(hello(client, "3", "SETNAME", "a", "NOSUCH"), "-ERR Syntax error in HELLO option 'NOSUCH'\r\n");
  assert.match(hello(client, "3", "SETNAME", "a", "AUTH", "nobody", "x"), /^-WRONGPASS /);
  assert.match(hello(client, "3", "SETNAME", "a b"), /^-ERR Client names cannot contain spaces/);
  assert.equal(client.call("CLIENT", "GETNAME"), "$-1\r\n");
  hello(client, "3", "AUTH", "default", "any", "SETNAME", "worker");
  assert.equal(client.call("CLIENT", "GETNAME"), "$6\r\nworker\r\n");
});

test("AUTH knows the default user, who has no password", () => {
  const client = startWire().connect();
  assert.match(client.call("AUTH", "secret"), /^-ERR AUTH <password> called without any password configured/);
  assert.equal(client.call("AUTH", "default", "anything"), "+OK\r\n");
  assert.match(client.call("AUTH", "ada", "x"), /^-WRONGPASS invalid username-password pair/);
});

test("there is one database", () => {
  const client = startWire().connect();
  assert.equal(client.call("SELECT", "0"), "+OK\r\n");
  for (const other of ["1", "16", "-1"])
    assert.equal(client.call("SELECT", other), "-ERR DB index is out of range\r\n");
  assert.equal(client.call("SELECT", "x"), "-ERR value is not an integer or out of range\r\n");
});

test("RESET gives back name, protocol, transaction, watches and replies", () => {
  const { connect, engine } = startWire();
  const client = connect();
  hello(client, "3", "SETNAME", "worker");
  client.call("CLIENT", "NO-TOUCH", "ON");
  client.call("CLIENT", "NO-EVICT", "ON");
  client.call("WATCH", "a");
  client.call("MULTI");
  assert.equal(client.call("RESET"), "+RESET\r\n");
  assert.equal(engine.watches.size, 0);
  assert.equal(client.call("GET", "missing"), "$-1\r\n");
  assert.match(client.call("CLIENT", "INFO"), / name= .* flags=N .* multi=-1 watch=0 .* resp=2 /);
  client.call("CLIENT", "REPLY", "OFF");
  assert.equal(client.call("RESET"), "+RESET\r\n", "and replies");
});

test("QUIT answers what came before it, and nothing after", () => {
  const client = startWire().connect();
  client.send(Buffer.from("PING\r\nQUIT\r\nPING\r\n"));
  assert.equal(client.read(), "+PONG\r\n+OK\r\n");
  assert.equal(client.isClosed, true);
});

test("CLIENT REPLY silences a connection, or one call of it", () => {
  const client = startWire().connect();
  assert.equal(client.call("CLIENT", "REPLY", "SKIP") + client.call("PING"), "");
  assert.equal(client.call("PING"), "+PONG\r\n");
  assert.equal(client.call("CLIENT", "REPLY", "OFF") + client.call("PING") + client.call("NOSUCH"), "");
  assert.equal(client.call("CLIENT", "REPLY", "ON"), "+OK\r\n");
});

test("CLIENT LIST shows a line per connection with what it is doing", () => {
  const { connect, advance } = startWire();
  const [client, other] = [connect(), connect()];
  other.call("CLIENT", "SETNAME", "worker");
  other.call("CLIENT", "SETINFO", "LIB-NAME", "lib");
  other.call("CLIENT", "SETINFO", "lib-ver", "1.2");
  other.call("WATCH", "a", "b");
  other.call("MULTI");
  other.call("SET", "k", "v");
  advance(5_000);
  const lines = client.call("CLIENT", "LIST").split("\n").slice(1, 3);
  assert.match(
    lines[0]!,
    /^id=1 addr=127.0.0.1:50001 laddr=127.0.0.1:4483 .* age=5 idle=0 flags=N .* cmd=client\|list/,
  );
  assert.match(lines[1]!, /^id=2 .* name=worker age=5 idle=5 flags=x .* multi=1 watch=2 .* cmd=set user=default/);
  assert.match(lines[1]!, / resp=2 lib-name=lib lib-ver=1.2$/);
  assert.match(client.call("CLIENT", "LIST", "ID", "2", "99"), /\r\nid=2 [^\n]*\n\r\n$/);
  assert.equal(client.call("CLIENT", "LIST", "TYPE", "pubsub"), "$0\r\n\r\n");
  assert.equal(client.call("CLIENT", "LIST", "TYPE", "x"), "-ERR Unknown client type 'x'\r\n");
});

test("CLIENT KILL ends the connections that fit all filters", () => {
  const { connect, advance, engine } = startWire();
  const client = connect();
  const kill = (...filter: string[]): string => client.call("CLIENT", "KILL", ...filter);
  const one = connect();
  assert.equal(kill(one.address), "+OK\r\n");
  assert.equal(one.isClosed, true);
  assert.equal(kill(one.address), "-ERR No such client\r\n");

  const two = connect();
  assert.equal(kill("ID", "3", "ADDR", "127.0.0.1:1"), ":0\r\n");
  assert.equal(kill("ID", "3", "ADDR", two.address, "TYPE", "normal", "USER", "default"), ":1\r\n");
  assert.equal(two.isClosed, true);

  advance(60_000);
  const young = connect();
  assert.equal(kill("MAXAGE", "30"), ":0\r\n", "this connection is skipped");
  assert.equal(kill("MAXAGE", "30", "SKIPME", "no"), ":1\r\n");
  assert.equal(client.isClosed, true);
  assert.equal(young.isClosed, false);
  assert.equal(engine.clients.size, 1);
});

test("CLIENT PAUSE lets calls wait, UNPAUSE and time let them go on", async () => {
  const { connect, advance } = startWire();
  const [client, other] = [connect(), connect()];
  assert.equal(client.call("CLIENT", "PAUSE", "1000", "WRITE"), "+OK\r\n");
  assert.equal(other.call("GET", "a"), "$-1\r\n", "reads go on");
  assert.equal(other.call("SET", "a", "1"), "");
  assert.equal(client.call("CLIENT", "UNPAUSE"), "+OK\r\n");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(other.read(), "+OK\r\n");

  client.call("CLIENT", "PAUSE", "1000");
  assert.equal(other.call("GET", "a"), "");
  advance(1000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(other.read(), "$1\r\n1\r\n");
});

test("the call of a connection that ended during a pause does not run", async () => {
  const { connect } = startWire();
  const [client, other] = [connect(), connect()];
  client.call("CLIENT", "PAUSE", "1000", "WRITE");
  other.call("SET", "a", "1");
  other.leave();
  client.call("CLIENT", "UNPAUSE");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.call("EXISTS", "a"), ":0\r\n");
});

test("CLIENT NO-TOUCH: reads of this connection do not count as access", () => {
  const { connect, advance } = startWire();
  const client = connect();
  client.call("SET", "a", "1");
  advance(10_000);
  client.call("CLIENT", "NO-TOUCH", "ON");
  client.call("GET", "a");
  assert.equal(client.call("OBJECT", "IDLETIME", "a"), ":10\r\n");
  client.call("CLIENT", "NO-TOUCH", "OFF");
  client.call("GET", "a");
  assert.equal(client.call("OBJECT", "IDLETIME", "a"), ":0\r\n");
});

test("unknown subcommands and wrong numbers of arguments are refused in Redis's words", () => {
  const client = startWire().connect();
  assert.equal(client.call("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
  assert.equal(client.call("CLIENT", "NOSUCH"), "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n");
  assert.equal(client.call("client", "setname"), "-ERR wrong number of arguments for 'client|setname' command\r\n");
  assert.equal(client.call("PING", "a", "b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  const bytes = Buffer.from([0xff, 0xfe]);
  assert.equal(
    client.call("\r\n", bytes, "a\0b"),
    "-ERR unknown command '  ', with args beginning with: '\xff\xfe' 'a' \r\n",
  );
});

test("HELP lists the subcommands of every container", () => {
  const { connect, engine } = startWire();
  const client = connect();
  for (const command of engine.commands.all.values()) {
    if (!command.subcommands) continue;
    const help = client.call(command.name, "HELP");
    assert.ok(help.includes(`+${command.name} <subcommand> `), command.name);
    for (const name of command.subcommands.keys()) {
      if (name !== "HELP") assert.ok(help.includes(`\r\n+${name}`), `${command.name} ${name}`);
    }
  }
});

test("an error quotes the beginning of what a client sent, however long it is", () => {
  const client = startWire().connect();
  for (const letter of ["x", "\xff"]) {
    const long = Buffer.alloc(16 << 20, letter, "latin1");
    const shown = Buffer.alloc(128, letter, "latin1").toString("latin1");
    const calls: [args: (string | Buffer)[], expected: string][] = [
      [["HELLO", "3", long], `-ERR Syntax error in HELLO option '${shown}'\r\n`],
      [["HELLO", "3", "SETNAME", long], "-ERR name of 16777216 bytes exceeds connectionNameBytesMax (1024)\r\n"],
      [["CONFIG", "SET", long, "1"], "-ERR CONFIG takes names and values of at most 4096 bytes\r\n"],
      [
        ["CONFIG", "SET", long.subarray(0, 4096), "1"],
        `-ERR Unknown option or number of arguments for CONFIG SET - '${shown}'\r\n`,
      ],
      [["CONFIG", "GET", long], "-ERR CONFIG takes names and values of at most 4096 bytes\r\n"],
      [["CLIENT", "KILL", "USER", long], `-ERR No such user '${shown}'\r\n`],
      [["CLIENT", "LIST", "TYPE", long], `-ERR Unknown client type '${shown}'\r\n`],
      [["EXPIRE", "k", "1", long], `-ERR Unsupported option ${shown}\r\n`],
      [["CLIENT", long], `-ERR unknown subcommand '${shown}'. Try CLIENT HELP.\r\n`],
      [[long, long], `-ERR unknown command '${shown}', with args beginning with: '${shown}' \r\n`],
    ];
    for (const [args, expected] of calls) {
      assert.equal(client.call(...args), expected, String(args[0]).slice(0, 10) + args.length);
    }
  }
});
