// Sorted: a sorted set of the hive, from one client.
//
//   board.add("ada", 12) ──▶ … ──▶ board.slice(-3) ──▶ the three with the highest scores      a ranking
//   jobs.popMin({ waitMs }) ──▶ the next that is due                                          a queue by priority
//
// Ranks count from 0 at the lowest score, and from the end where they are negative, as indexes of arrays do. Of
// members with the same score the lower bytes come first.

import type { Bound, ReadOptions } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import { seconds, type WaitOptions, waiting } from "./list.ts";
import { PAGE_COUNT, scanPages } from "./scanning.ts";
import type { Key } from "./set-of.ts";
import {
  BZPOPMAX,
  BZPOPMIN,
  DEL,
  ZADD,
  ZADD_CH,
  ZADD_IF,
  ZCARD,
  ZCOUNT,
  ZINCRBY,
  ZMSCORE,
  ZPOPMAX,
  ZPOPMIN,
  ZRANGE,
  ZRANK,
  ZREM,
  ZREMRANGEBYRANK,
  ZREMRANGEBYSCORE,
  ZREVRANK,
  ZSCAN,
  ZSCORE,
} from "./specs.ts";

/** A member and its score. */
export type Scored<Member> = [member: Member, score: number];

export type RankOptions = CallOptions & {
  /** Counts from the highest score. */
  reverse?: boolean | undefined;
};

export type RangeOptions = ReadOptions & {
  /** From the highest score to the lowest. */
  reverse?: boolean | undefined;
};

/** Scores from `min` to `max`, both included; without one of them as far as there are scores. */
export type ScoreRange = { min?: number | undefined; max?: number | undefined };

export type ByScoreOptions = RangeOptions & {
  /** Members to pass over first, and how many to give then. */
  offset?: number | undefined;
  limit?: number | undefined;
};

export type AddOptions = CallOptions & {
  /** Only a member that is not there, or one that is. */
  when?: "absent" | "present" | undefined;
};

/**
 * Members with scores, each once, in the order of their scores. It exists while it has a member.
 *
 * All of its methods but clear() reject with WRONG_TYPE where the key holds something else, BAD_VALUE for a member
 * that is none of Key, NOT_FLOAT for a score that is not-a-number, KEY_TOO_BIG, OUT_OF_MEMORY, and what every call
 * may (Client). Scores are any other number, infinite ones too.
 */
export class Sorted<Member extends Key = string> {
  readonly name: string;
  readonly #bound: Bound;

  /** Made by client.sorted(). */
  constructor(bound: Bound, name: string) {
    this.#bound = bound;
    this.name = name;
  }

  /** Gives a member a score. Resolves with whether it was not there before. */
  async add(member: Member, score: number, options?: AddOptions): Promise<boolean> {
    if (options?.when === undefined)
      return (await this.#bound.call(ZADD, [this.name, scoreWord(score), member], options)) > 0;
    const condition = options.when === "absent" ? "NX" : "XX";
    return (await this.#bound.call(ZADD_IF, [this.name, condition, scoreWord(score), member], options)) > 0;
  }

  /** Gives several members scores, all or none. Resolves with how many were not there before. */
  addAll(entries: Iterable<readonly [Member, number]>, options?: CallOptions): Promise<number> {
    const pairs = [...entries].flatMap(([member, score]) => [scoreWord(score), member]);
    if (pairs.length === 0) return Promise.resolve(0);
    return this.#bound.call(ZADD, [this.name, ...pairs], options);
  }

  /** Gives a member a score where that is higher than its own, or it is not there. Resolves with whether that changed anything. */
  async raise(member: Member, score: number, options?: CallOptions): Promise<boolean> {
    return (await this.#bound.call(ZADD_CH, [this.name, "GT", "CH", scoreWord(score), member], options)) > 0;
  }

  /** The same where it is lower. */
  async lower(member: Member, score: number, options?: CallOptions): Promise<boolean> {
    return (await this.#bound.call(ZADD_CH, [this.name, "LT", "CH", scoreWord(score), member], options)) > 0;
  }

  /** Adds to the score of a member, which begins at 0. Resolves with its score then. */
  incr(member: Member, by: number = 1, options?: CallOptions): Promise<number> {
    return this.#bound.call(ZINCRBY, [this.name, scoreWord(by), member], options);
  }

  /** The score of a member; undefined where there is no such member. */
  score(member: Member, options?: CallOptions): Promise<number | undefined> {
    return this.#bound.call(ZSCORE, [this.name, member], options);
  }

  /** The scores of several members, in their order. */
  scores(...members: Member[]): Promise<(number | undefined)[]> {
    if (members.length === 0) return Promise.resolve([]);
    return this.#bound.call(ZMSCORE, [this.name, ...members], undefined);
  }

  /** How many members come before this one; undefined where there is no such member. */
  rank(member: Member, options?: RankOptions): Promise<number | undefined> {
    return this.#bound.call(options?.reverse === true ? ZREVRANK : ZRANK, [this.name, member], options);
  }

  async has(member: Member, options?: CallOptions): Promise<boolean> {
    return (await this.score(member, options)) !== undefined;
  }

  size(options?: CallOptions): Promise<number> {
    return this.#bound.call(ZCARD, [this.name], options);
  }

  /** How many members have a score in a range. */
  count(range: ScoreRange, options?: CallOptions): Promise<number> {
    return this.#bound.call(ZCOUNT, [this.name, ...ends(range)], options);
  }

  /** The members from rank `start` on, up to the one before `end`, with their scores. */
  entries(start: number = 0, end?: number, options?: RangeOptions): Promise<Scored<Member>[]> {
    if (end === 0) return Promise.resolve([]);
    const args = [this.name, start, end === undefined ? -1 : end - 1, ...(options?.reverse === true ? ["REV"] : [])];
    return this.#bound.read(ZRANGE, [...args, "WITHSCORES"], options) as Promise<Scored<Member>[]>;
  }

  /** The same without their scores. */
  slice(start: number = 0, end?: number, options?: RangeOptions): Promise<Member[]> {
    if (end === 0) return Promise.resolve([]);
    const args = [this.name, start, end === undefined ? -1 : end - 1, ...(options?.reverse === true ? ["REV"] : [])];
    return this.#bound.read(ZRANGE, args, options) as Promise<Member[]>;
  }

  /** The members whose scores are in a range, with their scores. */
  byScore(range: ScoreRange, options: ByScoreOptions = {}): Promise<Scored<Member>[]> {
    const [min, max] = ends(range);
    const { reverse = false, offset = 0, limit } = options;
    const args = [this.name, ...(reverse ? [max, min] : [min, max]), "BYSCORE", ...(reverse ? ["REV"] : [])];
    if (offset > 0 || limit !== undefined) args.push("LIMIT", `${offset}`, `${limit ?? -1}`);
    return this.#bound.read(ZRANGE, [...args, "WITHSCORES"], options) as Promise<Scored<Member>[]>;
  }

  /** Takes the member with the lowest score; undefined where there is none, or none came in time. @throws {HiveError} ABORTED by its signal */
  popMin(options?: WaitOptions): Promise<Scored<Member> | undefined> {
    return this.#pop(ZPOPMIN, BZPOPMIN, options);
  }

  /** Takes the member with the highest score; undefined where there is none, or none came in time. @throws {HiveError} ABORTED by its signal */
  popMax(options?: WaitOptions): Promise<Scored<Member> | undefined> {
    return this.#pop(ZPOPMAX, BZPOPMAX, options);
  }

  #pop(now: typeof ZPOPMIN, later: typeof ZPOPMIN, options?: WaitOptions): Promise<Scored<Member> | undefined> {
    const isWaiting = options?.waitMs !== undefined;
    const answer = isWaiting
      ? this.#bound.read(later, [this.name, seconds(options.waitMs!)], waiting(options))
      : this.#bound.read(now, [this.name], options);
    return answer as Promise<Scored<Member> | undefined>;
  }

  /** Takes members out. Resolves with how many there were. */
  delete(...members: Member[]): Promise<number> {
    if (members.length === 0) return Promise.resolve(0);
    return this.#bound.call(ZREM, [this.name, ...members], undefined);
  }

  /** Takes the members out that slice(start, end) gives. Resolves with how many there were. */
  deleteSlice(start: number, end?: number, options?: CallOptions): Promise<number> {
    if (end === 0) return Promise.resolve(0);
    return this.#bound.call(ZREMRANGEBYRANK, [this.name, start, end === undefined ? -1 : end - 1], options);
  }

  /** Takes the members out whose scores are in a range. Resolves with how many there were. */
  deleteByScore(range: ScoreRange, options?: CallOptions): Promise<number> {
    return this.#bound.call(ZREMRANGEBYSCORE, [this.name, ...ends(range)], options);
  }

  /** Deletes the sorted set, or whatever the key holds. Resolves with whether there was such a key. */
  clear(options?: CallOptions): Promise<boolean> {
    return this.#bound.call(DEL, [this.name], options);
  }

  /**
   * The members with their scores, page by page, in no particular order: those there from start to end at least
   * once. May be left early.
   */
  async *each(options?: ReadOptions): AsyncGenerator<Scored<Member>, void, undefined> {
    const step = (cursor: string) => this.#bound.read(ZSCAN, [this.name, cursor, "COUNT", PAGE_COUNT], options);
    for await (const page of scanPages(step)) {
      for (let i = 0; i < page.length; i += 2) yield [page[i] as Member, numberOf(page[i + 1])];
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Scored<Member>, void, undefined> {
    return this.each();
  }
}

/** A score as the hive reads it. */
export function scoreWord(score: number): string {
  if (score === Number.POSITIVE_INFINITY) return "inf";
  return score === Number.NEGATIVE_INFINITY ? "-inf" : `${score}`;
}

function ends({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: ScoreRange): [string, string] {
  return [scoreWord(min), scoreWord(max)];
}

/** A page of a scan has scores as texts. */
function numberOf(score: unknown): number {
  const text = score instanceof Uint8Array ? new TextDecoder().decode(score) : `${score}`;
  if (text === "inf") return Number.POSITIVE_INFINITY;
  return text === "-inf" ? Number.NEGATIVE_INFINITY : Number(text);
}
