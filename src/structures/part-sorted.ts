// PartSorted: a sorted set of the store inside of a structure: members with a score, in order.
//
//   const votes = this.sorted("votes"); votes.incr("ada"); votes.entries(0, 3, { reverse: true })
//
// Synchronous, and part of the call: undone with it.

import { numberWord, type Part, pages, placeWords } from "./part.ts";

export type PartScored<Member> = [member: Member, score: number];
/** Scores from `min` to `max`, both included, or all above or below. */
export type PartScoreRange = { min?: number; max?: number };
export type PartOrder = { reverse?: boolean };

export class PartSorted<Member = unknown> {
  readonly #part: Part;

  constructor(part: Part) {
    this.#part = part;
  }

  get size(): number {
    return this.#part.read("ZCARD") as number;
  }

  /** Adds a member, or gives it another score. Returns whether it is new. @throws {HiveError} OUT_OF_MEMORY, KEY_TOO_BIG, QUOTA, OUT_OF_RANGE: NaN */
  add(member: Member, score: number): boolean {
    return this.#part.change("ZADD", numberWord(score), member) === 1;
  }

  /** Adds to a member's score, from 0 where it is not there. Returns the score. */
  incr(member: Member, by: number = 1): number {
    return Number(this.#part.change("ZINCRBY", numberWord(by), member));
  }

  score(member: Member): number | undefined {
    const score = this.#part.read("ZSCORE", member);
    return score === undefined ? undefined : Number(score);
  }

  has(member: Member): boolean {
    return this.score(member) !== undefined;
  }

  /** How many members come before it, by score. */
  rank(member: Member, { reverse = false }: PartOrder = {}): number | undefined {
    return this.#part.read(reverse ? "ZREVRANK" : "ZRANK", member) as number | undefined;
  }

  count(range: PartScoreRange = {}): number {
    return this.#part.read("ZCOUNT", ...words(range)) as number;
  }

  /** Members by rank, from `start` on and before `end`, as Array.prototype.slice counts them. */
  slice(start: number = 0, end?: number, { reverse = false }: PartOrder = {}): Member[] {
    if (end === 0) return [];
    return this.#part.read("ZRANGE", ...placeWords(start, end), ...(reverse ? ["REV"] : [])) as Member[];
  }

  /** The same with their scores. */
  entries(start: number = 0, end?: number, { reverse = false }: PartOrder = {}): PartScored<Member>[] {
    if (end === 0) return [];
    const order = reverse ? ["REV"] : [];
    return this.#part.read("ZRANGE", ...placeWords(start, end), ...order, "WITHSCORES") as PartScored<Member>[];
  }

  /** Members whose score is in a range, the lowest first; `limit` of them. */
  byScore(
    range: PartScoreRange,
    { reverse = false, offset = 0, limit }: PartOrder & { offset?: number; limit?: number } = {},
  ): PartScored<Member>[] {
    const [min, max] = words(range);
    const from = reverse ? [max, min, "BYSCORE", "REV"] : [min, max, "BYSCORE"];
    const part = offset === 0 && limit === undefined ? [] : ["LIMIT", numberWord(offset), numberWord(limit ?? -1)];
    return this.#part.read("ZRANGE", ...from, ...part, "WITHSCORES") as PartScored<Member>[];
  }

  popMin(): PartScored<Member> | undefined {
    return (this.#part.change("ZPOPMIN", "1") as PartScored<Member>[])[0];
  }

  popMax(): PartScored<Member> | undefined {
    return (this.#part.change("ZPOPMAX", "1") as PartScored<Member>[])[0];
  }

  /** Returns how many were there. */
  delete(...members: Member[]): number {
    return members.length === 0 ? 0 : (this.#part.change("ZREM", ...members) as number);
  }

  deleteSlice(start: number, end?: number): number {
    return end === 0 ? 0 : (this.#part.change("ZREMRANGEBYRANK", ...placeWords(start, end)) as number);
  }

  deleteByScore(range: PartScoreRange): number {
    return this.#part.change("ZREMRANGEBYSCORE", ...words(range)) as number;
  }

  clear(): void {
    this.#part.change("DEL");
  }

  /** Members with their scores, the lowest first, page by page. */
  [Symbol.iterator](): Generator<PartScored<Member>, void, undefined> {
    return pages((start, end) => this.entries(start, end));
  }
}

function words({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: PartScoreRange): [string, string] {
  return [numberWord(min), numberWord(max)];
}
