// memhive in browsers: the entry that bundlers take.
//
// The same API; what differs is how to dial: pages reach a hive by WebSocket, ws:// or wss://.

import { HiveError } from "../base/errors.ts";
import { type Connect, connectWith } from "./connect.ts";
import { dialWebSocket } from "./web-socket.ts";

export * from "./exports.ts";

/**
 * As in Node (see there), for addresses that a page can open: ws://host:port and wss://host:port.
 * @throws {HiveError} UNSUPPORTED for the others.
 */
export const connect: Connect<never> = connectWith<never>({
  name: "memhive",
  defaultUrl: () => undefined,
  dial: ({ shown, webSocket }) => {
    if (webSocket) return async (signal) => dialWebSocket(shown, signal);
    throw new HiveError("UNSUPPORTED", `a browser cannot open ${shown}: use ws://host:port or wss://host:port`);
  },
});
