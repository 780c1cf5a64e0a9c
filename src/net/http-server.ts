// HttpServer: Node's HTTP/1.1 on transports, one exchange at a time.
//
//   transport ──▶ HttpConnection ──▶ TransportStream ──▶ node:http ──▶ Exchange ──▶ handler
//                  │ time, places in line, what waits
//
// Node's server never listens: connections are handed to it, which is all that its parser needs. Its own timers
// only run where it listens, so time is kept here. Requests that came while one is answered wait in line; with
// a full line nothing more is read.

import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { HttpHandler, HttpLine } from "../base/http-exchange.ts";
import type { Limits } from "../base/limits.ts";
import type { EndCause, Receiver, Transport } from "../base/transport.ts";
import { type Holder, UNCOUNTED_BYTES, type WaitingBytes } from "../base/waiting-bytes.ts";
import { Exchange, hasBody } from "./http-request.ts";
import { TransportStream } from "./transport-stream.ts";

/** Requests of one connection that wait for the one before them. One read event may bring some more. */
const LINE_MAX = 16;
/** What a request in line takes, about. */
const REQUEST_BYTES = 4 * 1024;
/** Beside the parser's own codes. */
const BODY_WITH_UPGRADE = "BODY_WITH_UPGRADE";

export type HttpServerOptions = {
  limits: Limits;
  waiting: WaitingBytes;
  /** One line for operators: why a connection was cut off. */
  onNotice(address: string, message: string): void;
};

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #connections = new Map<unknown, HttpConnection>();
  #closed = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const websocketOnly = { shouldUpgradeCallback: ({ headers }: IncomingMessage) => isWebSocket(headers.upgrade) };
    this.#server = createServer({ maxHeaderSize: options.limits.unauthenticatedBytesMax, ...websocketOnly });
    // Who sends no more may still want his answer.
    (this.#server as unknown as { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    this.#server.on("request", (request, response) => this.#of(request).begin(request, response, {}));
    this.#server.on("checkContinue", (request, response) =>
      this.#of(request).begin(request, response, { expectsContinue: true }),
    );
    this.#server.on("upgrade", (request, stream, head) => {
      const connection = this.#connections.get(stream)!;
      // Its answer would have to wait for the others, and the bytes behind it belong to nobody until then.
      if (connection.isBusy)
        return connection.cutOff("it asked for a WebSocket behind a request that has no answer yet");
      // The parser has passed over the body, so what would be served is another request. Before Node 24.9 any protocol
      // that is asked for comes here, as that of curl --http2.
      if (hasBody(request.headers)) return connection.refuse({ code: BODY_WITH_UPGRADE });
      const response = new ServerResponse(request);
      response.assignSocket(stream as never);
      connection.begin(request, response, { upgrade: head });
    });
    this.#server.on("clientError", (error, stream) =>
      this.#connections.get(stream)?.refuse(error as { code?: string }),
    );
  }

  #of(request: IncomingMessage): HttpConnection {
    return this.#connections.get(request.socket)!;
  }

  /** Takes over a connection. `handlerOf` gets it and says who answers its requests. */
  open(transport: Transport, handlerOf: (line: HttpLine) => HttpHandler): Receiver {
    const stream = new TransportStream(transport);
    const connection = new HttpConnection(this.#options, { transport, stream, handlerOf });
    this.#connections.set(stream, connection);
    connection.onGone = () => void this.#connections.delete(stream);
    this.#server.emit("connection", stream);
    if (this.#closed) connection.close("drain");
    return connection;
  }

  /** Answers that are under way go out, then each connection ends. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#connections.values()]) connection.close("drain");
  }
}

function isWebSocket(upgrade: string | undefined): boolean {
  return upgrade?.toLowerCase() === "websocket";
}

type ConnectionParts = {
  transport: Transport;
  stream: TransportStream;
  handlerOf(line: HttpLine): HttpHandler;
};

/** What a request came with. */
type Circumstances = { expectsContinue?: boolean; upgrade?: Buffer };

export class HttpConnection implements Receiver, HttpLine, Holder {
  onGone: () => void = () => {};
  readonly #options: HttpServerOptions;
  readonly #transport: Transport;
  readonly #stream: TransportStream;
  readonly #handler: HttpHandler;
  /** The first is being answered. */
  readonly #line: Exchange[] = [];
  /** It is a WebSocket now, and another door's. */
  #upgraded = false;
  #ending = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** Some of a request has come. */
  #begun = false;
  /** What came is no HTTP, and the client was told. */
  #refused = false;

  constructor(options: HttpServerOptions, { transport, stream, handlerOf }: ConnectionParts) {
    this.#options = options;
    this.#transport = transport;
    this.#stream = stream;
    this.#handler = handlerOf(this);
    this.#arm(this.#idleMs, "no request in time");
  }

  // HttpLine.

  get address(): string {
    return this.#transport.address;
  }

  /** Whether a request has no answer yet. */
  get isBusy(): boolean {
    return this.#line.length > 0;
  }

  get localAddress(): string {
    return this.#transport.localAddress;
  }

  get inputBytes(): number {
    return this.#stream.readableLength + (this.#line[0]?.bodyBytes ?? 0);
  }

  get outputBytes(): number {
    return this.#transport.pendingBytes + this.#stream.writableLength;
  }

  close(how: "drain" | "now"): void {
    if (how === "now") return this.#transport.destroy();
    if (this.#upgraded) return;
    this.#ending = true;
    const current = this.#line[0];
    if (current === undefined) this.#stream.end();
    else current.isLast = true;
  }

  // Holder.

  get waitingBytes(): number {
    return this.inputBytes + this.outputBytes + this.#line.length * REQUEST_BYTES;
  }

  cutOff(reason: string): void {
    this.#options.onNotice(this.address, reason);
    this.#transport.destroy();
  }

  /** What waits on it has become more. */
  weigh(): void {
    if (this.waitingBytes > UNCOUNTED_BYTES) this.#options.waiting.weigh(this);
  }

  // Receiver.

  receive(buffer: Uint8Array, start: number, end: number): void {
    if (!this.#begun && !this.#upgraded && this.#line.length === 0) {
      this.#begun = true;
      this.#arm(this.#requestMs, "the request was not whole in time");
    }
    this.#stream.receive(buffer, start, end);
  }

  drained(): void {
    this.#stream.drained();
  }

  finished(): void {
    this.#stream.finished();
    this.#handler.finished();
    if (this.#line.length === 0 && !this.#upgraded) this.#stream.end();
  }

  closed(_cause: EndCause): void {
    clearTimeout(this.#timer);
    this.#stream.gone();
    this.#handler.closed();
    this.#options.waiting.forget(this);
    this.onGone();
  }

  // Time. One timer: for a request to come, to be whole, and for its answer to be read.

  get #idleMs(): number {
    const { authenticationTimeoutMs, httpIdleTimeoutMs } = this.#options.limits;
    return this.#handler.isStranger ? Math.min(authenticationTimeoutMs, httpIdleTimeoutMs) : httpIdleTimeoutMs;
  }

  get #requestMs(): number {
    const { authenticationTimeoutMs, httpRequestTimeoutMs } = this.#options.limits;
    return this.#handler.isStranger ? Math.min(authenticationTimeoutMs, httpRequestTimeoutMs) : httpRequestTimeoutMs;
  }

  #arm(delayMs: number, reason: string): void {
    clearTimeout(this.#timer);
    const isIdle = !this.#begun && this.#line.length === 0;
    this.#timer = setTimeout(() => {
      if (isIdle) this.#stream.end();
      else this.cutOff(reason);
    }, delayMs).unref();
  }

  /** The answer is written: whoever reads nothing of it for long is cut off. */
  #watchReading(before: number): void {
    const { outputSoftTimeoutMs, outputSoftBytesMax } = this.#options.limits;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const now = this.outputBytes;
      if (now < before) return this.#watchReading(now);
      this.cutOff(`read nothing of ${now} bytes for outputSoftTimeoutMs (${outputSoftTimeoutMs})`);
    }, outputSoftTimeoutMs).unref();
    if (before > outputSoftBytesMax) this.weigh();
  }

  // Requests.

  begin(request: IncomingMessage, response: ServerResponse, { expectsContinue, upgrade }: Circumstances): void {
    const exchange = new Exchange({
      request,
      response,
      stream: this.#stream,
      transport: this.#transport,
      expectsContinue: expectsContinue === true,
      upgrade,
      onBody: () => this.weigh(),
      onReading: () => this.#arm(this.#requestMs, "the body was not whole in time"),
      onWhole: () => clearTimeout(this.#timer),
      onAnswered: () => this.#watchReading(this.outputBytes),
      onOpen: () => this.#upgrade(),
    });
    // Node ends what it has begun itself, and this one it has handed over.
    if (upgrade !== undefined) response.once("finish", () => this.#stream.end());
    response.once("close", () => this.#done(exchange));
    // Of a connection that has ended: its transport tells.
    response.on("error", () => {});
    this.#line.push(exchange);
    if (this.#line.length > LINE_MAX) this.#stream.held = true;
    if (this.#line.length === 1) this.#serve(exchange);
  }

  #serve(exchange: Exchange): void {
    this.#begun = false;
    exchange.isLast ||= this.#ending;
    // A body comes in the time of its request, and what has none is whole. Its token may have to wait for its turn: only
    // when the body is read it is known whether a stranger sends it (onReading).
    if (!exchange.hasBody) clearTimeout(this.#timer);
    else this.#arm(this.#options.limits.httpRequestTimeoutMs, "the body was not whole in httpRequestTimeoutMs");
    // A rejection is our own bug: nobody catches it, and it ends the process.
    void this.#handler.handle(exchange);
  }

  #done(exchange: Exchange): void {
    if (this.#line[0] !== exchange || this.#stream.destroyed || this.#upgraded) return;
    this.#line.shift();
    const next = this.#line[0];
    if (this.#line.length <= LINE_MAX / 2) this.#stream.held = false;
    if (next !== undefined) return this.#serve(next);
    if (this.#ending) return void this.#stream.end();
    this.#arm(this.#idleMs, "no request in time");
  }

  /** From now on the bytes are a WebSocket's. */
  #upgrade(): void {
    clearTimeout(this.#timer);
    this.#upgraded = true;
    this.#line.length = 0;
    // Its own door has a place for it among the connections.
    this.#handler.closed();
  }

  #refusal(code: string | undefined): string {
    const { unauthenticatedBytesMax } = this.#options.limits;
    if (code === BODY_WITH_UPGRADE) return "a request with a body asks for another protocol: send it without Upgrade";
    if (code !== "HPE_HEADER_OVERFLOW") return "this is no request of HTTP/1.1";
    return `the head of a request exceeds unauthenticatedBytesMax (${unauthenticatedBytesMax})`;
  }

  /** What came is no HTTP, or none that can be served. */
  refuse({ code }: { code?: string }): void {
    if (this.#refused) return;
    this.#refused = true;
    const tooBig = code === "HPE_HEADER_OVERFLOW";
    const message = this.#refusal(code);
    this.#options.onNotice(this.address, message);
    if (!this.#stream.writable || this.#line.length > 0) return this.#transport.destroy();
    const body = JSON.stringify({ error: { code: tooBig ? "FRAME_TOO_BIG" : "BAD_FRAME", message, retry: false } });
    const status = tooBig ? "431 Request Header Fields Too Large" : "400 Bad Request";
    this.#stream.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}
