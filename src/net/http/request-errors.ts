// What becomes of a body that does not come whole.

import { HiveError } from "../../base/errors.ts";

export function bodyTooBig(bytesMax: number): HiveError {
  return new HiveError("FRAME_TOO_BIG", `the body of this request has more than ${bytesMax} bytes`);
}

export function bodyLost(): HiveError {
  return new HiveError("CONNECTION_LOST", "the connection ended in the middle of a request");
}
