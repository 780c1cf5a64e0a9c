// Dial: opens a connection to a hive, over TCP, TLS or a unix socket.
//
//   dial({ host, port }) ──▶ SocketTransport
//
// The other direction of listen.ts; what is spoken over it is the caller's business.

import { connect as connectSocket, type Socket } from "node:net";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Transport } from "../base/transport.ts";
import { SocketTransport } from "./socket-transport.ts";
import { tlsFailure } from "./tls-failure.ts";

/** As Redis has it: a peer that vanished is noticed after about five minutes. Heartbeats are quicker. */
const KEEP_ALIVE_MS = 300_000;

export type DialTarget = { host: string; port: number } | { path: string };

/** What TLS is checked with: Node's own options, such as `ca`, `cert`, `key`, `servername`. */
export type { TlsOptions };

/**
 * Resolves when the connection is open.
 * @param tls Given: the connection is encrypted, and the hive's certificate is checked.
 * @throws {HiveError} BAD_CERTIFICATE: of either end (see tls-failure.ts); REFUSED_SETTING: what `tls` has cannot be used.
 * @throws {Error} what the system or TLS says; the signal's reason where it ended the attempt.
 */
export async function dial(target: DialTarget, signal: AbortSignal, tls?: TlsOptions): Promise<Transport> {
  const socket = tls === undefined ? open(target) : await openTls(target, tls);
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const fail = (error: Error): void => {
      signal.removeEventListener("abort", abort);
      reject(tls === undefined ? error : tlsFailure(error));
    };
    socket.once("error", fail);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      signal.removeEventListener("abort", abort);
      socket.removeListener("error", fail);
      resolve();
    });
  });
  const path = "path" in target ? target.path : undefined;
  return new SocketTransport(socket, { path, encrypted: tls !== undefined, onGone() {} });
}

function open(target: DialTarget): Socket {
  const socket = connectSocket({ ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
  // Its handle is taken over before it reads anything.
  socket.pause();
  return socket;
}

/** TLS is loaded with the first connection that wants it. */
async function openTls(target: DialTarget, options: TlsOptions): Promise<Socket> {
  const { connect } = await import("node:tls");
  const host = "host" in target ? target.host : undefined;
  const servername = host === undefined || /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const socket = connectTls(() => connect({ minVersion: "TLSv1.2", ...servername, ...options, ...target }));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

/** A certificate and a key that do not fit are found out before anything is dialed. */
function connectTls<T>(connect: () => T): T {
  try {
    return connect();
  } catch (error) {
    throw tlsFailure(error);
  }
}
