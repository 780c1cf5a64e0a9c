// Connection: a client's way to its hive, over as many sessions as it takes.
//
//   connecting ──WELCOME──▶ ready ──lost──▶ reconnecting ──WELCOME──▶ ready …          close(), given up ──▶ closed
//
// Calls made before it is ready wait in the outbox. What was sent when the connection is lost rejects at
// once with CONNECTION_LOST and `sent: true`, unless it may be repeated; what was not sent goes out on the
// next one. Each call is settled exactly once: by its answer, deadline or signal, or the loss of the connection.
//
// How to dial, the time and the dice are handed in. Hot path: call(), once per call.

import { type ErrorCode, HiveError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import { CallTable } from "../wire/call-table.ts";
import { CANCEL } from "../wire/frame.ts";
import type { Welcome } from "../wire/handshake.ts";
import type { As } from "../wire/items.ts";
import type { ElementSource } from "../wire/streams.ts";
import { refusalOf } from "./admission.ts";
import { ageCalls, pauseMs } from "./ageing.ts";
import { type CallOptions, type CallOwner, type CallSpec, ClientCall, rejected } from "./call.ts";
import type { ConnectionParts, ConnectionState } from "./connection-parts.ts";
import { Deadlines } from "./deadlines.ts";
import { closedError, isFinal } from "./final-errors.ts";
import type { Settings } from "./options.ts";
import { Outbox, type QueuedCall } from "./outbox.ts";
import { Session } from "./session.ts";
import { Spin } from "./spin.ts";
import { streamOf } from "./streaming.ts";
import { fence } from "./write-fence.ts";

/** What the other end sent was no good: codes of their own. Everything else is a lost connection. */
const OWN_CODES: readonly ErrorCode[] = ["BAD_FRAME", "FRAME_TOO_BIG", "HIVE_CLOSED"];
/** When so much is written in one turn it goes out at once: the hive works while the client still writes. */
const FLUSH_BYTES = 16 * 1024;
/** Above it, and above what is open, they are taken out though there is no connection. */
const SPOILT_BYTES_MAX = 64 * 1024;

export class Connection implements CallOwner {
  /** Resolves with the first connection. Rejects with a HiveError where there was none. */
  readonly ready: Promise<void>;
  /** Calls without an answer that may change something. */
  writes = 0;
  readonly #parts: ConnectionParts;
  readonly #settings: Settings;
  readonly #timers: Timers;
  readonly #calls = new CallTable<ClientCall>(true);
  readonly #outbox = new Outbox({ frameBytesMax: Number.POSITIVE_INFINITY, encoding: { depthMax: 64 } });
  readonly #spin: Spin;
  readonly #deadlines: Deadlines;
  readonly #settleReady: { resolve: () => void; reject: (error: HiveError) => void };
  readonly #startedMs: number;
  readonly #flushSoon = (): void => {
    this.#flushing = false;
    this.#flushNow();
  };
  #state: ConnectionState = "connecting";
  #session: Session | undefined = undefined;
  #welcome: Welcome | undefined = undefined;
  /** Bytes of the calls that are open. */
  #bytes = 0;
  /** When the calls of this turn were made. */
  #nowMs = 0;
  #flushing = false;
  /** Attempts since the last connection. */
  #attempts = 0;
  #retry: Cancel | undefined = undefined;
  #ageing: Cancel | undefined = undefined;
  #failure: HiveError | undefined = undefined;
  /** The call that was made last. */
  #latest: ClientCall | undefined = undefined;
  #onEmpty: (() => void) | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;
  /** Bytes of calls that were over before they were sent, and still lie in the outbox. */
  #spoiltBytes = 0;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#timers = parts.timers;
    this.#deadlines = new Deadlines(this.#calls, parts.timers, (call) => this.#onExpired(call));
    this.#spin = new Spin(parts.settings.spinMicroseconds / 1000, parts.timers);
    this.#startedMs = parts.timers.monotonicMs();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#settleReady = { resolve, reject };
    // Nobody has to ask for it.
    promise.catch(() => {});
    this.#dial();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get address(): string {
    return this.#parts.address;
  }

  /** What the hive said of itself when the last connection began. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** Calls without an answer, and their bytes. */
  get open(): { calls: number; bytes: number } {
    return { calls: this.#calls.size, bytes: this.#bytes };
  }

  // Calls.

  /** Makes a call. Whatever goes wrong rejects. `args[0]` is the key that an error may show. */
  call<Result>(
    spec: CallSpec<Result>,
    args: readonly unknown[],
    options: CallOptions | undefined,
    as: As = "values",
  ): Promise<Result> {
    let size: number;
    try {
      size = this.#outbox.write(spec, args);
    } catch (error) {
      return rejected(spec, args, error);
    }
    return this.#add(spec, args, size, options, as);
  }

  /** Makes several calls that run as one. `spec.decode` reads the answer to all. */
  transact<Result>(spec: CallSpec<Result>, calls: readonly QueuedCall[], options?: CallOptions): Promise<Result> {
    let size: number;
    try {
      size = this.#outbox.writeTransaction(calls);
    } catch (error) {
      return rejected(spec, [], error);
    }
    return this.#add(spec, [], size, options, "values");
  }

  /**
   * Makes a call whose answer comes in parts, of which `windowBytes` may be under way. Whatever goes wrong ends the
   * source; leaving it ends the call. @throws {HiveError} the call cannot be made
   */
  stream(spec: CallSpec<unknown>, args: readonly unknown[], windowBytes: number): ElementSource<unknown> {
    const size = this.#outbox.write(spec, args, windowBytes);
    const refusal = this.#refusal(size, undefined);
    if (refusal !== undefined) {
      this.#outbox.abandon();
      throw refusal;
    }
    const answer = this.#add(spec, args, size, { timeoutMs: 0 }, "auto");
    return streamOf(this.#latest!, answer, windowBytes, {
      control: this.#outbox.control,
      wrote: () => this.#wrote(),
      leave: (call, why) => this.#leave(call, why),
    });
  }

  #add<Result>(
    spec: CallSpec<Result>,
    args: readonly unknown[],
    size: number,
    options: CallOptions | undefined,
    as: As,
  ): Promise<Result> {
    const outbox = this.#outbox;
    const refusal = this.#refusal(size, options);
    if (refusal !== undefined) {
      outbox.abandon();
      return rejected(spec, args, refusal);
    }
    if (!this.#flushing) this.#scheduleFlush();
    const call = new ClientCall(spec, this, { as, key: args[0] }, outbox.batch, outbox.frameStart, size);
    const timeoutMs = options?.timeoutMs ?? this.#settings.timeoutMs;
    const deadlineMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : this.#nowMs + timeoutMs;
    call.waitsSinceMs = this.#nowMs;
    this.#latest = call;
    this.#calls.add(call, deadlineMs);
    outbox.finish(call.id);
    this.#bytes += size;
    if (!spec.repeats) {
      this.writes++;
      this.#parts.onWrite?.(spec, args);
    }
    this.#deadlines.noteAt(deadlineMs);
    if (options?.signal !== undefined) this.#listen(call, options.signal);
    if (outbox.length >= FLUSH_BYTES) this.#flushNow();
    return new Promise((resolve, reject) => {
      call.resolve = resolve as (value: unknown) => void;
      call.reject = reject;
    });
  }

  /** Why a call cannot be made now. */
  #refusal(size: number, options: CallOptions | undefined): HiveError | undefined {
    if (!this.isOpen) return closedError(this.#failure);
    const bytes = Math.max(this.#bytes, this.#session?.transport?.pendingBytes ?? 0);
    return refusalOf(size, options, { calls: this.#calls.size, bytes }, this.#settings.queue);
  }

  settled(call: ClientCall): void {
    this.#bytes -= call.size;
    if (!call.spec.repeats) this.writes--;
    if (!call.batch.sent) {
      call.batch.spoilt = true;
      this.#spoiltBytes += call.size;
      if (this.#spoiltBytes > SPOILT_BYTES_MAX) this.#wrote();
    }
    if (this.#calls.size === 0) this.#onEmpty?.();
  }

  #listen(call: ClientCall, signal: AbortSignal): void {
    const abort = (): void => {
      this.#leave(call, new HiveError("ABORTED", "the call's signal ended", { cause: signal.reason }));
    };
    signal.addEventListener("abort", abort, { once: true });
    call.unlisten = () => signal.removeEventListener("abort", abort);
  }

  #leave(call: ClientCall, why: HiveError): void {
    if (this.#calls.take(call.id) === undefined) return;
    this.#tellCancelled(call);
    if (this.#parts.readsMemory?.()) fence(this, call);
    call.lost(why);
  }

  #tellCancelled(call: ClientCall): void {
    if (!call.batch.sent || this.#state !== "ready") return;
    this.#outbox.control.bare(CANCEL, call.id);
    this.#wrote();
  }

  /** Whether calls are still taken. */
  get isOpen(): boolean {
    return this.#state !== "closed" && this.#closing === undefined;
  }

  #onExpired(call: ClientCall): void {
    this.#tellCancelled(call);
    if (this.#parts.readsMemory?.()) fence(this, call);
    const what = call.batch.sent ? "answer" : `connection to ${this.#parts.address}`;
    call.lost(new HiveError("DEADLINE", `no ${what} within the call's deadline`));
  }

  // The way out.

  #wrote(): void {
    if (!this.#flushing) this.#scheduleFlush();
  }

  /** At the end of this turn everything that was written leaves together. */
  #scheduleFlush(): void {
    this.#flushing = true;
    this.#nowMs = this.#timers.monotonicMs();
    queueMicrotask(this.#flushSoon);
  }

  #flushNow(): void {
    const transport = this.#session?.transport;
    if (transport === undefined) return this.#forgetSpoilt();
    this.#spoiltBytes = 0;
    this.#outbox.flush(transport, () => this.#calls.all());
    this.#spin.begin(this.#calls.size);
  }

  /** Without a connection nothing goes out: what calls that are over have left goes all the same. */
  #forgetSpoilt(): void {
    if (this.#spoiltBytes <= Math.max(SPOILT_BYTES_MAX, this.#bytes)) return;
    this.#spoiltBytes = 0;
    this.#outbox.resend(this.#calls.all());
  }

  // Sessions.

  #dial(): void {
    const { settings, library, dial, address, timers } = this.#parts;
    const { token, name, heartbeatMs, connectTimeoutMs } = settings;
    this.#attempts++;
    this.#session = new Session({
      dial,
      address,
      hello: {
        ...(token === undefined ? {} : { token }),
        ...(name === undefined ? {} : { name }),
        library: library.name,
        libraryVersion: library.version,
        heartbeatMs,
        features: [],
      },
      connectTimeoutMs,
      timers,
      calls: this.#calls,
      control: this.#outbox.control,
      onReady: (welcome) => this.#opened(welcome),
      onReceived: () => this.#spin.answered(this.#calls.size),
      onWrote: () => this.#wrote(),
      onLost: (error) => this.#lost(error),
    });
  }

  #opened(welcome: Welcome): void {
    const { frameBytesMax, valueDepthMax } = welcome.limits;
    this.#welcome = welcome;
    this.#attempts = 0;
    this.#failure = undefined;
    this.#ageing?.();
    this.#outbox.limits = { frameBytesMax, encoding: { depthMax: valueDepthMax } };
    this.#outbox.resend(this.#calls.all());
    this.#setState("ready", undefined);
    this.#settleReady.resolve();
    this.#wrote();
  }

  /** There is no connection (any more): what was sent is settled, and another attempt begins. */
  #lost(error: HiveError): void {
    const wasReady = this.#state === "ready";
    this.#session = undefined;
    this.#failure = error;
    if (wasReady) this.#settleSent(error);
    if (this.#givesUp(error)) return this.#end(error);
    if (wasReady) this.#ageing = ageCalls(this.#calls, this.#timers, this.#settings.queue.ageMs, () => this.#failure);
    this.#setState(this.#welcome === undefined ? "connecting" : "reconnecting", error);
    // A listener may have closed the client. Else calls that wait are a reason to live.
    if (this.state !== "closed")
      this.#retry = this.#timers.after(
        pauseMs(this.#attempts, this.#settings.reconnect, this.#parts.random()),
        () => this.#dial(),
        true,
      );
  }

  #settleSent(error: HiveError): void {
    const code = OWN_CODES.includes(error.code) ? error.code : "CONNECTION_LOST";
    const nowMs = this.#timers.monotonicMs();
    // An answer that is no frame would be no better the next time.
    const repeats = error.code !== "BAD_FRAME" && error.code !== "FRAME_TOO_BIG";
    for (const call of this.#calls.all()) {
      call.waitsSinceMs = nowMs;
      if (!call.batch.sent || (repeats && call.spec.repeats && call.source === undefined)) continue;
      this.#calls.take(call.id);
      call.lost(new HiveError(code, error.message, { cause: error.cause }));
    }
  }

  #givesUp(error: HiveError): boolean {
    if (isFinal(error)) return true;
    if (this.#welcome === undefined) {
      return this.#timers.monotonicMs() - this.#startedMs >= this.#settings.waitMs;
    }
    return !this.#settings.reconnects || this.#attempts >= this.#settings.reconnect.attemptsMax;
  }

  #setState(state: ConnectionState, cause: HiveError | undefined): void {
    if (this.#state === state && cause === undefined) return;
    this.#state = state;
    this.#parts.onState(state, cause);
  }

  // The end.

  /** Answers that come within `graceMs` are waited for, then all that is left rejects with HIVE_CLOSED. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    for (const call of this.#calls.all()) if (call.source !== undefined) this.#leave(call, closedError(this.#failure));
    if (this.#state === "ready" && this.#calls.size > 0 && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#timers.after(graceMs, resolve, true);
        this.#onEmpty = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#end(undefined);
  }

  #end(cause: HiveError | undefined): void {
    if (this.#state === "closed") return;
    this.#failure = cause;
    this.#session?.end();
    this.#session = undefined;
    this.#retry?.();
    this.#ageing?.();
    this.#deadlines.close();
    this.#spin.end();
    this.#state = "closed";
    const error = closedError(this.#failure);
    for (const call of this.#calls.all()) {
      this.#calls.take(call.id);
      call.lost(error);
    }
    this.#settleReady.reject(cause ?? error);
    this.#parts.onState("closed", cause);
  }
}
