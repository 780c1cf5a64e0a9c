// NodeExchange: one request of node:http and its answer, as doors see it.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyGate, HttpAnswer } from "../../base/http-exchange.ts";
import type { Transport } from "../../base/transport.ts";
import type { TransportStream } from "../transport-stream.ts";
import type { ServedExchange, Serving } from "./lane.ts";
import { bodyLost, bodyTooBig } from "./request-errors.ts";

export type NodeExchangeParts = {
  serving: Serving;
  request: IncomingMessage;
  response: ServerResponse;
  stream: TransportStream;
  transport: Transport;
  /** The client waits for a word before it sends its body. */
  expectsContinue: boolean;
  /** What came behind the head of a request for a WebSocket. */
  upgrade: Buffer | undefined;
};

export class NodeExchange implements ServedExchange {
  /** The connection ends behind the answer. */
  isLast = false;
  /** Of the body, so far. */
  bodyBytes = 0;
  readonly #parts: NodeExchangeParts;

  constructor(parts: NodeExchangeParts) {
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

  get isWhole(): boolean {
    return !hasBody(this.headers) || this.#parts.request.complete;
  }

  async readBody(bytesMax: number, gate?: BodyGate): Promise<Buffer> {
    const { request, response, expectsContinue, serving } = this.#parts;
    if (Number(this.headers["content-length"] ?? 0) > bytesMax) throw bodyTooBig(bytesMax);
    if (expectsContinue) response.writeContinue();
    serving.reading();
    const check = async (begun: Buffer): Promise<void> => {
      // A token that waits for its turn does not run out, and who has a good one has more time.
      serving.whole();
      await gate!.check(begun);
      serving.reading();
    };
    const body = new Body(request, bytesMax, gate && { ...gate, check });
    body.onBytes = (bytes) => {
      this.bodyBytes = bytes;
      serving.weigh();
    };
    const whole = await body.whole;
    serving.whole();
    return whole;
  }

  answer({ status, headers = {}, body = "", last = false }: HttpAnswer): void {
    const { response, serving, upgrade } = this.#parts;
    // Nobody is there any more, and Node would throw what it cannot write.
    if (response.destroyed) return;
    // A body that nobody has read would have to be, before the next request.
    this.isLast ||= last || upgrade !== undefined || !this.isWhole;
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const length = status === 204 ? {} : { "Content-Length": String(bytes.length) };
    response.writeHead(status, { ...headers, ...length, ...(this.isLast ? { Connection: "close" } : {}) });
    response.end(bytes);
    serving.answered();
  }

  async openWebSocket(): Promise<Transport | undefined> {
    const { openWebSocket } = await import("../web-socket.ts");
    const { request, response, stream, upgrade, transport, serving } = this.#parts;
    response.detachSocket(stream as never);
    return openWebSocket({ request, stream, head: upgrade!, transport, onOpen: () => serving.upgraded() });
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
  /** What has to be found good yet; settles when that was looked at. */
  #gate: BodyGate | undefined;
  #checked: Promise<void> | undefined = undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;

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
    if (this.#bytes > this.#bytesMax) return this.#fail(bodyTooBig(this.#bytesMax));
    this.onBytes(this.#bytes);
    const gate = this.#gate;
    if (gate === undefined || this.#bytes <= gate.afterBytes) return;
    this.#gate = undefined;
    this.#request.pause();
    // All of it may have come at once: then its end waits too.
    this.#checked = gate.check(Buffer.concat(this.#chunks)).then(
      () => void this.#request.resume(),
      (error) => this.#fail(error),
    );
  };

  readonly #end = (): void => {
    // What is whole cannot be lost.
    this.#request.off("close", this.#lost);
    if (this.#checked === undefined) this.#finish();
    else void this.#checked.then(this.#finish);
  };

  readonly #finish = (): void => {
    this.#leave();
    this.#resolve(this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks));
  };

  readonly #lost = (): void => {
    this.#fail(bodyLost());
  };

  /** The rest is not kept. */
  #fail(error: Error): void {
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
