// Multi: several calls that run as one, with nothing of anybody else's in between.
//
//   hive.multi().incr("from", -30).table("users").set("ada", …).exec() ──▶ one frame ──▶ [70, undefined]
//
// Calls are gathered here and checked by the hive before any of them runs. One that fails while they run
// has its HiveError in its place; the others have run, as in Redis.

import type { Bound } from "./bound.ts";
import type { CallOptions, CallSpec } from "./call.ts";
import type { QueuedCall } from "./outbox.ts";
import { type PutOptions, putWords } from "./put.ts";
import type { Key } from "./set-of.ts";
import { type Scored, scoreWord } from "./sorted.ts";
import * as spec from "./specs.ts";
import { milliseconds, type SetOptions } from "./table.ts";

/** Each method adds a call and gives the same Multi back, with one more answer in its type. */
export class Multi<Answers extends unknown[] = []> {
  readonly #bound: Bound;
  readonly #queue: QueuedCall[] = [];

  /** Made by client.multi(). */
  constructor(bound: Bound) {
    this.#bound = bound;
  }

  /** How many calls there are. */
  get length(): number {
    return this.#queue.length;
  }

  add<Answer>(row: CallSpec<Answer>, args: readonly unknown[]): Multi<[...Answers, Answer]> {
    this.#queue.push({ spec: row, args });
    return this as unknown as Multi<[...Answers, Answer]>;
  }

  get<Value = unknown>(key: string | Uint8Array): Multi<[...Answers, Value | undefined]> {
    return this.add(spec.GET as CallSpec<Value | undefined>, [key]);
  }

  put(key: string | Uint8Array, value: unknown, options?: PutOptions): Multi<[...Answers, boolean]> {
    return this.add(spec.SET, [key, value, ...putWords(options)]);
  }

  delete(key: string | Uint8Array): Multi<[...Answers, boolean]> {
    return this.add(spec.DEL, [key]);
  }

  incr(key: string | Uint8Array, by: number | bigint = 1): Multi<[...Answers, number | bigint]> {
    return this.add(isWhole(by) ? spec.INCRBY : spec.INCRBYFLOAT, [key, by]);
  }

  exists(key: string | Uint8Array): Multi<[...Answers, boolean]> {
    return this.add(spec.EXISTS, [key]);
  }

  expire(key: string | Uint8Array, ttlMs: number): Multi<[...Answers, boolean]> {
    return this.add(spec.PEXPIRE, [key, milliseconds(ttlMs)]);
  }

  persist(key: string | Uint8Array): Multi<[...Answers, boolean]> {
    return this.add(spec.PERSIST, [key]);
  }

  rename(from: string | Uint8Array, to: string | Uint8Array): Multi<[...Answers, void]> {
    return this.add(spec.RENAME, [from, to]);
  }

  /** Any command; see Client.send(). */
  send(command: readonly [name: string, ...args: unknown[]]): Multi<[...Answers, unknown]> {
    const [name, ...args] = command;
    return this.add(spec.anyCommand(name, false), args);
  }

  /** Calls of a table. Each gives this Multi back. */
  table<Value = unknown, K extends Key = string>(name: string): MultiTable<Value, K, Answers> {
    return new MultiTable(this, name);
  }

  /** Calls of a set. Each gives this Multi back. */
  setOf<Member extends Key = string>(name: string): MultiSet<Member, Answers> {
    return new MultiSet(this, name);
  }

  /** Calls of a list. Each gives this Multi back. */
  list<Value = unknown>(name: string): MultiList<Value, Answers> {
    return new MultiList(this, name);
  }

  /** Calls of a sorted set. Each gives this Multi back. */
  sorted<Member extends Key = string>(name: string): MultiSorted<Member, Answers> {
    return new MultiSorted(this, name);
  }

  /**
   * Sends the calls. Resolves with their answers, in order; that of a call which failed is its HiveError.
   * @throws {HiveError} EXEC_ABORT: a call was refused, and none ran; TRANSACTION_TOO_BIG; what every call may.
   */
  exec(options?: CallOptions): Promise<Answers> {
    const queue = [...this.#queue];
    if (queue.length === 0) return Promise.resolve([] as unknown[] as Answers);
    const row = spec.answersOf(queue.map((call) => call.spec));
    return this.#bound.connection.transact(row, queue, this.#bound.options(options)) as Promise<Answers>;
  }
}

export class MultiTable<Value, K extends Key, Answers extends unknown[]> {
  readonly #multi: Multi<Answers>;
  readonly #name: string;

  constructor(multi: Multi<Answers>, name: string) {
    this.#multi = multi;
    this.#name = name;
  }

  get(key: K): Multi<[...Answers, Value | undefined]> {
    return this.#multi.add(spec.HGET as CallSpec<Value | undefined>, [this.#name, key]);
  }

  /** Values are not checked against a schema here. */
  set(key: K, value: Value, options?: Pick<SetOptions, "ttlMs">): Multi<[...Answers, void]> {
    const ttlMs = options?.ttlMs;
    if (ttlMs === undefined) return this.#multi.add(spec.HSET, [this.#name, key, value]);
    const args = [this.#name, "PX", milliseconds(ttlMs), "FIELDS", 1, key, value];
    return this.#multi.add(spec.HSETEX_TTL as CallSpec<unknown> as CallSpec<void>, args);
  }

  setIfAbsent(key: K, value: Value): Multi<[...Answers, boolean]> {
    return this.#multi.add(spec.HSETNX, [this.#name, key, value]);
  }

  delete(key: K): Multi<[...Answers, boolean]> {
    return this.#multi.add(spec.HDEL, [this.#name, key]);
  }

  has(key: K): Multi<[...Answers, boolean]> {
    return this.#multi.add(spec.HEXISTS, [this.#name, key]);
  }

  increment(key: K, by: number | bigint = 1): Multi<[...Answers, number | bigint]> {
    return this.#multi.add(isWhole(by) ? spec.HINCRBY : spec.HINCRBYFLOAT, [this.#name, key, by]);
  }

  size(): Multi<[...Answers, number]> {
    return this.#multi.add(spec.HLEN, [this.#name]);
  }
}

export class MultiSet<Member extends Key, Answers extends unknown[]> {
  readonly #multi: Multi<Answers>;
  readonly #name: string;

  constructor(multi: Multi<Answers>, name: string) {
    this.#multi = multi;
    this.#name = name;
  }

  push(...members: Member[]): Multi<[...Answers, number]> {
    return this.#multi.add(spec.SADD, [this.#name, ...members]);
  }

  pull(...members: Member[]): Multi<[...Answers, number]> {
    return this.#multi.add(spec.SREM, [this.#name, ...members]);
  }

  has(member: Member): Multi<[...Answers, boolean]> {
    return this.#multi.add(spec.SISMEMBER, [this.#name, member]);
  }
}

/** Nothing of it waits: a pop answers undefined where there is nothing. */
export class MultiList<Value, Answers extends unknown[]> {
  readonly #multi: Multi<Answers>;
  readonly #name: string;

  constructor(multi: Multi<Answers>, name: string) {
    this.#multi = multi;
    this.#name = name;
  }

  push(...values: [Value, ...Value[]]): Multi<[...Answers, number]> {
    return this.#multi.add(spec.RPUSH, [this.#name, ...values]);
  }

  /** They stand in front in this order. */
  unshift(...values: [Value, ...Value[]]): Multi<[...Answers, number]> {
    return this.#multi.add(spec.LPUSH, [this.#name, ...values.reverse()]);
  }

  pop(): Multi<[...Answers, Value | undefined]> {
    return this.#multi.add(spec.RPOP as CallSpec<Value | undefined>, [this.#name]);
  }

  shift(): Multi<[...Answers, Value | undefined]> {
    return this.#multi.add(spec.LPOP as CallSpec<Value | undefined>, [this.#name]);
  }

  at(index: number): Multi<[...Answers, Value | undefined]> {
    return this.#multi.add(spec.LINDEX as CallSpec<Value | undefined>, [this.#name, index]);
  }

  set(index: number, value: Value): Multi<[...Answers, void]> {
    return this.#multi.add(spec.LSET, [this.#name, index, value]);
  }

  /** Takes elements out that equal a value: all, or the first `count`, or the last where it is negative. */
  remove(value: Value, count: number = 0): Multi<[...Answers, number]> {
    return this.#multi.add(spec.LREM, [this.#name, count, value]);
  }

  size(): Multi<[...Answers, number]> {
    return this.#multi.add(spec.LLEN, [this.#name]);
  }
}

export class MultiSorted<Member extends Key, Answers extends unknown[]> {
  readonly #multi: Multi<Answers>;
  readonly #name: string;

  constructor(multi: Multi<Answers>, name: string) {
    this.#multi = multi;
    this.#name = name;
  }

  /** Gives a member a score. Answers with how many members are new: 1 or 0. */
  add(member: Member, score: number): Multi<[...Answers, number]> {
    return this.#multi.add(spec.ZADD, [this.#name, scoreWord(score), member]);
  }

  incr(member: Member, by: number = 1): Multi<[...Answers, number]> {
    return this.#multi.add(spec.ZINCRBY, [this.#name, scoreWord(by), member]);
  }

  delete(...members: [Member, ...Member[]]): Multi<[...Answers, number]> {
    return this.#multi.add(spec.ZREM, [this.#name, ...members]);
  }

  score(member: Member): Multi<[...Answers, number | undefined]> {
    return this.#multi.add(spec.ZSCORE, [this.#name, member]);
  }

  rank(member: Member): Multi<[...Answers, number | undefined]> {
    return this.#multi.add(spec.ZRANK, [this.#name, member]);
  }

  popMin(): Multi<[...Answers, Scored<Member> | undefined]> {
    return this.#multi.add(spec.ZPOPMIN as CallSpec<unknown> as CallSpec<Scored<Member> | undefined>, [this.#name]);
  }

  popMax(): Multi<[...Answers, Scored<Member> | undefined]> {
    return this.#multi.add(spec.ZPOPMAX as CallSpec<unknown> as CallSpec<Scored<Member> | undefined>, [this.#name]);
  }

  size(): Multi<[...Answers, number]> {
    return this.#multi.add(spec.ZCARD, [this.#name]);
  }
}

function isWhole(by: number | bigint): boolean {
  return typeof by === "bigint" || Number.isInteger(by);
}
