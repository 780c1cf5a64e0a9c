// HttpConnection: one connection that speaks HTTP: how its requests are read, how long they may take, what waits on it.
//
//   bytes ──▶ lane ──▶ ServedExchange ──▶ handler          one limit of time: to come, to be whole, to be read

import type { HttpHandler, HttpLine } from "../../base/http-exchange.ts";
import type { Limits } from "../../base/limits.ts";
import type { EndCause, Receiver, Transport } from "../../base/transport.ts";
import { type Holder, UNCOUNTED_BYTES, type WaitingBytes } from "../../base/waiting-bytes.ts";
import { Deadline } from "./deadline.ts";
import type { Lane, ServedExchange, Serving } from "./lane.ts";
import type { NodeLane } from "./node-lane.ts";
import { PlainLane } from "./plain-lane.ts";

/** What a request in line takes, about. */
const REQUEST_BYTES = 4 * 1024;

export type HttpServerOptions = {
  limits: Limits;
  waiting: WaitingBytes;
  /** One line for operators: why a connection was cut off. */
  onNotice(address: string, message: string): void;
};

export type ConnectionParts = {
  transport: Transport;
  handlerOf(line: HttpLine): HttpHandler;
  /** Puts Node's parser on the transport. */
  openNode(serving: Serving): NodeLane;
  onGone(): void;
};

export class HttpConnection implements Receiver, HttpLine, Holder, Serving {
  readonly #options: HttpServerOptions;
  readonly #parts: ConnectionParts;
  readonly #transport: Transport;
  readonly #handler: HttpHandler;
  readonly #deadline = new Deadline();
  #lane: Lane;
  #node: NodeLane | undefined = undefined;
  /** It is a WebSocket now, and another door's. */
  #isUpgraded = false;
  #ending = false;
  /** Some of a request has come. */
  #begun = false;
  /** The client sends no more. */
  #finished = false;

  constructor(options: HttpServerOptions, parts: ConnectionParts) {
    this.#options = options;
    this.#parts = parts;
    this.#transport = parts.transport;
    this.#lane = new PlainLane({
      serving: this,
      transport: parts.transport,
      headBytesMax: options.limits.unauthenticatedBytesMax,
      onOther: (bytes) => this.#leavePlain(bytes),
    });
    this.#handler = parts.handlerOf(this);
    this.#await();
  }

  #leavePlain(bytes: Buffer): void {
    this.#node = this.#parts.openNode(this);
    this.#lane = this.#node;
    if (this.#ending) this.#lane.end();
    // What is there may be the beginning of a request, of which no more comes.
    this.#begin();
    this.#node.receive(bytes, 0, bytes.length);
    if (this.#finished) this.#node.sendsNoMore();
  }

  /** Some of a request has come: the rest has its time. */
  #begin(): void {
    this.#begun = true;
    this.#limit(this.#requestMs, "the request was not whole in time");
  }

  #destroy(): void {
    this.#transport.destroy();
    // Nothing that has come is served any more.
    this.#lane.gone();
  }

  // HttpLine.

  get address(): string {
    return this.#transport.address;
  }

  get localAddress(): string {
    return this.#transport.localAddress;
  }

  get inputBytes(): number {
    return this.#lane.inputBytes;
  }

  get outputBytes(): number {
    return this.#lane.outputBytes;
  }

  close(how: "drain" | "now"): void {
    if (how === "now") return this.#destroy();
    if (this.#isUpgraded) return;
    this.#ending = true;
    this.#lane.end();
  }

  // Holder.

  get waitingBytes(): number {
    return this.inputBytes + this.outputBytes + this.#lane.requests * REQUEST_BYTES;
  }

  cutOff(reason: string): void {
    this.notice(reason);
    this.#destroy();
  }

  // Receiver.

  receive(buffer: Buffer, start: number, end: number): void {
    const isFirst = !this.#begun && !this.#isUpgraded && this.#lane.requests === 0;
    if (isFirst) this.#begun = true;
    this.#lane.receive(buffer, start, end);
    // Nothing is served yet.
    if (isFirst && this.#begun) this.#begin();
  }

  drained(): void {
    this.#lane.drained();
  }

  finished(): void {
    this.#finished = true;
    this.#handler.finished();
    this.#lane.finished();
  }

  closed(_cause: EndCause): void {
    this.#deadline.end();
    this.#lane.gone();
    this.#handler.closed();
    this.#options.waiting.forget(this);
    this.#parts.onGone();
  }

  // Serving.

  serve(exchange: ServedExchange): void {
    this.#begun = false;
    // A body comes in the time of its request. Its token may have to wait for its turn: only when the body is read it is
    // known whether a stranger sends it (reading).
    if (exchange.isWhole) this.#deadline.clear();
    else this.#limit(this.#options.limits.httpRequestTimeoutMs, "the body was not whole in httpRequestTimeoutMs");
    // A rejection is our own bug: nobody catches it, and it ends the process.
    void this.#handler.handle(exchange);
  }

  weigh(): void {
    if (this.waitingBytes > UNCOUNTED_BYTES) this.#options.waiting.weigh(this);
  }

  reading(): void {
    this.#limit(this.#requestMs, "the body was not whole in time");
  }

  whole(): void {
    this.#deadline.clear();
  }

  answered(): void {
    this.#watchReading(this.outputBytes);
  }

  idle(): void {
    if (!this.#begun) this.#await();
  }

  upgraded(): void {
    this.#deadline.clear();
    this.#isUpgraded = true;
    this.#node?.upgrade();
    // Its own door has a place for it among the connections.
    this.#handler.closed();
  }

  notice(message: string): void {
    this.#options.onNotice(this.address, message);
  }

  // Time.

  get #idleMs(): number {
    const { authenticationTimeoutMs, httpIdleTimeoutMs } = this.#options.limits;
    return this.#handler.isStranger ? Math.min(authenticationTimeoutMs, httpIdleTimeoutMs) : httpIdleTimeoutMs;
  }

  get #requestMs(): number {
    const { authenticationTimeoutMs, httpRequestTimeoutMs } = this.#options.limits;
    return this.#handler.isStranger ? Math.min(authenticationTimeoutMs, httpRequestTimeoutMs) : httpRequestTimeoutMs;
  }

  /** Nobody asks anything: after a while the connection ends. */
  #await(): void {
    this.#deadline.set(this.#idleMs, this.#endIdle);
  }

  readonly #endIdle = (): void => this.#lane.end();

  #limit(delayMs: number, reason: string): void {
    this.#deadline.set(delayMs, () => this.cutOff(reason));
  }

  /** Whoever reads nothing of an answer for long is cut off. */
  #watchReading(before: number): void {
    const { outputSoftTimeoutMs, outputSoftBytesMax } = this.#options.limits;
    this.#deadline.set(outputSoftTimeoutMs, () => {
      const now = this.outputBytes;
      if (now < before) return this.#watchReading(now);
      this.cutOff(`read nothing of ${now} bytes for outputSoftTimeoutMs (${outputSoftTimeoutMs})`);
    });
    if (before > outputSoftBytesMax) this.weigh();
  }
}
