// Encryption: the hive's end of TLS, for the connections that ask for it.
//
//   begin(socket) ──handshake──▶ ready(TLSSocket, why its client is not let in, if so)
//                           └──▶ failed(reason), and the socket is closed
//   reload() ──▶ files read and checked ──▶ later handshakes use them; open connections go on as they are
//
// A client whose certificate is missing or wrong gets its handshake all the same: a failed one tells it
// next to nothing, and in some versions of TLS not even that it failed. It is refused in words instead,
// before any door hears of it, as soon as it has said which wire it wants to be told in.
//
// node:tls is loaded with the first Encryption: a hive without TLS does not carry it. The server in here
// listens nowhere; it is Node's documented way to do TLS on a socket that is there already.

import { constants } from "node:crypto";
import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { HiveError } from "../base/errors.ts";
import {
  type CertificateOptions,
  type ClientCertificates,
  clientCertificatesOf,
  readCertificates,
} from "./certificates.ts";

export type EncryptionOptions = CertificateOptions & {
  handshakeTimeoutMs: number;
  /** One line for operators: a certificate has expired. */
  onNotice(message: string): void;
};

/** Told of exactly one end of a handshake. */
export type HandshakeOwner = {
  /** @param refusal Why the client is to be sent away: its certificate is missing or wrong. */
  ready(socket: Socket, refusal: HiveError | undefined): void;
  /** The socket is closed, or about to be. */
  failed(reason: string): void;
};

/** As a socket of TLS refers to the one below it; a property that Node does not document. */
type Layered = { _parent?: Socket };

export class Encryption {
  readonly #options: EncryptionOptions;
  readonly #clientCertificates: ClientCertificates;
  readonly #server: Server;
  readonly #handshakes = new WeakMap<Socket, HandshakeOwner>();

  private constructor(options: EncryptionOptions, server: Server) {
    this.#options = options;
    this.#clientCertificates = clientCertificatesOf(options);
    this.#server = server;
    server.on("secureConnection", (socket) => this.#secured(socket));
    server.on("tlsClientError", (error, socket) => this.#take(socket)?.failed(error.message));
  }

  /** A handshake that takes longer is to be ended. */
  get handshakeTimeoutMs(): number {
    return this.#options.handshakeTimeoutMs;
  }

  /** @throws {HiveError} REFUSED_SETTING, naming the file that is no good. */
  static async open(options: EncryptionOptions): Promise<Encryption> {
    const wanted = clientCertificatesOf(options);
    const certificates = readCertificates(options, options.onNotice);
    const { createServer } = await import("node:tls");
    const server = checked(() =>
      createServer({
        ...contextOf(certificates),
        requestCert: wanted !== "none",
        rejectUnauthorized: false,
        handshakeTimeout: options.handshakeTimeoutMs,
      }),
    );
    return new Encryption(options, server);
  }

  /**
   * Reads the files again, for handshakes from now on.
   * @throws {HiveError} REFUSED_SETTING, naming the file that is no good; then all is as before.
   */
  reload(): void {
    const certificates = readCertificates(this.#options, this.#options.onNotice);
    checked(() => this.#server.setSecureContext(contextOf(certificates)));
  }

  /** Begins the handshake. What has been read of `raw` already is its readable's: unshift() it first. */
  begin(raw: Socket, owner: HandshakeOwner): void {
    this.#handshakes.set(raw, owner);
    this.#server.emit("connection", raw);
  }

  #take(socket: TLSSocket): HandshakeOwner | undefined {
    const raw = (socket as Layered)._parent;
    const owner = raw && this.#handshakes.get(raw);
    if (raw !== undefined) this.#handshakes.delete(raw);
    return owner;
  }

  #secured(socket: TLSSocket): void {
    const owner = this.#take(socket);
    if (owner === undefined) socket.destroy();
    else owner.ready(socket, this.#refusalOf(socket));
  }

  #refusalOf(socket: TLSSocket): HiveError | undefined {
    if (this.#clientCertificates === "none") return undefined;
    // Looked at first: of a session that is resumed without any certificate, TLS has nothing bad to say.
    if (Object.keys(socket.getPeerCertificate() ?? {}).length === 0) {
      if (this.#clientCertificates === "optional") return undefined;
      const message =
        "this hive wants a client certificate: redis-cli --cert FILE --key FILE, or connect(url, { tls: { cert, key } })";
      return new HiveError("BAD_CERTIFICATE", message);
    }
    if (socket.authorized) return undefined;
    const reason = String(socket.authorizationError);
    return new HiveError("BAD_CERTIFICATE", `the client's certificate is refused: ${reason}`, { detail: { reason } });
  }
}

function contextOf({ cert, key, ca }: { cert: string; key: string; ca: string | undefined }): object {
  return {
    cert,
    key,
    // Without any, Node would load all authorities that it knows: megabytes, to check nobody.
    ca: ca ?? [],
    minVersion: "TLSv1.2" as const,
    // A client that renegotiates makes the hive work for nothing; TLS 1.3 has none of it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** What OpenSSL says of files that looked right. */
function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new HiveError("REFUSED_SETTING", `tls: ${message}`, { cause: error });
  }
}
