// Exchange: one request of node:http and its answer, as doors see it.

import type { IncomingMessage, ServerResponse } from "node:http";
import { HiveError } from "../base/errors.ts";
import type { BodyGate, HttpAnswer, HttpExchange } from "../base/http-exchange.ts";
import type { Transport } from "../base/transport.ts";
import type { TransportStream } from "./transport-stream.ts";

export type ExchangeParts = {
  request: IncomingMessage;
  response: ServerResponse;
  stream: TransportStream;
  transport: Transport;
  /** The client waits for a word before it sends its body. */
  expectsContinue: boolean;
  /** What came behind the head of a request for a WebSocket. */
  upgrade: Buffer | undefined;
  onBody(): void;
  onWhole(): void;
  onAnswered(): void;
  onOpen(): void;
};

export class Exchange implements HttpExchange {
  /** The connection ends behind the answer. */
  isLast = false;
  /** Of the body, so far. */
  bodyBytes = 0;
  readonly #parts: ExchangeParts;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  get method(): string {
    return this.#parts.request.method ?? "";
  }

  get target(): string {
    return this.#parts.request.url ?? "";
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    return this.#parts.request.headers as Readonly<Record<string, string | undefined>>;
  }

  get encrypted(): boolean {
    return this.#parts.transport.encrypted;
  }

  get isUpgrade(): boolean {
    return this.#parts.upgrade !== undefined && this.headers["upgrade"]?.toLowerCase() === "websocket";
  }

  get hasBody(): boolean {
    const { headers } = this;
    return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  }

  async readBody(bytesMax: number, gate?: BodyGate): Promise<Buffer> {
    const { request, response, expectsContinue, onBody, onWhole } = this.#parts;
    if (Number(this.headers["content-length"] ?? 0) > bytesMax) throw tooBig(bytesMax);
    if (expectsContinue) response.writeContinue();
    const chunks: Buffer[] = [];
    let isChecked = gate === undefined;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        chunks.push(chunk);
        this.bodyBytes += chunk.length;
        if (this.bodyBytes > bytesMax) throw tooBig(bytesMax);
        if (!isChecked && this.bodyBytes > gate!.afterBytes) {
          isChecked = true;
          await gate!.check(Buffer.concat(chunks));
        }
        onBody();
      }
    } catch (error) {
      if (error instanceof HiveError) throw error;
      throw new HiveError("CONNECTION_LOST", "the connection ended in the middle of a request", { cause: error });
    }
    onWhole();
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  answer({ status, headers = {}, body = "", last = false }: HttpAnswer): void {
    const { request, response, onAnswered, upgrade } = this.#parts;
    // A body that nobody has read would have to be, before the next request.
    const isLast = last || this.isLast || upgrade !== undefined || (this.hasBody && !request.complete);
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const length = status === 204 ? {} : { "Content-Length": String(bytes.length) };
    response.writeHead(status, { ...headers, ...length, ...(isLast ? { Connection: "close" } : {}) });
    response.end(bytes);
    onAnswered();
  }

  async openWebSocket(): Promise<Transport | undefined> {
    const { openWebSocket } = await import("./web-socket.ts");
    const { request, response, stream, upgrade, transport, onOpen } = this.#parts;
    response.detachSocket(stream as never);
    return openWebSocket({ request, stream, head: upgrade!, transport, onOpen });
  }
}

function tooBig(bytesMax: number): HiveError {
  return new HiveError("FRAME_TOO_BIG", `the body of this request has more than ${bytesMax} bytes`);
}
