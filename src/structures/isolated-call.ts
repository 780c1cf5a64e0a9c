// Isolated call: one call of an isolated structure as the hive sees it, from its begin to the step that applies it.
//
//   begin ──▶ its key's state ──▶ worker ──▶ plays: answered, writes held back ──▶ commit: nobody changed what it saw? ──▶ applied
//
// A write is rehearsed: what was held back and shares keys with it is made again, then the write, its answer is taken, and
// all is rolled back. Keys are watched from their first touch on, as WATCH does, deaf to these rehearsals.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { Args } from "../engine/args.ts";
import { type CommandEntry, keyIndexes } from "../engine/catalogue.ts";
import { checkChannel } from "../engine/commands/messages.ts";
import type { Context } from "../engine/context.ts";
import { Transaction, type Watches } from "../engine/transaction.ts";
import { EVENT_GENERIC } from "../store/key-events.ts";
import { KIND_VALUE, TYPE_STRUCTURE } from "../store/layout.ts";
import { ownerLength, ownerStart } from "../store/parts.ts";
import type { Store } from "../store/store.ts";
import { decode } from "../wire/value.ts";
import type { ClassFacts } from "./class-facts.ts";
import { type Facade, MESSAGES } from "./facade.ts";
import type { CallBody, FetchAnswer, PlayAnswer, Request, StateMade } from "./isolated-messages.ts";
import { readName } from "./kept-class.ts";
import type { Transactions } from "./transaction.ts";

/** Answers that are different each time: what the worker was told would not be what happens. */
const BY_CHANCE: ReadonlySet<string> = new Set(["SPOP"]);
/** They may read keys that are none of their arguments. */
const READS_MORE: ReadonlySet<string> = new Set(["SORT", "SORT_RO"]);
/** Commands that name no keys, and depend on none. */
const KEYLESS: ReadonlySet<string> = new Set(["PING", "ECHO", "TIME"]);
/** Of an opened key: its deadline may change, and its end. */
const DEADLINES: ReadonlySet<string> = new Set(["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "PERSIST", "TOUCH"]);
const ENDS: ReadonlySet<string> = new Set(["DEL", "UNLINK"]);

export type IsolatedCallParts = {
  readonly store: Store;
  readonly limits: Limits;
  readonly transactions: Transactions;
  readonly watches: Watches;
  /** Facts of any class of this name, isolated or not. @throws {HiveError} UNSUPPORTED */
  factsOf(cls: string): ClassFacts;
  /** Runs what applies a call: within the quotas of its token. */
  guard(context: Context, run: () => void): void;
};

export type IsolatedRequest = {
  readonly cls: string;
  readonly command: string;
  readonly reads: boolean;
  /** Of a key command: its bytes, one character each. */
  readonly key: string | undefined;
  readonly args: readonly unknown[];
  readonly context: Context;
  readonly facade: Facade;
};

type Held = { readonly keys: ReadonlySet<string>; readonly bytes: number; run(): unknown };

/** Thrown to end a rehearsal. */
const REHEARSED: unique symbol = Symbol("rehearsed");

export class IsolatedCall {
  readonly request: IsolatedRequest;
  readonly #parts: IsolatedCallParts;
  #watched = new Transaction();
  #held: Held[] = [];
  #heldBytes = 0;
  #sends: (() => unknown)[] = [];
  #plays = 0;
  /** Keys whose instances the worker has. */
  #opened = new Set<string>();

  constructor(parts: IsolatedCallParts, request: IsolatedRequest) {
    this.#parts = parts;
    this.request = request;
  }

  /**
   * Begins a run. @param have The version of a key's state that the worker has; -1 for none.
   * @throws {HiveError} NO_KEY, WRONG_TYPE: another call may have changed the key meanwhile
   */
  begin(have: (key: string) => number): CallBody {
    this.end();
    const { cls, command, reads, args, key, context } = this.request;
    let state: FetchAnswer;
    if (key !== undefined) {
      this.#watch(key);
      state = this.#state(key, cls, have(key));
      if (state === undefined) throw new HiveError("NO_KEY", "no such key");
      this.#opened.add(key);
    }
    return { cls, command, reads, args, key, state, nowMs: context.nowMs };
  }

  /** Forgets what the run held back and watched. */
  end(): void {
    this.#parts.watches.unwatch(this.#watched);
    this.#watched = new Transaction();
    this.#held = [];
    this.#sends = [];
    this.#heldBytes = 0;
    this.#plays = 0;
    this.#opened = new Set();
  }

  #watch(key: string): void {
    this.#parts.watches.watch(this.#watched, key);
  }

  /** The state of a key, now. @throws {HiveError} WRONG_TYPE */
  #state(key: string, cls: string, have: number): FetchAnswer {
    const { keys, memory } = this.#parts.store;
    const name = Buffer.from(key, "latin1");
    const found = keys.find(name, 0, name.length);
    if (found === 0) return undefined;
    const ref = memory.settled(found);
    const { entries } = memory;
    if (entries.type(ref) !== TYPE_STRUCTURE) {
      throw new HiveError("WRONG_TYPE", "Operation against a key holding the wrong kind of value");
    }
    const start = entries.valueStart(ref);
    const bytes = entries.bytesOf(ref);
    const holds = readName(bytes, start);
    if (holds !== cls) throw new HiveError("WRONG_TYPE", `the key holds a ${holds}, not a ${cls}`);
    const version = entries.versionOf(ref);
    if (version === have) return { version, bytes: undefined };
    return { version, bytes: Uint8Array.prototype.slice.call(bytes, start, start + entries.valueLength(ref)) };
  }

  /** What the worker asks for in the middle. @throws {HiveError} what the command, or the rule, says */
  answer(request: Exclude<Request, { kind: "commit" }>): PlayAnswer | FetchAnswer {
    return request.kind === "play" ? this.#play(request) : this.#fetch(request);
  }

  #fetch({ key, cls, have }: Request & { kind: "fetch" }): FetchAnswer {
    this.#parts.factsOf(cls);
    const name = Buffer.from(key, "latin1");
    this.request.facade.requireGrants(cls, name, name.length);
    this.#count();
    this.#watch(key);
    const keys = new Set([key]);
    const isOwn = this.#related(keys).length > 0;
    const state = this.#rehearse(keys, false, () => this.#state(key, cls, isOwn ? -1 : have)) as FetchAnswer;
    this.#opened.add(key);
    return isOwn && state !== undefined ? { ...state, version: -1 } : state;
  }

  #play({ command, args: given, owner, changed, states }: Request & { kind: "play" }): PlayAnswer {
    const { facade } = this.request;
    const args = new Args(given.lengths.length);
    args.reset(Buffer.from(given.bytes.buffer, given.bytes.byteOffset, given.bytes.byteLength));
    let at = 0;
    for (const [i, length] of given.lengths.entries()) {
      args.push(at, length, given.kinds[i]);
      at += length;
    }
    args.kept = true;
    const isPart = owner !== undefined;
    if (isPart) this.#requirePart(owner, args);
    const entry = facade.playable(args, command, isPart);
    const topic = MESSAGES.get(entry.row.name);
    if (topic !== undefined) return this.#send(topic, command, args);
    const keys = this.#keysOf(entry, args);
    const writes = !entry.row.flags.includes("read") || entry.row.flags.includes("write");
    const gone = writes ? this.#ofOpened(entry.row.name, keys) : [];
    const untold = changed.filter((key) => keys.has(key));
    if (untold.length > 0) return { states: untold };
    for (const state of states) this.#hold(this.#heldState(state));
    this.#count();
    for (const key of keys) this.#watch(key);
    const run = (): unknown => facade.playArguments(command, args, isPart);
    // A part goes, moves and is copied with its key.
    if (isPart) keys.add(owner);
    const value = this.#rehearse(keys, writes, run);
    if (writes && keys.size > 0) this.#hold({ keys, bytes: given.bytes.length, run });
    for (const key of gone) this.#opened.delete(key);
    return { value, gone };
  }

  /** @throws {HiveError} NO_KEY, NO_PERMISSION: the call has not opened this key, or has deleted it */
  #requirePart(owner: string, args: Args): void {
    if (!this.#opened.has(owner)) throw new HiveError("NO_KEY", "no such key");
    const key = Buffer.from(owner, "latin1");
    const start = args.start(1);
    const length = ownerLength(args.buffer, start, args.length(1));
    const from = ownerStart(start);
    if (key.equals(args.buffer.subarray(from, from + length))) return;
    throw new HiveError("NO_PERMISSION", "this is no part of the key that was opened");
  }

  #send(topic: "channel" | "shard", command: string, args: Args): PlayAnswer {
    const { facade, context, reads } = this.request;
    if (reads) throw new HiveError("UNSUPPORTED", `a command that reads may not play ${command}`);
    checkChannel(args, 1, this.#parts.limits);
    this.#count();
    this.#weigh(args.totalBytes());
    this.#sends.push(() => facade.playArguments(command, args));
    return { value: context.services.bus.reach(topic, args.copy(1)), gone: [] };
  }

  /** @throws {HiveError} UNSUPPORTED: nobody could tell whether what it saw is still so */
  #keysOf(entry: CommandEntry, args: Args): Set<string> {
    const { row } = entry;
    const refuse = (why: string): HiveError =>
      new HiveError("UNSUPPORTED", `${row.name} cannot be played by an isolated structure: ${why}`);
    if (row.family === "structures" && row.permission === "run") {
      throw refuse("it is a structure's own command; call the class instead, or open its key");
    }
    if (BY_CHANCE.has(row.name)) throw refuse("it draws by chance");
    if (READS_MORE.has(row.name)) throw refuse("it may read keys that it does not name");
    const named = new Set<string>();
    if (row.keyName !== undefined) named.add(row.keyName(args, this.#parts.limits).latin1Slice());
    for (const index of keyIndexes(row, args)) named.add(args.latin1(index));
    const isKnown = row.keys !== undefined || row.keyName !== undefined || KEYLESS.has(row.name);
    if (!isKnown || row.scope !== undefined || row.channels !== undefined) throw refuse("it names no keys");
    return named;
  }

  /** Opened keys that a write ends. @throws {HiveError} UNSUPPORTED: it would change one under its instance */
  #ofOpened(name: string, keys: ReadonlySet<string>): string[] {
    if (DEADLINES.has(name)) return [];
    const opened = [...keys].filter((key) => this.#opened.has(key));
    if (opened.length === 0 || ENDS.has(name)) return opened;
    const message = `${name} would change a key that this call has opened: play it before, or change what was opened`;
    throw new HiveError("UNSUPPORTED", message);
  }

  #count(): void {
    const { isolatedPlaysMax } = this.#parts.limits;
    if (++this.#plays <= isolatedPlaysMax) return;
    throw new HiveError(
      "OUT_OF_RANGE",
      `a call that plays and opens more than isolatedPlaysMax (${isolatedPlaysMax}) times`,
    );
  }

  #hold(held: Held): void {
    this.#weigh(held.bytes);
    this.#held.push(held);
  }

  #weigh(bytes: number): void {
    const { transactionBytesMax } = this.#parts.limits;
    this.#heldBytes += bytes;
    if (this.#heldBytes > transactionBytesMax) {
      const message = `what this call holds back (${this.#heldBytes} bytes) exceeds transactionBytesMax (${transactionBytesMax})`;
      throw new HiveError("TRANSACTION_TOO_BIG", message);
    }
  }

  /** What `run` would answer after what is held back. Nothing of it stays. */
  #rehearse(keys: ReadonlySet<string>, writes: boolean, run: () => unknown): unknown {
    const { transactions, watches } = this.#parts;
    const before = this.#related(keys);
    if (before.length === 0 && !writes) return run();
    // What is evicted is no rehearsal: whoever watches it is told.
    if (writes) this.#parts.store.eviction.makeRoom();
    let value: unknown;
    watches.deaf(() => {
      try {
        transactions.run(this.request.command, () => {
          transactions.arm();
          for (const held of before) held.run();
          value = run();
          throw REHEARSED;
        });
      } catch (error) {
        if (error !== REHEARSED) throw error;
      }
    });
    return value;
  }

  /** What is held back and has keys in common with `keys`, directly or by others between. */
  #related(keys: ReadonlySet<string>): Held[] {
    if (this.#held.length === 0) return [];
    const all = new Set(keys);
    const found: Held[] = [];
    for (let i = this.#held.length - 1; i >= 0; i--) {
      const held = this.#held[i]!;
      if (![...held.keys].some((key) => all.has(key))) continue;
      for (const key of held.keys) all.add(key);
      found.push(held);
    }
    return found.reverse();
  }

  /**
   * Applies the call in one step. Returns its result and the versions of its states; undefined where somebody else changed
   * what it saw: nothing happened.
   * @throws {HiveError} what it cannot be applied for: nothing happened
   */
  commit(result: Uint8Array, states: readonly StateMade[]): { result: unknown; versions: number[] } | undefined {
    const { store, transactions, watches } = this.#parts;
    const { command, context } = this.request;
    watches.expire(this.#watched);
    const isStale = this.#watched.touched;
    watches.unwatch(this.#watched);
    if (isStale) return undefined;
    const answer = decode(result, 0, result.length);
    const last = states.map((state) => this.#heldState(state));
    const applies = this.#held.length + last.length > 0;
    const apply = (): void =>
      transactions.run(command, () => {
        if (!store.eviction.makeRoom()) throw new HiveError("OUT_OF_MEMORY", "there is no memory for what it changes");
        // One state alone is written whole or not at all by itself.
        if (this.#held.length + last.length > 1) transactions.arm();
        for (const held of this.#held) held.run();
        for (const held of last) held.run();
      });
    if (applies) this.#parts.guard(context, apply);
    for (const send of this.#sends) send();
    return { result: answer, versions: states.map(({ key }) => this.#versionOf(key)) };
  }

  #versionOf(key: string): number {
    const { keys, memory } = this.#parts.store;
    const name = Buffer.from(key, "latin1");
    const ref = keys.find(name, 0, name.length);
    return ref === 0 ? -1 : memory.entries.versionOf(ref);
  }

  /** @throws {HiveError} VALUE_TOO_BIG */
  #heldState({ key, cls, bytes }: StateMade): Held {
    const { inPieces } = this.#parts.factsOf(cls);
    const limit = inPieces ? "valueBytesMax" : "structureBytesMax";
    const max = this.#parts.limits[limit];
    if (bytes.length > max) {
      const advice = inPieces ? "" : "; a class that gives *encode() in pieces may have more";
      throw new HiveError("VALUE_TOO_BIG", `${cls} of ${bytes.length} bytes exceeds ${limit} (${max} bytes)${advice}`);
    }
    return { keys: new Set([key]), bytes: bytes.length, run: () => this.#write(key, bytes) };
  }

  #write(key: string, bytes: Uint8Array): void {
    const { keys, memory } = this.#parts.store;
    const name = Buffer.from(key, "latin1");
    let ref = keys.find(name, 0, name.length);
    if (ref === 0) {
      ref = keys.create(TYPE_STRUCTURE, name, 0, name.length, 0, bytes);
      // Its kind is that of a value.
      keys.write(ref, 0, bytes, 0, bytes.length, bytes.length, KIND_VALUE, false);
    } else keys.write(ref, 0, bytes, 0, bytes.length, bytes.length, KIND_VALUE);
    const { events } = memory;
    if ((events.classes & EVENT_GENERIC) !== 0) {
      events.tell(EVENT_GENERIC, this.request.command.toLowerCase(), name, 0, name.length);
    }
  }
}
