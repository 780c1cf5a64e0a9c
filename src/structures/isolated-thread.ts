// Isolated thread: one worker thread of isolated structures, from loading their file to its end.
//
//   open ──▶ file loaded ──▶ ready ──▶ send, answer ──▶ end │ it ended by itself
//
// What it is doing is read from shared words: a thread that is busy answers no messages.

import { once } from "node:events";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { HiveError } from "../base/errors.ts";
import type { Timers } from "../base/timers.ts";
import type { ClassFacts } from "./class-facts.ts";
import {
  type Answer,
  type CallBody,
  clockMs,
  type Request,
  STATE_ASKS,
  STATE_RUNS,
  sharedWords,
  TIME_SINCE,
  TIME_USED,
  type Told,
  WORD_ANSWERED,
  WORD_SEEN,
  WORD_SHARED_KIB,
  WORD_STATE,
  WORDS_BYTES,
  type WorkerSpec,
} from "./isolated-messages.ts";
import { KnownStates } from "./known-states.ts";

/** How long loading a file may take. */
export const LOAD_MS_MAX = 10_000;
/** One allocation of the heap that does not fit below V8's own limit ends the process: a GiB is the most that one takes. */
const HEAP_SPARE_MIB = 2048;
/** Node 22.16 and later tell what a thread has. Before, V8's own limit is all there is: for the heap alone, and not always without the end of the process. */
const CAN_WEIGH: boolean = typeof Worker.prototype.getHeapStatistics === "function";

export type IsolatedThreadParts = {
  readonly spec: WorkerSpec;
  readonly timers: Timers;
  receive(message: Request | Told): void;
  /** It ended by itself, after it was ready. */
  ended(why: HiveError): void;
};

export class IsolatedThread {
  /** States that it has. */
  readonly known: KnownStates;
  /** Whether its file is loaded. */
  isReady = false;
  readonly #parts: IsolatedThreadParts;
  readonly #worker: Worker;
  readonly #answers: MessagePort;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  #sent = 0;
  #sentAtMs = 0;
  #why: unknown = undefined;
  #isEnded = false;

  constructor(parts: IsolatedThreadParts) {
    this.#parts = parts;
    const { spec } = parts;
    this.known = new KnownStates(spec.bytesMax >>> 3);
    const shared = new SharedArrayBuffer(WORDS_BYTES);
    const { words, times } = sharedWords(shared);
    this.#words = words;
    this.#times = times;
    const { port1, port2: answers } = new MessageChannel();
    this.#answers = port1;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./worker-thread.${extension}`, import.meta.url), {
      workerData: { spec, shared, answers },
      transferList: [answers],
      resourceLimits: { maxOldGenerationSizeMb: (spec.bytesMax >>> 20) + (CAN_WEIGH ? HEAP_SPARE_MIB : 0) },
    });
    this.#worker.on("error", (error) => {
      this.#why = error;
    });
    this.#worker.once("exit", () => {
      if (this.isReady && !this.#isEnded) parts.ended(this.#reason());
    });
  }

  /** Loads the file. @throws {Error} what is wrong with it; the thread has ended then */
  async open(): Promise<readonly ClassFacts[]> {
    const timer = this.#parts.timers.after(LOAD_MS_MAX, () => void this.#worker.terminate());
    try {
      const gone = once(this.#worker, "exit").then((): never => {
        throw new Error(`loading it took more than ${LOAD_MS_MAX} ms, or ended the thread`);
      });
      const [told] = (await Promise.race([once(this.#worker, "message"), gone])) as [Told];
      gone.catch(() => {});
      if (told.kind !== "ready")
        throw new Error(told.kind === "failed" ? told.message : "it calls the hive while it loads");
      this.isReady = true;
      this.#worker.on("message", (message: Request | Told) => this.#parts.receive(message));
      return told.classes;
    } catch (error) {
      await this.end();
      throw error;
    } finally {
      timer();
    }
  }

  /** Whether it keeps the process alive. */
  hold(keeps: boolean): void {
    if (keeps) this.#worker.ref();
    else this.#worker.unref();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#worker.terminate();
  }

  call(id: number, body: CallBody): void {
    this.#send({ kind: "call", id, drop: this.known.takeDropped(), ...body });
  }

  ping(): void {
    this.#send({ kind: "ping" });
  }

  #send(message: object): void {
    this.#sentAtMs = clockMs();
    this.#worker.postMessage({ ...message, number: this.#sent + 1 });
    this.#sent++;
  }

  /** Answers what it waits for. */
  answer(make: () => unknown): void {
    try {
      this.#answers.postMessage({ answer: make() } satisfies Answer);
    } catch (error) {
      const { code, message } = asHiveError(error);
      this.#answers.postMessage({ error: { code, message } } satisfies Answer);
    }
    Atomics.store(this.#words, WORD_ANSWERED, 1);
    Atomics.notify(this.#words, WORD_ANSWERED);
  }

  // What it is doing.

  get runs(): boolean {
    return Atomics.load(this.#words, WORD_STATE) === STATE_RUNS;
  }

  /** For how long it has run its call, without what it waited for the hive. */
  get usedMs(): number {
    return this.#times[TIME_USED]! + (this.runs ? clockMs() - this.#times[TIME_SINCE]! : 0);
  }

  /** For how long it has not taken what was sent last; 0 where it has. */
  get unseenMs(): number {
    const isAsking = Atomics.load(this.#words, WORD_STATE) === STATE_ASKS;
    return isAsking || Atomics.load(this.#words, WORD_SEEN) >= this.#sent ? 0 : clockMs() - this.#sentAtMs;
  }

  /** Since something was sent last. */
  get quietMs(): number {
    return clockMs() - this.#sentAtMs;
  }

  /** Bytes of its heap and of its buffers; undefined where this Node cannot tell, or it has ended. */
  async weigh(): Promise<number | undefined> {
    try {
      const { used_heap_size: heap, external_memory: external } = await this.#worker.getHeapStatistics();
      return heap + external + Atomics.load(this.#words, WORD_SHARED_KIB) * 1024;
    } catch {
      return undefined;
    }
  }

  #reason(): HiveError {
    const { source, bytesMax } = this.#parts.spec;
    const why = this.#why as { code?: unknown; message?: unknown } | undefined;
    if (why?.code === "ERR_WORKER_OUT_OF_MEMORY") return tooMuch(`the worker of ${source}`, bytesMax);
    const text = why === undefined ? "its code called process.exit()" : String(why.message ?? why);
    return new HiveError("STRUCTURE_FAILED", `the worker of ${source} ended: ${text}`);
  }
}

export function tooMuch(what: string, bytesMax: number): HiveError {
  const message = `${what} took more than isolatedBytesMax (${bytesMax} bytes) and was stopped; nothing of it was done`;
  return new HiveError("STRUCTURE_MEMORY", message);
}

export function asHiveError(error: unknown): HiveError {
  if (error instanceof HiveError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HiveError("STRUCTURE_FAILED", message, { cause: error });
}
