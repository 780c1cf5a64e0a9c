// XML-RPC by the byte: replies to the letter, what is malformed, gzip, and what strangers may send.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { readCall } from "../../../src/doors/http/xml-rpc-reader.ts";
import { faultXml, responseXml } from "../../../src/doors/http/xml-rpc-writer.ts";
import { Hive, type HiveOptions } from "../../../src/server/hive.ts";
import { Double } from "../../../src/wire/value.ts";
import { HttpClient, type HttpReply } from "../../kit/http-client.ts";
import { limited, STRANGERS_TOKEN } from "../../kit/limited-hive.ts";

const XML = { "Content-Type": "text/xml" };
const LIMITS = { depthMax: 64, paramsMax: 16 };

function request(method: string, ...values: string[]): string {
  const params = values.map((value) => `<param><value>${value}</value></param>`).join("");
  return `<?xml version='1.0'?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
}

async function post(client: HttpClient, body: string | Uint8Array, headers: object = {}): Promise<HttpReply> {
  return client.request("POST", "/RPC2", { headers: { ...XML, ...headers }, body });
}

function read(value: string): unknown {
  return readCall(Buffer.from(request("m", value)), LIMITS).params[0];
}

const REPLY = (first: string, second: string): string =>
  `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n<value><boolean>${first}</boolean></value>\n${second}</data></array></value>\n</param>\n</params>\n</methodResponse>\n`;

test("replies are those of Python's module to the letter", async () => {
  await using hive = await Hive.start({
    port: 0,
    token: STRANGERS_TOKEN,
    limits: { authenticationDelayMs: 1, valueBytesMax: 100 },
  });
  await using client = await HttpClient.connect({ port: hive.port });
  const say = async (...words: [string, ...string[]]): Promise<string> =>
    (await post(client, request(...words))).body.toString();
  const word = (text: string): string => `<value><string>RETURN_STATUS:${text}</string></value>\n`;
  assert.equal(await say("memory_put", STRANGERS_TOKEN, "d", "t", "<double>3.0</double>"), REPLY("1", word("SUCCESS")));
  assert.equal(
    await say("memory_fetch", STRANGERS_TOKEN, "d", "t"),
    REPLY("1", "<value><double>3.0</double></value>\n"),
  );
  assert.equal(await say("memory_fetch", STRANGERS_TOKEN, "d", "x"), REPLY("0", word("MEMORY KEY NOT FOUND")));
  assert.equal(
    await say("memory_put", STRANGERS_TOKEN, "d", "t", "x".repeat(101)),
    REPLY("0", word("MEMORY_CAP_REACHED")),
  );
  assert.equal(await say("memory_clear", STRANGERS_TOKEN, "e"), REPLY("1", word("MEMORY KEY NOT FOUND")));
  assert.equal(await say("memory_clear", STRANGERS_TOKEN, "d"), REPLY("1", word("SUCCESS")));
  for (const [name, ...more] of [["memory_put", "t", "1"], ["memory_fetch", "t"], ["memory_clear"]] as [
    string,
    ...string[],
  ][]) {
    assert.equal(await say(name, "wrong", "d", ...more), REPLY("0", word("INVALID_AUTH_TOKEN")), name);
    assert.equal(await say(name, "<int>1</int>", "d", ...more), REPLY("0", word("INVALID_AUTH_TOKEN")), name);
  }
  for (const wrong of [request("nothing"), request("memory_fetch", STRANGERS_TOKEN), "<methodCall>", "", "\0", "{}"]) {
    const body = (await post(client, wrong)).body.toString();
    assert.match(
      body,
      /<fault>\n<value><struct>\n<member>\n<name>faultCode<\/name>\n<value><int>1<\/int><\/value>/,
      wrong,
    );
  }
});

test("each type is read as what it is", () => {
  const bytes = Uint8Array.from([0, 1, 255]);
  // biome-ignore format: one case a line
  const cases: [string, unknown][] = [
    ["bare  text ", "bare  text "], ["", ""], [" ", " "], ["<string/>", ""], ["<string> a </string>", " a "],
    ["a&lt;b&gt;&amp;&quot;&apos;&#65;&#x1F41D;", "a<b>&\"'A\u{1f41d}"], ["<string><![CDATA[<&lt;>]]></string>", "<&lt;>"],
    ["a<!-- b -->c", "ac"], ["<int>-5</int>", -5], [" <i4>+2147483647</i4> ", 2147483647], ["<i8>-9223372036854775808</i8>", -(2n ** 63n)],
    ["<i8>5</i8>", 5], ["<boolean>1</boolean>", true], ["<boolean>0</boolean>", false], ["<double>3</double>", new Double(3)],
    ["<double>-.5e3</double>", new Double(-500)], ["<double>-inf</double>", new Double(Number.NEGATIVE_INFINITY)],
    ["<base64>\nAAH/\n</base64>", bytes], ["<base64/>", new Uint8Array(0)], ["<nil/>", null], ["<nil></nil>", null],
    ["<dateTime.iso8601>20240229T23:59:58</dateTime.iso8601>", new Date("2024-02-29T23:59:58Z")],
    ["<array><data/></array>", []], ["<array>\n<data>\n<value>a</value><value/></data></array>", ["a", ""]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(read(text), expected, text);
  const struct = read("<struct><member><name>__proto__</name><value>x</value></member></struct>") as object;
  assert.deepEqual(Object.entries(struct), [["__proto__", "x"]]);
  assert.deepEqual({ ...(read("<struct/>") as object) }, {});
});

test("what is malformed is refused, and says where", () => {
  const values = [
    ...[
      "<int>2147483648</int>",
      "<int>1.5</int>",
      "<int/>",
      "<i8>9223372036854775808</i8>",
      "<double>1,5</double>",
      "<double/>",
    ],
    ...[
      "<boolean>2</boolean>",
      "<boolean/>",
      "<base64>*</base64>",
      "<dateTime.iso8601>20241301T00:00:00</dateTime.iso8601>",
      "<dateTime.iso8601>20230229T00:00:00</dateTime.iso8601>",
      "<dateTime.iso8601>20230231T00:00:00</dateTime.iso8601>",
      "<dateTime.iso8601>20230228T24:00:00</dateTime.iso8601>",
    ],
    ...[
      "<nope/>",
      "<nil>1</nil>",
      "&nbsp;",
      "a & b",
      "&#0;",
      "&#xD800;",
      "&#x110000;",
      "<string>",
      "</string>",
      "<!-- ",
      "<![CDATA[",
    ],
    ...[
      "<array/><array/>",
      "<array><value/></array>",
      "<array><data><int/></data></array>",
      "<struct><value/></struct>",
    ],
    ...[
      "<struct><member><value/></member></struct>",
      "<string a='b'>x</string>",
      "<int>1</int>x",
      "x<int>1</int>",
      "\u0001",
      "<?pi?>",
    ],
  ];
  for (const value of values) assert.throws(() => read(value), { code: "BAD_VALUE" }, value);
  const whole = request("m", "1");
  for (let end = 0; end < whole.length; end++) {
    assert.throws(() => readCall(Buffer.from(whole.slice(0, end)), LIMITS), { code: "BAD_VALUE" });
  }
  const doctype = `<!DOCTYPE x [<!ENTITY a "b">]>${whole.slice("<?xml version='1.0'?>".length)}`;
  for (const text of [doctype, `${whole}x`, `${whole}${whole}`, whole.replace("'1.0'", "'1.0' encoding='latin1'")]) {
    assert.throws(() => readCall(Buffer.from(text), LIMITS), { code: "BAD_VALUE" }, text);
  }
  const nested = (levels: number): string =>
    `${"<array><data><value>".repeat(levels)}${"</value></data></array>".repeat(levels)}`;
  assert.doesNotThrow(() => read(nested(64)));
  assert.throws(() => read(nested(65)), /deeper than 64/);
  assert.throws(() => read(nested(200_000)), /deeper than 64/);
});

test("what XML-RPC has no word for is said with those it has, and what it cannot carry is refused", () => {
  const text = (xml: string | Uint8Array): string => Buffer.from(xml as Uint8Array).toString();
  const xml = (value: unknown): string => text(responseXml(value, 1e6));
  assert.match(xml(2 ** 31), /<i8>2147483648<\/i8>/);
  assert.match(xml(2n ** 70n), /<string>1180591620717411303424<\/string>/);
  assert.match(xml(new Map([["a", undefined]])), /<struct>\n<member>\n<name>a<\/name>\n<value><nil\/><\/value>/);
  assert.match(xml(new Set([1.5])), /<array><data>\n<value><double>1.5<\/double>/);
  assert.match(xml(new Double(1e21)), /<double>1e\+21<\/double>/);
  assert.match(xml(Buffer.alloc(58)), /<base64>\nA{76}\nAA==\n<\/base64>/);
  assert.match(text(faultXml(1, "a<b")), /a&lt;b/);
  assert.throws(() => xml("\u0000"), { code: "NOT_TEXT" });
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(() => xml(cycle), { code: "BAD_VALUE" });
  assert.throws(() => responseXml(["x".repeat(200), 1], 100), { code: "OUTPUT_TOO_BIG" });
});

test("shared objects are written out while that comes to little, and refused where it would be very much", () => {
  const shared = { a: 1 };
  const xml = Buffer.from(responseXml([shared, [shared, shared]], 1e9)).toString();
  assert.equal(xml.match(/<name>a<\/name>/g)?.length, 3);
  let folded: unknown = ["a"];
  for (let i = 0; i < 30; i++) folded = [folded, folded];
  const startedMs = performance.now();
  assert.throws(() => responseXml(folded, 1e9), { code: "OUTPUT_TOO_BIG" });
  const bytes = Buffer.alloc(100_000);
  assert.throws(
    () =>
      responseXml(
        Array.from({ length: 100_000 }, () => bytes),
        1e12,
      ),
    { code: "OUTPUT_TOO_BIG" },
  );
  assert.ok(performance.now() - startedMs < 2_000);
  const many = Array.from({ length: 3 }, () => Buffer.alloc(1_000_000));
  assert.ok(responseXml([...many, ...many], 1e9).length > 8_000_000, "twice is not very much");
});

test("gzip both ways, bombs and rubbish included", async () => {
  await using hive = await limited({ httpTextBytesMax: 100_000 });
  await using client = await HttpClient.connect({ port: hive.hive.port });
  const zipped = { "Content-Encoding": "gzip", "Accept-Encoding": "gzip" };
  await post(client, gzipSync(request("memory_put", "", "d", "t", "x".repeat(5_000))), zipped);
  const reply = await post(client, gzipSync(request("memory_fetch", "", "d", "t")), zipped);
  assert.equal(reply.headers["content-encoding"], "gzip");
  assert.match(gunzipSync(reply.body).toString(), /x{5000}/);
  const plain = await post(client, request("memory_fetch", "", "d", "t"), { "Accept-Encoding": "gzip;q=0" });
  assert.equal(plain.headers["content-encoding"], undefined);
  const bomb = await post(client, gzipSync(Buffer.alloc(5_000_000, "x")), zipped);
  assert.match(bomb.body.toString(), /exceeds httpTextBytesMax/);
  assert.match((await post(client, "no gzip", zipped)).body.toString(), /no gzip/);
  assert.equal((await post(client, "x", { "Content-Encoding": "br" })).status, 415);
  assert.equal(
    (await client.request("POST", "/", { headers: { "Content-Type": "text/plain" }, body: "x" })).status,
    415,
  );
  assert.equal((await client.request("GET", "/RPC2")).status, 405);
});

test("of a stranger's request no more is read than strangers may send, unless its token is good", async () => {
  const options: HiveOptions = { port: 0, token: STRANGERS_TOKEN, limits: { authenticationDelayMs: 1 } };
  await using hive = await Hive.start(options);
  const begin = (token: string): string =>
    `<?xml version='1.0'?>\n<methodCall><methodName>memory_put</methodName>\n<params>\n<param>\n<value><string>${token}</string></value></param>`;
  for (const start of [begin("wrong"), "<?xml version='1.0'?>"]) {
    await using client = await HttpClient.connect({ port: hive.port });
    client.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 8000000\r\n\r\n${start}`,
    );
    client.write("x".repeat(20_000));
    const reply = await client.reply();
    assert.match(reply.body.toString(), start.includes("wrong") ? /INVALID_AUTH_TOKEN/ : /no token at its beginning/);
    await client.closed;
  }
  await using client = await HttpClient.connect({ port: hive.port });
  for (const isZipped of [false, true]) {
    const text = request(
      "memory_put",
      STRANGERS_TOKEN,
      "d",
      "t",
      Buffer.from(crypto.getRandomValues(new Uint8Array(40_000))).toString("hex"),
    );
    const body = isZipped ? gzipSync(text) : text;
    const reply = await post(client, body, isZipped ? { "Content-Encoding": "gzip" } : {});
    assert.match(reply.body.toString(), /SUCCESS/);
  }
  await using stranger = await HttpClient.connect({ port: hive.port });
  const bomb = await post(stranger, gzipSync(Buffer.alloc(10_000_000, "x")), { "Content-Encoding": "gzip" });
  assert.match(bomb.body.toString(), /no token at its beginning/);
});

test("a token that may not do that is as one that is wrong; another device's memory is another table", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  const { token } = await hive.tokens.create({ grants: ["read:$device:a", "write:$device:a"] });
  await using client = await HttpClient.connect({ port: hive.port });
  assert.match((await post(client, request("memory_put", token, "a", "t", "1"))).body.toString(), /SUCCESS/);
  for (const device of ["b", "a/../b", "a:b", "A"]) {
    assert.match(
      (await post(client, request("memory_put", token, device, "t", "1"))).body.toString(),
      /INVALID_AUTH_TOKEN/,
    );
  }
});
