// The JSON API: values in and out by type, calls, transactions, and a description that is one.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { connect } from "../../../src/client/node.ts";
import { Hive } from "../../../src/server/hive.ts";
import { HttpClient, type HttpReply } from "../../kit/http-client.ts";
import { RespClient } from "../../kit/resp-client.ts";

const hive = await Hive.start({ port: 0 });
const client = await HttpClient.connect({ port: hive.port });
const native = await connect(hive);
const resp = await RespClient.connect({ port: hive.port });
after(async () => {
  client.socket.destroy();
  resp.socket.destroy();
  await native.close();
  await hive.close();
});

const JSON_TYPE = { "Content-Type": "application/json" };

function call(...words: unknown[]): Promise<HttpReply> {
  return client.request("POST", "/v1/call", { headers: JSON_TYPE, body: JSON.stringify(words) });
}

function put(path: string, type: string | undefined, body: string | Uint8Array): Promise<HttpReply> {
  return client.request("PUT", path, { headers: type === undefined ? {} : { "Content-Type": type }, body });
}

async function get(path: string, accept?: string): Promise<HttpReply> {
  return client.request("GET", path, { headers: accept === undefined ? {} : { Accept: accept } });
}

function code(reply: HttpReply): string {
  return (reply.json as { error: { code: string } }).error.code;
}

test("JSON that is put is a value for every door", async () => {
  const value = { born: 1815, names: ["Ada", "Augusta"], nested: { deep: [null, true, 1.5] } };
  assert.equal((await put("/v1/tables/users/ada", "application/json", JSON.stringify(value))).status, 204);
  assert.deepEqual(await native.table("users").get("ada"), value);
  assert.deepEqual((await get("/v1/tables/users/ada")).json, value);
  resp.send(["HGET", "users", "ada"]);
  assert.equal((await resp.readReply()).value, JSON.stringify(value));
});

test("null, false, 0 and the empty text are values; a missing key is 404", async () => {
  for (const value of [null, false, 0, "", [], {}, -1, 2 ** 53, 1.5]) {
    await put("/v1/tables/t/k", "application/json", JSON.stringify(value));
    const reply = await get("/v1/tables/t/k");
    assert.equal(reply.status, 200);
    assert.deepEqual(reply.json, value);
  }
  const missing = await get("/v1/tables/t/nothing");
  assert.equal(missing.status, 404);
  assert.equal(code(missing), "NO_KEY");
});

test("text stays text, anything else is bytes, and Accept says how it comes back", async () => {
  await put("/v1/tables/t/text", "text/plain", "héllo");
  assert.equal(await native.table("t").get("text"), "héllo");
  assert.equal((await get("/v1/tables/t/text")).json, "héllo");
  assert.equal((await get("/v1/tables/t/text", "text/plain")).body.toString(), "héllo");

  const bytes = Uint8Array.from([0, 255, 13, 10, 128]);
  for (const type of [undefined, "application/octet-stream", "image/png"]) await put("/v1/tables/t/bytes", type, bytes);
  assert.deepEqual((await get("/v1/tables/t/bytes")).json, { $bytes: Buffer.from(bytes).toString("base64") });
  const raw = await get("/v1/tables/t/bytes", "application/octet-stream");
  assert.equal(raw.headers["content-type"], "application/octet-stream");
  assert.deepEqual(Uint8Array.from(raw.body), bytes);
  assert.equal((await get("/v1/tables/t/bytes", "text/plain")).status, 406);
  assert.equal((await get("/v1/tables/t/bytes", "image/png")).status, 406);
  assert.equal((await get("/v1/tables/t/bytes", "image/png, */*;q=0.1")).status, 200);
});

test("what JSON has no word for reads as RESP has it", async () => {
  const table = native.table("odd");
  await table.set("date", new Date(0));
  await table.set("map", new Map<unknown, unknown>([["a", 1]]));
  await table.set("pairs", new Map<unknown, unknown>([[1, 2]]));
  await table.set("set", new Set([1, 2]));
  await table.set("big", 2n ** 60n);
  assert.equal((await get("/v1/tables/odd/date")).json, "1970-01-01T00:00:00.000Z");
  assert.deepEqual((await get("/v1/tables/odd/map")).json, { a: 1 });
  assert.deepEqual((await get("/v1/tables/odd/pairs")).json, [[1, 2]]);
  assert.deepEqual((await get("/v1/tables/odd/set")).json, [1, 2]);
  assert.equal((await get("/v1/tables/odd/big")).body.toString(), "1152921504606846976");
});

test("names are any bytes, slashes and percent signs too", async () => {
  for (const key of ["a/b", "100%", "ü", "?x=1", "a b"]) {
    const path = `/v1/tables/${encodeURIComponent("t/1")}/${encodeURIComponent(key)}`;
    assert.equal((await put(path, "text/plain", key)).status, 204);
    assert.equal(await native.table("t/1").get(key), key);
  }
  await put("/v1/tables/t/%FF%00", "text/plain", "x");
  resp.send(["HGET", "t", Buffer.from([255, 0])]);
  assert.equal((await resp.readReply()).value, "x");
  assert.equal(code(await get("/v1/tables/t/%zz")), "INVALID_ARGUMENT");
  assert.equal((await get("/v1/tables/t")).status, 404);
  assert.equal((await get("/v1/tables/t/a/b")).status, 404);
});

test("ttlMs, If-None-Match and DELETE", async () => {
  assert.equal((await put("/v1/tables/ttl/k?ttlMs=100000", "text/plain", "x")).status, 204);
  assert.ok((await native.table("ttl").ttl("k"))! <= 100_000);
  for (const ttl of ["0", "-1", "x", "1.5"]) {
    assert.equal(code(await put(`/v1/tables/ttl/k?ttlMs=${ttl}`, "text/plain", "x")), "INVALID_ARGUMENT");
  }
  assert.equal(code(await put("/v1/tables/ttl/k?ttl=5", "text/plain", "x")), "INVALID_ARGUMENT");
  const onlyNew = { headers: { "If-None-Match": "*", "Content-Type": "text/plain" }, body: "y" };
  assert.equal((await client.request("PUT", "/v1/tables/ttl/k", onlyNew)).status, 412);
  assert.equal((await client.request("PUT", "/v1/tables/ttl/new", onlyNew)).status, 204);
  assert.equal((await client.request("DELETE", "/v1/tables/ttl/k")).status, 204);
  assert.equal((await client.request("DELETE", "/v1/tables/ttl/k")).status, 404);
});

test("what is no value is refused with what to send instead", async () => {
  assert.equal((await put("/v1/tables/t/k", "application/x-www-form-urlencoded", "a=1")).status, 415);
  assert.equal(code(await put("/v1/tables/t/k", "application/json", "{")), "BAD_VALUE");
  assert.equal(code(await put("/v1/tables/t/k", "application/json", Uint8Array.from([34, 255, 34]))), "BAD_VALUE");
  assert.equal(code(await put("/v1/tables/t/k", "text/plain", Uint8Array.from([255]))), "BAD_VALUE");
  assert.equal(
    code(await put("/v1/tables/t/k", "application/json", `${"[".repeat(65)}${"]".repeat(65)}`)),
    "BAD_VALUE",
  );
  assert.equal((await client.request("PATCH", "/v1/tables/t/k")).headers["allow"], "GET, HEAD, PUT, DELETE");
  await call("SET", "plain", "x");
  const wrong = await put("/v1/tables/plain/k", "text/plain", "x");
  assert.equal(wrong.status, 409);
  assert.equal(code(wrong), "WRONG_TYPE");
});

test("any command is a call; bytes go both ways", async () => {
  assert.deepEqual((await call("SET", "k", "v", "PX", 100_000)).json, { result: "OK" });
  assert.deepEqual((await call("GET", "k")).json, { result: "v" });
  assert.deepEqual((await call("GET", "nothing")).json, { result: null });
  assert.deepEqual((await call("set", "b", { $bytes: "/wA=" })).json, { result: "OK" });
  assert.deepEqual((await call("GET", "b")).json, { result: { $bytes: "/wA=" } });
  await call("HSET", "h", "a", 1, "b", { x: [1] });
  assert.deepEqual((await call("HGETALL", "h")).json, { result: { a: 1, b: { x: [1] } } });
  await call("SADD", "s", "a", "b");
  assert.deepEqual(((await call("SMEMBERS", "s")).json as { result: string[] }).result.sort(), ["a", "b"]);
  assert.deepEqual((await call("ZADD", "z", 1.5, "m")).json, { result: 1 });
  assert.deepEqual((await call("ZSCORE", "z", "m")).json, { result: 1.5 });
});

test("an array of calls runs as one", async () => {
  const reply = await call(["INCR", "n"], ["INCR", "h"], ["GET", "nothing"]);
  const { result } = reply.json as { result: unknown[] };
  assert.equal(result[0], 1);
  assert.equal((result[1] as { error: { code: string } }).error.code, "WRONG_TYPE");
  assert.equal(result[2], null);
  const aborted = await call(["INCR", "n"], ["NOSUCH"]);
  assert.equal(aborted.status, 409);
  assert.equal(code(aborted), "EXEC_ABORT");
  assert.deepEqual((await call("GET", "n")).json, { result: "1" });
});

test("what is no call is refused", async () => {
  for (const body of ["{}", "[]", '"GET"', "[1]", "[[]]", "[[1]]", "nul", '["SET","k",{"$bytes":"*"}]']) {
    const reply = await client.request("POST", "/v1/call", { headers: JSON_TYPE, body });
    assert.equal(reply.status, 400, body);
    assert.equal(code(reply), "BAD_VALUE", body);
  }
  assert.equal(code(await call("NOSUCH")), "UNKNOWN_COMMAND");
  assert.equal(code(await call("GET")), "WRONG_ARITY");
  assert.equal((await client.request("GET", "/v1/call")).status, 405);
  assert.equal((await client.request("POST", "/v1/call", { body: "[]" })).status, 415);
});

test("the description is OpenAPI, and has every command of the hive", async () => {
  const { json } = await get("/v1/openapi.json");
  const { valid, errors } = await new Validator().validate(json as Record<string, unknown>);
  assert.equal(valid, true, JSON.stringify(errors));
  const { schemas } = (json as { components: { schemas: Record<string, { title?: string }> } }).components;
  const titles = Object.values(schemas).map(({ title }) => title);
  const { result } = (await call("COMMAND", "LIST")).json as { result: string[] };
  for (const name of result) {
    const upper = name.replace("|", " ").toUpperCase();
    assert.ok(
      titles.some((title) => title === upper || title?.startsWith(`${upper} `)),
      name,
    );
  }
});

test("labels of devices: what curl -T sends, values, a TTL, and no other device", async () => {
  const bytes = Uint8Array.of(0, 255, 13, 10);
  assert.equal((await put("/v1/devices/shelf%2F3/raw", undefined, bytes)).status, 204);
  assert.equal((await put("/v1/devices/shelf%2F3/t", "application/json", "21.5")).status, 204);
  assert.equal((await put("/v1/devices/shelf%2F3/soon?ttlMs=60000", "text/plain", "gone")).status, 204);
  const device = native.device("shelf/3");
  assert.deepEqual(await device.fetch("raw", { as: "bytes" }), bytes);
  assert.equal(await device.fetch("t"), 21.5);
  assert.deepEqual((await device.labels()).sort(), ["raw", "soon", "t"]);
  assert.equal((await get("/v1/devices/shelf%2F3/t")).json, 21.5);
  const raw = await get("/v1/devices/shelf%2F3/raw", "application/octet-stream");
  assert.deepEqual(new Uint8Array(raw.body), bytes);
  assert.equal((await get("/v1/devices/shelf/t")).status, 404);
  assert.equal((await client.request("DELETE", "/v1/devices/shelf%2F3/t")).status, 204);
  assert.equal((await client.request("DELETE", "/v1/devices/shelf%2F3/t")).status, 404);
  assert.equal(code(await put("/v1/devices/%FF/t", "text/plain", "x")), "INVALID_ARGUMENT");
  assert.equal((await get("/v1/devices/shelf%2F3")).status, 404);
  const onlyNew = { "Content-Type": "text/plain", "If-None-Match": "*" };
  const refused = await client.request("PUT", "/v1/devices/d/t", { headers: onlyNew, body: "x" });
  assert.equal(code(refused), "UNSUPPORTED");
  assert.equal(code(await put("/v1/tables/$device:d/t", "text/plain", "x")), "NO_PERMISSION");
});

test("many values that share their objects come to what one may, and a reply beyond outputBytesMax is refused", async () => {
  let folded: unknown = ["a"];
  for (let i = 0; i < 30; i++) folded = [folded, folded];
  const table = native.table("folded");
  await Promise.all(Array.from({ length: 2000 }, (_, i) => table.set(`f${i}`, folded)));
  const { status, body } = await call("HGETALL", "folded");
  assert.equal(status, 200);
  assert.ok(body.length < 16 * 1024 * 1024, `${body.length} bytes`);
  await native.delete("folded");

  const limits = { valueBytesMax: 100_000, outputBytesMax: 600_000, outputSoftBytesMax: 500_000 };
  await using small = await Hive.start({ port: 0, limits });
  await using http = await HttpClient.connect({ port: small.port });
  const controls = "\u0001".repeat(80_000);
  const body2 = JSON.stringify(["MSET", "a", controls, "b", controls]);
  assert.equal((await http.request("POST", "/v1/call", { headers: JSON_TYPE, body: body2 })).status, 200);
  const reply = await http.request("POST", "/v1/call", { headers: JSON_TYPE, body: '["MGET","a","b"]' });
  assert.deepEqual([reply.status, code(reply)], [507, "OUTPUT_TOO_BIG"]);
  assert.equal((await http.request("GET", "/healthz")).status, 200);
});
