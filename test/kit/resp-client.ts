// A client for tests of the RESP door: sends any bytes, reads replies whole, and shows the exact bytes.
//
//   const client = await RespClient.connect({ port });
//   client.send(["SET", "k", "v"]);                       // as many as you like before reading
//   (await client.readReply()).value                      // "OK"
//   (await client.readReply()).bytes.toString("latin1")   // "+OK\r\n"
//
// It knows nothing of the hive: it is the other side, so it shares no code with wire/. Nothing sleeps:
// a read waits for bytes, for the end of the connection, or fails after its timeout and shows what came.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ReplyBuffer, type RespReply } from "./resp-reply.ts";

export { RespError, type RespReply, type RespValue } from "./resp-reply.ts";

const READ_TIMEOUT_MS = 10_000;
const SHOWN_BYTES_MAX = 300;

export type RespAddress = { port: number; host?: string } | { path: string };

type Waiting = { resolve: (reply: RespReply) => void; reject: (error: Error) => void; timer: NodeJS.Timeout };

export class RespClient {
  /** For what the client has no method for: pause(), resetAndDestroy(), localPort … */
  readonly socket: Socket;
  /** Resolves when the connection has ended, by whichever side. Never rejects. */
  readonly closed: Promise<void>;
  readonly #received = new ReplyBuffer();
  readonly #waiting: Waiting[] = [];
  #end: Error | undefined;

  /** Takes a connected socket. */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#received.add(chunk);
      this.#deliver();
    });
    socket.on("error", (error) => this.#finish(error));
    socket.on("end", () => this.#finish(new Error("the server closed the connection")));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#finish(new Error("the connection is closed"));
        resolve();
      });
    });
  }

  static async connect(address: RespAddress): Promise<RespClient> {
    const socket = connect("path" in address ? address : { host: "127.0.0.1", ...address });
    await once(socket, "connect");
    return new RespClient(socket);
  }

  /** Sends one call. Strings go as UTF-8. */
  send(args: readonly (string | Uint8Array)[]): void {
    this.socket.write(encodeCall(args));
  }

  /** Sends calls in one write. */
  sendAll(calls: readonly (readonly (string | Uint8Array)[])[]): void {
    this.socket.write(Buffer.concat(calls.map(encodeCall)));
  }

  /** Sends bytes as they are; a string stands for its Latin-1 bytes. */
  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /**
   * The next reply, in the order in which they came; pushes count as replies.
   *
   * @throws {Error} when the connection ends or `timeoutMs` pass first; the message shows what came.
   */
  readReply(timeoutMs: number = READ_TIMEOUT_MS): Promise<RespReply> {
    if (this.#waiting.length === 0) {
      const reply = this.#received.tryTake();
      if (reply) return Promise.resolve(reply);
    }
    if (this.#end) return Promise.reject(this.#failure(this.#end.message));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(this.#failure(`no reply within ${timeoutMs} ms`));
      }, timeoutMs);
      const waiting = { resolve, reject, timer };
      this.#waiting.push(waiting);
    });
  }

  /** The next `count` replies. */
  async readReplies(count: number, timeoutMs: number = READ_TIMEOUT_MS): Promise<RespReply[]> {
    const replies: RespReply[] = [];
    while (replies.length < count) replies.push(await this.readReply(timeoutMs));
    return replies;
  }

  /** Sends one call and reads one reply. */
  call(...args: (string | Uint8Array)[]): Promise<RespReply> {
    this.send(args);
    return this.readReply();
  }

  /** Sends calls in one write and reads as many replies. */
  callAll(calls: readonly (readonly (string | Uint8Array)[])[]): Promise<RespReply[]> {
    this.sendAll(calls);
    return this.readReplies(calls.length);
  }

  /** The bytes that came and were not read as a reply. */
  unread(): Buffer {
    return this.#received.rest();
  }

  /** Ends the connection and resolves when it is closed. */
  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #deliver(): void {
    while (this.#waiting.length > 0) {
      let reply: RespReply | undefined;
      try {
        reply = this.#received.tryTake();
      } catch (error) {
        this.#finish(error instanceof Error ? error : new Error(String(error)));
        this.socket.destroy();
        return;
      }
      if (!reply) return;
      const { resolve, timer } = this.#waiting.shift()!;
      clearTimeout(timer);
      resolve(reply);
    }
  }

  #finish(reason: Error): void {
    this.#end ??= reason;
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(this.#failure(this.#end.message));
    }
  }

  #failure(reason: string): Error {
    const rest = this.#received.rest();
    const shown = JSON.stringify(rest.toString("latin1", 0, SHOWN_BYTES_MAX));
    return new Error(rest.length === 0 ? reason : `${reason}; received and unread (${rest.length} bytes): ${shown}`);
  }
}

/** One call as an array of bulk strings. */
export function encodeCall(args: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from("\r\n");
