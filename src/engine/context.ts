// Context: one connection as the engine sees it.
//
// A door makes one per connection with runner.open(peer) and hands it in with every call; it ends
// with runner.close(context). It holds who the caller is and the state that outlives a call: the
// name, the protocol, the transaction. It must not know any wire format or socket: what it needs of
// them is Peer; what commands need of the engine is Services.

import type { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";
import type { BlockedCalls } from "./blocked-calls.ts";
import type { CallPause } from "./call-pause.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { LoopMeter } from "./health.ts";
import type { MessageBus, Subscriber, Topic } from "./message-bus.ts";
import type { Persistence } from "./persistence.ts";
import type { Push } from "./push.ts";
import type { Reply } from "./reply.ts";
import type { Settings } from "./settings.ts";
import type { SlowLog } from "./slow-log.ts";
import type { Statistics } from "./statistics.ts";
import type { StructureCatalogue } from "./structure-catalogue.ts";
import { DEFAULT_USER, type Token } from "./tokens.ts";
import type { Tracking, TrackingState } from "./tracking.ts";
import type { Transaction, Watches } from "./transaction.ts";

/** The connection behind a context, implemented by each door. */
export interface Peer {
  /** Which wire: "resp", "native", … */
  readonly door: string;
  /** Whether its calls run one after the other, for one caller: then a call may change what later ones mean. */
  readonly ordered: boolean;
  /** Whether it is this process itself: then it needs no token. */
  readonly trusted?: boolean;
  /** The remote end, "127.0.0.1:50123", or the path of a unix socket with ":0". */
  readonly address: string;
  /** Our end, in the same form. */
  readonly localAddress: string;
  /** Bytes received and not yet run; bytes answered and not yet taken by the peer. For CLIENT LIST. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** A message that it listens for, or an invalidation, between the replies of an ordered wire. Never throws. */
  deliver?(push: Push): void;
  /** Ends the connection: after the replies written so far went out, or at once. */
  close(how: "drain" | "now"): void;
}

/** Where messages go that answer one call: a stream of the wire. The door implements it. */
export interface Outflow {
  /** The first element: to how many names it listens. */
  begin(count: number): void;
  /**
   * Sends one, now or when the reader takes more: then a promise is returned, to be waited for first.
   * @throws {HiveError} what cannot be written
   */
  send(push: Push): Promise<void> | undefined;
  /** The same for an element that `write` writes, as one value. */
  element(write: (reply: Reply) => void): Promise<void> | undefined;
}

/** Who a connection is. Authentication (authentication.ts) implements it. */
export interface Authenticator {
  /** Whether a connection needs a token. */
  readonly required: boolean;
  /**
   * The connection has a token from now on. Answers later where its address has to wait.
   * @param user The token's id or name, or "default"; undefined where none was said.
   * @throws {HiveError} WRONG_PASSWORD, QUOTA, OVERLOADED: it is who it was before. The promise rejects alike.
   */
  authenticate(context: Context, user: string | undefined, token: Uint8Array): void | Promise<void>;
  /** The connection is as it was when it opened. */
  reset(context: Context): void;
  /** Whether connections may have this name as their user. */
  knows(user: string): boolean;
}

/** Takes back what gives a token more than its quotas. QuotaGuard (quota-guard.ts) implements it. */
export interface Quotas {
  /**
   * Runs what a call does in one step, when its own run is long over.
   * @throws {HiveError} QUOTA, or what `run` throws: nothing of it stays where it was armed to be undone
   */
  conclude(context: Context, run: () => void): void;
  /** What the tokens of a device let it have; Infinity where one of them has no such quota, or it has none. */
  ofDevice(device: string, quota: "bytes" | "keys"): number;
}

/** What commands may ask of the engine that runs them. */
export interface Services {
  readonly authenticator: Authenticator;
  readonly store: Store;
  readonly limits: Limits;
  readonly commands: Catalogue;
  readonly settings: Settings;
  readonly slowLog: SlowLog;
  /** Undefined where the hive has no tokens. */
  readonly quotas: Quotas | undefined;
  readonly watches: Watches;
  /** Calls that wait for a key. */
  readonly blocked: BlockedCalls;
  readonly bus: MessageBus;
  /** What happened to keys, for who watches. */
  readonly feed: ChangeFeed;
  /** Who keeps keys in a cache of its own. */
  readonly tracking: Tracking;
  /** Open connections by id. */
  readonly clients: Map<number, Context>;
  readonly startedAtMs: number;
  /** Epoch milliseconds, read at the start of this read event. */
  readonly nowMs: number;
  /** Counters since the start, for INFO; CONFIG RESETSTAT sets them to 0. */
  readonly statistics: Statistics;
  /** What happens, for operators; silent unless the owner of the engine wants it. */
  readonly log: Log;
  /** How snapshots stand, and the event loop. */
  readonly persistence: Persistence;
  readonly loop: LoopMeter;
  /** The classes whose commands are in the table; undefined where none ever were. */
  readonly structures: StructureCatalogue | undefined;
  /** Milliseconds of a clock that only goes forward, read now. */
  monotonicMs(): number;
  /** Epoch milliseconds, read now. */
  clockMs(): number;
  /** Runs a queued call of a transaction: policy was applied when it was queued. */
  runQueued(context: Context, args: Args, reply: Reply): void;
  /** Runs a call that a structure makes: policy was applied before. */
  play(context: Context, args: Args, reply: Reply): void | Promise<void>;
  /** Readers of shared memory ask the socket between these two: what they would see is half done. Nests. */
  enterBusy(): void;
  leaveBusy(): void;
  /** Sets the counters of INFO back to 0, those of the commands too. */
  resetStatistics(): void;
  /** CLIENT PAUSE, and what lets calls wait beside it. */
  readonly pauses: CallPause;
  /**
   * Stops the hive after this call was answered; nothing happens where the owner of the engine does not allow it.
   * @param snapshot Whether it stores one before; undefined: as its settings say.
   */
  shutdown(snapshot?: boolean): void;
}

// Bits of Context.replyMode: which replies are not sent (CLIENT REPLY), as Redis keeps them; 0: all are.
/** None, until it is taken back. */
export const REPLY_OFF = 1;
/** Not that of this call. */
export const REPLY_SKIP = 2;
/** Not that of the call after this one; after it, this becomes REPLY_SKIP. */
export const REPLY_SKIP_NEXT = 4;
/** Not that of CLIENT REPLY SKIP itself. */
export const REPLY_SILENT = 8;
/** The reply of this call is withheld. */
export const REPLY_WITHHELD: number = REPLY_OFF | REPLY_SKIP | REPLY_SILENT;

// Bits of Context.gate: why a call may need more than a look at its row.
/** Not authenticated. */
export const GATE_AUTH = 1;
/** Between MULTI and EXEC. */
export const GATE_MULTI = 2;
/** Reads do not count as access (CLIENT NO-TOUCH). */
export const GATE_NO_TOUCH = 4;
/** Its token does not allow everything, or has quotas. */
export const GATE_LIMITED = 8;
/** It listens to channels. */
export const GATE_SUBSCRIBED = 16;
/** It keeps what it reads in a cache of its own (CLIENT TRACKING). */
export const GATE_TRACKING = 32;

/** On the heap: a name in two maps, a set of who listens, a buffer. */
const SUBSCRIPTION_BYTES = 500;

export class Context {
  readonly ordered: boolean;
  readonly services: Services;
  readonly store: Store;
  readonly peer: Peer;
  readonly id: number;
  readonly createdAtMs: number;
  /** 0 for a plain authenticated connection outside MULTI: the fast path of the engine. */
  gate = 0;
  /** RESP version; doors of other wires set it to 3. */
  protocol: 2 | 3 = 2;
  /** What the connection calls itself: visible ASCII. */
  name = "";
  libraryName = "";
  libraryVersion = "";
  /** The id of its token. */
  user: string = DEFAULT_USER;
  /** What it has authenticated with; undefined where nobody needs that, and before. */
  token: Token | undefined = undefined;
  /** Whether it was told where the hive's memory can be read: then it has to end where its token may no longer read all. */
  readsMemory = false;
  /** Why its last try to authenticate failed. */
  authenticationError: HiveError | undefined = undefined;
  replyMode = 0;
  /** EXEC has withheld single replies itself: the door keeps what is written. */
  withheldInside = false;
  noEvict = false;
  /** EXEC is running its queue: nothing may wait. */
  executing = false;
  /** Time of the last call and its command, for CLIENT LIST and the idle timeout. */
  lastCallMs: number;
  lastCommand = "";
  /** Present from the first MULTI or WATCH on. */
  transaction: Transaction | undefined = undefined;
  /** What it listens to. Present from the first SUBSCRIBE on. */
  subscriber: Subscriber | undefined = undefined;
  /** The same by streams, each for itself. */
  readonly streams: Set<Subscriber> = new Set();
  /** Streams of the change feed that it reads. */
  feeds = 0;
  #tracking: TrackingState | undefined = undefined;
  /** Where the call under way sends messages, on a wire where calls can be streams. */
  outflow: Outflow | undefined = undefined;
  #abort: AbortController | undefined = undefined;

  constructor(services: Services, peer: Peer, id: number) {
    this.services = services;
    this.store = services.store;
    this.peer = peer;
    this.ordered = peer.ordered;
    this.id = id;
    this.createdAtMs = services.nowMs;
    this.lastCallMs = services.nowMs;
  }

  /** The hive's clock as read at the start of this read event, in epoch milliseconds. */
  get nowMs(): number {
    return this.store.memory.nowMs;
  }

  get inMulti(): boolean {
    return (this.gate & GATE_MULTI) !== 0;
  }

  /** Whether its own connection listens to channels. */
  get hearsMessages(): boolean {
    return (this.gate & GATE_SUBSCRIBED) !== 0;
  }

  /** How it tracks what it reads; undefined where it does not. */
  get tracking(): TrackingState | undefined {
    return this.#tracking;
  }

  set tracking(state: TrackingState | undefined) {
    this.#tracking = state;
    this.gate = state === undefined ? this.gate & ~GATE_TRACKING : this.gate | GATE_TRACKING;
  }

  get authenticated(): boolean {
    return (this.gate & GATE_AUTH) === 0;
  }

  /**
   * Ends when nobody waits for the call any more: the connection closes or is reset, or the caller cancels
   * it where the wire can say so. Asked for before the call first awaits anything. Made on first use.
   */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /**
   * What ends the signal that the call which has just begun asked for; undefined where it asked for none.
   * For doors whose calls wait beside each other: whoever takes it ends it, and the next call gets another.
   */
  takeAbort(): AbortController | undefined {
    const abort = this.#abort;
    this.#abort = undefined;
    return abort;
  }

  /** The next call that asks for a signal gets this one's: for an engine that begins calls later. */
  lendAbort(abort: AbortController): void {
    this.#abort = abort;
  }

  /** Begins a call that had to wait: a stream has its reader again, as when it came. */
  lendOutflow<Result>(outflow: Outflow | undefined, begin: () => Result): Result {
    this.outflow = outflow;
    try {
      return begin();
    } finally {
      this.outflow = undefined;
    }
  }

  /** Forgets what was queued and what is watched: the end of every transaction, whichever way. */
  endTransaction(): void {
    this.gate &= ~GATE_MULTI;
    if (this.transaction === undefined) return;
    this.transaction.clear();
    this.services.watches.unwatch(this.transaction);
  }

  /** Whether it waits for what the hive tells by itself. */
  get listens(): boolean {
    return (this.gate & GATE_SUBSCRIBED) !== 0 || this.streams.size > 0 || this.feeds > 0;
  }

  /** What all its subscriptions listen to, together. */
  get subscribed(): { names: number; bytes: number; patternBytes: number } {
    const sum = { names: 0, bytes: 0, patternBytes: 0 };
    for (const { total, nameBytes, patternBytes } of [...(this.subscriber ? [this.subscriber] : []), ...this.streams]) {
      sum.names += total;
      sum.bytes += nameBytes;
      sum.patternBytes += patternBytes;
    }
    return sum;
  }

  /** What that takes on the heap, about. */
  get subscribedHeapBytes(): number {
    if (this.subscriber === undefined && this.streams.size === 0) return 0;
    const { names, bytes } = this.subscribed;
    return 2 * bytes + names * SUBSCRIPTION_BYTES;
  }

  /** To how many names it listens, by all its subscriptions. */
  listensTo(topic: Topic): number {
    let count = this.subscriber?.topics[topic].size ?? 0;
    for (const { topics } of this.streams) count += topics[topic].size;
    return count;
  }

  /** It listens to nothing any more, and is told nothing of that. */
  endSubscriptions(): void {
    this.gate &= ~GATE_SUBSCRIBED;
    if (this.subscriber !== undefined) this.services.bus.leave(this.subscriber);
  }

  /** Called by the engine when the connection ends or is reset: what waits for it gives up. */
  abort(reason: unknown): void {
    this.#abort?.abort(reason);
    this.#abort = undefined;
  }
}
