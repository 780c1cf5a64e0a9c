// Table: a map of the hive, from one client.
//
//   hive.table<User>("users") ──▶ set("ada", { born: 1815 }) ──▶ HSET users ada …     what Redis calls a hash
//
// Hot path: get() and set() hand the connection's own promise on, so that a read costs no more than a call.

import { HiveError } from "../base/errors.ts";
import { TYPE_TABLE } from "../store/layout.ts";
import type { Bound, ReadOptions } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import type { NearOptions, NearState } from "./near-options.ts";
import { type NearReads, UNKNOWN } from "./near-reads.ts";
import { requireNear } from "./options.ts";
import { PAGE_COUNT, scanPages } from "./scanning.ts";
import { checked, type StandardSchema } from "./schema.ts";
import type { Key } from "./set-of.ts";
import { ASK } from "./shared-reads.ts";
import * as spec from "./specs.ts";

export type SetOptions = CallOptions & {
  /** The field runs out after so many milliseconds. Without it, a TTL that it had is gone. */
  ttlMs?: number | undefined;
};

export type UpdateOptions = CallOptions & {
  /** Attempts after the first before CONFLICT. Default 64. */
  retriesMax?: number;
};

export type TableOptions<Schema extends StandardSchema | undefined = StandardSchema | undefined> = {
  /** What values have to be. Each is checked before it is sent, and stored as the schema gives it. */
  schema?: Schema;
  /**
   * Values that get() has read are kept in this process until the hive says that they changed; of one name all tables
   * of a client share what is kept, and the first one's limits count. See table.near.
   */
  near?: NearOptions | undefined;
};

const RETRIES_MAX = 64;
/** The longest first pause between two attempts; each further one may be twice as long. */
const PAUSE_MS_MIN = 0.5;
const PAUSE_MS_MAX = 50;

/**
 * Fields with values, shared by everybody who names the same table. It exists while it has a field.
 *
 * Keys are text, bytes, booleans, numbers, bigints or Dates. Values are all that structuredClone copies:
 * plain objects, arrays, Map, Set, Date, RegExp, Error, typed arrays, bigint, undefined, cycles.
 *
 * All methods but clear() reject with WRONG_TYPE where the key holds something else, BAD_VALUE for what cannot be
 * encoded, KEY_TOO_BIG, VALUE_TOO_BIG, OUT_OF_MEMORY, and what every call may (Client).
 */
export class Table<Value, K extends Key = string, Input = Value> {
  readonly name: string;
  readonly #bound: Bound;
  readonly #schema: StandardSchema | undefined;
  readonly #near: NearReads | undefined;

  /** Made by client.table(). @throws {HiveError} REFUSED_SETTING */
  constructor(bound: Bound, name: string, { schema, near }: TableOptions) {
    requireNear(near);
    this.#bound = bound;
    this.name = name;
    this.#schema = schema;
    this.#near = near === undefined ? undefined : bound.nears.of(bound.connection, ["KEY", name], near);
  }

  /** What is kept in this process, and how often that was enough; undefined without the option. */
  get near(): NearState | undefined {
    return this.#near?.state;
  }

  /**
   * The value of a field; undefined where there is none, or where undefined is what is stored: has() tells.
   * What RESP stored is text; where it is not UTF-8, this rejects with NOT_TEXT and getBytes() reads it.
   */
  get(key: K, options?: CallOptions): Promise<Value | undefined> {
    const id = this.#bound.nearId(this.#near, key, options);
    if (id !== undefined) {
      return this.#bound.near(this.#near!, id, spec.HGET_SEEN, [this.name, key], options) as Promise<Value | undefined>;
    }
    if (this.#bound.sharing(options)) {
      const value = this.#bound.shared.field(this.name, TYPE_TABLE, key, "values");
      if (value !== ASK) return Promise.resolve(value as Value | undefined);
    }
    return this.#bound.call(spec.HGET, [this.name, key], options) as Promise<Value | undefined>;
  }

  /**
   * The value of a field, read from the hive's memory now, without asking it; undefined where there is none.
   * @throws {HiveError} NOT_SHARED: it cannot be read here (client.shared says why), or not at this moment, or is
   *   larger than 1 MiB: get() asks the hive. WRONG_TYPE, NOT_TEXT.
   */
  peek(key: K): Value | undefined {
    return this.#bound.shared.peekField(this.name, TYPE_TABLE, key) as Value | undefined;
  }

  /** Whether there is such a field, as peek() reads it. @throws {HiveError} NOT_SHARED, WRONG_TYPE */
  peekHas(key: K): boolean {
    return this.#bound.shared.peekHas(this.name, TYPE_TABLE, key);
  }

  /** The stored bytes: text as UTF-8, bytes as they are, other values in their encoding (docs/protocol.md). */
  getBytes(key: K, options?: CallOptions): Promise<Uint8Array | undefined> {
    const bytes: ReadOptions = { ...options, as: "bytes" };
    return this.#bound.read(spec.HGET, [this.name, key], bytes) as Promise<Uint8Array | undefined>;
  }

  /** The values of fields, in the order of the keys; undefined where there is none. One call. */
  getMany(keys: Iterable<K>, options?: CallOptions): Promise<(Value | undefined)[]> {
    const all = [...keys];
    if (all.length === 0) return Promise.resolve([]);
    return this.#bound.call(spec.HMGET, [this.name, ...all], options) as Promise<(Value | undefined)[]>;
  }

  /** Sets a field. @throws {HiveError} SCHEMA_MISMATCH too. */
  set(key: K, value: Input, options?: SetOptions): Promise<void> {
    if (this.#schema !== undefined) return this.#setChecked(key, value, options);
    return this.#set([key, value], options);
  }

  async #setChecked(key: K, value: unknown, options: SetOptions | undefined): Promise<void> {
    return this.#set([key, await checked(this.#schema!, value)], options);
  }

  #set(pairs: readonly unknown[], options: SetOptions | undefined): Promise<void> {
    const ttlMs = options?.ttlMs;
    if (ttlMs === undefined) return this.#bound.call(spec.HSET, [this.name, ...pairs], options);
    const args = [this.name, "PX", milliseconds(ttlMs), "FIELDS", pairs.length / 2, ...pairs];
    return this.#bound.call(spec.HSETEX_TTL, args, options) as Promise<unknown> as Promise<void>;
  }

  /** Sets several fields at once: all of them, or none. Entries, a Map, or an object. */
  async setMany(
    entries: Iterable<readonly [K, Input]> | Readonly<Record<K & string, Input>>,
    options?: SetOptions,
  ): Promise<void> {
    const pairs: unknown[] = [];
    const given = Symbol.iterator in entries ? entries : Object.entries<Input>(entries);
    for (const [key, value] of given as Iterable<readonly [K, Input]>) {
      pairs.push(key, this.#schema === undefined ? value : await checked(this.#schema, value));
    }
    if (pairs.length > 0) await this.#set(pairs, options);
  }

  /** Sets a field that is not there. Resolves with whether it was not. */
  async setIfAbsent(key: K, value: Input, options?: SetOptions): Promise<boolean> {
    const stored = this.#schema === undefined ? value : await checked(this.#schema, value);
    return this.#setAbsent(key, stored, options);
  }

  #setAbsent(key: K, value: unknown, options: SetOptions | undefined): Promise<boolean> {
    const ttlMs = options?.ttlMs;
    if (ttlMs === undefined) return this.#bound.call(spec.HSETNX, [this.name, key, value], options);
    const args = [this.name, "FNX", "PX", milliseconds(ttlMs), "FIELDS", 1, key, value];
    return this.#bound.call(spec.HSETEX_ABSENT_TTL, args, options);
  }

  /**
   * Changes a field by a function of its value, and nobody's change gets lost: the new value is written
   * only where the old one is still there, else the function is asked again. A TTL is kept.
   *
   * @param change Gets undefined where there is no such field; gives undefined to delete it. It may run
   *   several times, and may be async.
   * @returns The value that is stored now; undefined where the field is gone.
   * @throws {HiveError} CONFLICT after retriesMax further attempts; SCHEMA_MISMATCH. What `change` throws
   *   comes out as it is, and nothing was written.
   */
  async update(
    key: K,
    change: (current: Value | undefined) => Input | undefined | Promise<Input | undefined>,
    options?: UpdateOptions,
  ): Promise<Value | undefined> {
    const retriesMax = options?.retriesMax ?? RETRIES_MAX;
    for (let attempt = 0; attempt <= retriesMax; attempt++) {
      if (attempt > 0) await pause(attempt);
      const seen = await this.#bound.call(spec.HGET_SEEN, [this.name, key], options);
      const changed = await change(seen?.value as Value | undefined);
      const next = changed === undefined || !this.#schema ? changed : await checked(this.#schema, changed);
      if (await this.#exchange(key, seen, next, options)) return next as Value | undefined;
    }
    throw new HiveError("CONFLICT", `others changed ${this.name} meanwhile, ${retriesMax + 1} times in a row`, {
      call: { name: "update", key: this.name },
    });
  }

  /** Writes `next` where the field is still as it was seen. Resolves with whether it was. */
  #exchange(key: K, seen: spec.Seen, next: unknown, options: CallOptions | undefined): Promise<boolean> {
    if (seen === undefined) {
      return next === undefined ? Promise.resolve(true) : this.#setAbsent(key, next, options);
    }
    if (next === undefined) return this.#bound.call(spec.HCAD, [this.name, key, seen.stored], options);
    return this.#bound.call(spec.HCAS, [this.name, key, seen.stored, next, "KEEPTTL"], options);
  }

  /**
   * Adds to a number, which is 0 where there is no such field. Resolves with the sum; a bigint above 2^53.
   * @throws {HiveError} NOT_INTEGER, NOT_FLOAT: the value is no number; OVERFLOW beyond 64 bits.
   */
  increment(key: K, by: number | bigint = 1, options?: CallOptions): Promise<number | bigint> {
    const args = [this.name, key, by];
    if (typeof by === "number" && !Number.isInteger(by)) return this.#bound.call(spec.HINCRBYFLOAT, args, options);
    return this.#bound.call(spec.HINCRBY, args, options).catch((error) => {
      // The sum so far has a fraction.
      if (error.code !== "NOT_INTEGER") throw error;
      return this.#bound.call(spec.HINCRBYFLOAT, args, options);
    });
  }

  /** Deletes a field. Resolves with whether there was one. */
  delete(key: K, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.HDEL, [this.name, key], options);
  }

  has(key: K, options?: CallOptions): Promise<boolean> {
    const id = this.#bound.nearId(this.#near, key, options);
    const kept = id === undefined ? UNKNOWN : this.#near!.has(id);
    if (kept !== UNKNOWN) return Promise.resolve(kept);
    if (this.#bound.sharing(options)) {
      const has = this.#bound.shared.has(this.name, TYPE_TABLE, key);
      if (has !== ASK) return Promise.resolve(has);
    }
    return this.#bound.call(spec.HEXISTS, [this.name, key], options);
  }

  /** How many fields there are. */
  size(options?: CallOptions): Promise<number> {
    return this.#bound.call(spec.HLEN, [this.name], options);
  }

  /** Deletes the table, or whatever the key holds. Resolves with whether there was such a key. */
  clear(options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.DEL, [this.name], options);
  }

  /** Lets a field run out after `ttlMs` milliseconds; 0 deletes it. Resolves with whether there was one. */
  expire(key: K, ttlMs: number, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.HPEXPIRE, [this.name, milliseconds(ttlMs), "FIELDS", 1, key], options);
  }

  /** Milliseconds until a field runs out; Infinity without a TTL; undefined where there is no such field. */
  ttl(key: K, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(spec.HPTTL, [this.name, "FIELDS", 1, key], options);
  }

  /** Takes a field's TTL away. Resolves with whether it had one. */
  persist(key: K, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(spec.HPERSIST, [this.name, "FIELDS", 1, key], options);
  }

  /**
   * The keys, page by page: those there from start to end at least once. May be left early. With
   * `as: "auto"` what RESP stored and is no text comes as bytes, instead of NOT_TEXT.
   */
  async *keys(options?: ReadOptions): AsyncGenerator<K, void, undefined> {
    for await (const page of this.#pages(["NOVALUES"], options)) yield* page as K[];
  }

  async *values(options?: ReadOptions): AsyncGenerator<Value, void, undefined> {
    for await (const [, value] of this.entries(options)) yield value;
  }

  /** Keys with their values, as keys() gives them. */
  async *entries(options?: ReadOptions): AsyncGenerator<[K, Value], void, undefined> {
    for await (const page of this.#pages([], options)) {
      for (let i = 0; i < page.length; i += 2) yield [page[i] as K, page[i + 1] as Value];
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<[K, Value], void, undefined> {
    return this.entries();
  }

  #pages(words: readonly string[], options: ReadOptions | undefined): AsyncGenerator<unknown[], void, undefined> {
    return scanPages((cursor) =>
      this.#bound.read(spec.HSCAN, [this.name, cursor, "COUNT", PAGE_COUNT, ...words], options),
    );
  }
}

/** Whole milliseconds of a TTL. What is no number goes as it is: the hive says what is wrong with it. */
export function milliseconds(ttlMs: number): number {
  return Math.ceil(ttlMs);
}

/** A pause drawn between 0 and a bound that doubles: those who met once should not meet again. */
function pause(attempt: number): Promise<void> {
  const mostMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(attempt, 10));
  return new Promise((resolve) => setTimeout(resolve, Math.random() * mostMs));
}
