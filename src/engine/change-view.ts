// Change view: what of a change a watcher may see, and how it is told.
//
//   [number, kind] · [number, kind, key] · [number, kind, key, field] · [number, "expired", key, field or nil, value]
//   [number, "renamed", key, new name] · [number, "flushed"] · [number, "gap", why, how many or nil] · [number, "at"]
//
// A rename of which only one name may be read is told as what it is from there: a key that went, or came.

import {
  CHANGE_DELETED,
  CHANGE_EVICTED,
  CHANGE_EXPIRED,
  CHANGE_FLUSHED,
  CHANGE_RENAMED,
  CHANGE_SET,
  type ChangeView,
} from "../store/change-history.ts";
import { matchesGlob } from "./glob.ts";
import type { Grants } from "./grants.ts";
import type { Reply } from "./reply.ts";
import { replyBytes } from "./values.ts";

export type Watching = {
  /** Globs of keys. */
  patterns: readonly Buffer[];
  /** What it may read; undefined: everything. */
  grants: Grants | undefined;
};

const WORDS: Readonly<Record<number, string>> = {
  [CHANGE_SET]: "set",
  [CHANGE_DELETED]: "deleted",
  [CHANGE_EXPIRED]: "expired",
  [CHANGE_EVICTED]: "evicted",
  [CHANGE_RENAMED]: "renamed",
  [CHANGE_FLUSHED]: "flushed",
};

/** How a change is told: as it is, or of a rename one side only. */
export type Seen = "whole" | "old name" | "new name";

/** What a watcher sees of a change; undefined for nothing. */
export function whatIsSeen(change: ChangeView, watching: Watching): Seen | undefined {
  const { kind, keyStart, keyEnd, otherEnd } = change;
  if (kind === CHANGE_FLUSHED) return "whole";
  if (change.isErased) return undefined;
  const isWanted = isMatch(change, keyStart, keyEnd, watching);
  const mayRead = watching.grants?.covers("read", change.bytes, keyStart, keyEnd) ?? true;
  if (kind !== CHANGE_RENAMED) return isWanted && mayRead ? "whole" : undefined;
  const isOtherWanted = isMatch(change, keyEnd, otherEnd, watching);
  const mayReadOther = watching.grants?.covers("read", change.bytes, keyEnd, otherEnd) ?? true;
  if (mayRead && mayReadOther) return isWanted || isOtherWanted ? "whole" : undefined;
  if (mayRead) return isWanted ? "old name" : undefined;
  return mayReadOther && isOtherWanted ? "new name" : undefined;
}

function isMatch({ bytes }: ChangeView, start: number, end: number, { patterns }: Watching): boolean {
  for (const pattern of patterns) if (matchesGlob(pattern, 0, pattern.length, bytes, start, end)) return true;
  return false;
}

export function tellChange(reply: Reply, change: ChangeView, seen: Seen): void {
  const { kind, bytes, keyStart, keyEnd, keyKind, hasOther, otherEnd, otherKind, hasValue } = change;
  if (seen !== "whole") {
    reply.array(3);
    reply.integer(change.sequence);
    reply.text(seen === "old name" ? "deleted" : "set");
    if (seen === "old name") replyBytes(reply, bytes, keyStart, keyEnd, keyKind);
    else replyBytes(reply, bytes, keyEnd, otherEnd, otherKind);
    return;
  }
  reply.array(kind === CHANGE_FLUSHED ? 2 : hasValue ? 5 : hasOther ? 4 : 3);
  reply.integer(change.sequence);
  reply.text(WORDS[kind]!);
  if (kind === CHANGE_FLUSHED) return;
  replyBytes(reply, bytes, keyStart, keyEnd, keyKind);
  if (hasOther) replyBytes(reply, bytes, keyEnd, otherEnd, otherKind);
  else if (hasValue) reply.nil();
  if (hasValue) replyBytes(reply, bytes, otherEnd, change.valueEnd, change.valueKind);
}

export function tellGap(reply: Reply, gap: { why: string; until: number; lost?: number | undefined }): void {
  reply.array(4);
  reply.integer(gap.until);
  reply.text("gap");
  reply.text(gap.why);
  if (gap.lost === undefined) reply.nil();
  else reply.integer(gap.lost);
}

/** There is nothing for the watcher up to change `sequence`. */
export function tellPlace(reply: Reply, sequence: number): void {
  reply.array(2);
  reply.integer(sequence);
  reply.text("at");
}
