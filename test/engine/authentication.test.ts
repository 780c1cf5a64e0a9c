// Connections get their token and lose it: the forms of AUTH, waiting after wrong ones, revoking, expiring,
// narrowing, RESET, and what is shown of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenRegistry } from "../../src/engine/tokens.ts";
import { startWire, type Wire, type WireClient } from "../kit/wire-calls.ts";

type Setup = Wire & { tokens: TokenRegistry; id: string; token: string; login: () => WireClient };

function setup(grants: string[] = ["read", "write"], quotas: object = {}): Setup {
  const tokens = new TokenRegistry({ single: "the-one-and-only-token" });
  const wire = startWire({ tokens });
  const { token, info } = tokens.create({ name: "ada", grants, quotas }, 1000);
  const login = (): WireClient => {
    const client = wire.connect();
    assert.equal(client.call("AUTH", token), "+OK\r\n");
    return client;
  };
  return { ...wire, tokens, id: info.id, token, login };
}

const WRONG = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const STRANGER = "-NOAUTH Authentication required.\r\n";

test("AUTH takes the token alone, or behind its id, its name or default; HELLO takes it too", async () => {
  const { connect, wait, token, id } = setup();
  for (const user of [undefined, "default", id, "ada"]) {
    const client = connect();
    assert.equal(client.call("GET", "k"), STRANGER);
    assert.equal(client.call(...["AUTH", user, token].filter((word) => word !== undefined)), "+OK\r\n", user);
    assert.equal(client.call("ACL", "WHOAMI"), `$12\r\n${id}\r\n`);
    assert.equal(client.call("GET", "k"), "$-1\r\n");
  }
  const client = connect();
  assert.match(client.call("HELLO", "3"), /^-NOAUTH HELLO must be called with the client already authenticated/);
  assert.match(client.call("HELLO", "3", "AUTH", "ada", token, "SETNAME", "me"), /^%7\r\n/);
  assert.equal(client.call("CLIENT", "GETNAME"), "$2\r\nme\r\n");
  for (const user of ["eve", "ADA", ""]) {
    const other = connect();
    assert.equal(other.call("AUTH", user, token), WRONG, "the right token under a wrong name");
    await wait(60_000);
  }
});

test("a HELLO that is refused changes neither protocol nor name", () => {
  const { connect } = setup();
  const client = connect();
  assert.equal(client.call("HELLO", "3", "AUTH", "default", "wrong", "SETNAME", "me"), WRONG);
  assert.equal(client.call("GET", "k"), STRANGER);
});

test("a wrong token makes its address wait, and the right one behind it too", async () => {
  const { connect, wait, token, notices } = setup();
  const client = connect();
  assert.equal(client.call("AUTH", "wrong"), WRONG, "the first is answered at once");
  assert.equal(client.call("AUTH", "wrong"), "", "the second waits");
  await wait(49);
  assert.equal(client.read(), "");
  await wait(1);
  assert.equal(client.read(), WRONG);
  const other = connect();
  assert.equal(other.call("AUTH", token), "", "another connection of the address waits too");
  assert.equal(other.call("GET", "k"), "", "and its next call behind it");
  await wait(100);
  assert.equal(other.read(), "+OK\r\n$-1\r\n");
  assert.deepEqual(notices, [
    "127.0.0.1:50001 came with a wrong token over resp",
    "127.0.0.1:50001 came with a wrong token over resp, 2 times from there by now",
  ]);
});

test("of many that wait one is looked at after each wait", async () => {
  const { connect, wait } = setup();
  const clients = Array.from({ length: 5 }, () => connect());
  assert.equal(clients[0]!.call("AUTH", "wrong"), WRONG);
  for (const client of clients) client.call("AUTH", "wrong");
  let answered = 0;
  for (const ms of [50, 100, 200, 400, 800]) {
    await wait(ms);
    for (let turn = 0; turn < 5; turn++) await wait(0);
    answered += clients.filter((client) => client.read() === WRONG).length;
  }
  assert.equal(answered, 5);
});

test("more than so many that wait are told to come again, and one that leaves makes room", async () => {
  const { connect, wait } = setup();
  connect().call("AUTH", "wrong");
  const waiting = Array.from({ length: 64 }, () => connect());
  for (const client of waiting) assert.equal(client.call("AUTH", "wrong"), "");
  assert.match(connect().call("AUTH", "wrong"), /^-BUSY too many wrong tokens from this address: try again in 50 ms/);
  for (const client of waiting) client.leave();
  await wait(50);
  assert.equal(connect().call("AUTH", "the-one-and-only-token"), "+OK\r\n");
});

test("who is in stays who he is when he sends a wrong token, and becomes another one with a right one", () => {
  const { connect, token, id } = setup();
  const client = connect();
  client.call("AUTH", token);
  assert.equal(client.call("AUTH", "wrong"), WRONG);
  assert.equal(client.call("ACL", "WHOAMI"), `$12\r\n${id}\r\n`);
  assert.match(client.call("CONFIG", "GET", "port"), /^-NOPERM/);
});

test("what is too long for a token is not looked at, whoever sends it, and nobody waits for it", () => {
  const { login, connect } = setup();
  const client = login();
  for (let i = 0; i < 3; i++) {
    const answer = client.call("AUTH", "x".repeat(20_000));
    assert.equal(answer, "-WRONGPASS a token has no more than unauthenticatedBytesMax (16384) bytes\r\n");
  }
  assert.equal(client.call("GET", "k"), "$-1\r\n");
  assert.equal(connect().call("AUTH", "the-one-and-only-token"), "+OK\r\n");
});

test("nobody authenticates inside a transaction, where it could not wait", () => {
  const { login, token } = setup();
  const client = login();
  client.call("MULTI");
  client.call("AUTH", token);
  assert.equal(client.call("EXEC"), "*1\r\n-ERR inside a transaction nobody authenticates\r\n");
});

test("MULTI before authentication is refused", () => {
  const { connect } = setup();
  const client = connect();
  assert.equal(client.call("MULTI"), STRANGER);
  assert.match(client.call("EXEC"), /NOAUTH/);
});

test("RESET makes a stranger of a connection", () => {
  const { login, token, tokens } = setup();
  const client = login();
  assert.equal(client.call("RESET"), "+RESET\r\n");
  assert.equal(client.call("GET", "k"), STRANGER);
  assert.equal(tokens.verify(Buffer.from(token), 1)!.connections, 0);
});

test("revoking a token ends its connections at once, and no others", () => {
  const { login, connect, tokens, id, token, notices, engine } = setup();
  const [one, two] = [login(), login()];
  const other = connect();
  other.call("AUTH", "the-one-and-only-token");
  one.call("MULTI");
  assert.ok(tokens.revoke(id));
  assert.ok(one.isClosed && two.isClosed);
  assert.equal(one.call("SET", "k", "v"), "", "what comes behind it is not run");
  assert.equal(other.call("EXISTS", "k"), ":0\r\n");
  assert.equal(connect().call("AUTH", token), WRONG);
  assert.equal(engine.clients.size, 2);
  assert.ok(notices.includes(`token ${id} was revoked: 2 connections closed`));
});

test("who comes with a token that has ended is refused without making others of his address wait", async () => {
  const { connect, tokens, id, token, notices, advance } = setup();
  const { token: short } = tokens.create({ grants: ["read"], expiresAtMs: 1_000_000_000_001 }, 1000);
  tokens.revoke(id);
  advance(1);
  for (let i = 0; i < 5; i++) {
    assert.equal(connect().call("AUTH", token), WRONG);
    assert.equal(connect().call("AUTH", short), WRONG);
  }
  assert.equal(connect().call("AUTH", "the-one-and-only-token"), "+OK\r\n");
  const came = (): number => notices.filter((notice) => notice.includes(`came with token ${id}, which is not`)).length;
  assert.equal(came(), 1, "the log does not grow with each try");
  advance(1_000);
  assert.equal(connect().call("AUTH", token), WRONG);
  assert.equal(came(), 2);
  assert.equal(connect().call("AUTH", `${token.slice(0, -2)}xx`), WRONG);
  assert.equal(connect().call("AUTH", token), "", "a guess is another matter");
});

test("a token that expires ends its connections when its time comes", () => {
  const { tokens, connect, advance, notices } = setup();
  const nowMs = 1_000_000_000_000;
  const { token, info } = tokens.create({ grants: ["read"], expiresAtMs: nowMs + 5000 }, nowMs);
  const client = connect();
  client.call("AUTH", token);
  advance(4999);
  assert.equal(client.call("GET", "k"), "$-1\r\n");
  advance(1);
  assert.ok(client.isClosed);
  assert.equal(connect().call("AUTH", token), WRONG);
  assert.ok(notices.includes(`token ${info.id} has expired: 1 connection closed`));
});

test("a token that gets less has less on its open connections, inside a transaction too", () => {
  const { login, tokens, id } = setup();
  const [plain, busy, watching] = [login(), login(), login()];
  watching.call("WATCH", "k");
  busy.call("MULTI");
  assert.equal(busy.call("SET", "k", "v"), "+QUEUED\r\n");
  const change = (grants: string[]): void =>
    tokens.replaceAll(
      tokens.records.map((record) => ({ ...record, grants })),
      tokens.nextOwner,
    );
  change(["read"]);
  assert.match(plain.call("SET", "k", "v"), /^-NOPERM/);
  assert.match(busy.call("EXEC"), /^-EXECABORT/, "what was queued was allowed by the old grants");
  watching.call("MULTI");
  watching.call("PING");
  assert.equal(watching.call("EXEC"), "*-1\r\n", "and so was what is watched");
  assert.equal(plain.call("GET", "k"), "$-1\r\n");
  change(["all"]);
  assert.equal(plain.call("SET", "k", "v"), "+OK\r\n");
  assert.equal(tokens.list()[0]!.id, id);
});

test("an unrestricted token leaves the gate open, a restricted one does not", () => {
  const { engine, connect, login } = setup();
  connect().call("AUTH", "the-one-and-only-token");
  login();
  const gates = [...engine.clients.values()].map(({ gate }) => gate);
  assert.deepEqual(gates, [0, 8]);
});

test("CLIENT LIST, CLIENT KILL USER and ACL WHOAMI know a token by its id", () => {
  const { login, connect, id } = setup();
  const client = login();
  const admin = connect();
  admin.call("AUTH", "the-one-and-only-token");
  assert.match(admin.call("CLIENT", "LIST"), new RegExp(`user=${id} .*\n.*user=default `));
  assert.equal(admin.call("ACL", "WHOAMI"), "$7\r\ndefault\r\n");
  assert.match(admin.call("CLIENT", "KILL", "USER", "nobody"), /^-ERR No such user 'nobody'/);
  assert.equal(admin.call("CLIENT", "KILL", "USER", id), ":1\r\n");
  assert.ok(client.isClosed);
});

test("connections of a token are counted, and those that end make room", () => {
  const { login, connect, token } = setup(["all"], { connections: 2 });
  const [first] = [login(), login()];
  const third = connect();
  assert.match(third.call("AUTH", token), /^-QUOTA connections: this token has as many as it may \(2\)/);
  assert.equal(third.call("GET", "k"), STRANGER);
  assert.equal(first!.call("AUTH", token), "+OK\r\n", "one that is in may say it again");
  first!.leave();
  assert.equal(third.call("AUTH", token), "+OK\r\n");
});

test("calls above the quota are refused until there is one again; the ways out are free", async () => {
  const { login, wait } = setup(["all"], { callsPerSecond: 3 });
  const client = login();
  assert.deepEqual(
    [1, 2, 3].map(() => client.call("PING")),
    ["+PONG\r\n", "+PONG\r\n", "+PONG\r\n"],
  );
  assert.match(client.call("PING"), /^-QUOTA callsPerSecond: .* 3 calls a second; try again in 334 ms/);
  await wait(334);
  assert.equal(client.call("MULTI"), "+OK\r\n");
  assert.match(client.call("SET", "k", "v"), /^-QUOTA/);
  assert.match(client.call("EXEC"), /^-EXECABORT/, "the refusal has spoilt the transaction");
  const other = login();
  assert.match(other.call("PING"), /^-QUOTA/, "all its connections share it");
});

test("KEYS and SCAN show what the token may read, and nothing tells how many others there are", () => {
  const { connect, login } = setup(["read:users:*", "write"]);
  const admin = connect();
  admin.call("AUTH", "the-one-and-only-token");
  for (const key of ["users:ada", "users:bob", "secret", "user"]) admin.call("SET", key, "v");
  const client = login();
  assert.equal(client.call("KEYS", "*").split("\r\n")[0], "*2");
  assert.equal(client.call("KEYS", "s*"), "*0\r\n");
  assert.doesNotMatch(client.call("SCAN", "0", "COUNT", "1000"), /secret|user\r/);
  assert.match(client.call("DBSIZE"), /^-NOPERM 'dbsize' needs read on every key: the grant read:\*/);
  assert.match(client.call("RANDOMKEY"), /^-NOPERM/);
  const ofAll = /keys=|used_memory_dataset|allocator_allocated|save_keys|changes_since|snapshot_last_bytes|backlog/;
  assert.doesNotMatch(client.call("INFO"), ofAll);
  assert.match(admin.call("INFO"), /used_memory_dataset:[1-9]/);
  assert.match(admin.call("INFO"), /keys=4/);
});

test("no secret is shown by anything that shows calls, connections or errors", async () => {
  const { connect, login, token, wait, notices } = setup(["all"]);
  const admin = login();
  admin.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
  admin.call("AUTH", token);
  admin.call("HELLO", "2", "AUTH", "ada", token);
  admin.call("CONFIG", "SET", "maxclients", "100", "requirepass", token);
  const shown = [
    admin.call("AUTH", token, "one", "two"),
    admin.call("HELLO", "2", "AUTH", token),
    connect().call("AUTH", `${token}x`),
    admin.call("SLOWLOG", "GET", "-1"),
    admin.call("CLIENT", "LIST"),
    admin.call("CLIENT", "INFO"),
    admin.call("INFO", "everything"),
    admin.call("CONFIG", "GET", "*"),
    admin.call("COMMAND", "DOCS", "auth"),
  ];
  await wait(60_000);
  const secret = token.slice(18);
  assert.match(shown[3]!, /redacted/);
  for (const [index, text] of [...shown, notices.join("\n")].entries()) {
    // HELLO's own answer to a wrong option quotes it to whoever sent it, and to nobody else.
    if (index !== 1) assert.ok(!text.includes(secret), `output ${index}`);
  }
});
