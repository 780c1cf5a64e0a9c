// memhive in Node: the entry of the package.
//
//   import { connect } from "memhive";
//   await using hive = await connect("hive://127.0.0.1:4483");

import { HiveError } from "../base/errors.ts";
import { dial, type TlsOptions } from "../net/dial.ts";
import { type Connect, connectWith } from "./connect.ts";

export * from "./exports.ts";
export type { TlsOptions };

const WITHOUT_TLS_OPTIONS =
  "a WebSocket of Node takes no options of TLS: use hives://, or NODE_EXTRA_CA_CERTS for an authority of your own";

/**
 * Connects to a hive and resolves once it answers.
 *
 * @param target `hive://host:port`, `hives://host:port` (TLS, see options.tls), `unix:/path`, `ws://` or `wss://` (WebSocket), or a Hive
 *   of memhive-server in this process. Without it the environment's MEMHIVE_URL, or hive://127.0.0.1:4483.
 * @throws {HiveError} REFUSED_SETTING for an address or option that makes no sense; CONNECTION_LOST where
 *   nobody answers within options.waitMs (one attempt without it); NO_AUTH, WRONG_PASSWORD, NO_PROTOCOL
 *   where the hive refuses; BAD_FRAME where what answers is no hive.
 */
export const connect: Connect<TlsOptions> = connectWith<TlsOptions>({
  name: "memhive",
  // What is needed for it is loaded where a hive offers it.
  openShared: async (place) => (await import("./shared-opening.ts")).openShared(place),
  openSpool: async ({ dir, bytesMax, syncMs }, fresh, timers) =>
    (await import("./spool-disk.ts")).SpoolDisk.open({ dir, bytesMax, syncMs, timers }, fresh),
  defaultUrl: () => process.env["MEMHIVE_URL"] || undefined,
  dial: ({ target, encrypted, webSocket, shown }, tls) => {
    if (webSocket) {
      if (tls !== undefined) throw new HiveError("REFUSED_SETTING", WITHOUT_TLS_OPTIONS);
      return async (signal) => (await import("./web-socket.ts")).dialWebSocket(shown, signal);
    }
    const options = encrypted ? (tls ?? {}) : undefined;
    return (signal) => dial(target, signal, options);
  },
});
