// NodeLane: the requests of a connection over Node's own HTTP/1.1, for all that is not plain.
//
//   bytes ──▶ TransportStream ──▶ node:http ──▶ NodeExchange ──▶ handler
//
// Requests that came while one is answered wait in line; with a full line nothing more is read.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transport } from "../../base/transport.ts";
import type { TransportStream } from "../transport-stream.ts";
import type { Lane, Serving } from "./lane.ts";
import { NodeExchange } from "./node-exchange.ts";

/** Requests of one connection that wait for the one before them. One read event may bring some more. */
const LINE_MAX = 16;
/** Beside the parser's own codes. */
export const BODY_WITH_UPGRADE = "BODY_WITH_UPGRADE";

export type NodeLaneParts = {
  serving: Serving;
  transport: Transport;
  stream: TransportStream;
  /** Of a head. */
  headBytesMax: number;
};

/** What a request came with. */
type Circumstances = { expectsContinue?: boolean; upgrade?: Buffer };

export class NodeLane implements Lane {
  readonly #parts: NodeLaneParts;
  readonly #serving: Serving;
  readonly #stream: TransportStream;
  /** The first is being answered. */
  readonly #line: NodeExchange[] = [];
  #ending = false;
  #upgraded = false;
  /** The last answer is written. */
  #over = false;
  /** What came is no HTTP, and the client was told. */
  #refused = false;

  constructor(parts: NodeLaneParts) {
    this.#parts = parts;
    this.#serving = parts.serving;
    this.#stream = parts.stream;
  }

  // Lane.

  get inputBytes(): number {
    return this.#stream.readableLength + (this.#line[0]?.bodyBytes ?? 0);
  }

  get outputBytes(): number {
    return this.#parts.transport.pendingBytes + this.#stream.writableLength;
  }

  get requests(): number {
    return this.#line.length;
  }

  receive(buffer: Buffer, start: number, end: number): void {
    this.#stream.receive(buffer, start, end);
  }

  drained(): void {
    this.#stream.drained();
  }

  finished(): void {
    this.sendsNoMore();
    if (this.#line.length === 0 && !this.#upgraded) this.#stream.end();
  }

  /** What has come is still to be read: Node ends the connection behind it. */
  sendsNoMore(): void {
    this.#stream.finished();
  }

  gone(): void {
    this.#stream.gone();
  }

  end(): void {
    this.#ending = true;
    const current = this.#line[0];
    if (current === undefined) this.#stream.end();
    else current.isLast = true;
  }

  // Requests.

  begin(request: IncomingMessage, response: ServerResponse, { expectsContinue, upgrade }: Circumstances): void {
    if (this.#over) return;
    const { transport } = this.#parts;
    const exchange = new NodeExchange({
      ...{ request, response, stream: this.#stream, transport, upgrade },
      expectsContinue: expectsContinue === true,
      serving: this.#serving,
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

  #serve(exchange: NodeExchange): void {
    exchange.isLast ||= this.#ending;
    this.#serving.serve(exchange);
  }

  #done(exchange: NodeExchange): void {
    if (this.#line[0] !== exchange || this.#stream.destroyed || this.#upgraded) return;
    this.#line.shift();
    // What was asked behind it has nobody to answer to.
    this.#over ||= exchange.isLast;
    if (this.#over) return;
    const next = this.#line[0];
    if (this.#line.length <= LINE_MAX / 2) this.#stream.held = false;
    if (next !== undefined) return this.#serve(next);
    if (this.#ending) return void this.#stream.end();
    this.#serving.idle();
  }

  /** The bytes are a WebSocket's. */
  upgrade(): void {
    this.#upgraded = true;
    this.#line.length = 0;
  }

  cutOff(reason: string): void {
    this.#serving.cutOff(reason);
  }

  /** What came is no HTTP, or none that can be served. */
  refuse({ code }: { code?: string }): void {
    if (this.#refused) return;
    this.#refused = true;
    const tooBig = code === "HPE_HEADER_OVERFLOW";
    const message = this.#refusal(code);
    this.#serving.notice(message);
    if (!this.#stream.writable || this.#line.length > 0) return this.#parts.transport.destroy();
    const body = JSON.stringify({ error: { code: tooBig ? "FRAME_TOO_BIG" : "BAD_FRAME", message, retry: false } });
    const status = tooBig ? "431 Request Header Fields Too Large" : "400 Bad Request";
    this.#stream.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  }

  #refusal(code: string | undefined): string {
    const { headBytesMax } = this.#parts;
    if (code === BODY_WITH_UPGRADE) return "a request with a body asks for another protocol: send it without Upgrade";
    if (code !== "HPE_HEADER_OVERFLOW") return "this is no request of HTTP/1.1";
    return `the head of a request exceeds unauthenticatedBytesMax (${headBytesMax})`;
  }
}
