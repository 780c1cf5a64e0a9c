// Context: one connection as the engine sees it.
//
// A door makes one per connection with engine.open(peer) and hands it in with every call; it ends
// with engine.close(context). It holds who the caller is and the state that outlives a call: the
// name, the protocol, the transaction. It must not know any wire format or socket: what it needs of
// them is Peer.

import type { Store } from "../store/store.ts";
import type { Engine } from "./engine.ts";
import type { Row } from "./row.ts";
import type { Transaction } from "./transaction.ts";

/** The connection behind a context, implemented by each door. */
export interface Peer {
  /** Which wire: "resp", "native", … */
  readonly door: string;
  /** The remote end, "127.0.0.1:50123", or the path of a unix socket with ":0". */
  readonly address: string;
  /** Our end, in the same form. */
  readonly localAddress: string;
  /** Bytes received and not yet run; bytes answered and not yet taken by the peer. For CLIENT LIST. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Ends the connection: after the replies written so far went out, or at once. */
  close(how: "drain" | "now"): void;
}

/** Whether replies are sent: always, never, or not for the next call (CLIENT REPLY). */
export type ReplyMode = "on" | "off" | "skip-next" | "skip";

// Bits of Context.gate: why a call may need more than a look at its row.
/** Not authenticated. */
export const GATE_AUTH = 1;
/** Between MULTI and EXEC. */
export const GATE_MULTI = 2;

export class Context {
  readonly engine: Engine;
  readonly store: Store;
  readonly peer: Peer;
  readonly id: number;
  readonly createdAtMs: number;
  /** 0 for a plain authenticated connection outside MULTI: the fast path of the engine. */
  gate = 0;
  /** RESP version; doors of other wires leave it at 3. */
  protocol: 2 | 3 = 2;
  name = "";
  libraryName = "";
  libraryVersion = "";
  user = "default";
  replyMode: ReplyMode = "on";
  noEvict = false;
  /** Reads of this connection do not count as access for eviction (CLIENT NO-TOUCH). */
  noTouch = false;
  /** Time of the last call and its row, for CLIENT LIST. */
  lastCallMs: number;
  lastRow: Row | undefined = undefined;
  calls = 0;
  /** Present from the first MULTI or WATCH on. */
  transaction: Transaction | undefined = undefined;
  #abort: AbortController | undefined = undefined;

  constructor(engine: Engine, peer: Peer, id: number, nowMs: number) {
    this.engine = engine;
    this.store = engine.store;
    this.peer = peer;
    this.id = id;
    this.createdAtMs = nowMs;
    this.lastCallMs = nowMs;
  }

  /** The hive's clock as read at the start of this read event, in epoch milliseconds. */
  get nowMs(): number {
    return this.engine.nowMs;
  }

  /** Ends when the connection closes or is reset, or when the hive stops. Made on first use. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** Called by the engine when the connection ends or is reset: what waits for it gives up. */
  abort(reason: unknown): void {
    this.#abort?.abort(reason);
    this.#abort = undefined;
  }
}
