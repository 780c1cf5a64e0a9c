// HttpExchange: the seam between net/, which speaks HTTP, and doors/http, which knows what is asked.
//
//   node:http on a transport ──▶ HttpExchange ──▶ HttpHandler.handle() ──▶ exchange.answer()
//
// One request and its answer. Those of one connection are handed over one after the other: the next one comes
// when the answer of the one before is out. Two implementers: net/http/, and a script in tests.

import type { Transport } from "./transport.ts";

export type HttpAnswer = {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
  /** True: the connection ends behind it. */
  last?: boolean;
};

/** What has to be found good before more than `afterBytes` of a body are read. */
export type BodyGate = {
  afterBytes: number;
  /** @throws {HiveError} The rest is not read. */
  check(begun: Buffer): Promise<void>;
};

export interface HttpExchange {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  /** By names in lower case. Those that may come several times are joined by Node's rules. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly encrypted: boolean;
  /** Whether a WebSocket is asked for. */
  readonly isUpgrade: boolean;
  /** The whole body. @throws {HiveError} FRAME_TOO_BIG above `bytesMax`; CONNECTION_LOST; what the gate throws. */
  readBody(bytesMax: number, gate?: BodyGate): Promise<Buffer>;
  /** Once. */
  answer(answer: HttpAnswer): void;
  /** Accepts the WebSocket: its binary messages as a stream of bytes. Undefined where its head was no good, which is answered. */
  openWebSocket(): Promise<Transport | undefined>;
}

/** What a connection's requests go to. */
export interface HttpHandler {
  /** Whether nobody has said a valid token yet where one is needed: then there is little time. */
  readonly isStranger: boolean;
  /** Answers it, now or later. A rejection is our own mistake. */
  handle(exchange: HttpExchange): Promise<void>;
  /** The client sends no more: what is asked is answered, but no call waits for anything. */
  finished(): void;
  /** The connection is gone. */
  closed(): void;
}

/** The connection as its handler sees it. */
export interface HttpLine {
  readonly address: string;
  readonly localAddress: string;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** The end: behind the answer under way, or at once. */
  close(how: "drain" | "now"): void;
}
