// Lane: how the requests of one connection are read.
//
//   HttpConnection ──bytes──▶ PlainLane   what nearly every client writes, read here
//                      └────▶ NodeLane    from the first request on that is anything else: Node's own parser

import type { HttpExchange } from "../../base/http-exchange.ts";

/** A request and its answer, as their connection sees them. */
export interface ServedExchange extends HttpExchange {
  /** The connection ends behind the answer. */
  isLast: boolean;
  /** Whether all of its body has come. */
  readonly isWhole: boolean;
}

/** A connection as its lane sees it. */
export interface Serving {
  /** A request is the next one to be answered. */
  serve(exchange: ServedExchange): void;
  /** What waits on the connection has become more. */
  weigh(): void;
  /** More of a body is waited for, from whoever asks now. */
  reading(): void;
  /** Nothing of it is waited for. */
  whole(): void;
  /** An answer is written, and waits for its reader. */
  answered(): void;
  /** All answers are out. */
  idle(): void;
  /** From now on the bytes are a WebSocket's. */
  upgraded(): void;
  /** Ends it at once. @param reason For operators. */
  cutOff(reason: string): void;
  /** Tells operators. */
  notice(message: string): void;
}

export interface Lane {
  /** Bytes that came and belong to no answered request. */
  readonly inputBytes: number;
  /** Bytes of answers that are not out. */
  readonly outputBytes: number;
  /** Requests that have no answer yet. */
  readonly requests: number;
  receive(buffer: Buffer, start: number, end: number): void;
  drained(): void;
  /** The client sends no more. */
  finished(): void;
  /** The connection is gone. */
  gone(): void;
  /** Nothing is served after the request under way; where there is none, the connection ends. */
  end(): void;
}
