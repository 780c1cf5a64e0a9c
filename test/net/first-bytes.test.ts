// The first bytes name the wire, and not before they can.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tryWire, type Wire } from "../../src/net/first-bytes.ts";

const LINE_BYTES_MAX = 8192;

// biome-ignore format: a table reads better aligned
const CASES: [bytes: string, wire: Wire | undefined][] = [
  ["",                                      undefined],
  ["\x16",                                  "tls"],
  ["\x16\x03\x01",                          "tls"],
  ["\xc1",                                  "native"],
  ["\xff\x00\x00\x00\x00\x00\x00\x00\x01",  "zmtp"],
  ["*",                                     "resp"],
  ["*1\r\n$4\r\nPING\r\n",                  "resp"],
  ["\r\n",                                  "resp"],
  ["$4\r\n",                                "resp"],
  ["0",                                     "resp"],
  ["\"SET\" a b\r\n",                       "resp"],
  ["P",                                     undefined],
  ["PING",                                  undefined],
  ["PING\r",                                undefined],
  ["PING\r\n",                              "resp"],
  ["PING\n",                                "resp"],
  ["GET / HTTP/1.1",                        undefined],
  ["GET / HTTP/1.1\r\n",                    "http"],
  ["get / HTTP/1.0\nHost: x\n",             "http"],
  ["PROPFIND /a%20b HTTP/1.1\r\n",          "http"],
  ["GET / HTTP/2.0\r\n",                    "resp"],
  ["GET / HTTP/1.1 \r\n",                   "resp"],
  ["SET a HTTP/1.1x\r\n",                   "resp"],
  ["PING\r\nGET / HTTP/1.1\r\n",            "resp"],
];

for (const [bytes, wire] of CASES) {
  test(`${JSON.stringify(bytes)} is ${wire ?? "not known yet"}`, () => {
    assert.equal(tryWire(Buffer.from(bytes, "latin1"), LINE_BYTES_MAX), wire);
  });
}

test("a first line may have 8 KiB, and above that it is RESP's to refuse", () => {
  const line = (bytes: number): Buffer => Buffer.from(`GET /${"a".repeat(bytes - 14)} HTTP/1.1`);
  const end = Buffer.from("\n");
  assert.equal(line(LINE_BYTES_MAX).length, LINE_BYTES_MAX);
  assert.equal(tryWire(line(LINE_BYTES_MAX), LINE_BYTES_MAX), undefined);
  assert.equal(tryWire(Buffer.concat([line(LINE_BYTES_MAX), end]), LINE_BYTES_MAX), "http");
  assert.equal(tryWire(line(LINE_BYTES_MAX + 1), LINE_BYTES_MAX), "resp");
  assert.equal(tryWire(Buffer.concat([line(LINE_BYTES_MAX + 1), end]), LINE_BYTES_MAX), "resp");
});
