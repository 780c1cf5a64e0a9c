// WebSocket, the hive's side: binary messages as a Transport of bytes.
//
//   TransportStream ──▶ ws ──▶ message, message … ──▶ receiver.receive()        transport.write() ──▶ one message
//
// Where a message begins and ends means nothing: what is inside is one stream of bytes, as over TCP. ws does the
// frames; a text message is nothing that we speak, and ends it.

import type { IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import type { EndCause, Receiver, Transport } from "../base/transport.ts";
import { WEB_SOCKET_MESSAGE_BYTES_MAX } from "../base/web-socket-messages.ts";
import type { TransportStream } from "./transport-stream.ts";

const DISCARD: Receiver = { receive() {}, drained() {}, finished() {}, closed() {} };
/** Status codes of RFC 6455. */
const NORMAL = 1000;
const UNSUPPORTED_DATA = 1003;

export type WebSocketParts = {
  request: IncomingMessage;
  stream: TransportStream;
  /** What came behind the head. */
  head: Buffer;
  /** What the bytes go over. */
  transport: Transport;
  /** The connection is a WebSocket from now on. */
  onOpen(): void;
};

/** Answers the request for a WebSocket. Undefined where it was no good, which the client is told. */
export function openWebSocket(parts: WebSocketParts): Promise<Transport | undefined> {
  const { request, stream, head, transport, onOpen } = parts;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: WEB_SOCKET_MESSAGE_BYTES_MAX,
  });
  return new Promise((resolve) => {
    server.on("wsClientError", ({ message }) => {
      const body = JSON.stringify({ error: { code: "BAD_FRAME", message, retry: false } });
      stream.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
      resolve(undefined);
    });
    server.handleUpgrade(request, stream, head, (socket) => {
      onOpen();
      resolve(new WebSocketTransport(socket, stream, transport));
    });
  });
}

class WebSocketTransport implements Transport {
  #receiver: Receiver = DISCARD;
  readonly address: string;
  readonly localAddress: string;
  readonly encrypted: boolean;
  readonly #socket: WebSocket;
  readonly #stream: TransportStream;
  #shut = false;
  #failure: string | undefined = undefined;

  constructor(socket: WebSocket, stream: TransportStream, { address, localAddress, encrypted }: Transport) {
    this.#socket = socket;
    this.#stream = stream;
    this.address = address;
    this.localAddress = localAddress;
    this.encrypted = encrypted;
    // Until somebody has taken it over.
    socket.pause();
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) return this.receiver.receive(data, 0, data.length);
      this.#failure = "the client sent a text message: the native protocol is binary";
      this.#finish(UNSUPPORTED_DATA, "binary messages only");
    });
    socket.on("error", ({ message }) => {
      this.#failure ??= message;
      // ws has said so, and would wait for a word.
      this.#stream.end();
    });
    socket.on("close", () => this.#closed());
  }

  get receiver(): Receiver {
    return this.#receiver;
  }

  set receiver(receiver: Receiver) {
    this.#receiver = receiver;
    this.#socket.resume();
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  write(buffer: Uint8Array, length: number): boolean {
    // ws keeps what it is given until it is out.
    if (!this.#shut) this.#socket.send(Buffer.from(buffer.subarray(0, length)), { binary: true });
    return true;
  }

  writeLatin1(text: string): void {
    if (!this.#shut) this.#socket.send(Buffer.from(text, "latin1"), { binary: true });
  }

  awaitDrained(): void {
    if (!this.#shut) this.#stream.write(Buffer.alloc(0), () => this.receiver.drained());
  }

  pause(): void {
    if (!this.#shut) this.#socket.pause();
  }

  resume(): void {
    if (!this.#shut) this.#socket.resume();
  }

  end(): void {
    if (this.#shut) return;
    this.#shut = true;
    this.#mute();
    this.#socket.resume();
    this.#finish(NORMAL);
  }

  /** Says that it ends, and does not wait for the other end to say so too. */
  #finish(code: number, reason?: string): void {
    this.#socket.close(code, reason);
    this.#stream.end();
  }

  destroy(): void {
    this.#shut = true;
    this.#mute();
    this.#socket.terminate();
  }

  #mute(): void {
    const receiver = this.#receiver;
    this.#receiver = { ...DISCARD, closed: (cause) => receiver.closed(cause) };
  }

  #closed(): void {
    const byUs: EndCause = { kind: "closed", message: "closed by the hive" };
    const byPeer: EndCause = { kind: "end", message: "the peer closed the connection" };
    const cause: EndCause =
      this.#failure !== undefined ? { kind: "error", message: this.#failure } : this.#shut ? byUs : byPeer;
    this.#shut = true;
    this.#receiver.closed(cause);
    this.#receiver = DISCARD;
  }
}
