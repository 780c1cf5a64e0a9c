// Listener: one address, TCP or unix socket, whose connections go to the sniffer and on to a door.
//
//   bind ──▶ accept ──▶ SocketTransport ──▶ Sniffer (and TLS, where it is wanted) ──▶ door
//
// Without a token only loopback and unix sockets can be bound: a hive that anybody on the network may use
// is refused with advice, not warned about. A connection above a limit is told so as Redis does it.
// close() accepts no more, ends the connections that have said nothing yet, and leaves the others alone:
// their last replies have to go out.

import { once } from "node:events";
import { type AddressInfo, createServer, isIP, type Server, type Socket } from "node:net";
import { HiveError } from "../base/errors.ts";
import type { Transport } from "../base/transport.ts";
import type { ConnectionLimit, Connections } from "./connections.ts";
import type { Encryption } from "./encryption.ts";
import { Sniffer, type SnifferOptions, type SnifferTls } from "./sniffer.ts";
import { SocketTransport } from "./socket-transport.ts";
import { claimUnixPath, type UnixClaim } from "./unix-path.ts";

/** As Redis has it: a peer that vanished is noticed after about five minutes. */
const KEEP_ALIVE_MS = 300_000;
const LOOPBACK_NAMES: readonly string[] = ["localhost", "ip6-localhost"];

export type ListenAddress = { host: string; port: number } | { path: string };

export type ListenerOptions = Omit<SnifferOptions, "onDecided" | "tls" | "refusePlain"> & {
  /** Does TLS; without it a client that begins it is refused. */
  encryption?: Encryption | undefined;
  /** True: over TCP nothing but TLS is let in. A unix socket needs none. */
  encryptedOnly?: boolean;
  /** True: addresses other than loopback may be bound, since whoever connects needs a token. Default: false. */
  allowRemote?: boolean;
  /** Connections that the kernel holds until they are accepted. */
  backlog: number;
  /** False: neither listening nor a connection keeps the process alive. Default: both do. */
  keepAlive?: boolean;
  /** Where connections are counted. The listener keeps it up to date. */
  connections: Connections;
  /** A handshake of TLS came to nothing. */
  onHandshakeFailed?(transport: Transport, reason: string): void;
  /** An address has as many connections as one may have. Told once, until it has fewer. */
  onCrowd?(remoteAddress: string): void;
  /** Accepting failed, for example for want of file descriptors. The listener goes on. */
  onError(error: Error): void;
};

type Bound = { claim: UnixClaim | undefined; path: string | undefined; undecided: Set<Sniffer> };

export class Listener {
  /** "127.0.0.1:4483", or the unix socket's path. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  readonly #server: Server;
  readonly #claim: UnixClaim | undefined;
  /** Connections without a door. */
  readonly #undecided: Set<Sniffer>;

  private constructor(server: Server, { claim, path, undecided }: Bound) {
    const bound = server.address() as AddressInfo | string;
    this.#server = server;
    this.#claim = claim;
    this.#undecided = undecided;
    this.port = typeof bound === "string" ? 0 : bound.port;
    this.address = typeof bound === "string" ? (path ?? "") : endpoint(bound);
  }

  /**
   * Listens. Resolves when connections are accepted.
   *
   * @throws {HiveError} REFUSED_SETTING for an address that is not loopback and not allowed, ADDRESS_IN_USE, CANNOT_LISTEN.
   */
  static async open(address: ListenAddress, options: ListenerOptions): Promise<Listener> {
    const path = "path" in address ? address.path : undefined;
    const { encryption, encryptedOnly, allowRemote = false } = options;
    if ("host" in address && !allowRemote) requireLoopback(address.host);
    const claim = path === undefined ? undefined : await claimUnixPath(path);
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    const undecided = new Set<Sniffer>();
    const { onHandshakeFailed = () => {} } = options;
    const tls = {
      tls: encryption === undefined ? undefined : tlsWith(encryption, onHandshakeFailed),
      refusePlain: encryptedOnly && path === undefined ? notEncrypted : undefined,
    };
    const onDecided = (sniffer: Sniffer): void => void undecided.delete(sniffer);
    server.on("connection", (socket) => {
      const sniffer = accept(socket, path, { ...options, ...tls, onDecided });
      if (sniffer !== undefined) undecided.add(sniffer);
    });
    try {
      if (claim !== undefined) server.listen({ path: claim.listenPath, backlog: options.backlog });
      else server.listen({ ...(address as { host: string; port: number }), backlog: options.backlog });
      await once(server, "listening");
      if (claim === undefined && !allowRemote) requireLoopback((server.address() as AddressInfo).address);
      claim?.publish();
    } catch (error) {
      server.close();
      claim?.release();
      throw listenError(address, error as NodeJS.ErrnoException);
    }
    server.on("error", options.onError);
    if (options.keepAlive === false) server.unref();
    return new Listener(server, { claim, path, undecided });
  }

  /** Accepts no more connections and gives the address back. Those that have a door stay. */
  close(): void {
    this.#server.close();
    for (const sniffer of this.#undecided) sniffer.destroy();
    this.#claim?.release();
  }
}

/** Undefined where there is no room for the connection, which is told so. */
function accept(
  socket: Socket,
  path: string | undefined,
  options: ListenerOptions & SnifferOptions,
): Sniffer | undefined {
  const { connections } = options;
  // Its handle is taken over, and the address with it.
  const remoteAddress = path === undefined ? socket.remoteAddress : undefined;
  const transport = new SocketTransport(socket, { path, onGone: (gone) => connections.delete(gone) });
  if (options.keepAlive === false) transport.unref();
  const { refusedBy, first, crowded } = connections.add(transport, remoteAddress);
  if (refusedBy !== undefined) {
    if (first) options.onCrowd?.(transport.address);
    if (crowded) transport.destroy();
    else refuse(transport, refusedBy);
    return undefined;
  }
  const sniffer = new Sniffer(transport, options);
  transport.receiver = sniffer;
  return sniffer;
}

/** In Redis's words, since nothing is known of the client yet. */
function refuse(transport: SocketTransport, limit: ConnectionLimit): void {
  const whose = limit === "connectionsMax" ? "" : " of one address";
  transport.writeLatin1(`-ERR max number of clients${whose} reached\r\n`);
  transport.end();
}

function tlsWith(encryption: Encryption, onFailed: SnifferTls["onFailed"]): SnifferTls {
  return {
    timeoutMs: encryption.handshakeTimeoutMs,
    begin(transport, handshake) {
      if (!(transport instanceof SocketTransport)) throw new Error("TLS goes over sockets");
      transport.encrypt(encryption, handshake);
    },
    onFailed,
  };
}

function notEncrypted(): HiveError {
  const how = "redis-cli --tls, or hives:// in place of hive://";
  return new HiveError("NOT_ENCRYPTED", `this hive takes encrypted connections only: ${how}`);
}

function requireLoopback(host: string): void {
  const loopback = LOOPBACK_NAMES.includes(host) || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (loopback) return;
  throw new HiveError(
    "REFUSED_SETTING",
    `refused to listen on ${host}: without a token only this machine may reach a hive; set a token first, or use 127.0.0.1, ::1 or a unix socket`,
  );
}

function listenError(address: ListenAddress, error: NodeJS.ErrnoException): HiveError {
  if (error instanceof HiveError) return error;
  const where = "path" in address ? address.path : `${address.host}:${address.port}`;
  if (error.code === "EADDRINUSE") {
    return new HiveError("ADDRESS_IN_USE", `${where} is in use by another process: stop it, or choose another port`, {
      cause: error,
    });
  }
  const reasons: Record<string, string> = {
    EACCES: "no permission: ports below 1024 are for root",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "there is no such host",
    ERR_SOCKET_BAD_PORT: "a port is a whole number from 0 to 65535",
  };
  const reason = reasons[error.code ?? ""] ?? error.message;
  return new HiveError("CANNOT_LISTEN", `cannot listen on ${where}: ${reason}`, { cause: error });
}

function endpoint({ address, port }: AddressInfo): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
