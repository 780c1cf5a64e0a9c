// memhive in browsers: the entry that bundlers take.
//
// The same API; what differs is how to dial. Pages reach a hive by WebSocket, which comes with a later
// release; until then connect() takes what has a dial() of its own.

import { HiveError } from "../base/errors.ts";
import { type Connect, connectWith } from "./connect.ts";

export * from "./exports.ts";

/** As in Node (see there), for what this platform can dial. @throws {HiveError} UNSUPPORTED for every address. */
export const connect: Connect<never> = connectWith<never>({
  name: "memhive",
  defaultUrl: () => undefined,
  dial: ({ shown }) => {
    throw new HiveError("UNSUPPORTED", `a browser cannot open ${shown}: pass connect() an object with dial()`);
  },
});
