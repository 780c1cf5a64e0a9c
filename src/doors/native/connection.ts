// NativeConnection: one client of the native door, from its handshake to its end.
//
//   receive(chunk) ──▶ Link ──▶ call, call, call … ──▶ one write
//                                │ a promise: its answer goes out when it comes, later calls go on meanwhile
//                                └ a client that does not read: no further call until it has, then cut off
//
// Answers carry the id of their call, so they need no order. What answers outside a read event is
// gathered until the end of this turn of the loop.

import { HiveError, isHiveError } from "../../base/errors.ts";
import type { EndCause, Receiver, Transport } from "../../base/transport.ts";
import { Args } from "../../engine/args.ts";
import { type Context, GATE_AUTH, type Peer } from "../../engine/context.ts";
import { CallTable } from "../../wire/call-table.ts";
import { PING, PROTOCOL_VERSION, RESULT, WELCOME } from "../../wire/frame.ts";
import type { FrameWriter } from "../../wire/frame-writer.ts";
import { readHello, type Welcome } from "../../wire/handshake.ts";
import { type IncomingStream, Link, type LinkCall, type LinkEnd, type LinkOwner } from "../../wire/link.ts";
import { readArguments, readNested } from "./arguments.ts";
import { NativeOutlet } from "./outlet.ts";
import type { NativeShared } from "./shared.ts";

/** In a long pipeline the scratch is written out whenever it holds this much. */
const FLUSH_BYTES = 64 * 1024;
/** What a connection that is stopped may have received before its socket is no longer read. */
const UNREAD_BYTES_MAX = 64 * 1024;
/** An Args that one call made this big is not kept for the next. */
const ARGS_KEPT_MAX = 4 * 1024;
/** A client is cut off after so many heartbeats in silence. */
const SILENT_BEATS_MAX = 3;

export type NativeConnectionParts = {
  transport: Transport;
  /** The engine has forgotten the connection. */
  onGone(connection: NativeConnection): void;
};

export class NativeConnection implements LinkOwner, Peer {
  readonly door = "native";
  readonly ordered = false;
  readonly #shared: NativeShared;
  readonly #transport: Transport;
  readonly #context: Context;
  readonly #link: Link;
  readonly #outlet: NativeOutlet;
  readonly #calls = new CallTable<LinkCall>(false);
  readonly #onGone: (connection: NativeConnection) => void;
  /** Calls that answer later, by id. */
  readonly #waiting = new Map<number, AbortController | undefined>();
  #ending = false;
  #left = false;
  #authentication: NodeJS.Timeout | undefined = undefined;
  /** Heartbeats: what the client promised, and silence since. */
  #heartbeatMs = 0;
  #silentBeats = 0;
  /** Why the hive ends it, where the client is to know. */
  #goodbye: HiveError | undefined = undefined;

  /** @throws {HiveError} TOO_MANY_CONNECTIONS, HIVE_CLOSED */
  constructor(shared: NativeShared, { transport, onGone }: NativeConnectionParts) {
    this.#shared = shared;
    this.#transport = transport;
    this.#onGone = onGone;
    this.#context = shared.runner.open(this);
    this.#context.protocol = 3;
    this.#outlet = new NativeOutlet({
      shared,
      transport,
      onHeld: () => this.#stop(),
      onReleased: () => this.#goOn(),
      onCutOff: (reason) => this.#cutOff(reason),
    });
    this.#link = new Link({
      dialing: false,
      owner: this,
      calls: this.#calls,
      bodyBytesMax: shared.limits.unauthenticatedBytesMax,
    });
    const { authenticationTimeoutMs } = shared.limits;
    this.#authentication = setTimeout(() => this.#cutOff("no handshake in time"), authenticationTimeoutMs).unref();
  }

  get receiver(): Receiver {
    return {
      receive: (bytes, start, end) => this.#receive(bytes, start, end),
      drained: () => this.#link.drained(),
      finished: () => this.#link.finished(),
      closed: (cause) => this.#closed(cause),
    };
  }

  // Peer.

  get address(): string {
    return this.#transport.address;
  }

  get localAddress(): string {
    return this.#transport.localAddress;
  }

  get inputBytes(): number {
    return this.#link.pendingBytes;
  }

  get outputBytes(): number {
    return this.#transport.pendingBytes;
  }

  close(how: "drain" | "now"): void {
    if (how === "drain") return this.finish("the hive closes this connection");
    this.#transport.destroy();
    this.#leave();
  }

  /** The end, in order: calls that wait may still answer, no other runs. */
  finish(message: string = "the hive is closing"): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#link.stopped = true;
    this.#goodbye = new HiveError("HIVE_CLOSED", message);
    if (this.#waiting.size === 0 && !this.#outlet.reading) this.#leave();
  }

  // Receiving.

  #receive(bytes: Uint8Array, start: number, end: number): void {
    this.#silentBeats = 0;
    this.#outlet.reading = true;
    if (!this.#link.stopped) this.#shared.runner.tick();
    this.#link.receive(bytes, start, end);
    if (this.#link.stopped && this.#link.pendingBytes > UNREAD_BYTES_MAX) this.#transport.pause();
  }

  /** All frames of a read event are handled: what was answered goes out. */
  received(): void {
    this.#outlet.reading = false;
    if (this.#left) return;
    this.#outlet.flush(this.#shared.writer);
    if (this.#ending && this.#waiting.size === 0) this.#leave();
  }

  #closed(cause: EndCause): void {
    this.#link.closed(cause);
    this.#leave();
  }

  ended({ how, error }: LinkEnd): void {
    if (how === "broken") {
      this.#shared.onNotice(this.address, `${error.code}: ${error.message}`);
      this.#goodbye = error;
      this.#ending = true;
      if (!this.#outlet.reading) this.#leave();
    } else if (how === "finished" || how === "goodbye") {
      // It may still read what it has asked for.
      this.#ending = true;
      if (this.#waiting.size === 0 && !this.#outlet.reading) this.#leave();
    }
  }

  // The handshake.

  greeted(body: unknown): void {
    const hello = readHello(body);
    const context = this.#context;
    if ((context.gate & GATE_AUTH) !== 0) this.#authenticate(hello.token);
    clearTimeout(this.#authentication);
    this.#authentication = undefined;
    this.#link.bodyBytesMax = this.#shared.limits.frameBytesMax;
    if (hello.name !== undefined) context.name = printable(hello.name, this.#shared.limits.connectionNameBytesMax);
    context.libraryName = printable(hello.library ?? "", this.#shared.limits.connectionNameBytesMax);
    context.libraryVersion = printable(hello.libraryVersion ?? "", this.#shared.limits.connectionNameBytesMax);
    this.#heartbeatMs = hello.heartbeatMs;
    const writer = this.#shared.writer;
    writer.begin(WELCOME, 0);
    writer.encoded(this.#welcome());
    writer.finish();
  }

  #welcome(): Welcome {
    const { identity, limits } = this.#shared;
    const { frameBytesMax, argumentsMax, keyBytesMax, valueBytesMax, valueDepthMax, openCallsMax } = limits;
    return {
      version: PROTOCOL_VERSION,
      hive: identity.version,
      runId: identity.runId,
      connectionId: this.#context.id,
      heartbeatMs: limits.heartbeatMs,
      limits: { frameBytesMax, argumentsMax, keyBytesMax, valueBytesMax, valueDepthMax, openCallsMax },
      features: [],
    };
  }

  /** @throws {HiveError} NO_AUTH, WRONG_PASSWORD */
  #authenticate(token: string | undefined): void {
    if (token === undefined) throw new HiveError("NO_AUTH", "this hive wants a token: connect(url, { token })");
    void this.#shared.runner.run(this.#context, Args.of("AUTH", token), this.#outlet.newWriter());
    if ((this.#context.gate & GATE_AUTH) === 0) return;
    throw new HiveError("WRONG_PASSWORD", "this hive does not know the token");
  }

  // Calls.

  call(id: number, bytes: Uint8Array, start: number, end: number, _stream: IncomingStream | undefined): void {
    const shared = this.#shared;
    if (this.#waiting.size > 0) this.#requireNew(id);
    const args = shared.args;
    const writer = shared.writer;
    const from = writer.begin(RESULT, id);
    try {
      readArguments(args, bytes as Buffer, start, end, shared.limits);
    } catch (error) {
      return this.#refuse(id, error);
    }
    this.#context.lastCallMs = this.#context.nowMs;
    const later = shared.runner.run(this.#context, args, writer);
    if (later !== undefined) {
      if (shared.args === args) shared.args = new Args();
      return this.#wait(id, later, from);
    }
    writer.finish();
    if (args.kept || args.starts.length > ARGS_KEPT_MAX) shared.args = new Args();
    this.#answered(id, writer);
  }

  transact(id: number, bytes: Uint8Array, start: number, end: number): void {
    const shared = this.#shared;
    if (this.#waiting.size > 0) this.#requireNew(id);
    const from = shared.writer.begin(RESULT, id);
    const calls: Args[] = [];
    try {
      for (let at = start; at < end; ) {
        if (calls.length === shared.limits.transactionCallsMax) {
          throw new HiveError("TRANSACTION_TOO_BIG", `more than transactionCallsMax (${calls.length}) calls`);
        }
        const args = new Args(8);
        at = readNested(args, bytes as Buffer, at, end, shared.limits);
        calls.push(args);
      }
    } catch (error) {
      return this.#refuse(id, error);
    }
    const later = shared.runner.transact(this.#context, calls, shared.writer);
    if (later !== undefined) return this.#wait(id, later, from);
    shared.writer.finish();
    this.#answered(id, shared.writer);
  }

  #requireNew(id: number): void {
    if (this.#waiting.has(id)) throw new HiveError("BAD_FRAME", `call ${id} has no answer yet, and its id came again`);
  }

  /** The arguments of a call are no good. What is no frame at all ends the connection. */
  #refuse(id: number, error: unknown): void {
    const writer = this.#shared.writer;
    if (!isHiveError(error) || error.code === "BAD_FRAME") {
      writer.abandon();
      throw error;
    }
    writer.error(error.code, error.message);
    writer.finish();
    this.#answered(id, writer);
  }

  #answered(id: number, writer: FrameWriter): void {
    this.#link.closeIncoming(id);
    if (writer.length >= FLUSH_BYTES) this.#outlet.flush(writer);
  }

  /** The call whose frame began at `from` answers later: it keeps the writer, and the door gets another one. */
  #wait(id: number, later: Promise<void>, from: number): void {
    const reply = this.#shared.writer;
    this.#shared.writer = reply.leave(from);
    this.#waiting.set(id, undefined);
    if (this.#waiting.size >= this.#shared.limits.openCallsMax) this.#stop();
    // A rejection is our own bug: nobody catches it, and it ends the process.
    void later.then(() => this.#answerLater(id, reply));
  }

  #answerLater(id: number, reply: FrameWriter): void {
    const wanted = this.#waiting.delete(id);
    if (this.#left) return;
    if (wanted) {
      reply.finish();
      this.#link.closeIncoming(id);
      // A big one goes out by itself: it may be as large as the limit.
      if (reply.length > FLUSH_BYTES) this.#outlet.flush(reply);
      else {
        this.writer().append(reply);
        this.wrote();
      }
    }
    if (this.#ending && this.#waiting.size === 0) return this.#leave();
    if (this.#link.stopped) this.#goOn();
  }

  cancelled(id: number): void {
    const abort = this.#waiting.get(id);
    if (!this.#waiting.delete(id)) return;
    abort?.abort(new HiveError("ABORTED", "the caller wants no answer any more"));
  }

  /** No further call runs until the client has read, or calls have been answered. */
  #stop(): void {
    this.#link.stopped = true;
    this.#transport.pause();
  }

  /** Goes on after a stop, with the frames that are there. */
  #goOn(): void {
    if (this.#left || this.#ending || this.#outlet.held) return;
    this.#link.stopped = false;
    this.#outlet.reading = true;
    this.#shared.runner.tick();
    this.#transport.resume();
    this.#link.goOn();
  }

  // The way out.

  writer(): FrameWriter {
    return this.#outlet.writer();
  }

  wrote(): void {
    this.#outlet.schedule();
  }

  drained(): void {
    this.#outlet.drained();
  }

  /** Once each heartbeat of the door: says that the hive lives, and ends clients that do not. */
  beat(): void {
    if (this.#heartbeatMs === 0 || !this.#link.greeted || this.#left) return;
    if (!this.#link.stopped && ++this.#silentBeats > SILENT_BEATS_MAX) {
      return this.#cutOff("the client has been silent for too long");
    }
    if (!this.#outlet.wrote) {
      this.writer().bare(PING, 0);
      this.wrote();
    }
    this.#outlet.wrote = false;
  }

  #cutOff(reason: string): void {
    this.#shared.onNotice(this.address, reason);
    this.close("now");
  }

  /** The last thing: the engine forgets the connection, and what is written goes out. */
  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    clearTimeout(this.#authentication);
    this.#link.abandon();
    for (const abort of this.#waiting.values()) abort?.abort(new HiveError("CONNECTION_LOST", "the connection ended"));
    this.#outlet.close(this.#goodbye);
    this.#transport.end();
    this.#shared.runner.close(this.#context);
    this.#onGone(this);
  }
}

/** What of a client's own words may stand in CLIENT LIST: visible ASCII, `bytesMax` of it. */
function printable(text: string, bytesMax: number): string {
  return text.replace(/[^!-~]/g, "_").slice(0, bytesMax);
}
