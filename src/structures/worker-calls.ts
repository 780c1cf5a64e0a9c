// Worker calls: one call at a time in the worker of isolated structures.
//
//   call ──▶ session ──▶ method, with the undo journal ──▶ commit ──▶ applied by the hive │ taken back here
//                                          └──▶ a promise: its instances become its own, others may run ──▶ commit
//
// The hive has the truth; an instance that is kept here is good while it is of the version that the hive names.

import type { MessagePort } from "node:worker_threads";
import { HiveError } from "../base/errors.ts";
import { encode, Scratch } from "../wire/value.ts";
import { failure, isThenable } from "./failure.ts";
import {
  type Answer,
  type CallBody,
  type CommitAnswer,
  clockMs,
  type Request,
  type SharedWords,
  STATE_ASKS,
  STATE_IDLE,
  STATE_RUNS,
  type StateMade,
  TIME_SINCE,
  TIME_USED,
  type Told,
  WORD_ANSWERED,
  WORD_STATE,
} from "./isolated-messages.ts";
import { Journal } from "./journal.ts";
import { KeptClass, readHead } from "./kept-class.ts";
import { checked } from "./method-arguments.ts";
import { unwrapped } from "./storable.ts";
import { type Placement, type Structure, type StructureClass, setPlacement } from "./structure.ts";
import type { LiveKeeper, WorkerLive } from "./worker-live.ts";
import { WorkerSession } from "./worker-session.ts";

export type WorkerParts = SharedWords & {
  readonly classes: readonly KeptClass[];
  /** Lists and sorted sets that a structure may have. */
  readonly partsMax: number;
  /** Where answers come. */
  readonly answers: MessagePort;
  /** Where requests go, and what is told. */
  readonly hive: MessagePort;
  /** Takes an answer from the port, without waiting. */
  readonly take: (port: MessagePort) => { message: unknown } | undefined;
};

export class WorkerCalls implements LiveKeeper {
  readonly journal: Journal = new Journal();
  readonly lives: Map<string, WorkerLive> = new Map();
  readonly #parts: WorkerParts;
  readonly #classes: ReadonlyMap<string, KeptClass>;
  /** Classes that are opened and not this worker's own. */
  readonly #others = new WeakMap<object, KeptClass>();
  readonly #scratch = new Scratch();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#classes = new Map(parts.classes.map((kept) => [kept.name, kept]));
  }

  run(call: CallBody & { id: number; drop: readonly string[] }): void {
    const { words, times } = this.#parts;
    for (const key of call.drop) this.lives.delete(key);
    times[TIME_USED] = 0;
    times[TIME_SINCE] = clockMs();
    Atomics.store(words, WORD_STATE, STATE_RUNS);
    const session = new WorkerSession(this, call);
    this.journal.active = true;
    try {
      const result = this.#method(session, call);
      if (isThenable(result)) {
        session.leave();
        this.#tell({ kind: "waits", id: call.id });
        void this.#finishLater(session, call, result);
      } else if (!this.#commit(session, result)) this.#takeBack(session);
    } catch (error) {
      try {
        this.#takeBack(session);
      } finally {
        // Where that failed the thread ends with it: what it knows may be wrong.
        this.#fail(call, error);
      }
    } finally {
      this.journal.active = false;
      this.journal.clear();
      session.close();
      Atomics.store(words, WORD_STATE, STATE_IDLE);
    }
  }

  #method(session: WorkerSession, { cls, command, key, state, args }: CallBody): unknown {
    const kept = this.#classes.get(cls);
    if (kept === undefined) throw new HiveError("UNSUPPORTED", `the file of ${cls} has no such class any more`);
    if (command === "init") return kept.cls.init?.(session, args[0]);
    const schemas = kept.cls.args[command];
    const given = schemas === undefined ? args : checked(args, schemas, command);
    const method = (key === undefined ? kept.statics : kept.methods).get(command);
    if (method === undefined) throw new HiveError("UNSUPPORTED", `${cls} has no command ${command} any more`);
    if (key === undefined) return method.call(kept.cls, session, ...given);
    return method.apply(session.given(kept, key, state!).instance, [...given]);
  }

  async #finishLater(
    session: WorkerSession,
    call: CallBody & { id: number },
    result: PromiseLike<unknown>,
  ): Promise<void> {
    try {
      this.#commit(session, await result);
    } catch (error) {
      this.#fail(call, error);
    } finally {
      session.end();
    }
  }

  /** Whether the hive has applied it. @throws {HiveError} BAD_VALUE: the result, or what is in a state, cannot be sent */
  #commit(session: WorkerSession, result: unknown): boolean {
    const changed = session.changed();
    const states = changed.map((live) => this.encoded(live));
    const versions = this.ask({
      kind: "commit",
      id: session.id,
      result: encode(unwrapped(result)),
      states,
    }) as CommitAnswer;
    if (versions === undefined) return false;
    session.settle(changed, versions);
    return true;
  }

  #takeBack(session: WorkerSession): void {
    try {
      this.journal.rollback();
    } finally {
      session.forget();
    }
  }

  /** Where the hive has refused its commit, its caller knows already, and this is not listened to. */
  #fail({ command, id }: CallBody & { id: number }, error: unknown): void {
    const { code, message } = failure(command, error);
    this.#tell({ kind: "fails", id, error: { code, message } });
  }

  #tell(message: Told): void {
    this.#parts.hive.postMessage(message);
  }

  ask(request: Request): unknown {
    const { words, times, hive, answers, take } = this.#parts;
    const before = Atomics.load(words, WORD_STATE);
    times[TIME_USED]! += clockMs() - times[TIME_SINCE]!;
    Atomics.store(words, WORD_STATE, STATE_ASKS);
    Atomics.store(words, WORD_ANSWERED, 0);
    hive.postMessage(request);
    Atomics.wait(words, WORD_ANSWERED, 0);
    times[TIME_SINCE] = clockMs();
    Atomics.store(words, WORD_STATE, before);
    const { message } = take(answers) as { message: Answer };
    if ("error" in message) throw new HiveError(message.error.code, message.error.message);
    return message.answer;
  }

  keptOf(cls: new () => Structure): KeptClass {
    const own = this.#classes.get(cls.name);
    if (own?.cls === (cls as unknown as StructureClass)) return own;
    let kept = this.#others.get(cls);
    if (kept === undefined) this.#others.set(cls, (kept = new KeptClass(cls as unknown as StructureClass)));
    return kept;
  }

  make(kept: KeptClass, key: string, sent?: { version: number; bytes: Uint8Array }): WorkerLive {
    const placement: Placement = { key: Buffer.from(key, "latin1").utf8Slice(), owner: () => live, hive: noCall };
    const { partsMax } = this.#parts;
    const live: WorkerLive = {
      ...kept.make(this.journal, () => touch(live)),
      ...{ kept, key, placement, name: key, partsMax },
      version: sent?.version ?? -1,
      session: undefined,
    };
    setPlacement(live.instance, placement);
    if (sent !== undefined) kept.fill(live, readHead(sent.bytes, 0, sent.bytes.length));
    return live;
  }

  encoded(live: WorkerLive): StateMade {
    const { kept, key } = live;
    this.#scratch.reset();
    kept.encode(live, this.#scratch);
    return { key, cls: kept.name, bytes: this.#scratch.copy() };
  }
}

/** The first change of an instance in a call. */
function touch(live: WorkerLive): void {
  if (live.session === undefined) throw noCallError();
  live.session.touch(live);
}

function noCallError(): HiveError {
  return new HiveError(
    "UNSUPPORTED",
    "the call that this instance was opened in has ended: open it in the call under way",
  );
}

function noCall(): never {
  throw noCallError();
}
