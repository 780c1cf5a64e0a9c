// A client for tests of the HTTP door: one connection, any bytes, answers read whole.
//
//   await using client = await HttpClient.connect({ port });
//   const { status, json } = await client.request("GET", "/healthz");
//
// It knows nothing of the hive, and does nothing by itself: no header but Host and Content-Length.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export type HttpReply = { status: number; headers: Record<string, string>; body: Buffer; json: unknown };
export type HttpRequest = { headers?: Record<string, string>; body?: string | Uint8Array };

export class HttpClient implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the connection has ended, by whichever side. */
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("end", () => this.#end());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#end();
        resolve();
      });
    });
  }

  static async connect(
    address: { port: number } | { path: string },
    tls?: { ca: string | Buffer },
  ): Promise<HttpClient> {
    if (tls === undefined) {
      const socket = connect("path" in address ? address : { host: "127.0.0.1", ...address });
      await once(socket, "connect");
      return new HttpClient(socket);
    }
    const socket = connectTls({ host: "127.0.0.1", ...(address as { port: number }), ...tls, servername: "localhost" });
    await once(socket, "secureConnect");
    return new HttpClient(socket);
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends a request without waiting for its answer. */
  send(method: string, target: string, { headers = {}, body }: HttpRequest = {}): void {
    const bytes = body === undefined ? undefined : Buffer.from(body as string);
    const all = { Host: "localhost", ...(bytes === undefined ? {} : { "Content-Length": bytes.length }), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
    this.socket.write(bytes === undefined ? head : Buffer.concat([head, bytes]));
  }

  async request(method: string, target: string, more?: HttpRequest): Promise<HttpReply> {
    this.send(method, target, more);
    return this.reply(method);
  }

  /** The next answer. @throws {Error} where the connection ends before it */
  async reply(method: string = "GET"): Promise<HttpReply> {
    const head = await this.#until("\r\n\r\n");
    const [first = "", ...lines] = head.toString("latin1").trimEnd().split("\r\n");
    const status = Number(first.split(" ")[1]);
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    const length = method === "HEAD" || status < 200 ? 0 : Number(headers["content-length"] ?? 0);
    while (this.#received.length < length) await this.#more();
    const body = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    const isJson = headers["content-type"] === "application/json" && body.length > 0;
    return { status, headers, body, json: isJson ? JSON.parse(body.toString()) : undefined };
  }

  async #until(mark: string): Promise<Buffer> {
    for (;;) {
      const at = this.#received.indexOf(mark);
      if (at >= 0) {
        const head = this.#received.subarray(0, at + mark.length);
        this.#received = this.#received.subarray(at + mark.length);
        return head;
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error(`the connection ended: ${this.#received.toString("latin1").slice(0, 300)}`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
