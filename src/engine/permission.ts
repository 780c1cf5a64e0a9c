// Permission: what a call needs, read from its row, and whether a token has it.
//
//   row + args ──▶ each key and what is done with it ──▶ grants cover it? ──▶ what is missing, or nothing
//
// What is missing is told by permission and by the place of the argument: whether the key exists is never
// looked at, so it cannot be told.

import type { Limits } from "../base/limits.ts";
import type { Args } from "./args.ts";
import { type KeyAccess, type KeySpec, placesOf, type RowFacts } from "./catalogue.ts";
import type { Grantable, Grants } from "./grants.ts";

/** What is done with key number `nth` (from 0) of a call. */
export function accessOf(row: RowFacts, args: Args, nth: number): KeyAccess {
  const access = row.keys?.access;
  if (access === undefined) return row.permission === "read" ? "read" : "write";
  if (typeof access === "string") return access;
  if (typeof access === "function") return access(args);
  return access[Math.min(nth, access.length - 1)]!;
}

/** What the call lacks, in words; undefined where it may run. */
export function missingPermission(
  row: RowFacts,
  name: string,
  args: Args,
  { grants, limits }: { grants: Grants; limits: Limits },
): string | undefined {
  const { permission } = row;
  if (permission === "none") return undefined;
  if (!isByKey(permission) && !grants.has(permission)) return `'${name}' needs the grant ${permission}`;
  if (row.keyName !== undefined) return missingOnName(row, name, row.keyName(args, limits), grants);
  const spec = row.keys ?? row.channels ?? row.keyPatterns;
  if (spec !== undefined) return missingOnKeys(row, spec, name, args, grants);
  if (row.scope === "every" && isByKey(permission) && !grants.everywhere(permission)) {
    return `'${name}' needs ${permission} on every key: the grant ${permission}:*`;
  }
  return grants.has(permission) ? undefined : `'${name}' needs the grant ${permission}`;
}

/** A key that is made of the arguments. */
function missingOnName(row: RowFacts, name: string, key: Buffer, grants: Grants): string | undefined {
  const permission = row.permission as "read" | "write";
  if (grants.covers(permission, key, 0, key.length)) return undefined;
  const why = grants.has(permission) ? `outside of its ${permission} grants` : "and it has no such grant";
  return `'${name}' needs ${permission} on the memory of the device in argument 1, ${why}`;
}

function isByKey(permission: Grantable): permission is "read" | "write" {
  return permission === "read" || permission === "write";
}

function missingOnKeys(row: RowFacts, spec: KeySpec, name: string, args: Args, grants: Grants): string | undefined {
  // The common case, without an array.
  if ("first" in spec && spec.first === spec.last)
    return missingOn(row, accessOf(row, args, 0), name, args, spec.first, grants);
  const indexes = placesOf(spec, args);
  for (let nth = 0; nth < indexes.length; nth++) {
    const missing = missingOn(row, accessOf(row, args, nth), name, args, indexes[nth]!, grants);
    if (missing !== undefined) return missing;
  }
  // A call whose keys cannot be told is refused by the command itself.
  const needed = row.permission;
  return indexes.length > 0 || needed === "none" || grants.has(needed)
    ? undefined
    : `'${name}' needs the grant ${needed}`;
}

function missingOn(
  row: RowFacts,
  access: KeyAccess,
  name: string,
  args: Args,
  index: number,
  grants: Grants,
): string | undefined {
  const start = args.start(index);
  const end = args.end(index);
  let missing: "read" | "write";
  if (row.channelPatterns === true || row.keyPatterns !== undefined) {
    if (grants.coversPattern("read", args.buffer.subarray(start, end))) return undefined;
    const what = row.channelPatterns === true ? "channels" : "keys";
    return `'${name}' needs read on all ${what} that the pattern in argument ${index} matches`;
  }
  if (access !== "write" && !grants.covers("read", args.buffer, start, end)) missing = "read";
  else if (access !== "read" && !grants.covers("write", args.buffer, start, end)) missing = "write";
  else return undefined;
  const why = grants.has(missing) ? `outside of its ${missing} grants` : "and it has no such grant";
  return `'${name}' needs ${missing} on the ${row.channels === undefined ? "key" : "channel"} in argument ${index}, ${why}`;
}
