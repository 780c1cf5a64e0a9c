// Client: a hive as a program uses it. connect() makes one.
//
//   client.get("greeting")            client.table("users").set("ada", …)            client.multi()….exec()
//
// Each method is a row of specs.ts with its arguments, made over the connection. Nothing here is async
// where a promise can be handed on.

import { HiveError } from "../base/errors.ts";
import type { Bound, ReadOptions } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import type { ConnectionState } from "./connection-parts.ts";
import { Device, type DeviceOptions } from "./device.ts";
import { DeviceSession, type SessionOptions } from "./device-session.ts";
import { type Info, parseInfo } from "./info.ts";
import { List } from "./list.ts";
import { Multi } from "./multi.ts";
import type { NearState } from "./near-options.ts";
import { UNKNOWN } from "./near-reads.ts";
import { type PutOptions, putWords } from "./put.ts";
import { REPEATABLE } from "./repeatable.ts";
import { PAGE_COUNT, scanPages } from "./scanning.ts";
import type { InputOf, OutputOf, StandardSchema } from "./schema.ts";
import { type Key, SetOf } from "./set-of.ts";
import { ASK, type SharedState } from "./shared-reads.ts";
import { SnapshotCalls } from "./snapshots.ts";
import { Sorted } from "./sorted.ts";
import * as spec from "./specs.ts";
import type { ClientSpool } from "./spool.ts";
import type { StateEvent } from "./state-event.ts";
import { type StructureCalls, structureCalls } from "./structure.ts";
import { type SubscribeOptions, Subscription } from "./subscription.ts";
import { milliseconds, Table, type TableOptions } from "./table.ts";
import { Watch, type WatchOptions } from "./watch.ts";

/** A key's name. As Uint8Array it may be any bytes. */
export type KeyName = string | Uint8Array;

export type ScanOptions = CallOptions & {
  /** A glob as Redis has it: `user:*`. */
  match?: string | undefined;
  /** Only keys of this type: string, table, set, list, zset. */
  type?: string | undefined;
  /** Keys the hive looks at for a page. Default 256. */
  count?: number | undefined;
  as?: "auto" | "bytes" | undefined;
};

type ListenerOptions = boolean | { once?: boolean; signal?: AbortSignal; capture?: boolean };
type StateListener = ((event: StateEvent) => void) | { handleEvent(event: StateEvent): void };

/** Calls a command by its name: call.STRLEN("key"), call["OBJECT ENCODING"]("key"). */
export type CallByName = { readonly [name: string]: (...args: unknown[]) => Promise<unknown> };

const CLOSE_GRACE_MS = 5_000;

/**
 * One hive, over one connection that comes back by itself.
 *
 * Every call rejects with a HiveError: what the hive says (its code), DEADLINE, ABORTED, OVERLOADED
 * (too much is waiting: nothing was sent), CONNECTION_LOST, BAD_FRAME or FRAME_TOO_BIG (the connection
 * broke; `sent` says whether the call may have had an effect), HIVE_CLOSED after close(). Reads are
 * sent again by themselves when a connection was lost.
 */
export class Client extends EventTarget implements AsyncDisposable {
  readonly #bound: Bound;
  /** The client that this one was made of with with(): its events are theirs. */
  readonly #root: Client | undefined;

  /** Made by connect() and with(). */
  constructor(bound: Bound, root?: Client) {
    super();
    this.#bound = bound;
    this.#root = root;
  }

  // The connection.

  get state(): ConnectionState {
    return this.#bound.connection.state;
  }

  /** Where the hive is: what was dialed, without its token. */
  get address(): string {
    return this.#bound.connection.address;
  }

  /** The version of the hive's package, and the id of its run: another one each time it starts. */
  get hiveVersion(): string {
    return this.#bound.connection.welcome?.hive ?? "";
  }

  get runId(): string {
    return this.#bound.connection.welcome?.runId ?? "";
  }

  /** This connection's number in CLIENT LIST; another one after each reconnect. */
  get connectionId(): number {
    return this.#bound.connection.welcome?.connectionId ?? 0;
  }

  /**
   * Whether get() and has() read the memory of a hive of this host instead of asking it, and why not. peek() reads
   * there or throws.
   */
  get shared(): SharedState {
    return this.#bound.shared.state;
  }

  /** What get() keeps of keys in this process, and how often that was enough; undefined without the option near. */
  get near(): NearState | undefined {
    return this.#bound.keys?.state;
  }

  /**
   * What devices have put and the hive has not: how much, and what became of the rest.
   * @throws {HiveError} REFUSED_SETTING: the client was made without the option spool
   */
  get spool(): ClientSpool {
    if (this.#bound.spool !== undefined) return this.#bound.spool;
    throw new HiveError("REFUSED_SETTING", "this client has no spool: connect(url, { spool: { bytesMax } }) makes one");
  }

  /** Calls that have no answer yet, and their bytes: what options.queue limits. */
  get open(): { calls: number; bytes: number } {
    return this.#bound.connection.open;
  }

  /**
   * "state" tells of each change: connecting, ready, reconnecting, closed. What a listener throws is an
   * uncaught exception, as with every EventTarget; the client itself throws none.
   */
  override addEventListener(type: "state", listener: StateListener | null, options?: ListenerOptions): void {
    if (this.#root !== undefined) this.#root.addEventListener(type, listener, options);
    else super.addEventListener(type, listener as (event: Event) => void, options);
  }

  override removeEventListener(type: "state", listener: StateListener | null, options?: ListenerOptions): void {
    if (this.#root !== undefined) this.#root.removeEventListener(type, listener, options);
    else super.removeEventListener(type, listener as (event: Event) => void, options);
  }

  /** The same hive over the same connection, each call with this deadline and this signal. */
  with(options: CallOptions): Client {
    return new Client(this.#bound.with(options), this.#root ?? this);
  }

  /**
   * Ends the connection. Calls that are open have `graceMs` (default 5,000) to be answered; then they
   * reject with HIVE_CLOSED, as all later ones do. What is in a spool is sent meanwhile, as far as it goes; the rest
   * stays in its folder, where it has one. Closing twice is fine.
   */
  async close({ graceMs = CLOSE_GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    const { connection, spool } = this.#bound;
    await spool?.close(graceMs);
    return connection.close(graceMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Keys.

  /** The value of a key; undefined where there is none. @throws {HiveError} WRONG_TYPE, NOT_TEXT */
  get(key: KeyName, options: ReadOptions & { as: "bytes" }): Promise<Uint8Array | undefined>;
  get<Value = unknown>(key: KeyName, options?: ReadOptions): Promise<Value | undefined>;
  get(key: KeyName, options?: ReadOptions): Promise<unknown> {
    const { keys } = this.#bound;
    const id = this.#bound.nearId(keys, key, options);
    if (id !== undefined) return this.#bound.near(keys!, id, spec.GET_SEEN, [key], options);
    if (this.#bound.sharing(options)) {
      const value = this.#bound.shared.key(key, options?.as ?? "values");
      if (value !== ASK) return Promise.resolve(value);
    }
    return this.#bound.read(spec.GET, [key], options);
  }

  /**
   * The value of a key, read from the hive's memory now, without asking it; undefined where there is none.
   * @throws {HiveError} NOT_SHARED: it cannot be read here (client.shared says why), or not at this moment, or is
   *   larger than 1 MiB: get() asks the hive. WRONG_TYPE, NOT_TEXT.
   */
  peek(key: KeyName, options: { as: "bytes" }): Uint8Array | undefined;
  peek<Value = unknown>(key: KeyName, options?: Pick<ReadOptions, "as">): Value | undefined;
  peek(key: KeyName, options?: Pick<ReadOptions, "as">): unknown {
    return this.#bound.shared.peek(key, options?.as ?? "values");
  }

  /**
   * Sets the value of a key, whatever it held. Resolves with true; with false where `onlyIf` did not hold.
   * @throws {HiveError} BAD_VALUE, VALUE_TOO_BIG, KEY_TOO_BIG, OUT_OF_MEMORY
   */
  put(key: KeyName, value: unknown, options?: PutOptions): Promise<boolean> {
    if (options === undefined) return this.#bound.call(spec.SET, [key, value], undefined);
    return this.#bound.call(spec.SET, [key, value, ...putWords(options)], options);
  }

  /** Deletes a key, whatever it holds. Resolves with whether there was one. */
  delete(key: KeyName, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.DEL, [key], options);
  }

  /**
   * Adds to a number, which is 0 where there is no such key. Resolves with the sum; a bigint above 2^53.
   * @throws {HiveError} NOT_INTEGER, NOT_FLOAT: the value is no number; OVERFLOW beyond 64 bits.
   */
  incr(key: KeyName, by: number | bigint = 1, options?: CallOptions): Promise<number | bigint> {
    if (typeof by === "number" && !Number.isInteger(by)) return this.#bound.call(spec.INCRBYFLOAT, [key, by], options);
    return this.#bound.call(spec.INCRBY, [key, by], options).catch((error) => {
      // The sum so far has a fraction.
      if (error.code !== "NOT_INTEGER") throw error;
      return this.#bound.call(spec.INCRBYFLOAT, [key, by], options);
    });
  }

  exists(key: KeyName, options?: CallOptions): Promise<boolean> {
    const id = this.#bound.nearId(this.#bound.keys, key, options);
    const kept = id === undefined ? UNKNOWN : this.#bound.keys!.has(id);
    if (kept !== UNKNOWN) return Promise.resolve(kept);
    if (this.#bound.sharing(options)) {
      const exists = this.#bound.shared.hasKey(key);
      if (exists !== ASK) return Promise.resolve(exists);
    }
    return this.#bound.call(spec.EXISTS, [key], options);
  }

  /** "string", "table", "set", "list", "zset"; undefined where there is no such key. */
  type(key: KeyName, options?: CallOptions): Promise<string | undefined> {
    return this.#bound.call(spec.TYPE, [key], options);
  }

  /** Lets a key run out after `ttlMs` milliseconds; 0 deletes it. Resolves with whether there was one. */
  expire(key: KeyName, ttlMs: number, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.PEXPIRE, [key, milliseconds(ttlMs)], options);
  }

  /** Milliseconds until a key runs out; Infinity without a TTL; undefined where there is no such key. */
  ttl(key: KeyName, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(spec.PTTL, [key], options);
  }

  /** Takes a key's TTL away. Resolves with whether it had one. */
  persist(key: KeyName, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.PERSIST, [key], options);
  }

  /**
   * Gives a key another name; what had that name is gone, unless `onlyIfAbsent`. Resolves with whether it was done.
   * @throws {HiveError} NO_KEY: there is no key `from`.
   */
  rename(from: KeyName, to: KeyName, options?: CallOptions & { onlyIfAbsent?: boolean }): Promise<boolean> {
    if (options?.onlyIfAbsent) return this.#bound.call(spec.RENAMENX, [from, to], options);
    return this.#bound.call(spec.RENAME, [from, to], options).then(() => true);
  }

  /** The names of keys, page by page: those there from start to end at least once. May be left early. */
  scan(options: ScanOptions & { as: "bytes" }): AsyncGenerator<Uint8Array, void, undefined>;
  scan(options?: ScanOptions): AsyncGenerator<string, void, undefined>;
  async *scan(options?: ScanOptions): AsyncGenerator<unknown, void, undefined> {
    const { match, type, count = PAGE_COUNT } = options ?? {};
    const words: (string | number)[] = ["COUNT", count];
    if (match !== undefined) words.push("MATCH", match);
    if (type !== undefined) words.push("TYPE", type === "table" ? "hash" : type);
    for await (const page of scanPages((cursor) => this.#bound.read(spec.SCAN, [cursor, ...words], options)))
      yield* page;
  }

  // Structures.

  /** A map of the hive by its name. With a schema, what is set is checked, and its types are the schema's. */
  table<Schema extends StandardSchema, K extends Key = string>(
    name: string,
    options: TableOptions<Schema> & { schema: Schema },
  ): Table<OutputOf<Schema>, K, InputOf<Schema>>;
  table<Value = unknown, K extends Key = string>(name: string, options?: TableOptions<undefined>): Table<Value, K>;
  table(name: string, options?: TableOptions): Table<unknown, Key> {
    return new Table(this.#bound, name, options ?? {});
  }

  /** A set of the hive by its name. */
  setOf<Member extends Key = string>(name: string): SetOf<Member> {
    return new SetOf(this.#bound, name);
  }

  /** A list of the hive by its name. */
  list<Value = unknown>(name: string): List<Value> {
    return new List(this.#bound, name);
  }

  /** A sorted set of the hive by its name. */
  sorted<Member extends Key = string>(name: string): Sorted<Member> {
    return new Sorted(this.#bound, name);
  }

  /** The memory of a device. @throws {HiveError} REFUSED_SETTING: options.types cannot be carried */
  device(id: string, options?: DeviceOptions): Device {
    return new Device(this.#bound, id, options);
  }

  /**
   * A session of a device: begun, or with `resume` gone on with.
   * @throws {HiveError} SESSION_GONE: the one to be resumed has ended; INVALID_ARGUMENT, QUOTA, NO_PERMISSION
   */
  session(device: string, options: SessionOptions = {}): Promise<DeviceSession> {
    const session = new DeviceSession(this.#bound, device, options);
    return options.resume === undefined ? session.begin() : session.resume(options.resume);
  }

  /**
   * The commands of a structure that the hive has, typed by its class: structure<typeof Fifo>("Fifo"). Its code is
   * not needed here.
   */
  structure<Class>(_name: string): StructureCalls<Class> {
    return structureCalls<Class>(this.#bound);
  }

  /** Gathers calls that run as one. */
  multi(): Multi {
    return new Multi(this.#bound);
  }

  // Messages.

  /** Sends a message to a channel. Resolves with how many listened. @throws {HiveError} BAD_VALUE */
  publish(channel: KeyName, value: unknown, options?: CallOptions): Promise<number> {
    return this.#bound.call(spec.PUBLISH, [channel, value], options);
  }

  /**
   * The messages of one channel or several, for as long as they are read: leave the loop, or end the signal. After
   * a lost connection it goes on by itself, and says that there may be a gap.
   */
  subscribe<Value = unknown>(
    channels: string | readonly string[],
    options: SubscribeOptions = {},
  ): Subscription<Value> {
    const names = typeof channels === "string" ? [channels] : channels;
    if (names.length === 0) throw new HiveError("INVALID_ARGUMENT", "subscribe() takes at least one channel");
    return new Subscription(this.#bound.connection, names, options);
  }

  /**
   * What happens to the keys that a glob matches, or one of several, in order, each change once, for as long as it is
   * read. Over lost connections it goes on by itself; what is missing all the same is told (kind "gap").
   */
  watch(patterns: string | readonly string[], options: WatchOptions = {}): Watch {
    const globs = typeof patterns === "string" ? [patterns] : patterns;
    if (globs.length === 0) throw new HiveError("INVALID_ARGUMENT", "watch() takes at least one pattern");
    return new Watch(this.#bound.connection, globs, options);
  }

  // Any command.

  /**
   * Any command of the hive, as an array: its name ("HSET", or two words as "OBJECT ENCODING"), then its
   * arguments. Strings are text, a Uint8Array is bytes, everything else is a value: 1 is the number, which
   * as a field is another one than "1". Resolves with what it answers: undefined for nothing, arrays, Maps
   * and Sets of values.
   */
  send(command: readonly unknown[], options?: ReadOptions): Promise<unknown> {
    const [name, ...args] = command;
    if (typeof name !== "string" || name === "") {
      return Promise.reject(
        new HiveError("INVALID_ARGUMENT", "the first element is the command's name", { sent: false }),
      );
    }
    const upper = name.toUpperCase();
    return this.#bound.read(spec.anyCommand(upper, REPEATABLE.has(upper)), args, options);
  }

  /** Any command by its name; see send(). */
  get call(): CallByName {
    return new Proxy({} as CallByName, {
      get: (_, name) => {
        // A promise asks everything that it is resolved with for `then`.
        if (typeof name !== "string" || name === "then") return undefined;
        return (...args: unknown[]) => this.send([name, ...args]);
      },
    });
  }

  /** What the hive keeps of itself on its disk: store, restore, list. */
  get snapshot(): SnapshotCalls {
    return new SnapshotCalls(this.#bound);
  }

  /** What the hive says of itself, by section: memory, clients, statistics … */
  info(section?: string, options?: CallOptions): Promise<Info> {
    const words = section === undefined ? [] : [section];
    return this.#bound.call(spec.INFO, words, options).then(parseInfo);
  }

  /** Resolves with "PONG", or with `message`. */
  ping(message?: string, options?: CallOptions): Promise<string> {
    return this.#bound.call(spec.PING, message === undefined ? [] : [message], options);
  }
}
