// WebSocket, the client's side: the platform's own, as a Transport of bytes.
//
//   connect("ws://hive:4483") ──▶ new WebSocket(".../v1/socket") ──▶ binary messages, both ways
//
// Browsers have it, and Node. What there is no way to say in it: a WebSocket cannot be told to stop reading, so
// pause() keeps what comes; and it does not tell when it has drained, so that is looked at while somebody waits.

import type { EndCause, Receiver, Transport } from "../base/transport.ts";
import { WEB_SOCKET_MESSAGE_BYTES_MAX } from "../base/web-socket-messages.ts";

/** What of a WebSocket is used here: the types of Node and of the DOM differ in the rest. */
type Socket = {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  addEventListener(type: "open" | "error" | "message" | "close", listener: (event: never) => void): void;
};
type SocketClass = new (url: string) => Socket;

const IDLE: Receiver = { receive() {}, drained() {}, finished() {}, closed() {} };
const NORMAL = 1000;
/** Between two looks at whether what was written is out. */
const DRAIN_LOOK_MS = 5;

/**
 * Opens one. Resolves when it is open.
 * @param url "ws://host:port" or "wss://host:port", without a path
 * @throws {Error} where it cannot be opened. Platforms do not say why to programs.
 */
export function dialWebSocket(url: string, signal: AbortSignal): Promise<Transport> {
  const { WebSocket } = globalThis as unknown as { WebSocket?: SocketClass };
  if (WebSocket === undefined) throw new Error("this platform has no WebSocket");
  const socket = new WebSocket(`${url}/v1/socket`);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    const transport = new WebSocketTransport(socket, url);
    const abort = (): void => {
      socket.close();
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    socket.addEventListener("open", () => {
      settled();
      resolve(transport);
    });
    socket.addEventListener("close", (() => {
      settled();
      reject(new Error("the WebSocket was refused, or nobody answers there"));
    }) as () => void);
  });
}

class WebSocketTransport implements Transport {
  receiver: Receiver = IDLE;
  readonly address: string;
  readonly localAddress = "";
  readonly encrypted: boolean;
  readonly #socket: Socket;
  #shut = false;
  #closed = false;
  /** What came while it was paused; undefined where it is not. */
  #kept: Uint8Array[] | undefined = undefined;
  #draining = false;

  constructor(socket: Socket, url: string) {
    this.#socket = socket;
    this.address = url;
    this.encrypted = url.startsWith("wss:");
    socket.addEventListener("message", (({ data }: { data: unknown }) => {
      if (data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
      else this.#close({ kind: "error", message: "what answers is no hive: it sent a text" });
    }) as (event: never) => void);
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", (({ code, reason }: { code: number; reason: string }) => {
      const why = reason === "" ? "" : `: ${reason}`;
      const kind = this.#shut ? "closed" : code === NORMAL ? "end" : "error";
      this.#close({ kind, message: `the WebSocket was closed with code ${code}${why}` });
    }) as (event: never) => void);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#kept !== undefined) this.#kept.push(bytes);
    else this.receiver.receive(bytes, 0, bytes.length);
  }

  #close(cause: EndCause): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shut = true;
    this.#socket.close();
    const { receiver } = this;
    this.receiver = IDLE;
    receiver.closed(cause);
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  write(buffer: Uint8Array, length: number): boolean {
    // It copies what it is given. In pieces: what a message is means nothing.
    for (let at = 0; at < length && !this.#shut; at += WEB_SOCKET_MESSAGE_BYTES_MAX) {
      const end = Math.min(length, at + WEB_SOCKET_MESSAGE_BYTES_MAX);
      this.#socket.send(buffer.subarray(at, end) as Uint8Array<ArrayBuffer>);
    }
    return true;
  }

  writeLatin1(text: string): void {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.write(bytes, bytes.length);
  }

  awaitDrained(): void {
    if (this.#draining || this.#shut) return;
    this.#draining = true;
    const look = (): void => {
      if (this.#shut) return;
      if (this.#socket.bufferedAmount > 0) return void setTimeout(look, DRAIN_LOOK_MS);
      this.#draining = false;
      this.receiver.drained();
    };
    setTimeout(look, 0);
  }

  pause(): void {
    this.#kept ??= [];
  }

  resume(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    while (kept !== undefined && kept.length > 0) {
      // What it does with one may pause it again.
      if (this.#kept !== undefined) return void (this.#kept as Uint8Array[]).unshift(...kept);
      this.#receive(kept.shift()!);
    }
  }

  end(): void {
    if (this.#shut) return;
    this.#shut = true;
    this.#mute();
    this.#socket.close(NORMAL);
  }

  destroy(): void {
    if (this.#closed) return;
    this.#shut = true;
    this.#mute();
    this.#socket.close();
    // A WebSocket that nobody answers takes long to close.
    const closed = (): void => this.#close({ kind: "closed", message: "closed by this end" });
    setTimeout(closed, 0);
  }

  /** From now on the receiver hears of nothing but the end. */
  #mute(): void {
    const { receiver } = this;
    this.receiver = { ...IDLE, closed: (cause) => receiver.closed(cause) };
  }
}
