// Suggest: words that are like a word, by the trigrams that they share, or by edit distance.
//
//   SUGGESTADD key words…  ──▶ trigrams of " word " ──▶ lists of word numbers
//   SUGGEST key word limit ──▶ each trigram's words, counted ──▶ most shared first
//   SUGGESTFIX key word    ──▶ SymSpell (mnemonist), made at the first call and after additions
//
// A word that was added twice weighs more: each addition counts its trigrams once more, as it does in a list
// that has it twice. Of words that weigh the same the shorter one comes first, then the one added earlier.
//
// Its state may have megabytes and an index of its own, so it says that it cannot be undone and checks
// before it changes.

import { SymSpell } from "mnemonist";
import { HiveError } from "../base/errors.ts";
import { type HiveCalls, Structure } from "./structure.ts";

const LIMIT_DEFAULT = 10;
const LIMIT_MAX = 1_000;
const WORD_UNITS_MAX = 256;
/** Words in a piece of the encoding. */
const PIECE = 4_096;
const DISTANCE_MAX = 2;

export class Suggest extends Structure {
  static override undo = false;
  static override reads: readonly string[] = ["SUGGEST", "SUGGESTFIX", "WORDS"];
  static override summaries: Readonly<Record<string, string>> = {
    SUGGESTADD: "Adds words to what is suggested, under a key that is made when it is not there",
    SUGGEST: "Returns the words that share the most trigrams with a word",
    SUGGESTFIX: "Returns the words within an edit distance of 2 of a word, the nearest first",
    WORDS: "Returns how many different words there are",
  };

  readonly #words: string[] = [];
  readonly #weights: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #index = new Map<string, number[]>();
  #scores = new Uint32Array(0);
  #fixes: SymSpell | undefined = undefined;

  static SUGGESTADD(hive: HiveCalls, key: string, ...words: unknown[]): number {
    const checked = words.map(wordOf);
    return hive.open(Suggest, key).add(checked);
  }

  SUGGEST(word: unknown, limit?: unknown): string[] {
    const asked = wordOf(word);
    const most = limitOf(limit);
    if (this.#scores.length < this.#words.length) this.#scores = new Uint32Array(this.#words.length * 2);
    const scores = this.#scores;
    const seen: number[] = [];
    for (const trigram of trigramsOf(asked)) {
      const numbers = this.#index.get(trigram);
      if (numbers === undefined) continue;
      for (let i = 0; i < numbers.length; i++) {
        const number = numbers[i]!;
        if (scores[number] === 0) seen.push(number);
        scores[number]! += this.#weights[number]!;
      }
    }
    const best = this.#best(seen, most);
    for (const number of seen) scores[number] = 0;
    return best.map((number) => this.#words[number]!);
  }

  SUGGESTFIX(word: unknown, limit?: unknown): string[] {
    const asked = wordOf(word);
    const most = limitOf(limit);
    if (this.#fixes === undefined) {
      this.#fixes = new SymSpell({ maxDistance: DISTANCE_MAX, verbosity: 2 });
      for (const known of this.#words) this.#fixes.add(known);
    }
    const found = this.#fixes.search(asked) as { term: string; distance: number }[];
    const weightOf = (term: string): number => this.#weights[this.#numbers.get(term)!]!;
    found.sort((a, b) => a.distance - b.distance || weightOf(b.term) - weightOf(a.term) || (a.term < b.term ? -1 : 1));
    return found.slice(0, most).map(({ term }) => term);
  }

  WORDS(): number {
    return this.#words.length;
  }

  /** Adds words that were checked. Returns how many are new. */
  add(words: readonly string[], weight: number = 1): number {
    const before = this.#words.length;
    for (const word of words) {
      const known = this.#numbers.get(word);
      if (known !== undefined) {
        this.#weights[known]! += weight;
        continue;
      }
      const number = this.#words.push(word) - 1;
      this.#weights.push(weight);
      this.#numbers.set(word, number);
      for (const trigram of new Set(trigramsOf(word))) {
        const numbers = this.#index.get(trigram);
        if (numbers === undefined) this.#index.set(trigram, [number]);
        else numbers.push(number);
      }
    }
    if (this.#words.length !== before) this.#fixes = undefined;
    return this.#words.length - before;
  }

  /** The `most` highest of the scored, in order, by insertion into a short list: there may be many thousands. */
  #best(seen: readonly number[], most: number): number[] {
    const best: number[] = [];
    for (const number of seen) {
      if (best.length === most && !this.#isBefore(number, best[most - 1]!)) continue;
      let at = best.length === most ? most - 1 : best.length;
      while (at > 0 && this.#isBefore(number, best[at - 1]!)) {
        best[at] = best[at - 1]!;
        at--;
      }
      best[at] = number;
    }
    return best;
  }

  #isBefore(one: number, other: number): boolean {
    const difference = this.#scores[one]! - this.#scores[other]!;
    if (difference !== 0) return difference > 0;
    const longer = this.#words[one]!.length - this.#words[other]!.length;
    return longer !== 0 ? longer < 0 : one < other;
  }

  override *encode(): Generator<unknown> {
    for (let i = 0; i < this.#words.length; i += PIECE) {
      yield [this.#words.slice(i, i + PIECE), this.#weights.slice(i, i + PIECE)];
    }
  }

  override decode(pieces: unknown): void {
    for (const [words, weights] of pieces as [string[], number[]][]) {
      for (let i = 0; i < words.length; i++) this.add([words[i]!], weights[i]!);
    }
  }
}

/** Three letters each, of the word with a space before and behind it. */
export function trigramsOf(word: string): string[] {
  const padded = ` ${word.toLowerCase()} `;
  const trigrams: string[] = [];
  for (let i = 0; i + 3 <= padded.length; i++) trigrams.push(padded.slice(i, i + 3));
  return trigrams;
}

function wordOf(value: unknown): string {
  const word = typeof value === "number" ? String(value) : value;
  if (typeof word === "string" && word !== "" && word.length <= WORD_UNITS_MAX) return word;
  throw new HiveError("INVALID_ARGUMENT", `a word is text of 1 to ${WORD_UNITS_MAX} characters`);
}

function limitOf(value: unknown): number {
  if (value === undefined) return LIMIT_DEFAULT;
  const limit = Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new HiveError("INVALID_ARGUMENT", `the limit is a whole number from 1 to ${LIMIT_MAX}`);
}
