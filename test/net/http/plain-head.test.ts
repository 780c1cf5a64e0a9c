// Plain heads: what clients really write is read here, and by Node in the same way; all else is left to Node.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { plainHead } from "../../../src/net/http/plain-head.ts";
import { Random } from "../../differential/random.ts";

const BYTES_MAX = 16 * 1024;

/** As these clients send them. */
const CLIENTS: Readonly<Record<string, string>> = {
  curl: "PUT /v1/devices/s/t HTTP/1.1\r\nHost: 127.0.0.1:4483\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nContent-Length: 4\r\n\r\n",
  "http.client":
    "POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1:4483\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\nUser-Agent: Python-xmlrpc/3.11\r\nContent-Length: 300\r\n\r\n",
  requests:
    "GET /metrics HTTP/1.1\r\nHost: hive\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
  fetch:
    "POST /v1/call HTTP/1.1\r\nhost: localhost:4483\r\nconnection: keep-alive\r\ncontent-type: application/json\r\nauthorization: Bearer x\r\naccept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\ncontent-length: 8\r\n\r\n",
  Go: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kube-probe/1.30\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  Chromium:
    'GET /v1/openapi.json HTTP/1.1\r\nHost: localhost:4483\r\nConnection: keep-alive\r\nsec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"\r\nsec-ch-ua-mobile: ?0\r\nAccept: text/html,application/xhtml+xml;q=0.9\r\nSec-Fetch-Site: none\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n',
};

function read(text: string, bytesMax: number = BYTES_MAX): ReturnType<typeof plainHead> {
  const bytes = Buffer.from(`before${text}behind`, "latin1");
  return plainHead(bytes, 6, bytes.length - 6, bytesMax);
}

test("what clients send is plain", () => {
  for (const [client, text] of Object.entries(CLIENTS)) {
    const head = read(text);
    assert.ok(head !== undefined, client);
    assert.equal(head.bytes, text.length);
    assert.equal(head.isLast, client === "Go");
  }
  assert.deepEqual(read("DELETE /a?b=%2F HTTP/1.1\r\nHost:h\r\nX-A: \t b  c\t \r\nX-Empty:\r\n\r\n"), {
    ...{ method: "DELETE", target: "/a?b=%2F", bodyBytes: 0, isLast: false, bytes: 61 },
    headers: { host: "h", "x-a": "b  c", "x-empty": "" },
  });
});

test("what there may be two opinions of is not", () => {
  const line = "GET / HTTP/1.1\r\n";
  const host = "Host: h\r\n";
  for (const [what, text] of Object.entries({
    "no end": `${line}${host}`,
    "an end that is not in what came": `${line}${host}\r`,
    "another version": `GET / HTTP/1.0\r\n${host}\r\n`,
    "another method": `BREW / HTTP/1.1\r\n${host}\r\n`,
    "a method in lower case": `get / HTTP/1.1\r\n${host}\r\n`,
    "a whole URL": `GET http://h/ HTTP/1.1\r\n${host}\r\n`,
    "two spaces": `GET  / HTTP/1.1\r\n${host}\r\n`,
    "a space behind the version": `GET / HTTP/1.1 \r\n${host}\r\n`,
    "bytes that are not ASCII in the target": `GET /\xe4 HTTP/1.1\r\n${host}\r\n`,
    "bytes that are not ASCII in a header": `${line}${host}X: \xe4\r\n\r\n`,
    "a NUL": `${line}${host}X: a\0b\r\n\r\n`,
    "no Host": `${line}X: y\r\n\r\n`,
    "two of a header": `${line}${host}${host}\r\n`,
    "two lengths": `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\ncontent-length: 1\r\n\r\n`,
    "a length with a sign": `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\n`,
    "an empty length": `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`,
    "two lengths in one": `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\n`,
    "a length that is too long": `POST / HTTP/1.1\r\n${host}Content-Length: ${"1".repeat(16)}\r\n\r\n`,
    "a transfer coding": `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
    "a transfer coding and a length": `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\n`,
    "another protocol": `${line}${host}Upgrade: websocket\r\n\r\n`,
    "options of the connection": `${line}${host}Connection: Upgrade\r\n\r\n`,
    "several options of the connection": `${line}${host}Connection: keep-alive, TE\r\n\r\n`,
    "what Node takes for Connection": `${line}${host}Proxy-Connection: close\r\n\r\n`,
    "a wait for 100": `${line}${host}Expect: 100-continue\r\n\r\n`,
    "a folded header": `${line}${host}X: a\r\n b\r\n\r\n`,
    "a space before the colon": `${line}${host}X : a\r\n\r\n`,
    "a space before the name": `${line}${host} X: a\r\n\r\n`,
    "no colon": `${line}${host}X\r\n\r\n`,
    "no name": `${line}${host}: a\r\n\r\n`,
    "a bare LF": `${line}${host}X: a\nY: b\r\n\r\n`,
    "a bare CR": `${line}${host}X: a\rY: b\r\n\r\n`,
    "LF alone at the end": `GET / HTTP/1.1\n${host}\n\r\n\r\n`,
    "an empty line first": `\r\n${line}${host}\r\n`,
    "a name that every object has": `${line}${host}constructor: a\r\n\r\n`,
    "the name of its prototype": `${line}${host}__proto__: a\r\n\r\n`,
  })) {
    assert.equal(read(text), undefined, what);
  }
  const long = `${line}${host}X: ${"a".repeat(1000)}\r\n\r\n`;
  assert.equal(read(long, long.length)?.bytes, long.length);
  assert.equal(read(long, long.length - 1), undefined, "longer than a head may be");
});

test("Node reads every plain head in the same way", async () => {
  const server = createServer({ maxHeaderSize: BYTES_MAX });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = new Random(seed);
  try {
    let plain = 0;
    for (let i = 0; i < 2_000; i++) {
      const text = randomHead(random);
      const head = read(text);
      if (head === undefined) continue;
      plain++;
      socket.write(text + "x".repeat(head.bodyBytes), "latin1");
      const [request, response] = (await once(server, "request")) as [
        IncomingMessage,
        import("node:http").ServerResponse,
      ];
      let body = 0;
      for await (const chunk of request) body += (chunk as Buffer).length;
      assert.deepEqual(
        { method: head.method, target: head.target, headers: { ...head.headers }, bodyBytes: head.bodyBytes },
        { method: request.method, target: request.url, headers: { ...request.headers }, bodyBytes: body },
        `seed ${seed}: ${JSON.stringify(text)}`,
      );
      // The connection goes on: each head is read behind the one before.
      response.shouldKeepAlive = true;
      response.end();
    }
    assert.ok(plain > 300 && plain < 1_700, `${plain} of 2,000 heads are plain`);
  } finally {
    socket.destroy();
    server.close();
  }
});

/** A head of pieces that clients write, and now and then of others. */
function randomHead(random: Random): string {
  const method = random.pick(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
  const lines = [
    `${method} ${random.pick(["/", "/v1/tables/t/k", "/a?b=c&d=%20", "/~!$'()*;", "/a//b/../c#d"])} HTTP/1.1`,
  ];
  const length = random.below(20);
  const some: string[] = [
    "Host: localhost",
    `Content-Length: ${random.pick([String(length), `0${length}`, "", "1e1"].slice(0, random.chance(0.9) ? 2 : 4))}`,
    random.pick(["Connection: keep-alive", "connection: Keep-Alive", "X-Spaces:   a \t b  "]),
    random.pick(["Accept: */*", "accept:text/plain;q=0.5,*/*", 'If-Match: "a", "b"', "Cookie: a=b; c=d"]),
    random.pick(["Authorization: Bearer hive_x", "Origin: http://localhost", "Referer: /", "Date: x", "From:"]),
    random.pick(["!#$%&'*+-.^_`|~0aZ: strange name", "X-Tab:\ta\t", "Age: 1", "Content-Type: text/xml; charset=utf-8"]),
    ...(random.chance(0.3)
      ? [
          random.pick([
            "X: \x7f",
            "X: \x80",
            "Host: again",
            " folded",
            "X : a",
            "TE: trailers",
            "Upgrade: x",
            "Y: a\rb",
          ]),
        ]
      : []),
  ];
  for (const line of some) if (random.chance(0.85)) lines.splice(1 + random.below(lines.length), 0, line);
  return `${lines.join(random.chance(0.03) ? "\n" : "\r\n")}\r\n\r\n`;
}

test("a head that came before is the same one, but for those with a token and long ones", () => {
  const head = (more: string): string => `GET /same HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
  assert.equal(read(head("")), read(head("")));
  for (const more of ["Authorization: Bearer secret\r\n", `X: ${"a".repeat(1024)}\r\n`]) {
    assert.notEqual(read(head(more)), read(head(more)));
    assert.deepEqual(read(head(more)), read(head(more)));
  }
  for (let i = 0; i < 300; i++) assert.equal(read(head(`X: ${i}\r\n`))?.headers["x"], String(i));
  assert.equal(read(head(""), 20), undefined, "longer than a head may be here");
});
