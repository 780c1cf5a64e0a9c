// Too big: what a name or a value is refused with.

import { HiveError } from "../base/errors.ts";

export function tooBig(
  code: "KEY_TOO_BIG" | "VALUE_TOO_BIG",
  what: string,
  bytes: number,
  limit: string,
  max: number,
): HiveError {
  return new HiveError(code, `${what} of ${bytes} bytes exceeds ${limit} (${max} bytes)`);
}
