// Isolated worker: calls of the structures of one file, and the thread that runs them.
//
//   call ──▶ queue ──▶ thread, one at a time ──▶ its requests are answered ──▶ applied │ run again │ failed
//   each 5 ms while it works: for too long? too much memory? ──▶ the thread ends, its caller is told, another one begins
//
// Nothing of a call is done before the end of it, so a thread can end at any time.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import type { ClassFacts } from "./class-facts.ts";
import type { IsolatedCall } from "./isolated-call.ts";
import { clockMs, type Request, type StateSent, type Told, type WorkerSpec } from "./isolated-messages.ts";
import { asHiveError, IsolatedThread, LOAD_MS_MAX, tooMuch } from "./isolated-thread.ts";

/** How often a call is run where others change what it sees. */
const RUNS_MAX = 3;
/** Between two looks at a thread that works. */
const LOOK_MS = 5;
/** The call that a class begins with: part of loading it. */
const INIT = "init";
/** After a file could not be loaded, before a call tries it again. */
const RETRY_MS = 1_000;

export type IsolatedWorkerParts = {
  readonly spec: WorkerSpec;
  readonly limits: Limits;
  readonly timers: Timers;
  /** Calls to make in each new thread, before others. */
  begin(classes: readonly ClassFacts[]): IsolatedCall[];
  /** A line for operators. */
  onNotice(message: string): void;
};

type Waiting = {
  readonly call: IsolatedCall;
  runs: number;
  /** Time that the hive has spent on what it asked for. */
  handledMs: number;
  resolve(result: unknown): void;
  reject(error: HiveError): void;
};

export class IsolatedWorker {
  readonly #parts: IsolatedWorkerParts;
  #thread: IsolatedThread | undefined = undefined;
  #queue: Waiting[] = [];
  /** The call that the thread has, and its number. */
  #running: Waiting | undefined = undefined;
  #id = 0;
  /** Calls whose methods wait, by number. */
  readonly #later = new Map<number, Waiting>();
  #cancel: Cancel | undefined = undefined;
  #isWeighing = false;
  /** Why the file could not be loaded again, and when. */
  #broken: HiveError | undefined = undefined;
  #brokenAtMs = 0;
  #isClosed = false;
  #isEnding = false;
  /** Who has the newer file: what is to run again runs there. */
  #heir: IsolatedWorker | undefined = undefined;

  constructor(parts: IsolatedWorkerParts) {
    this.#parts = parts;
  }

  /** Calls that wait or run. */
  get openCalls(): number {
    return this.#queue.length + this.#later.size + (this.#running === undefined ? 0 : 1);
  }

  /** Loads the file. @throws {HiveError} INVALID_ARGUMENT, with what is wrong with it */
  async open(): Promise<readonly ClassFacts[]> {
    try {
      return await this.#start();
    } catch (error) {
      throw new HiveError("INVALID_ARGUMENT", (error as Error).message, { cause: error });
    }
  }

  /** Runs a call. @throws {HiveError} what it fails with: nothing of it was done */
  run(call: IsolatedCall): Promise<unknown> {
    const { isolatedCallsMax } = this.#parts.limits;
    if (this.#isClosed) return Promise.reject(closed());
    if (this.openCalls >= isolatedCallsMax) {
      const message = `isolatedCallsMax (${isolatedCallsMax}) calls wait for the worker of ${call.request.cls}`;
      return Promise.reject(new HiveError("OVERLOADED", message));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ call, runs: 0, handledMs: 0, resolve, reject });
      this.#thread?.hold(true);
      this.#pump();
    });
  }

  /** Waiting calls go to another one, which has the newer file; what runs comes to its end here. */
  retire(heir: IsolatedWorker | undefined): void {
    const moved = this.#queue;
    this.#queue = [];
    this.#heir = heir;
    this.#isClosed = true;
    for (const waiting of moved.reverse()) this.#enqueue(waiting);
    this.#rest();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    const thread = this.#thread;
    this.#thread = undefined;
    const open = [...this.#queue, ...this.#taken()];
    this.#queue = [];
    for (const waiting of open) this.#end(waiting, closed());
    await thread?.end();
  }

  async #start(): Promise<readonly ClassFacts[]> {
    const thread: IsolatedThread = new IsolatedThread({
      ...this.#parts,
      receive: (message) => {
        if (this.#thread === thread) this.#receive(thread, message);
      },
      ended: (why) => {
        if (this.#thread === thread) this.#replace(why);
      },
    });
    this.#thread = thread;
    let classes: readonly ClassFacts[];
    try {
      classes = await thread.open();
    } catch (error) {
      if (this.#thread === thread) this.#thread = undefined;
      throw error;
    }
    if (this.#thread !== thread) throw closed();
    const begun = this.#parts.begin(classes).map((call): Waiting => {
      const reject = (error: HiveError): void => this.#parts.onNotice(`init of ${call.request.cls}: ${error.message}`);
      return { call, runs: 0, handledMs: 0, resolve: () => {}, reject };
    });
    this.#queue.unshift(...begun);
    this.#rest();
    this.#pump();
    return classes;
  }

  /** Starts another thread for what waits. */
  #restart(): void {
    this.#broken = undefined;
    this.#start().catch((error: unknown) => {
      if (this.#isClosed) return;
      const why = error instanceof Error ? error.message : String(error);
      const text = `the worker of ${this.#parts.spec.source} cannot be started again: ${why}; mend the file, then STRUCTURES RELOAD`;
      this.#broken = new HiveError("STRUCTURE_FAILED", text);
      this.#brokenAtMs = this.#parts.timers.monotonicMs();
      this.#parts.onNotice(text);
      this.#rejectQueue(this.#broken);
    });
  }

  #rejectQueue(error: HiveError): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const waiting of queue) this.#end(waiting, error);
  }

  // Calls.

  #pump(): void {
    if (this.#isClosed || this.#isEnding || this.#queue.length === 0) return;
    const thread = this.#thread;
    if (thread === undefined) {
      const isNew = this.#parts.timers.monotonicMs() < this.#brokenAtMs + RETRY_MS;
      return this.#broken !== undefined && isNew ? this.#rejectQueue(this.#broken) : this.#restart();
    }
    while (thread.isReady && this.#running === undefined && this.#queue.length > 0) {
      const waiting = this.#queue.shift()!;
      try {
        const body = waiting.call.begin((key) => thread.known.versionOf(key));
        if (body.key !== undefined && body.state !== undefined) thread.known.set(body.key, body.state);
        thread.call(++this.#id, body);
        waiting.runs++;
        waiting.handledMs = 0;
        this.#running = waiting;
      } catch (error) {
        this.#end(waiting, asHiveError(error));
      }
    }
    this.#watch();
  }

  #receive(thread: IsolatedThread, message: Request | Told): void {
    if (message.kind === "ready" || message.kind === "failed") return;
    const { id } = message;
    const waiting = id === this.#id ? (this.#running ?? this.#later.get(id)) : this.#later.get(id);
    // What it says after its commit was refused.
    if (waiting === undefined) return;
    if (message.kind === "waits") {
      this.#later.set(id, waiting);
      this.#running = undefined;
      return this.#pump();
    }
    if (message.kind === "fails") {
      this.#release(waiting, id);
      this.#end(waiting, new HiveError(message.error.code, message.error.message));
      return this.#pump();
    }
    if (message.kind === "commit") return this.#commit(thread, waiting, message);
    const fromMs = clockMs();
    thread.answer(() => {
      const answer = waiting.call.answer(message);
      if (message.kind === "fetch" && answer !== undefined) thread.known.set(message.key, answer as StateSent);
      return answer;
    });
    waiting.handledMs += clockMs() - fromMs;
  }

  #commit(thread: IsolatedThread, waiting: Waiting, { id, result, states }: Request & { kind: "commit" }): void {
    let done: ReturnType<IsolatedCall["commit"]>;
    let failed: HiveError | undefined;
    thread.answer(() => {
      try {
        done = waiting.call.commit(result, states);
      } catch (error) {
        failed = asHiveError(error);
        throw failed;
      }
      if (done === undefined) return undefined;
      for (const [i, { key, bytes }] of states.entries()) thread.known.set(key, { version: done.versions[i]!, bytes });
      return done.versions;
    });
    this.#release(waiting, id);
    if (failed !== undefined) this.#end(waiting, failed);
    else if (done === undefined) this.#again(waiting, conflict(waiting.call.request.command));
    else {
      waiting.call.end();
      waiting.resolve(done.result);
      this.#rest();
    }
    this.#pump();
  }

  #release(waiting: Waiting, id: number): void {
    if (this.#running === waiting) this.#running = undefined;
    this.#later.delete(id);
  }

  /** Nothing of it was done: it is run again, or told that it was run often enough. */
  #again(waiting: Waiting, error: HiveError): void {
    if (waiting.runs >= RUNS_MAX) return this.#end(waiting, error);
    waiting.call.end();
    this.#enqueue(waiting);
  }

  /** It is the next one, here or where the newer file is. */
  #enqueue(waiting: Waiting): void {
    if (!this.#isClosed) return void this.#queue.unshift(waiting);
    if (this.#heir === undefined) return this.#end(waiting, closed());
    this.#heir.#enqueue(waiting);
    this.#heir.#pump();
  }

  #end(waiting: Waiting, error: HiveError): void {
    waiting.call.end();
    waiting.reject(error);
    this.#rest();
  }

  /** Nothing is open: the thread does not keep the process alive, and a retired one ends. */
  #rest(): void {
    if (this.openCalls > 0 || this.#thread?.isReady !== true) return;
    if (this.#isClosed) void this.close();
    else this.#thread.hold(false);
  }

  #taken(): Waiting[] {
    const taken = [...this.#later.values(), ...(this.#running === undefined ? [] : [this.#running])];
    this.#later.clear();
    this.#running = undefined;
    return taken;
  }

  // Looking after the thread.

  #watch(): void {
    if (this.#cancel !== undefined || (this.#running === undefined && this.#later.size === 0)) return;
    this.#cancel = this.#parts.timers.after(Math.min(LOOK_MS, this.#parts.limits.commandMsMax), () => {
      this.#cancel = undefined;
      this.#look();
      this.#watch();
    });
  }

  #look(): void {
    const thread = this.#thread;
    if (thread === undefined || !thread.isReady) return;
    const { commandMsMax } = this.#parts.limits;
    const { unseenMs } = thread;
    if (unseenMs >= 2 * commandMsMax) return this.#blocked();
    if (unseenMs === 0 && this.#running !== undefined) {
      const { command } = this.#running.call.request;
      const maxMs = command === INIT ? LOAD_MS_MAX : commandMsMax;
      if (thread.usedMs + this.#running.handledMs >= maxMs) {
        const message = `${command} ran longer than commandMsMax (${maxMs} ms) and was stopped; nothing of it was done`;
        return this.#replace(new HiveError("DEADLINE", message));
      }
    } else if (unseenMs === 0 && thread.quietMs >= commandMsMax) thread.ping();
    if (!this.#isWeighing && (thread.runs || this.#later.size > 0)) void this.#weigh(thread);
  }

  async #weigh(thread: IsolatedThread): Promise<void> {
    this.#isWeighing = true;
    const bytes = await thread.weigh();
    this.#isWeighing = false;
    const { bytesMax } = this.#parts.spec;
    if (bytes === undefined || bytes <= bytesMax || this.#thread !== thread) return;
    this.#replace(tooMuch(this.#running?.call.request.command ?? "the code of a structure", bytesMax));
  }

  /** Something that runs between two calls keeps it from taking the next one: whose, nobody can tell. */
  #blocked(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) {
      running.runs--;
      running.call.end();
      this.#enqueue(running);
    }
    const { source } = this.#parts.spec;
    const message = `the worker of ${source} was blocked by what runs between its calls, and was stopped; nothing of this call was done`;
    this.#replace(new HiveError("DEADLINE", message));
  }

  /** Ends the thread. The call under way fails; those that had begun and waited run again; the others go on in the next. */
  #replace(error: HiveError): void {
    this.#parts.onNotice(error.message);
    const thread = this.#thread!;
    this.#thread = undefined;
    const running = this.#running;
    this.#running = undefined;
    for (const waiting of this.#taken()) this.#again(waiting, error);
    if (running !== undefined) this.#end(running, error);
    // One step of the engine cannot be interrupted: the next thread waits for its end, so that there is one at a time.
    this.#isEnding = true;
    void thread.end().then(() => {
      this.#isEnding = false;
      if (!this.#isClosed) this.#restart();
    });
  }
}

function conflict(command: string): HiveError {
  return new HiveError("CONFLICT", `${command} was run ${RUNS_MAX} times, and each time others changed what it saw`);
}

function closed(): HiveError {
  return new HiveError("HIVE_CLOSED", "the structure was closed; nothing of this call was done");
}
