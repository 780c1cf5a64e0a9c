// PlainExchange: a plain request and its answer.

import { STATUS_CODES } from "node:http";
import type { BodyGate, HttpAnswer } from "../../base/http-exchange.ts";
import { LATIN1_BYTES_MAX, type Transport } from "../../base/transport.ts";
import type { ServedExchange, Serving } from "./lane.ts";
import type { PlainHead } from "./plain-head.ts";
import { bodyLost, bodyTooBig } from "./request-errors.ts";

/** Up to so much that waits nobody is behind: it leaves with this turn of the loop. */
const PENDING_BYTES_MAX = 64 * 1024;
/** What may stand in a header. */
const VISIBLE = /^[\t -~]*$/;

/** The lane of an exchange, as that sees it. */
export interface PlainLine {
  readonly serving: Serving;
  readonly transport: Transport;
  /** Other requests came with the one under way: its answer may leave with theirs. */
  readonly hasMore: boolean;
  /** Whether more of the body is wanted may have changed. */
  steer(): void;
  /** The answer is out, or waits (awaitDrained) for somebody who reads. */
  answered(isOut: boolean, isLast: boolean): void;
}

export class PlainExchange implements ServedExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly isUpgrade = false;
  isLast: boolean;
  /** Of the body, so far. */
  bodyBytes = 0;
  readonly #line: PlainLine;
  readonly #length: number;
  readonly #chunks: Buffer[] = [];
  /** Bytes of the body that somebody wants to have. */
  #wanted = 0;
  /** Nobody wants any. */
  #isDropped = false;
  #isAnswered = false;
  #isLost = false;
  #waiting: PromiseWithResolvers<void> | undefined = undefined;

  constructor({ method, target, headers, bodyBytes, isLast }: PlainHead, line: PlainLine) {
    this.method = method;
    this.target = target;
    this.headers = headers;
    this.isLast = isLast;
    this.#line = line;
    this.#length = bodyBytes;
  }

  get encrypted(): boolean {
    return this.#line.transport.encrypted;
  }

  get isWhole(): boolean {
    return this.bodyBytes === this.#length;
  }

  /** Whether more has come than anybody wants yet, and more is to come. */
  get isAhead(): boolean {
    return this.bodyBytes > this.#wanted && !this.isWhole && !this.#isDropped;
  }

  /** Takes what belongs to the body, of bytes that arrived. Returns how many. */
  take(buffer: Buffer, start: number, end: number): number {
    const bytes = Math.min(this.#length - this.bodyBytes, end - start);
    if (bytes === 0) return 0;
    this.bodyBytes += bytes;
    if (this.#isDropped) return bytes;
    this.#chunks.push(Buffer.from(buffer.subarray(start, start + bytes)));
    if (this.bodyBytes >= this.#wanted) this.#waiting?.resolve();
    return bytes;
  }

  /** The connection ended. */
  lost(): void {
    this.#isLost = true;
    this.#isAnswered = true;
    this.#isDropped = true;
    this.#waiting?.reject(bodyLost());
  }

  async readBody(bytesMax: number, gate?: BodyGate): Promise<Buffer> {
    const { serving } = this.#line;
    try {
      if (this.#length > bytesMax) throw bodyTooBig(bytesMax);
      if (gate !== undefined && this.#length > gate.afterBytes) {
        await this.#until(gate.afterBytes + 1);
        // A token that waits for its turn does not run out, and who has a good one has more time.
        serving.whole();
        await gate.check(this.#body());
      }
      await this.#until(this.#length);
    } catch (error) {
      this.#isDropped = true;
      this.#chunks.length = 0;
      throw error;
    }
    serving.whole();
    return this.#body();
  }

  #until(bytes: number): Promise<void> | undefined {
    if (this.#isLost) throw bodyLost();
    this.#wanted = bytes;
    if (this.bodyBytes >= bytes) return undefined;
    this.#line.serving.reading();
    this.#line.steer();
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #body(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  answer({ status, headers = {}, body = "", last = false }: HttpAnswer): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    // A body that has not come would have to, before the next request.
    this.isLast ||= last || !this.isWhole;
    // A text of ASCII is its own bytes.
    const isAscii = typeof body === "string" && Buffer.byteLength(body) === body.length;
    const bytes = isAscii ? body : typeof body === "string" ? Buffer.from(body) : asBuffer(body);
    const length = status === 204 ? "" : `Content-Length: ${bytes.length}\r\n`;
    const connection = this.isLast ? "close" : "keep-alive";
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${linesOf(headers)}${length}Date: ${dateNow()}\r\nConnection: ${connection}\r\n\r\n`;
    const isOut = this.#write(head, this.method === "HEAD" || status === 204 ? "" : bytes);
    this.#line.answered(isOut, this.isLast);
  }

  /** Returns whether the next request may be served. */
  #write(head: string, body: string | Buffer): boolean {
    const { transport, hasMore } = this.#line;
    if (head.length + body.length > LATIN1_BYTES_MAX) {
      transport.writeLatin1(head, true);
      const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
      return transport.write(bytes, bytes.length);
    }
    transport.writeLatin1(head + (typeof body === "string" ? body : body.latin1Slice(0, body.length)), hasMore);
    return transport.pendingBytes <= PENDING_BYTES_MAX;
  }

  /** Whoever asks for a WebSocket is Node's. */
  async openWebSocket(): Promise<undefined> {
    return undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @throws {TypeError} our own mistake: what would end a line. */
function linesOf(headers: Readonly<Record<string, string>>): string {
  let lines = "";
  for (const name in headers) {
    const value = headers[name]!;
    if (!VISIBLE.test(value)) throw new TypeError(`header ${name} has characters that no header may have`);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

let dateSecond = 0;
let dateText = "";

/** As RFC 9110 has it; of this second. */
function dateNow(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
