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
  /** More of the body is waited for, from whoever asks now. */
  onReading(): void;
  /** Nothing of it is waited for. */
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
    return hasBody(this.headers);
  }

  async readBody(bytesMax: number, gate?: BodyGate): Promise<Buffer> {
    const { request, response, expectsContinue, onBody, onReading, onWhole } = this.#parts;
    if (Number(this.headers["content-length"] ?? 0) > bytesMax) throw tooBig(bytesMax);
    if (expectsContinue) response.writeContinue();
    onReading();
    const check = async (begun: Buffer): Promise<void> => {
      // A token that waits for its turn does not run out, and who has a good one has more time.
      onWhole();
      await gate!.check(begun);
      onReading();
    };
    const body = new Body(request, bytesMax, gate && { ...gate, check });
    body.onBytes = (bytes) => {
      this.bodyBytes = bytes;
      onBody();
    };
    const whole = await body.whole;
    onWhole();
    return whole;
  }

  answer({ status, headers = {}, body = "", last = false }: HttpAnswer): void {
    const { request, response, onAnswered, upgrade } = this.#parts;
    // Nobody is there any more, and Node would throw what it cannot write.
    if (response.destroyed) return;
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

export function hasBody(headers: Readonly<Record<string, unknown>>): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** A body as it comes. Events and no iterator: that took a fifth of the time of a small request. */
class Body {
  readonly whole: Promise<Buffer>;
  onBytes: (bytes: number) => void = () => {};
  readonly #request: IncomingMessage;
  readonly #bytesMax: number;
  /** What has to be found good yet. */
  #gate: BodyGate | undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: HiveError) => void;

  constructor(request: IncomingMessage, bytesMax: number, gate: BodyGate | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.whole = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#request = request;
    this.#bytesMax = bytesMax;
    this.#gate = gate;
    request.on("data", this.#add);
    request.on("end", this.#end);
    request.on("error", this.#lost);
    request.on("close", this.#lost);
  }

  readonly #add = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) return this.#fail(tooBig(this.#bytesMax));
    this.onBytes(this.#bytes);
    const gate = this.#gate;
    if (gate === undefined || this.#bytes <= gate.afterBytes) return;
    this.#gate = undefined;
    this.#request.pause();
    gate.check(Buffer.concat(this.#chunks)).then(
      () => void this.#request.resume(),
      (error) => this.#fail(error),
    );
  };

  readonly #end = (): void => {
    this.#leave();
    this.#resolve(this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks));
  };

  readonly #lost = (): void => {
    this.#fail(new HiveError("CONNECTION_LOST", "the connection ended in the middle of a request"));
  };

  /** The rest is not kept. */
  #fail(error: HiveError): void {
    this.#leave();
    this.#chunks.length = 0;
    this.#reject(error);
  }

  #leave(): void {
    this.#request.off("data", this.#add);
    this.#request.off("end", this.#end);
    this.#request.off("close", this.#lost);
  }
}

function tooBig(bytesMax: number): HiveError {
  return new HiveError("FRAME_TOO_BIG", `the body of this request has more than ${bytesMax} bytes`);
}
