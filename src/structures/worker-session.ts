// Worker session: the hive as an isolated structure's methods see it, for one call.
//
//   hive.open(Votes, key) ──▶ the kept instance, where it is of the version that the hive names; else decoded
//   hive.play("INCR", key) ──▶ the hive answers as if it were done; it is done when the call ends
//
// What the call changed is told with its commit, and before where a play names such a key.

import { HiveError } from "../base/errors.ts";
import type { CallBody, FetchAnswer, PlayAnswer, PlayedArguments, StateSent } from "./isolated-messages.ts";
import type { KeptClass } from "./kept-class.ts";
import { type PartCalls, partName } from "./part.ts";
import type { Played } from "./played.ts";
import { argumentsOf } from "./played-arguments.ts";
import type { HiveCalls, Structure } from "./structure.ts";
import type { LiveKeeper, Touched, WorkerLive } from "./worker-live.ts";

export class WorkerSession implements HiveCalls, PartCalls, Touched {
  readonly id: number;
  readonly #calls: LiveKeeper;
  readonly #reads: boolean;
  readonly #beganMs: number;
  readonly #opened = new Map<string, WorkerLive>();
  readonly #touched = new Set<WorkerLive>();
  /** It waits in between: its instances are its own, and time passes. */
  #waits = false;
  #isOpen = true;
  readonly #monotonicMs: number = performance.now();

  constructor(calls: LiveKeeper, { id, reads, nowMs }: CallBody & { id: number }) {
    this.#calls = calls;
    this.id = id;
    this.#reads = reads;
    this.#beganMs = nowMs;
  }

  get nowMs(): number {
    return this.#waits ? this.#beganMs + Math.floor(performance.now() - this.#monotonicMs) : this.#beganMs;
  }

  open<S extends Structure>(cls: new () => S, key: string): S {
    const kept = this.#calls.keptOf(cls);
    const known = this.#find(kept, key);
    if (known !== undefined) return known.instance as S;
    if (this.#reads) throw new HiveError("UNSUPPORTED", `a command that reads may not make the key ${key}: use find()`);
    const made = this.#take(this.#calls.make(kept, nameOf(key)));
    this.touch(made);
    return made.instance as S;
  }

  find<S extends Structure>(cls: new () => S, key: string): S | undefined {
    return this.#find(this.#calls.keptOf(cls), key)?.instance as S | undefined;
  }

  #find(kept: KeptClass, key: string): WorkerLive | undefined {
    this.#requireOpen();
    if (typeof key !== "string") throw new HiveError("INVALID_ARGUMENT", "the name of a key is text");
    const name = nameOf(key);
    const opened = this.#opened.get(name);
    if (opened?.kept === kept) return opened;
    if (opened !== undefined)
      throw new HiveError("WRONG_TYPE", `the key holds a ${opened.kept.name}, not a ${kept.name}`);
    const own = this.#waits ? undefined : this.#calls.lives.get(name);
    const have = own?.kept === kept ? own.version : -1;
    const sent = this.#calls.ask({ kind: "fetch", id: this.id, key: name, cls: kept.name, have }) as FetchAnswer;
    return sent === undefined ? undefined : this.given(kept, name, sent);
  }

  /** The instance of a key that the hive has named. */
  given(kept: KeptClass, key: string, { version, bytes }: StateSent): WorkerLive {
    const own = this.#waits ? undefined : this.#calls.lives.get(key);
    if (bytes === undefined && own?.kept === kept && own.version === version) return this.#take(own);
    let state = bytes;
    if (state === undefined) {
      // It was forgotten here, and the hive does not know that.
      const request = { kind: "fetch", id: this.id, key, cls: kept.name, have: -1 } as const;
      state = (this.#calls.ask(request) as FetchAnswer)?.bytes;
      if (state === undefined) throw new HiveError("NO_KEY", "no such key");
    }
    const made = this.#calls.make(kept, key, { version, bytes: state });
    if (!this.#waits && version >= 0) this.#calls.lives.set(key, made);
    return this.#take(made);
  }

  #take(live: WorkerLive): WorkerLive {
    this.#opened.set(live.key, live);
    live.session = this;
    live.tracker.changed = false;
    live.placement.hive = () => this;
    // What is not tracked may be changed unseen.
    if (!live.kept.undoes && !this.#reads) this.#touched.add(live);
    return live;
  }

  touch(live: WorkerLive): void {
    live.tracker.changed = true;
    // Deleted by this call: what changes goes with it.
    if (this.#opened.get(live.key) === live) this.#touched.add(live);
  }

  play<Name extends string>(command: Name, ...given: readonly unknown[]): Played<Name> {
    return this.#play(command, given, undefined) as Played<Name>;
  }

  /** The names of parts are told with the state. */
  playPart(owner: string, name: string, command: string, given: readonly unknown[]): unknown {
    return this.#play(command, [partName(Buffer.from(owner, "latin1"), name), ...given], owner);
  }

  #play(command: string, given: readonly unknown[], owner: string | undefined): unknown {
    this.#requireOpen();
    const args = argumentsFor(command, given);
    const changed = [...this.#touched].map(({ key }) => key);
    const play = { kind: "play", id: this.id, command, args, owner } as const;
    let answer = this.#calls.ask({ ...play, changed, states: [] }) as PlayAnswer;
    if ("states" in answer) {
      const told = answer.states.map((key) => this.#opened.get(key)!);
      const states = told.map((live) => this.#calls.encoded(live));
      answer = this.#calls.ask({ ...play, changed: [], states }) as PlayAnswer;
      for (const live of told) this.#told(live);
    }
    if ("states" in answer) throw new Error("the hive asked twice for the same states");
    for (const key of answer.gone) this.#lose(key);
    return answer.value;
  }

  /** The hive knows what it is now: only what changes from here on is to be told. */
  #told(live: WorkerLive): void {
    live.tracker.changed = false;
    if (live.kept.undoes) this.#touched.delete(live);
    // A later call must not take it for what the key holds: this one may still fail.
    this.#calls.lives.delete(live.key);
  }

  #lose(key: string): void {
    const live = this.#opened.get(key);
    if (live === undefined) return;
    this.#opened.delete(key);
    this.#touched.delete(live);
    this.#calls.lives.delete(key);
  }

  #requireOpen(): void {
    if (this.#isOpen) return;
    throw new HiveError("UNSUPPORTED", "this call has ended: what it was given is good until its answer");
  }

  /** Its method waits: no other call may see its instances. */
  leave(): void {
    this.#waits = true;
    for (const key of this.#opened.keys()) this.#calls.lives.delete(key);
  }

  /** Instances that the hive has to be told of. */
  changed(): WorkerLive[] {
    if (!this.#reads || this.#touched.size === 0) return [...this.#touched];
    throw new HiveError("UNSUPPORTED", "a command that says that it reads has changed its state");
  }

  /** The call was applied: what was told is what these keys hold. */
  settle(told: readonly WorkerLive[], versions: readonly number[]): void {
    for (const [i, live] of told.entries()) {
      live.version = versions[i]!;
      if (!this.#waits && live.version >= 0) this.#calls.lives.set(live.key, live);
    }
  }

  /** The call was not applied. What could not be undone, or was told in between, is no more what its key holds. */
  forget(): void {
    for (const live of this.#opened.values()) {
      if (!live.kept.undoes || live.version < 0) this.#calls.lives.delete(live.key);
    }
  }

  /** The end of its synchronous part. */
  close(): void {
    if (!this.#waits) this.end();
  }

  end(): void {
    this.#isOpen = false;
    for (const live of this.#opened.values()) {
      live.tracker.changed = false;
      if (live.session === this) live.session = undefined;
    }
  }
}

function nameOf(key: string): string {
  return Buffer.from(key).latin1Slice();
}

function argumentsFor(command: string, given: readonly unknown[]): PlayedArguments {
  const args = argumentsOf(command, given);
  const lengths: number[] = [];
  const kinds: number[] = [];
  for (let i = 0; i < args.count; i++) {
    lengths.push(args.length(i));
    kinds.push(args.kind(i));
  }
  // Only these bytes: a view of a shared pool would be copied with all of it.
  return { bytes: new Uint8Array(args.buffer), lengths, kinds };
}
