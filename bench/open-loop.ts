// The open-loop driver, a program of its own: calls by schedule, latencies from the scheduled time.
//
//   node bench/open-loop.ts PORT CALLS_PER_SECOND SECONDS KEYS  ──▶  one line of JSON, a Latency
//
// Times between calls are exponential, as those of many independent users; each call goes to the next of
// the connections. What is due is written at once, however many calls have not been answered yet. The
// loop spins, so that a timer's grain is not part of what is measured; how late it sent is told too.
//
// Replies of one connection come in order, so a ring of due times per connection says whose each is. It
// keeps to plain RESP2: "+OK", "$64 …" and "$-1" are all that it gets.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { quantile, rounded } from "./row.ts";

export type Latency = {
  /** Microseconds from when a GET was due to when its reply was there. */
  p50: number;
  p99: number;
  p999: number;
  worst: number;
  gets: number;
  hits: number;
  /** Microseconds between due and sent, at the 99th percentile: what the driver itself adds. */
  late: number;
};

const CONNECTIONS = 50;
/** Calls of one connection that may be out at once; more than that is a server that does not answer. */
const RING = 1 << 14;
const WRITE_EVERY = 10;
const VALUE_BYTES = 64;
const GET_REPLY_BYTES = 5 + VALUE_BYTES + 2;
/** The first half second is not counted: connections and code get warm. */
const WARM_MS = 500;
const PLUS = 43;
const DOLLAR = 36;
const MINUS = 45;

class Connection {
  readonly socket: Socket;
  readonly #due = new Float64Array(RING);
  readonly #isGet = new Uint8Array(RING);
  #sent = 0;
  #answered = 0;
  /** Bytes of the reply under way that are still to come. */
  #missing = 0;
  #outcome: Outcome;

  constructor(port: number, outcome: Outcome) {
    this.#outcome = outcome;
    const buffer = Buffer.allocUnsafeSlow(64 * 1024);
    const callback = (bytes: number): boolean => {
      this.#receive(buffer, bytes);
      return true;
    };
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer, callback } });
    this.socket.on("error", (error) => {
      throw error;
    });
  }

  get out(): number {
    return this.#sent - this.#answered;
  }

  send(call: string, isGet: boolean, dueMs: number): void {
    const at = this.#sent++ % RING;
    if (this.out > RING) throw new Error(`${RING} calls of one connection are not answered: the load is too high`);
    this.#due[at] = dueMs;
    this.#isGet[at] = isGet ? 1 : 0;
    this.socket.write(call, "latin1");
  }

  #receive(buffer: Buffer, bytes: number): void {
    const nowMs = performance.now();
    let at = 0;
    while (at < bytes) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, bytes - at);
        at += taken;
        this.#missing -= taken;
        if (this.#missing > 0) return;
        this.#answer(nowMs);
        continue;
      }
      const first = buffer[at]!;
      // "$-1" cut behind its first byte would be read as a hit; a miss is a failed run either way.
      if (first === DOLLAR) this.#missing = buffer[at + 1] === MINUS ? this.#miss() : GET_REPLY_BYTES;
      else if (first === PLUS) this.#missing = 5;
      else throw new Error(`unexpected reply: ${buffer.toString("latin1", at, Math.min(bytes, at + 80))}`);
    }
  }

  #miss(): number {
    this.#outcome.misses++;
    return 5;
  }

  #answer(nowMs: number): void {
    const at = this.#answered++ % RING;
    if (this.#isGet[at] === 1) this.#outcome.answer(this.#due[at]!, nowMs);
  }
}

/** What was measured, from `fromMs` on. */
class Outcome {
  misses = 0;
  count = 0;
  lates = 0;
  readonly #fromMs: number;
  readonly #latencies: Float64Array;
  readonly #lateness: Float64Array;

  constructor(fromMs: number, callsMax: number) {
    this.#fromMs = fromMs;
    this.#latencies = new Float64Array(callsMax);
    this.#lateness = new Float64Array(callsMax);
  }

  answer(dueMs: number, nowMs: number): void {
    if (dueMs >= this.#fromMs && this.count < this.#latencies.length) this.#latencies[this.count++] = nowMs - dueMs;
  }

  sent(dueMs: number, nowMs: number): void {
    if (dueMs >= this.#fromMs && this.lates < this.#lateness.length) this.#lateness[this.lates++] = nowMs - dueMs;
  }

  latency(): Latency {
    const latencies = this.#latencies.subarray(0, this.count);
    const microseconds = (part: number): number => rounded(quantile(latencies, part) * 1000);
    return {
      p50: microseconds(0.5),
      p99: microseconds(0.99),
      p999: microseconds(0.999),
      worst: microseconds(1),
      gets: this.count,
      hits: this.count - this.misses,
      late: rounded(quantile(this.#lateness.subarray(0, this.lates), 0.99) * 1000),
    };
  }
}

function callText(isGet: boolean, number: number): string {
  const key = `$16\r\nkey:${String(number).padStart(12, "0")}\r\n`;
  return isGet ? `*2\r\n$3\r\nGET\r\n${key}` : `*3\r\n$3\r\nSET\r\n${key}$64\r\n${"y".repeat(VALUE_BYTES)}\r\n`;
}

async function offer(port: number, perSecond: number, seconds: number, keys: number): Promise<Latency> {
  const startMs = performance.now() + 100;
  const endMs = startMs + WARM_MS + seconds * 1000;
  const outcome = new Outcome(startMs + WARM_MS, Math.ceil(perSecond * seconds * 1.2) + 1000);
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(port, outcome));
  await Promise.all(connections.map(({ socket }) => once(socket, "connect")));

  let dueMs = startMs;
  let sent = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const turn = (): void => {
    const nowMs = performance.now();
    while (dueMs <= nowMs && dueMs < endMs) {
      const isGet = sent % WRITE_EVERY !== 0;
      outcome.sent(dueMs, nowMs);
      connections[sent % CONNECTIONS]!.send(callText(isGet, Math.floor(Math.random() * keys)), isGet, dueMs);
      sent++;
      dueMs -= (Math.log(1 - Math.random()) / perSecond) * 1000;
    }
    if (dueMs >= endMs && connections.every(({ out }) => out === 0)) return resolve();
    setImmediate(turn);
  };
  turn();
  await promise;
  for (const { socket } of connections) socket.destroy();
  return outcome.latency();
}

if (import.meta.main) {
  const [port, perSecond, seconds, keys] = process.argv.slice(2).map(Number);
  process.stdout.write(`${JSON.stringify(await offer(port!, perSecond!, seconds!, keys!))}\n`);
}
