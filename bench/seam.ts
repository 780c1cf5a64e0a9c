// seam: what Args and Reply cost a call.
//
//   npm run bench -- seam
//
//   with it     bytes ──▶ RespReader ──▶ Args ──▶ engine.run: table, policy, row ──▶ RespWriter ──▶ bytes
//   without it  bytes ──▶ one function: positions in local variables, "GET" compared in place, find, digits
//
// Both read the same bytes, 64 GETs of 16 byte keys as one read brings them, look the keys up in the same
// store with the same keys.read(), and write the same replies with the same copy of the value. So the
// difference is what the seam costs: filling Args and reading it, finding the command by its name, arity and
// gate and policy, the counters, the calls through Reply. The fast path only, as a benchmark of a seam has to
// be: the function without it knows no other command, no limit and no half-arrived call.
//
// CPU time of the thread, alternating slices, the median of the differences.

import { systemClock } from "../src/base/clock.ts";
import { DEFAULT_LIMITS } from "../src/base/limits.ts";
import { Args } from "../src/engine/args.ts";
import type { Context } from "../src/engine/context.ts";
import { LocalEngine } from "../src/engine/local-engine.ts";
import { Store } from "../src/store/store.ts";
import { RespReader } from "../src/wire/resp-reader.ts";
import { RespWriter } from "../src/wire/resp-writer.ts";
import { encodeCall } from "./bare-door.ts";
import { microsecondsOf } from "./cpu-time.ts";
import { type BenchOptions, LIMIT, median, type Row, row } from "./row.ts";

/** What the seam may cost, in nanoseconds a call (DESIGN §5). */
const LIMIT_NS = 80;
const KEYS = 10_000;
const CALLS_PER_READ = 64;
const READS = KEYS / CALLS_PER_READ;
const SLICES = 40;
const WARM_SLICES = 8;
/** Times that a slice goes through all keys. */
const ROUNDS = 20;
const copyBytes: (this: Uint8Array, target: Uint8Array, at: number, start: number, end: number) => number =
  Buffer.prototype.copy;

export async function run(options: BenchOptions): Promise<Row[]> {
  const store = new Store({ nowMs: Date.now() });
  const reads = loadAndAsk(store);
  const engine = new LocalEngine({ store, clock: systemClock });
  const context = engine.open({
    ...{
      door: "resp",
      ordered: true,
      address: "127.0.0.1:1",
      localAddress: "127.0.0.1:2",
      inputBytes: 0,
      outputBytes: 0,
    },
    close: () => {},
  });
  const seam = new Seam(engine, context);
  const bare = new Bare(store);
  if (!seam.answer(reads[0]!).equals(bare.answer(reads[0]!))) throw new Error("the two ways answer differently");

  const costs: { seam: number[]; bare: number[] } = { seam: [], bare: [] };
  const slices = options.quick ? SLICES / 2 : SLICES;
  for (let slice = -WARM_SLICES; slice < slices; slice++) {
    const order = slice % 2 === 0 ? (["seam", "bare"] as const) : (["bare", "seam"] as const);
    for (const name of order) {
      const way = name === "seam" ? seam : bare;
      const microseconds = microsecondsOf(() => {
        for (let round = 0; round < ROUNDS; round++) for (const bytes of reads) way.run(bytes);
      });
      if (slice >= 0) costs[name].push((microseconds * 1000) / (ROUNDS * reads.length * CALLS_PER_READ));
    }
  }
  store.close();
  const difference = median(costs.seam.map((cost, i) => cost - costs.bare[i]!));
  options.note(`a GET: ${median(costs.seam).toFixed(0)} ns with the seam, ${median(costs.bare).toFixed(0)} ns without`);
  return [
    row({
      work: "the seam of Args and Reply, ns a call",
      peer: LIMIT,
      ours: difference,
      theirs: LIMIT_NS,
      goal: { atMost: 1 },
    }),
  ];
}

/** Sets the keys, and makes reads of 64 GETs each, in an order that is not that of the keys. */
function loadAndAsk(store: Store): Buffer[] {
  const value = Buffer.alloc(64, "x");
  const names = Array.from({ length: KEYS }, (_, i) => Buffer.from(`key:${String(i).padStart(12, "0")}`));
  for (const name of names) {
    store.keys.put(name, 0, name.length, 0, value, 0, value.length, 0, Number.POSITIVE_INFINITY);
  }
  return Array.from({ length: READS }, (_, read) =>
    Buffer.concat(
      Array.from({ length: CALLS_PER_READ }, (_, call) =>
        encodeCall("GET", names[((read * CALLS_PER_READ + call) * 7919) % KEYS]!),
      ),
    ),
  );
}

/** The way of every call. */
class Seam {
  readonly #engine: LocalEngine;
  readonly #context: Context;
  readonly #args = new Args();
  readonly #writer: RespWriter;
  readonly #reader = new RespReader<Args>({
    argumentsMax: DEFAULT_LIMITS.argumentsMax,
    argumentBytesMax: DEFAULT_LIMITS.frameBytesMax,
    lineBytesMax: DEFAULT_LIMITS.inlineBytesMax,
    unauthenticated: false,
  });

  constructor(engine: LocalEngine, context: Context) {
    this.#engine = engine;
    this.#context = context;
    this.#writer = new RespWriter(context, DEFAULT_LIMITS.outputBytesMax);
  }

  run(bytes: Buffer): void {
    this.#writer.clear();
    this.#calls(bytes);
  }

  answer(bytes: Buffer): Buffer {
    this.run(bytes);
    return Buffer.from(this.#writer.buffer.subarray(0, this.#writer.length));
  }

  #calls(bytes: Buffer): void {
    const reader = this.#reader;
    const writer = this.#writer;
    reader.feed(bytes, 0, bytes.length);
    for (;;) {
      const args = reader.next(this.#args);
      if (args === undefined) break;
      this.#engine.run(this.#context, args, writer);
    }
    reader.settle();
  }
}

/** The same by hand. */
class Bare {
  readonly #store: Store;
  readonly #out = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  answer(bytes: Buffer): Buffer {
    this.run(bytes);
    return Buffer.from(this.#out.subarray(0, this.#length));
  }

  run(bytes: Buffer): void {
    const { keys, memory } = this.#store;
    const { entries } = memory;
    const out = this.#out;
    const end = bytes.length;
    let written = 0;
    let at = 0;
    while (at < end) {
      // *2 CRLF $3 CRLF GET CRLF $
      if (bytes[at] !== 42 || bytes[at + 1] !== 50 || bytes[at + 4] !== 36 || bytes[at + 5] !== 51) break;
      if ((bytes[at + 8]! & 0xdf) !== 71 || (bytes[at + 9]! & 0xdf) !== 69 || (bytes[at + 10]! & 0xdf) !== 84) break;
      at += 14;
      let length = 0;
      for (let byte = bytes[at]!; byte !== 13; byte = bytes[++at]!) length = length * 10 + byte - 48;
      at += 2;
      const ref = keys.read(bytes, at, length);
      at += length + 2;
      if (ref === 0 || (entries.head(ref) & 15) !== 1) break;
      const start = entries.valueStart(ref);
      const size = entries.valueLength(ref);
      out[written++] = 36;
      if (size >= 100) break;
      if (size >= 10) out[written++] = 48 + ((size / 10) | 0);
      out[written++] = 48 + (size % 10);
      out[written++] = 13;
      out[written++] = 10;
      copyBytes.call(entries.bytesOf(ref), out, written, start, start + size);
      written += size;
      out[written++] = 13;
      out[written++] = 10;
    }
    this.#length = written;
  }
}
