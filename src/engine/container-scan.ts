// Container scan: one page of the fields of a table or the members of a set, for HSCAN and SSCAN.

import type { Slice } from "../store/collections.ts";
import type { Args } from "./args.ts";
import type { Context } from "./context.ts";
import { containerToRead } from "./fields.ts";
import { parseCursor, parseScanOptions, passesPattern } from "./scan-options.ts";

/** What a page has: handles in the container `key`, and the cursor behind it; key 0 and nothing where there is none. */
export type ContainerPage = { key: number; found: readonly number[]; next: number; noValues: boolean };

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/**
 * Key in argument 1, cursor in argument 2, options behind.
 * @param type TYPE_TABLE or TYPE_SET. @param allowed Whether NOVALUES may be among the options.
 * @throws {HiveError} WRONG_TYPE, SYNTAX, NOT_INTEGER, INVALID_ARGUMENT
 */
export function scanContainer(
  { store, services }: Context,
  args: Args,
  type: number,
  allowed: "NOVALUES" | "",
): ContainerPage {
  const cursor = parseCursor(args, 2);
  const key = containerToRead(store, args, 1, type);
  if (key === 0) return { key, found: [], next: 0, noValues: false };
  const options = parseScanOptions(args, 3, allowed, services.limits);
  const found: number[] = [];
  const next = store.fields.scan(key, cursor, options.count, (handle) => {
    const { bytes, start, end } = store.fields.name(key, handle, slice);
    if (passesPattern(options, args, bytes, start, end)) found.push(handle);
  });
  return { key, found, next, noValues: options.noValues };
}
