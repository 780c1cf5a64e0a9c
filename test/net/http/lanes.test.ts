// The two lanes of HTTP: whatever is asked and however it arrives, the plain one and Node's hand over and answer the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError, isHiveError } from "../../../src/base/errors.ts";
import type { HttpExchange, HttpHandler, HttpLine } from "../../../src/base/http-exchange.ts";
import { DEFAULT_LIMITS } from "../../../src/base/limits.ts";
import { WaitingBytes } from "../../../src/base/waiting-bytes.ts";
import { HttpServer } from "../../../src/net/http/server.ts";
import { Random } from "../../differential/random.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";

type Served = { exchange: HttpExchange; goOn(): void };

/** A handler whose requests wait until the test goes on with them. */
class Desk implements HttpHandler {
  readonly isStranger = false;
  readonly served: string[] = [];
  readonly waiting: Served[] = [];
  ends: string[] = [];
  /** Whether a body is read. */
  reads = true;

  async handle(exchange: HttpExchange): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push({ exchange, goOn: resolve });
    const { te: _, ...headers } = exchange.headers;
    const body = this.reads ? await exchange.readBody(1_000).catch((error) => error) : undefined;
    if (isHiveError(body)) this.served.push(body.code);
    this.served.push(`${exchange.method} ${exchange.target} ${JSON.stringify(headers)} ${body}`);
    await promise;
    const isEmpty = exchange.target === "/nothing";
    const last = exchange.target === "/last";
    exchange.answer(isEmpty ? { status: 204 } : { status: 200, body: `answer to ${exchange.target}`, last });
  }

  finished(): void {
    this.ends.push("finished");
  }

  closed(): void {
    this.ends.push("closed");
  }
}

type Side = { desk: Desk; transport: ScriptedTransport; server: HttpServer; lines: HttpLine[] };

function open(notices: string[] = []): Side {
  const onNotice = (_address: string, message: string): void => void notices.push(message);
  const server = new HttpServer({ limits: DEFAULT_LIMITS, waiting: new WaitingBytes(1e9), onNotice });
  const [desk, transport] = [new Desk(), new ScriptedTransport()];
  const lines: HttpLine[] = [];
  transport.receiver = server.open(transport, (line) => {
    lines.push(line);
    return desk;
  });
  return { desk, transport, server, lines };
}

/** Until nothing happens any more without the test: Node's streams take some turns. */
async function settled(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Answers without what the lanes word in their own ways. */
function answers(text: string): string {
  return text.replace(/^(Date|Keep-Alive|Connection): .*\r\n/gm, "");
}

function randomRequest(random: Random): string {
  const target = random.pick(["/a", "/b", "/nothing", random.chance(0.1) ? "/last" : "/c"]);
  const method = random.pick(["GET", "PUT", "POST", "HEAD"]);
  const length = random.chance(0.5) ? 0 : random.pick([1, 10, 100, 999, random.chance(0.1) ? 2_000 : 5]);
  const headers = ["Host: h", ...(length === 0 ? [] : [`Content-Length: ${length}`]), "X-Some: thing"];
  return `${method} ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${"body ".repeat(length / 5 + 1).slice(0, length)}`;
}

test("both hand over the same requests and write the same answers, however the bytes come", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let answered = 0;
  for (let round = 0; round < 60; round++) {
    const random = new Random(seed + round);
    const requests = Array.from({ length: 1 + random.below(8) }, () => randomRequest(random));
    const plain = open();
    const node = open();
    node.desk.reads = plain.desk.reads = random.chance(0.8);
    // One that is not plain comes first, so that Node reads the connection.
    node.transport.arrive("GET /first HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n");
    plain.transport.arrive("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
    const text = requests.join("");
    const sides = [plain, node];
    for (let at = 0; at < text.length; ) {
      const bytes = random.pick([1 + random.below(10), 1 + random.below(300), text.length]);
      // A head that is not whole makes the plain lane Node's as well: most come whole. Whether a body that nobody reads
      // has come is what says if the connection goes on: such come whole.
      const isCut = plain.desk.reads && random.chance(0.2);
      const end = isCut ? at + bytes : boundaryAfter(requests, at + bytes, plain.desk.reads);
      for (const { transport } of sides) transport.arrive(text.slice(at, end));
      at = end;
      await settled();
      if (random.chance(0.5)) await answerOne(sides);
    }
    if (random.chance(0.2)) for (const { transport } of sides) transport.receiver.finished();
    while (sides.some(({ desk }) => desk.waiting.length > 0)) await answerOne(sides);
    const message = `seed ${seed + round}`;
    assert.deepEqual(plain.desk.served, node.desk.served, message);
    assert.equal(answers(plain.transport.take()), answers(node.transport.take()), message);
    assert.equal(plain.transport.state, node.transport.state, message);
    answered += plain.desk.served.length;
    for (const { transport } of sides) transport.close();
    assert.equal(plain.desk.ends.at(-1), "closed");
  }
  assert.ok(answered > 150, `${answered} answers`);
});

async function answerOne(sides: readonly Side[]): Promise<void> {
  for (const { desk } of sides) desk.waiting.shift()?.goOn();
  await settled();
}

/** The end of a request, or of a head too, at `at` or behind it. */
function boundaryAfter(requests: readonly string[], at: number, withHeads: boolean): number {
  let end = 0;
  for (const request of requests) {
    const head = end + request.indexOf("\r\n\r\n") + 4;
    if (withHeads && head >= at) return head;
    end += request.length;
    if (end >= at) return end;
  }
  return end;
}

test("thousands of requests in one read event are answered in order, without one stack upon the other", async () => {
  const { desk, transport } = open();
  desk.handle = async (exchange) => exchange.answer({ status: 200, body: exchange.target });
  const count = 1_500;
  transport.arrive(Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`).join(""));
  await settled();
  const targets = [...transport.take().matchAll(/\r\n\r\n\/(\d+)/g)].map(([, target]) => Number(target));
  assert.deepEqual(
    targets,
    Array.from({ length: count }, (_, i) => i),
  );
});

test("behind a request without an answer so much waits, and no more is read until it has one", async () => {
  const { desk, transport } = open();
  const request = `GET /${"x".repeat(1000)} HTTP/1.1\r\nHost: h\r\n\r\n`;
  let sent = 0;
  while (transport.state === "open" && sent < 1000) {
    transport.arrive(request);
    sent++;
  }
  assert.ok(sent > 60 && sent < 70, `${sent} requests of a kilobyte were read`);
  for (let answered = 0; answered < sent; answered++) {
    await settled();
    desk.waiting.shift()!.goOn();
  }
  await settled();
  assert.equal(transport.state, "open");
  assert.equal(desk.served.length, sent);
});

test("an answer that nobody reads holds up the next request", async () => {
  const { desk, transport } = open();
  desk.handle = async (exchange) => {
    desk.served.push(exchange.target);
    exchange.answer({ status: 200, body: Buffer.alloc(100_000) });
  };
  transport.reads = false;
  transport.arrive("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  await settled();
  assert.deepEqual(desk.served, ["/a"]);
  transport.reads = true;
  transport.read();
  await settled();
  assert.deepEqual(desk.served, ["/a", "/b"]);
  assert.equal(transport.take().length > 200_000, true);
});

test("of a body that nobody wants yet no more is read than came with its head", async () => {
  const { desk, transport } = open();
  desk.reads = false;
  transport.arrive(`PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n${"x".repeat(1000)}`);
  assert.equal(transport.state, "paused");
  desk.waiting[0]!.goOn();
  await settled();
  assert.match(transport.take(), /Connection: close/);
  assert.equal(transport.state, "ended");
});

test("a header of an answer cannot end its line", async () => {
  const { desk, transport } = open();
  const answered = new Promise<unknown>((resolve) => {
    desk.handle = async (exchange) => {
      try {
        exchange.answer({ status: 200, headers: { "X-Bad": "a\r\nX-More: b" } });
      } catch (error) {
        resolve(error);
      }
    };
  });
  transport.arrive("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.match(String(await answered), /header X-Bad has characters/);
});

test("a hive that closes answers the request under way as the last one, and ends what idles", async () => {
  const idle = open();
  idle.server.close();
  assert.equal(idle.transport.state, "ended");
  const busy = open();
  busy.transport.arrive("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  busy.server.close();
  await settled();
  busy.desk.waiting.shift()!.goOn();
  await settled();
  assert.match(busy.transport.take(), /Connection: close\r\n\r\nanswer to \/a$/);
  assert.equal(busy.transport.state, "ended");
  assert.deepEqual(busy.desk.waiting, []);
});

test("what is no HTTP is told so by Node's parser, and told to operators", async () => {
  const notices: string[] = [];
  const { desk, transport } = open(notices);
  transport.arrive("GET /a HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n");
  await settled();
  assert.match(transport.take(), /^HTTP\/1.1 400 Bad Request/);
  assert.deepEqual([notices.length, desk.served.length, transport.state], [1, 0, "ended"]);
});

test("whatever has come, and whether more may come, a limit ends the connection", async (t) => {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const limits = DEFAULT_LIMITS;
  const longest = Math.max(limits.httpIdleTimeoutMs, limits.httpRequestTimeoutMs, limits.authenticationTimeoutMs);
  const whole = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  const other = whole.replace("\r\n\r\n", "\r\nTE: trailers\r\n\r\n");
  const tails = [
    "",
    "\r\n",
    "G",
    "GET /b HTTP/1.1\r\nHo",
    "PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
  ];
  tails.push("PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", other, whole);
  for (const first of ["", whole, other]) {
    for (const tail of tails) {
      for (const isFinished of [false, true]) {
        const { desk, transport } = open();
        transport.arrive(first + tail);
        await settled();
        if (isFinished) transport.receiver.finished();
        for (let i = 0; i < 3; i++) {
          await settled();
          desk.waiting.shift()?.goOn();
        }
        await settled();
        const what = JSON.stringify([first, tail, isFinished]);
        if (isFinished) assert.notEqual(transport.state, "open", `nothing is waited for: ${what}`);
        nowMs += longest + 1;
        t.mock.timers.tick(longest + 1);
        await settled();
        assert.ok(["ended", "destroyed"].includes(transport.state), `${transport.state} for ever: ${what}`);
        if (transport.state !== "destroyed") transport.close();
      }
    }
  }
});

test("a last answer that its reader takes slowly is not ended before it is out, and nothing is read behind it", async () => {
  for (const te of ["", "TE: trailers\r\n"]) {
    const { desk, transport } = open();
    desk.handle = async (exchange) => {
      desk.served.push(exchange.target);
      exchange.answer({ status: 200, body: Buffer.alloc(100_000), last: true });
    };
    transport.reads = false;
    transport.arrive(`GET /a HTTP/1.1\r\nHost: h\r\n${te}\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n`);
    await settled();
    transport.receiver.finished();
    assert.equal(transport.state, "open", "it may take as long as it goes on");
    transport.read();
    await settled();
    assert.deepEqual([transport.state, desk.served], ["ended", ["/a"]]);
  }
});

test("a hive that closes while an answer waits for its reader ends the connection behind it", async () => {
  const { desk, transport, server } = open();
  desk.handle = async (exchange) => exchange.answer({ status: 200, body: Buffer.alloc(100_000) });
  transport.reads = false;
  transport.arrive("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  await settled();
  server.close();
  assert.equal(transport.state, "open");
  transport.read();
  await settled();
  assert.equal(transport.state, "ended");
});

test("what is behind a last answer is dropped, and is no longer counted", async () => {
  const { desk, transport, lines } = open();
  const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  transport.arrive(get("/a") + get("/last") + get("/b"));
  assert.ok(lines[0]!.inputBytes > 0);
  for (let i = 0; i < 2; i++) {
    await settled();
    desk.waiting.shift()!.goOn();
  }
  await settled();
  assert.deepEqual([desk.served.length, desk.waiting.length, lines[0]!.inputBytes], [2, 0, 0]);
  assert.equal(transport.state, "ended");
});

test("a last answer that is given at once leaves nothing behind it counted either", async () => {
  const { desk, transport, lines } = open();
  const first = Promise.withResolvers<void>();
  desk.handle = async (exchange) => {
    if (exchange.target === "/a") await first.promise;
    exchange.answer({ status: 200, last: exchange.target === "/last" });
  };
  transport.arrive(["/a", "/last", "/b"].map((target) => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`).join(""));
  first.resolve();
  await settled();
  assert.deepEqual([lines[0]!.inputBytes, transport.state], [0, "ended"]);
});

test("a connection that is cut off runs nothing of what it has sent", async () => {
  const { desk, transport, lines } = open();
  transport.arrive("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  await settled();
  lines[0]!.close("now");
  desk.waiting.shift()!.goOn();
  await settled();
  assert.deepEqual([desk.served.length, transport.take(), transport.state], [1, "", "destroyed"]);
});

test("a body whose gate was closed is not read, in either lane, although all of it has come", async () => {
  for (const te of ["", "TE: trailers\r\n"]) {
    const { desk, transport } = open();
    const outcome = new Promise<unknown>((resolve) => {
      desk.handle = (exchange) =>
        exchange
          .readBody(1_000_000, { afterBytes: 100, check: async () => Promise.reject(new HiveError("NO_AUTH", "no")) })
          .then(resolve, resolve);
    });
    transport.arrive(`PUT /a HTTP/1.1\r\nHost: h\r\n${te}Content-Length: 1000\r\n\r\n${"x".repeat(1_000)}`);
    const error = await outcome;
    assert.ok(isHiveError(error) && error.code === "NO_AUTH", String(error));
  }
});

test("a body is lost with its connection, whatever it waits for", async () => {
  const { desk, transport } = open();
  const gate = Promise.withResolvers<void>();
  const outcome = new Promise<unknown>((resolve) => {
    desk.handle = (exchange) =>
      exchange.readBody(1_000, { afterBytes: 1, check: () => gate.promise }).then(resolve, resolve);
  });
  transport.arrive("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nxxx");
  transport.close();
  gate.resolve();
  const error = await outcome;
  assert.ok(isHiveError(error) && error.code === "CONNECTION_LOST", String(error));
});
