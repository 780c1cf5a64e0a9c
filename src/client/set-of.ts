// SetOf: a set of the hive, from one client.

import { TYPE_SET } from "../store/layout.ts";
import type { Name } from "../wire/item-writer.ts";
import type { Bound, ReadOptions } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import { PAGE_COUNT, scanPages } from "./scanning.ts";
import { ASK } from "./shared-reads.ts";
import { DEL, SADD, SCARD, SISMEMBER, SREM, SSCAN } from "./specs.ts";

/** What can be key of a table or member of a set. 3.0 is 3, and integer 1 and text "1" are two. */
export type Key = Exclude<Name, { readonly value: number }>;

/**
 * Members, each once, shared by everybody who names the same set. It exists while it has a member.
 *
 * All of its methods but clear() reject with WRONG_TYPE where the key holds something else, BAD_VALUE for a member
 * that is none of Key, KEY_TOO_BIG, and what every call may (Client).
 */
export class SetOf<Member extends Key = string> {
  readonly name: string;
  readonly #bound: Bound;

  /** Made by client.setOf(). */
  constructor(bound: Bound, name: string) {
    this.#bound = bound;
    this.name = name;
  }

  /** Adds members. Resolves with how many were not there. */
  push(...members: Member[]): Promise<number> {
    if (members.length === 0) return Promise.resolve(0);
    return this.#bound.call(SADD, [this.name, ...members], undefined);
  }

  /** Takes members out. Resolves with how many were there. */
  pull(...members: Member[]): Promise<number> {
    if (members.length === 0) return Promise.resolve(0);
    return this.#bound.call(SREM, [this.name, ...members], undefined);
  }

  has(member: Member, options?: CallOptions): Promise<boolean> {
    if (this.#bound.sharing(options)) {
      const has = this.#bound.shared.has(this.name, TYPE_SET, member);
      if (has !== ASK) return Promise.resolve(has);
    }
    return this.#bound.call(SISMEMBER, [this.name, member], options);
  }

  /**
   * Whether there is such a member, read from the hive's memory now, without asking it.
   * @throws {HiveError} NOT_SHARED: it cannot be read here (client.shared says why), or not at this moment: has()
   *   asks the hive. WRONG_TYPE.
   */
  peekHas(member: Member): boolean {
    return this.#bound.shared.peekHas(this.name, TYPE_SET, member);
  }

  size(options?: CallOptions): Promise<number> {
    return this.#bound.call(SCARD, [this.name], options);
  }

  /** Deletes the set, or whatever the key holds. Resolves with whether there was such a key. */
  clear(options?: CallOptions): Promise<boolean> {
    return this.#bound.call(DEL, [this.name], options);
  }

  /** The members, page by page: those there from start to end at least once. May be left early. */
  async *values(options?: ReadOptions): AsyncGenerator<Member, void, undefined> {
    const step = (cursor: string) => this.#bound.read(SSCAN, [this.name, cursor, "COUNT", PAGE_COUNT], options);
    for await (const page of scanPages(step)) yield* page as Member[];
  }
}
