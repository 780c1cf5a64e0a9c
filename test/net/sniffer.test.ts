// The sniffer hands over to a door every byte that came with the first ones, and refuses wires that
// have no door in a form that they read.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Receiver } from "../../src/base/transport.ts";
import type { Wire } from "../../src/net/first-bytes.ts";
import { Sniffer } from "../../src/net/sniffer.ts";
import { ScriptedTransport } from "../kit/scripted-transport.ts";

type Seen = {
  transport: ScriptedTransport;
  sniffer: Sniffer;
  received: string[];
  events: string[];
  refused: Wire[];
  /** How often it said that it has decided. */
  decided: () => number;
};

function sniff(options: { timeoutMs?: number; refuses?: boolean } = {}): Seen {
  const transport = new ScriptedTransport();
  const received: string[] = [];
  const events: string[] = [];
  const refused: Wire[] = [];
  const receiver: Receiver = {
    receive: (buffer, start, end) => received.push(Buffer.from(buffer.subarray(start, end)).toString("latin1")),
    drained: () => events.push("drained"),
    finished: () => events.push("finished"),
    closed: ({ kind }) => events.push(`closed: ${kind}`),
  };
  let decided = 0;
  const sniffer = new Sniffer(transport, {
    doors: {
      resp: () => {
        events.push("open");
        if (!options.refuses) return receiver;
        transport.end();
        return undefined;
      },
    },
    lineBytesMax: 100,
    timeoutMs: options.timeoutMs ?? 60_000,
    onDecided: () => decided++,
    onRefused: (_, wire) => refused.push(wire),
  });
  transport.receiver = sniffer;
  return { transport, sniffer, received, events, refused, decided: () => decided };
}

test("the door gets the bytes of the first read event, and later ones directly", () => {
  const { transport, received, events } = sniff();
  transport.arrive("*1\r\n$4\r\nPI");
  transport.arrive("NG\r\n");
  transport.receiver.finished();
  transport.close();
  assert.deepEqual(received, ["*1\r\n$4\r\nPI", "NG\r\n"]);
  assert.deepEqual(events, ["open", "finished", "closed: end"]);
});

test("a line in pieces is handed over whole", () => {
  const { transport, received } = sniff();
  for (const byte of "PING\r\nPING") transport.arrive(byte);
  assert.equal(received.join(""), "PING\r\nPING");
  assert.equal(received[0], "PING\r\n");
});

test("an HTTP request in pieces is answered in HTTP and closed", () => {
  const { transport, received, refused, events } = sniff();
  for (const byte of "GET / HTTP/1.1\r\n") transport.arrive(byte);
  assert.match(transport.take(), /^HTTP\/1\.1 501 Not Implemented\r\n(.+\r\n)+\r\nThis hive has no http door\./);
  assert.equal(transport.state, "ended");
  assert.deepEqual(refused, ["http"]);
  assert.deepEqual([...received, ...events], []);
});

test("the length that an HTTP refusal states is that of its body", () => {
  const { transport } = sniff();
  transport.arrive("GET / HTTP/1.1\r\n");
  const [head, body] = transport.take().split("\r\n\r\n") as [string, string];
  assert.match(head, new RegExp(`Content-Length: ${body.length}\\r\\n`));
});

test("a TLS client gets an alert, the others see the connection end", () => {
  for (const [first, wire, answer] of [
    ["\x16\x03\x01\x02\x00", "tls", "\x15\x03\x03\x00\x02\x02\x28"],
    ["\xff", "zmtp", ""],
    ["\xc1", "native", ""],
  ] as const) {
    const { transport, refused } = sniff();
    transport.arrive(first);
    assert.equal(transport.take(), answer);
    assert.equal(transport.state, "ended");
    assert.deepEqual(refused, [wire]);
  }
});

test("a door that lets nobody in has answered itself", () => {
  const { transport, received, events } = sniff({ refuses: true });
  transport.arrive("PING\r\n");
  assert.deepEqual(received, []);
  assert.deepEqual(events, ["open"]);
  assert.equal(transport.state, "ended");
});

test("a peer that ends before its first line is whole is closed", () => {
  const { transport, events } = sniff();
  transport.arrive("PIN");
  transport.receiver.finished();
  assert.equal(transport.state, "ended");
  transport.close();
  assert.deepEqual(events, []);
});

test("a connection that says nothing is closed after a while, and one that said its wire is not", async () => {
  const silent = sniff({ timeoutMs: 1 });
  const early = sniff({ timeoutMs: 1 });
  early.transport.arrive("*");
  while (silent.transport.state !== "destroyed") await new Promise((resolve) => setImmediate(resolve));
  assert.equal(early.transport.state, "open");
});

test("its owner hears when it has a door, was refused or is gone", () => {
  const { transport, decided } = sniff();
  transport.arrive("PIN");
  assert.equal(decided(), 0);
  transport.arrive("G\r\n");
  assert.equal(decided(), 1);
  const refused = sniff();
  refused.transport.arrive("\xff");
  assert.equal(refused.decided(), 1);
  const gone = sniff();
  gone.transport.close();
  assert.equal(gone.decided(), 1);
  const ended = sniff();
  ended.sniffer.destroy();
  assert.equal(ended.transport.state, "destroyed");
});
