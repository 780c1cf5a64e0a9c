// Part: a list or sorted set of the store that belongs to a structure's key.
//
//   this.list("items").push(x) ──▶ the structure is changed ──▶ RPUSH $part:q:items x, as part of the call
//
// It is played like any other command, so that quotas, memory, undo, snapshots and the thread of an isolated structure treat
// it as they treat a play. What it needs beside one is in PartCalls: its key is reserved, and the caller's right to the structure's key is
// the right to this one.

import { isUtf8 } from "node:buffer";
import { HiveError } from "../base/errors.ts";
import { isPartName, partKey } from "../store/parts.ts";
import type { Tracker } from "./tracker.ts";

/** What a part asks of the hive, for the call under way. */
export interface PartCalls {
  /**
   * Plays a command whose first key is the part `name` of the structure's key `owner` (its bytes, one character each).
   * @param isNew The structure has got this part by this call.
   * @throws {HiveError} what the command fails with; NO_KEY: the structure's key is gone
   */
  playPart(owner: string, name: string, command: string, args: readonly unknown[], isNew: boolean): unknown;
}

/** The structure that a part is of. */
export type PartOwner = {
  /** Its key's bytes, one character each. */
  readonly name: string;
  readonly tracker: Tracker;
  /** Names of the parts that it has, or had. */
  readonly parts: string[];
  readonly partsMax: number;
};

export class Part {
  readonly #owner: PartOwner;
  readonly #name: string;
  readonly #calls: PartCalls;

  /** @throws {HiveError} INVALID_ARGUMENT: no such name can be */
  constructor(owner: PartOwner, name: string, calls: PartCalls) {
    if (typeof name !== "string" || !isPartName(name)) {
      const message = `a list or sorted set of a structure is named by 1 to 64 of the letters A to Z, a to z, digits, _ . and -; got ${String(name)}`;
      throw new HiveError("INVALID_ARGUMENT", message);
    }
    this.#owner = owner;
    this.#name = name;
    this.#calls = calls;
  }

  read(command: string, ...args: readonly unknown[]): unknown {
    return this.#calls.playPart(this.#owner.name, this.#name, command, args, false);
  }

  /** A command that changes it. @throws {HiveError} what the command fails with */
  change(command: string, ...args: readonly unknown[]): unknown {
    const { tracker, parts, partsMax } = this.#owner;
    const isNew = !parts.includes(this.#name);
    if (!isNew) tracker.touch();
    else {
      if (parts.length >= partsMax) {
        const message = `a structure with more than structurePartsMax (${partsMax}) lists and sorted sets`;
        throw new HiveError("OUT_OF_RANGE", message);
      }
      tracker.note(undoPart, parts, this.#name, undefined);
      parts.push(this.#name);
      tracker.growth += this.#name.length + 2;
    }
    return this.#calls.playPart(this.#owner.name, this.#name, command, args, isNew);
  }
}

function undoPart(parts: string[], name: string): void {
  parts.splice(parts.indexOf(name), 1);
}

/** The key of a part as an argument: text where that of its structure is. */
export function partName(owner: Buffer, name: string): string | Buffer {
  const key = partKey(owner, name);
  return isUtf8(owner) ? key.utf8Slice() : key;
}

/** Elements that a loop reads at once. */
const PAGE = 256;

/** All that `read` gives, page by page. */
export function* pages<Item>(read: (start: number, end: number) => Item[]): Generator<Item, void, undefined> {
  for (let from = 0; ; from += PAGE) {
    const page = read(from, from + PAGE);
    yield* page;
    if (page.length < PAGE) return;
  }
}

/** Places from `start` on and before `end`, which is not 0, as commands have them. */
export function placeWords(start: number, end: number | undefined): [string, string] {
  return [numberWord(start), numberWord(end === undefined ? -1 : end - 1)];
}

/** What is played of a part has numbers as text: so they are scores and indexes, and not values. */
export function numberWord(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "inf";
  return value === Number.NEGATIVE_INFINITY ? "-inf" : String(value);
}
