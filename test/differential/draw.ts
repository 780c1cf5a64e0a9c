// test/differential/draw.ts
// Draw: the arguments of commands, one method for each kind of argument.
//
//   Random + pools ──▶ [ Draw ] ──▶ key("table"), value(), expireSeconds(), …
//
// Each kind knows what is dangerous for it, since both servers obey: an expiry that could run out
// during the test, an offset that allocates hundreds of MiB, a negative count that is answered
// with billions of elements. A grammar never hands a number of one kind to a place of another.

import {
  badNumbers,
  edgeFloats,
  edgeIntegers,
  fields,
  type KeyKind,
  keyPools,
  longValue,
  members,
  patterns,
  plainFloats,
  values,
} from "./pools.ts";
import type { Random } from "./random.ts";

/** One command: its name and arguments, each a byte text. */
export type Args = readonly string[];

/** Seconds from now that are no expiry at all: gone at once, refused or overflowing. */
const edgeSeconds = [
  "0",
  "-1",
  "-100",
  "9223372036854775807",
  "9223372036854775",
  "9223372036854776",
  "9223370000000000",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775",
  "-9223372036854776",
  "-9223372036854775809",
  "18446744073709551616",
  "",
];

/** Absolute seconds: long past, or one of a few points after the year 2096 that meet each other. */
const edgeAtSeconds = [
  "0",
  "1",
  "-1",
  "1000000000",
  "4000000000",
  "4000000001",
  "5000000000",
  "9223372036854775",
  ...edgeSeconds.slice(3),
];

export class Draw {
  readonly random: Random;
  #pinned: readonly string[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  /** Draws most keys from `keys` while `body` runs, so that its commands meet on them. */
  pinned<Result>(keys: readonly string[], body: () => Result): Result {
    const before = this.#pinned;
    this.#pinned = keys;
    try {
      return body();
    } finally {
      this.#pinned = before;
    }
  }

  /** A key that mostly holds `kind`; sometimes one of another type or none. */
  key(kind: KeyKind = "any"): string {
    const random = this.random;
    if (this.#pinned.length > 0 && random.chance(0.85)) return random.pick(this.#pinned);
    return random.pick(random.chance(0.86) ? keyPools[kind] : keyPools.any);
  }

  keys(kind: KeyKind, max: number): string[] {
    return this.several(max, () => this.key(kind));
  }

  /** 1 to `max` draws; what is drawn may repeat. Few are likelier than many. */
  several<Item>(max: number, draw: () => Item): Item[] {
    const count = 1 + Math.min(this.random.below(max), this.random.below(max));
    return Array.from({ length: count }, draw);
  }

  /** `args` with probability `share`, else nothing. */
  maybe(share: number, args: () => readonly string[]): readonly string[] {
    return this.random.chance(share) ? args() : [];
  }

  field(): string {
    return this.random.pick(fields);
  }

  member(): string {
    return this.random.pick(members);
  }

  value(): string {
    if (this.random.chance(0.004)) return longValue;
    return this.random.chance(0.3) ? String(this.random.between(-1000, 100_000)) : this.random.pick(values);
  }

  pattern(): string {
    return this.random.pick(patterns);
  }

  /** An amount to add: mostly small, at times at the edge of int64, at times no number. */
  integer(): string {
    const random = this.random;
    if (random.chance(0.8)) return String(random.between(-50, 100));
    return random.pick(random.chance(0.6) ? edgeIntegers : badNumbers);
  }

  float(): string {
    const random = this.random;
    if (random.chance(0.25))
      return (random.between(-100_000, 100_000) / random.pick([1, 3, 8, 10, 100, 1000])).toString();
    return random.pick(random.chance(0.7) ? plainFloats : edgeFloats);
  }

  /** A place in a text; never one that would allocate more than 1 MiB or be beyond what a hive stores. */
  offset(): string {
    const random = this.random;
    if (random.chance(0.85)) return String(random.between(-12, 40));
    if (random.chance(0.3)) return random.pick(["1000", "5000", "-1000"]);
    return random.pick(random.chance(0.7) ? edgeIntegers : badNumbers);
  }

  /** A count of random picks. Never a large negative one: that is answered in full. */
  pickCount(): string {
    const random = this.random;
    if (random.chance(0.85)) return String(random.between(-12, 30));
    return random.pick([
      "0",
      "-0",
      "1000000",
      "9223372036854775807",
      "-9223372036854775808",
      "9223372036854775808",
      ...badNumbers,
    ]);
  }

  /** Seconds from now: far enough not to run out, and hardly ever the same twice (see EXPIRE GT). */
  expireSeconds(): string {
    return this.#expiry(edgeSeconds, () => this.random.between(100_000, 900_000_000));
  }

  expireMs(): string {
    return this.#expiry(edgeSeconds, () => this.random.between(100_000_000, 900_000_000_000));
  }

  /** Absolute seconds since the epoch, past or after the year 2096: beyond any relative expiry. */
  expireAtSeconds(): string {
    return this.#expiry(edgeAtSeconds, () => 4_000_000_000 + this.random.below(3));
  }

  expireAtMs(): string {
    return this.#expiry(
      [...edgeAtSeconds, "4000000000000", "4000000000001"],
      () => 4_000_000_000_000 + this.random.below(3000),
    );
  }

  #expiry(edges: readonly string[], good: () => number): string {
    const random = this.random;
    if (random.chance(0.8)) return String(good());
    if (random.chance(0.6)) return random.pick(edges);
    return random.pick(
      badNumbers
        .filter((text) => !/^\s*\+?\d+\s*$/.test(text))
        .concat(" 100000000000", "100000000000 ", "+100000000000"),
    );
  }
}
