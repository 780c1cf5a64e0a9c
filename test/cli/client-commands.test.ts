// The commands of a client, as processes: what they print, where, and with which exit code.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { complete } from "../../src/cli/repl.ts";
import { Hive } from "../../src/server/hive.ts";
import { RespClient } from "../kit/resp-client.ts";
import { type Ended, runMemhive } from "../kit/run-memhive.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memhive-cli-"));
let hive: Hive;

before(async () => {
  hive = await Hive.start({ port: 0 });
});
after(async () => {
  await hive.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `memhive …` against the hive, with `input` as its standard input. */
function memhive(args: string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const MEMHIVE_URL = `hive://127.0.0.1:${hive.port}`;
  return runMemhive(args, { env: { MEMHIVE_URL, ...env }, input, latin1: true });
}

const done = (out: string): Ended => ({ code: 0, out, error: "" });

test("set and get text, values, bytes and standard input", async () => {
  assert.deepEqual(await memhive(["set", "greeting", "hello"]), done(""));
  assert.deepEqual(await memhive(["get", "greeting"]), done("hello\n"));
  assert.deepEqual(await memhive(["get", "greeting", "--json"]), done('"hello"\n'));
  assert.deepEqual(await memhive(["set", "ada", '{"born":1815,"seen":{"$":"Set","members":[1]}}', "--json"]), done(""));
  assert.deepEqual(await memhive(["get", "ada"]), done('{"born":1815,"seen":{"$":"Set","members":[1]}}\n'));
  assert.deepEqual(await memhive(["set", "raw", "00ff", "--bytes"]), done(""));
  assert.deepEqual(await memhive(["get", "raw"]), done("\x00\xff"), "bytes as they are, with nothing behind");
  assert.deepEqual(await memhive(["set", "piped", "-"], "from a pipe"), done(""));
  assert.deepEqual(await memhive(["get", "piped"]), done("from a pipe\n"));
});

test("what is not there is exit code 3, and conditions that do not hold are too", async () => {
  const missing = await memhive(["get", "nothing"]);
  assert.deepEqual(missing, { code: 3, out: "", error: "memhive: there is no key nothing\n" });
  await memhive(["set", "there", "1"]);
  assert.equal((await memhive(["set", "there", "2", "--if-absent"])).code, 3);
  assert.equal((await memhive(["set", "not there", "2", "--if-present"])).code, 3);
  assert.deepEqual(await memhive(["del", "there", "nothing"]), done("1\n"));
  assert.deepEqual(await memhive(["del", "there"]), { code: 3, out: "0\n", error: "" });
});

test("tables, with typed fields and a TTL", async () => {
  assert.deepEqual(await memhive(["table", "users", "set", "ada", "1815"]), done(""));
  assert.deepEqual(
    await memhive(["table", "users", "set", "7", '{"x":1}', "--typed", "--json", "--ttl", "60000"]),
    done(""),
  );
  assert.deepEqual(await memhive(["table", "users", "get", "7", "--typed"]), done('{"x":1}\n'));
  assert.equal((await memhive(["table", "users", "get", "7"])).code, 3, "the text 7 is another field");
  assert.deepEqual(await memhive(["table", "users", "size"]), done("2\n"));
  const { out } = await memhive(["table", "users", "entries", "--json"]);
  assert.deepEqual(out.split("\n").filter(Boolean).sort(), ['["ada","1815"]', '[7,{"x":1}]']);
  assert.deepEqual(await memhive(["table", "users", "del", "ada"]), done("1\n"));
  const wrong = await memhive(["table", "users", "explode"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.error, /^memhive: SYNTAX: memhive table NAME get FIELD/);
});

test("keys, send and info", async () => {
  await memhive(["send", "MSET", "k:1", "a", "k:2", "b"]);
  const { out } = await memhive(["keys", "k:*"]);
  assert.deepEqual(out.split("\n").filter(Boolean).sort(), ["k:1", "k:2"]);
  assert.deepEqual(await memhive(["keys", "k:*", "--limit", "1", "--type", "string"]), {
    ...done(""),
    out: `${out.split("\n")[0]}\n`,
  });
  assert.deepEqual(await memhive(["send", "MGET", "k:1", "nothing"]), done('1) "a"\n2) (nil)\n'));
  assert.deepEqual(await memhive(["send", "SADD", "numbers", "1", "x", "--typed"]), done("(integer) 2\n"));
  assert.deepEqual(
    await memhive(["send", "SISMEMBER", "numbers", "1", "--json"]),
    done("0\n"),
    "the number is the member",
  );
  const info = await memhive(["info", "server", "--json"]);
  assert.equal(JSON.parse(info.out).server.tcp_port, hive.port);
  assert.match((await memhive(["info", "memory"])).out, /^memory\n {2}used_memory +\d+\n/);
});

test("what the hive refuses is exit code 1 with its code; a wrong call is 2", async () => {
  await memhive(["send", "SADD", "a set", "x"]);
  const refused = await memhive(["get", "a set"]);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(refused.error, /^memhive: WRONG_TYPE: /);
  const nobody = await memhive(["get", "x", "--url", "hive://127.0.0.1:1"]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.error, /CONNECTION_LOST: cannot connect to hive:\/\/127\.0\.0\.1:1: .*memhive serve/);
  const secret = await memhive(["get", "x", "--url", "redis://:s3cret@somewhere"]);
  assert.equal(secret.code, 1);
  assert.ok(!secret.error.includes("s3cret"), secret.error);
  for (const args of [
    ["nonsense"],
    ["get"],
    ["get", "a", "b"],
    ["set", "a", "b", "--ttl", "soon"],
    ["keys", "--limit", "0"],
  ]) {
    const { code, error } = await memhive(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(error, /^error: /);
  }
});

test("every command has a help, which exits with 0", async () => {
  for (const command of ["serve", "get", "set", "del", "table", "keys", "send", "info", "cli"]) {
    const { code, out } = await memhive([command, "--help"]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^Usage: memhive ${command} `));
  }
});

test("cli reads a script from a pipe, goes on after errors, and stops at quit", async () => {
  const script = `SET a "x y"\nGET a\nHSET h =1 ={"b":[1]}\nHGETALL h\nNONSENSE\nHSET\nGET "open\nhelp hget\nquit\nSET a never\n`;
  const { code, out } = await memhive(["cli"], script);
  assert.equal(code, 0);
  assert.deepEqual(out.split("\n"), [
    ...["OK", '"x y"', "(integer) 1", '1# (integer) 1 => {"b":[1]}'],
    "(error) UNKNOWN_COMMAND unknown command 'NONSENSE', with args beginning with: ",
    "(error) WRONG_ARITY wrong number of arguments for 'hset' command",
    "        HSET key field value [field value ...]",
    '(error) SYNTAX a quote is not closed: "open',
    ...["HGET key field", "  Returns the value of a field of a table", ""],
  ]);
  await using resp = await RespClient.connect({ port: hive.port });
  resp.send(["GET", "a"]);
  assert.equal((await resp.readReply()).value, "x y");
});

test("in a terminal it prompts, completes, hints, and keeps its history without secrets", async (t) => {
  if (process.platform !== "linux") return t.skip("needs script(1) for a terminal");
  const history = join(folder, "history");
  writeFileSync(history, "GET before\n");
  const command = `${process.execPath} ${MAIN} cli`;
  const env = { ...process.env, MEMHIVE_URL: `hive://127.0.0.1:${hive.port}`, MEMHIVE_HISTORY: history, TERM: "xterm" };
  const child = execFile("script", ["-qec", command, "/dev/null"], { env });
  let out = "";
  const seen = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!out.includes(text)) return;
        child.stdout!.off("data", look);
        resolve();
      };
      child.stdout!.on("data", look);
      look();
    });
  child.stdout!.on("data", (chunk) => {
    out += chunk;
  });
  await seen(`hive://127.0.0.1:${hive.port}> `);
  child.stdin!.write("HGETA\t");
  await seen("HGETALL ");
  child.stdin!.write("nothing\n");
  await seen("(empty map)");
  child.stdin!.write("AUTH default s3cret\n");
  await seen("OK");
  const gone = once(child, "exit");
  child.stdin!.write("quit\n");
  assert.deepEqual(await gone, [0, null]);
  const kept = readFileSync(history, "utf8");
  assert.match(kept, /^GET before\nHGETALL nothing\n/);
  assert.ok(!kept.includes("s3cret"));
});

test("completion knows the commands, and hints their arguments", () => {
  assert.deepEqual(complete("hgeta"), [["HGETALL "], "hgeta"]);
  const [names] = complete("HG");
  assert.ok(names.includes("HGET ") && names.includes("HGETALL "));
  assert.deepEqual(complete("nothing such"), [[], "nothing such"]);
  assert.deepEqual(complete("HGET users "), [["", "HGET key field"], "HGET users "]);
});
