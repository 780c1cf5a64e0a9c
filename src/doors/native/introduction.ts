// Introduction: what a hive says of itself in WELCOME, and what it takes of a HELLO.
//
//   HELLO ──▶ introduce() ──▶ the connection's names, for CLIENT LIST          welcome() ──▶ WELCOME

import { HiveError } from "../../base/errors.ts";
import type { Context } from "../../engine/context.ts";
import { PROTOCOL_VERSION } from "../../wire/frame.ts";
import type { Hello, SharedOffer, Welcome } from "../../wire/handshake.ts";
import type { NativeShared } from "./shared.ts";

export function welcome({ identity, limits }: NativeShared, context: Context): Welcome {
  const { frameBytesMax, argumentsMax, keyBytesMax, valueBytesMax, valueDepthMax, openCallsMax } = limits;
  return {
    version: PROTOCOL_VERSION,
    hive: identity.version,
    runId: identity.runId,
    connectionId: context.id,
    heartbeatMs: limits.heartbeatMs,
    limits: { frameBytesMax, argumentsMax, keyBytesMax, valueBytesMax, valueDepthMax, openCallsMax },
    features: [],
    ...(identity.shared === undefined ? {} : { shared: offer(identity.shared, context) }),
  };
}

/** Whoever maps the memory reads all of it, and is not counted: that is for those who may do so anyway. */
function offer(shared: { folder: string; layout: number }, context: Context): SharedOffer {
  const { peer, token } = context;
  if (!isOfThisHost(peer.address)) return { why: "the connection comes from another host" };
  if (token !== undefined && !token.readsEverything) {
    const isCounted = token.grants.everywhere("read");
    return { why: isCounted ? "the token has a quota of calls" : "the token may not read everything" };
  }
  context.readsMemory = true;
  return shared;
}

/** Whether the peer is on loopback; what is no address of IP is a unix socket or this process. */
function isOfThisHost(address: string): boolean {
  if (!/^(\d+(\.\d+){3}|\[.+\]):\d+$/.test(address)) return true;
  return /^(127\.|\[::1\]|\[::ffff:127\.)/.test(address);
}

/** Takes over what the client calls itself. */
export function introduce(context: Context, hello: Hello, bytesMax: number): void {
  if (hello.name !== undefined) context.name = printable(hello.name, bytesMax);
  context.libraryName = printable(hello.library ?? "", bytesMax);
  context.libraryVersion = printable(hello.libraryVersion ?? "", bytesMax);
}

/** What of a client's own words may stand in CLIENT LIST: visible ASCII, `bytesMax` of it. */
function printable(text: string, bytesMax: number): string {
  return text.replace(/[^!-~]/g, "_").slice(0, bytesMax);
}

export function missingToken(): HiveError {
  return new HiveError("NO_AUTH", "this hive wants a token: connect(url, { token })");
}

/** Why the token of a HELLO is not taken. */
export function wrongToken({ authenticationError: error }: Context): HiveError {
  if (error !== undefined && error.code !== "WRONG_PASSWORD") return new HiveError(error.code, error.message);
  return new HiveError("WRONG_PASSWORD", "this hive does not know the token");
}
