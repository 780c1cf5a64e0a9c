// Client names: what a connection may call itself and its library.

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";

/** Visible ASCII without spaces, so that CLIENT LIST stays one line per connection. */
const VISIBLE = /^[!-~]*$/;

/** The name in argument `index`. @throws {HiveError} INVALID_ARGUMENT */
export function clientName(args: Args, index: number, context: Context): string {
  return checked(args, index, context, "Client names");
}

/** The name or version of a library in argument `index`. @throws {HiveError} INVALID_ARGUMENT */
export function libraryInfo(args: Args, index: number, context: Context): string {
  return checked(args, index, context, args.latin1(index - 1).toLowerCase());
}

function checked(args: Args, index: number, context: Context, what: string): string {
  const { connectionNameBytesMax } = context.services.limits;
  if (args.length(index) > connectionNameBytesMax) {
    const message = `name of ${args.length(index)} bytes exceeds connectionNameBytesMax (${connectionNameBytesMax})`;
    throw new HiveError("INVALID_ARGUMENT", message);
  }
  const name = args.latin1(index);
  if (VISIBLE.test(name)) return name;
  throw new HiveError("INVALID_ARGUMENT", `${what} cannot contain spaces, newlines or special characters.`);
}
