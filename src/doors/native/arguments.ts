// Arguments of a native call, found where they lie in the frame and checked once.
//
// What is said to be text must be UTF-8, and a value must be one whole canonical value: what is stored
// is read by others without another look.

import { HiveError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import { Args, KIND_TEXT, KIND_VALUE } from "../../engine/args.ts";
import { ITEM_ARRAY, ITEM_ATOM, ItemReader } from "../../wire/items.ts";
import { isUtf8 } from "../../wire/utf8.ts";
import { walk } from "../../wire/value.ts";

const items = new ItemReader();

/**
 * Fills `args` with the items in bytes `start` to `end`. Item kinds are those of Args.
 * @throws {HiveError} BAD_VALUE, TOO_MANY_ARGUMENTS: of this call; BAD_FRAME: of the whole connection.
 */
export function readArguments(args: Args, bytes: Buffer, start: number, end: number, limits: Limits): void {
  items.reset(bytes, start, end);
  args.reset(bytes);
  while (!items.done) readArgument(args, limits);
  if (args.count === 0) throw new HiveError("BAD_FRAME", "a call without a name");
}

/** The calls of a TRANSACTION in bytes `start` to `end`. @throws {HiveError} TRANSACTION_TOO_BIG; as readArguments() */
export function readTransaction(bytes: Buffer, start: number, end: number, limits: Limits): Args[] {
  const calls: Args[] = [];
  for (let at = start; at < end; ) {
    if (calls.length === limits.transactionCallsMax) {
      throw new HiveError("TRANSACTION_TOO_BIG", `more than transactionCallsMax (${calls.length}) calls`);
    }
    const args = new Args(8);
    at = readNested(args, bytes, at, end, limits);
    calls.push(args);
  }
  return calls;
}

/** The same for the next call of a TRANSACTION: an ARRAY head, and its items. @returns Where it ends. */
function readNested(args: Args, bytes: Buffer, start: number, end: number, limits: Limits): number {
  items.reset(bytes, start, end);
  items.next();
  const count = items.size;
  if (items.kind !== ITEM_ARRAY || count < 1) throw new HiveError("BAD_FRAME", "a call in a transaction is an array");
  args.reset(bytes);
  for (let i = 0; i < count; i++) readArgument(args, limits);
  return items.at;
}

function readArgument(args: Args, limits: Limits): void {
  items.next();
  const { kind, start } = items;
  const end = items.at;
  if (kind >= ITEM_ATOM) throw new HiveError("BAD_FRAME", "an argument is raw bytes, text, bytes or a value");
  if (kind === KIND_TEXT) {
    if (!isUtf8(items.bytes, start, end)) throw new HiveError("BAD_VALUE", "a text is not UTF-8");
  } else if (kind === KIND_VALUE) walk(items.bytes, start, end, limits.valueDepthMax);
  if (args.count === limits.argumentsMax) {
    throw new HiveError("TOO_MANY_ARGUMENTS", `a call has more than argumentsMax (${limits.argumentsMax}) arguments`);
  }
  args.push(start, end - start, kind);
}
