// Sorted members: from a call's arguments to sorted sets and to the members in them.
//
// What fields.ts says of names holds here: where a set holds typed members too, a decimal text that is not
// among the raw ones is tried as an integer.

import type { Slice } from "../store/collections.ts";
import { KIND_VALUE, TYPE_SORTED } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { walkScalar } from "../wire/value.ts";
import type { Args } from "./args.ts";
import { containerToRead, containerToWrite, encodedInteger, mayBeInteger } from "./fields.ts";
import { EVENT_GENERIC, EVENT_SORTED, happened } from "./happened.ts";
import type { Reply } from "./reply.ts";
import { replyBytes } from "./values.ts";

/** No value begins with this byte, so no key has this name: what is built is here until it is whole. */
export const UNFINISHED: Buffer = Buffer.from([0xc1]);

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** The sorted set in the key that argument `index` names; 0 when there is none. Counts as access. @throws {HiveError} WRONG_TYPE */
export function sortedToRead(store: Store, args: Args, index: number): number {
  return containerToRead(store, args, index, TYPE_SORTED);
}

/** The same for a command that may change it. */
export function sortedToWrite(store: Store, args: Args, index: number): number {
  return containerToWrite(store, args, index, TYPE_SORTED);
}

/** The handle of the member that argument `index` names; 0 when there is none. */
export function findMember(store: Store, key: number, args: Args, index: number): number {
  const { sorted } = store;
  const handle = sorted.find(key, args.buffer, args.start(index), args.length(index), args.kind(index));
  if (handle !== 0 || !mayBeInteger(args, index) || !store.fields.mayHaveTyped(key)) return handle;
  const name = encodedInteger(args, index);
  return name === undefined ? 0 : sorted.find(key, name.bytes, 0, name.end, KIND_VALUE);
}

/**
 * Gives the member that argument `index` names a score. Returns the key's entry, which may have moved.
 * @param handle What findMember() gave; the member has another score. @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
 */
export function setMember(store: Store, key: number, args: Args, index: number, handle: number, score: number): number {
  const { sorted } = store;
  if (handle !== 0) {
    const { bytes, start, end, kind } = sorted.name(key, handle, slice);
    if (kind === KIND_VALUE && args.kind(index) !== KIND_VALUE) {
      // The name lies in what is about to move.
      const name = Buffer.from(bytes.subarray(start, end));
      return sorted.setAt(key, handle, name, 0, name.length, kind, score);
    }
  } else if (args.kind(index) === KIND_VALUE) walkScalar(args.buffer, args.start(index), args.end(index));
  return sorted.setAt(key, handle, args.buffer, args.start(index), args.length(index), args.kind(index), score);
}

export function replyMember(store: Store, key: number, handle: number, reply: Reply): void {
  const { bytes, start, end, kind } = store.sorted.name(key, handle, slice);
  replyBytes(reply, bytes, start, end, kind);
}

/** Answers with a member and its score, as one where the wire has such pairs. */
export function replyScored(store: Store, key: number, handle: number, reply: Reply): void {
  if (reply.typed) reply.array(2);
  replyMember(store, key, handle, reply);
  reply.double(store.sorted.score(key, handle));
}

/** Answers with the members from rank `from` to `to`, or the other way round. */
export function replyRange(
  store: Store,
  key: number,
  { from, to }: { from: number; to: number },
  { isReverse, withScores }: { isReverse: boolean; withScores: boolean },
  reply: Reply,
): void {
  const count = Math.max(0, to - from);
  reply.array(withScores && !reply.typed ? count * 2 : count);
  store.sorted.members(key, from, to, isReverse, (bytes, start, end, kind, handle) => {
    if (withScores && reply.typed) reply.array(2);
    replyBytes(reply, bytes, start, end, kind);
    if (withScores) reply.double(store.sorted.score(key, handle));
  });
}

/**
 * Builds a sorted set under a name that nobody can have, and puts it in the place of what argument `index`
 * names, or takes that away where nothing came. Returns how many members there are.
 * @param event What is told where there are any. @param fill Adds to the set in `key`, 0 as long as there is none, and returns its entry.
 */
export function storeSorted(
  store: Store,
  args: Args,
  index: number,
  event: string,
  fill: (key: number) => number,
): number {
  const { keys } = store;
  try {
    const built = fill(0);
    const { buffer } = args;
    if (built !== 0) {
      const key = keys.rename(built, buffer, args.start(index), args.length(index), args.kind(index), true);
      happened(store, args, index, EVENT_SORTED, event);
      return store.sorted.count(key);
    }
    removeStored(store, args, index);
    return 0;
  } catch (error) {
    dropUnfinished(store);
    throw error;
  }
}

/** Takes away what the key that argument `index` names holds, since nothing is to be stored there. */
export function removeStored(store: Store, args: Args, index: number): void {
  const old = store.keys.find(args.buffer, args.start(index), args.length(index), args.kind(index));
  if (old === 0) return;
  store.keys.remove(old);
  happened(store, args, index, EVENT_GENERIC, "del");
}

/** Adds to a set under way, made where it is missing. Returns its entry. */
export function addUnfinished(store: Store, key: number, member: Slice, score: number): number {
  const target = key === 0 ? store.sorted.create(UNFINISHED, 0, UNFINISHED.length, KIND_VALUE) : key;
  return store.sorted.set(target, member.bytes, member.start, member.end - member.start, member.kind, score);
}

/** Removes what is under way, if there is such. */
export function dropUnfinished({ keys }: Store): void {
  const key = keys.find(UNFINISHED, 0, UNFINISHED.length, KIND_VALUE);
  if (key !== 0) keys.remove(key);
}
