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
import { type Holder, UNCOUNTED_BYTES } from "../../base/waiting-bytes.ts";
import { Args } from "../../engine/args.ts";
import type { Context, Peer } from "../../engine/context.ts";
import { CallTable } from "../../wire/call-table.ts";
import { PING, RESULT, WELCOME } from "../../wire/frame.ts";
import type { FrameWriter } from "../../wire/frame-writer.ts";
import { type Hello, readHello } from "../../wire/handshake.ts";
import { type IncomingStream, Link, type LinkCall, type LinkEnd, type LinkOwner } from "../../wire/link.ts";
import { readArguments, readTransaction } from "./arguments.ts";
import { introduce, missingToken, welcome, wrongToken } from "./introduction.ts";
import { type LateCall, LateCalls } from "./late-calls.ts";
import { outflowOf } from "./outflow.ts";
import { NativeOutlet } from "./outlet.ts";
import type { NativeShared } from "./shared.ts";
import { Silence } from "./silence.ts";

/** In a long pipeline the scratch is written out whenever it holds this much: the client reads meanwhile. */
const FLUSH_BYTES = 16 * 1024;
/** What a connection that is stopped may have received before its socket is no longer read. */
const UNREAD_BYTES_MAX = 64 * 1024;
/** An Args that one call made bigger is not kept. */
const ARGS_KEPT_MAX = 4 * 1024;

type Later = { from: number; bytes: number; stream: IncomingStream | undefined };

export type NativeConnectionParts = {
  transport: Transport;
  /** The other end is this process. */
  trusted: boolean;
  /** The engine has forgotten the connection. */
  onGone(connection: NativeConnection): void;
};

export class NativeConnection implements LinkOwner, Peer, Holder {
  readonly door = "native";
  readonly ordered = false;
  readonly trusted: boolean;
  readonly #shared: NativeShared;
  readonly #transport: Transport;
  readonly #context: Context;
  readonly #link: Link;
  readonly #outlet: NativeOutlet;
  readonly #calls = new CallTable<LinkCall>(false);
  readonly #onGone: (connection: NativeConnection) => void;
  readonly #late: LateCalls;
  /** Whether it counts among those on which much waits. */
  #weighed = false;
  #ending = false;
  #left = false;
  #authentication: NodeJS.Timeout | undefined = undefined;
  readonly #silence = new Silence();
  /** Why the hive ends it, where the client is to know. */
  #goodbye: HiveError | undefined = undefined;

  /** @throws {HiveError} TOO_MANY_CONNECTIONS, HIVE_CLOSED */
  constructor(shared: NativeShared, { transport, trusted, onGone }: NativeConnectionParts) {
    this.#shared = shared;
    this.trusted = trusted;
    this.#transport = transport;
    this.#onGone = onGone;
    this.#late = new LateCalls(shared.limits);
    this.#context = shared.runner.open(this);
    this.#context.protocol = 3;
    this.#outlet = new NativeOutlet({
      shared,
      transport,
      onHeld: () => this.#stop(),
      onReleased: () => this.#goOn(),
      onBehind: () => this.#weigh(),
      onCutOff: (reason) => this.cutOff(reason),
    });
    this.#link = new Link({
      dialing: false,
      owner: this,
      calls: this.#calls,
      bodyBytesMax: shared.limits.unauthenticatedBytesMax,
    });
    this.#awaitHandshake();
  }

  #awaitHandshake(): void {
    this.#authentication = setTimeout(() => {
      // A token waits for its turn, because of what others of its address did.
      if (this.#link.stopped) this.#awaitHandshake();
      else this.cutOff("no handshake in time");
    }, this.#shared.limits.authenticationTimeoutMs).unref();
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

  // Holder.

  get waitingBytes(): number {
    return this.inputBytes + this.outputBytes + this.#late.heapBytes + this.#context.subscribedHeapBytes;
  }

  cutOff(reason: string): void {
    this.#shared.onNotice(this.address, reason);
    this.close("now");
  }

  /** What waits on it has become more, or was much before. */
  #weigh(): void {
    this.#weighed = true;
    this.#shared.waiting.weigh(this);
    this.#weighed = this.waitingBytes > UNCOUNTED_BYTES;
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
    this.#late.abortStreams(this.#goodbye);
    if (this.#late.size === 0 && !this.#outlet.reading) this.#leave();
  }

  // Receiving.

  #receive(bytes: Uint8Array, start: number, end: number): void {
    this.#silence.heard();
    this.#outlet.beginReading(end - start);
    if (!this.#link.stopped) this.#shared.runner.tick();
    try {
      this.#link.receive(bytes, start, end);
    } catch (error) {
      this.#shared.dropReplies();
      this.#outlet.reading = false;
      this.close("now");
      throw error;
    }
    const unread = this.#link.pendingBytes;
    if (this.#link.stopped && unread > UNREAD_BYTES_MAX) this.#transport.pause();
    if (this.#weighed || this.waitingBytes > UNCOUNTED_BYTES) this.#weigh();
  }

  /** All frames of a read event are handled: what was answered goes out. */
  received(): void {
    this.#shared.runner.ran?.();
    this.#outlet.reading = false;
    // The scratch is another connection's next.
    if (this.#left) return this.#shared.writer.clear();
    this.#outlet.flush(this.#shared.writer, true);
    if (this.#ending && this.#late.size === 0) this.#leave();
  }

  #closed(cause: EndCause): void {
    this.#link.closed(cause);
    this.#leave();
    this.#shared.waiting.forget(this);
  }

  ended({ how, error }: LinkEnd): void {
    if (how === "closed") return;
    if (how === "broken") return this.#break(error);
    this.#endSoon("the client ended the connection");
  }

  /** What came is no good, and the client is told. */
  #break(error: HiveError): void {
    this.#shared.onNotice(this.address, `${error.code}: ${error.message}`);
    this.#goodbye = error;
    this.#endSoon("the connection broke");
  }

  /** Nothing comes any more: what is asked for is answered, but no call waits for anything. */
  #endSoon(why: string): void {
    this.#ending = true;
    this.#late.abortAll(why);
    if (this.#late.size === 0 && !this.#outlet.reading) this.#leave();
  }

  // The handshake.

  greeted(body: unknown): void {
    const hello = readHello(body);
    if (this.#context.authenticated) return this.#admit(hello, this.#shared.writer);
    const { token } = hello;
    if (token === undefined) throw missingToken();
    const later = this.#shared.runner.run(this.#context, Args.of("AUTH", token), this.#outlet.newWriter());
    if (later === undefined) {
      if (!this.#context.authenticated) throw wrongToken(this.#context);
      return this.#admit(hello, this.#shared.writer);
    }
    // Nothing behind HELLO counts before it is known who says it.
    this.#link.stopped = true;
    void later.then(() => this.#authenticated(hello));
  }

  #authenticated(hello: Hello): void {
    if (this.#left) return;
    if (!this.#context.authenticated) return this.#break(wrongToken(this.#context));
    this.#admit(hello, this.writer());
    this.wrote();
    this.#goOn();
  }

  #admit(hello: Hello, writer: FrameWriter): void {
    const context = this.#context;
    clearTimeout(this.#authentication);
    this.#authentication = undefined;
    this.#link.bodyBytesMax = this.#shared.limits.frameBytesMax;
    introduce(context, hello, this.#shared.limits.connectionNameBytesMax);
    if (hello.heartbeatMs > 0) this.#silence.promised(hello.heartbeatMs, this.#shared.beatMs);
    writer.begin(WELCOME, 0);
    writer.encoded(welcome(this.#shared, context));
    writer.finish();
  }

  // Calls.

  call(id: number, bytes: Uint8Array, start: number, end: number, stream: IncomingStream | undefined): void {
    const shared = this.#shared;
    if (this.#late.size > 0) this.#late.requireNew(id);
    const args = shared.args;
    const writer = shared.writer;
    const from = writer.begin(RESULT, id);
    try {
      readArguments(args, bytes as Buffer, start, end, shared.limits);
    } catch (error) {
      if (args.starts.length > ARGS_KEPT_MAX) shared.args = new Args();
      return this.#refuse(id, error);
    }
    this.#context.lastCallMs = this.#context.nowMs;
    this.#context.outflow = stream === undefined ? undefined : outflowOf(stream.sink);
    this.#outlet.calling = true;
    const later = shared.runner.run(this.#context, args, writer);
    this.#outlet.calling = false;
    this.#context.outflow = undefined;
    if (later !== undefined) {
      if (shared.args === args) shared.args = new Args();
      return this.#wait(id, later, { from, bytes: end - start, stream });
    }
    writer.finish();
    if (args.kept || args.starts.length > ARGS_KEPT_MAX) shared.args = new Args();
    this.#answered(id, writer);
  }

  transact(id: number, bytes: Uint8Array, start: number, end: number): void {
    const shared = this.#shared;
    if (this.#late.size > 0) this.#late.requireNew(id);
    const from = shared.writer.begin(RESULT, id);
    let calls: Args[];
    try {
      calls = readTransaction(bytes as Buffer, start, end, shared.limits);
    } catch (error) {
      return this.#refuse(id, error);
    }
    this.#outlet.calling = true;
    const later = shared.runner.transact(this.#context, calls, shared.writer);
    this.#outlet.calling = false;
    if (later !== undefined) return this.#wait(id, later, { from, bytes: end - start, stream: undefined });
    shared.writer.finish();
    this.#answered(id, shared.writer);
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
    if (writer.length >= FLUSH_BYTES) this.#outlet.flush(writer, true);
  }

  /** The call whose frame began at `from` answers later: it keeps the writer, and the door gets another one. */
  #wait(id: number, later: Promise<void>, { from, bytes, stream }: Later): void {
    const reply = this.#shared.writer;
    this.#shared.writer = reply.leave(from);
    const call = { reply, abort: this.#context.takeAbort(), bytes, endless: stream !== undefined };
    this.#late.begin(id, call);
    if (this.#late.isFull) this.#stop();
    // A rejection is our own bug: nobody catches it, and it ends the process.
    void later.then(() => this.#answerLater(id, call));
  }

  #answerLater(id: number, call: LateCall): void {
    const awaited = this.#late.end(id, call);
    if (this.#left) return;
    if (awaited) {
      call.reply.finish();
      this.#link.closeIncoming(id);
      this.#outlet.append(call.reply);
      // The client may have been cut off for it.
      if (this.#left) return;
    }
    if (this.#ending && this.#late.size === 0) return this.#leave();
    if (this.#link.stopped) this.#goOn();
  }

  cancelled(id: number): void {
    this.#late.cancel(id);
  }

  /** No further call runs until the client has read, or calls have been answered. */
  #stop(): void {
    this.#link.stopped = true;
    this.#transport.pause();
  }

  /** Goes on after a stop, with the frames that are there. */
  #goOn(): void {
    if (this.#left || this.#ending || this.#outlet.held) return;
    if (this.#late.isFull) return;
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
    if (!this.#silence.isPromised || this.#left) return;
    if (!this.#link.stopped && this.#silence.beat()) return this.cutOff("the client has been silent for too long");
    if (!this.#outlet.wrote) {
      this.writer().bare(PING, 0);
      this.wrote();
    }
    this.#outlet.wrote = false;
  }

  /** The last thing: the engine forgets the connection, and what is written goes out. */
  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    clearTimeout(this.#authentication);
    this.#link.abandon();
    this.#late.abortAll("the connection ended");
    this.#late.clear();
    this.#outlet.close(this.#goodbye);
    this.#transport.end();
    this.#shared.runner.close(this.#context);
    this.#onGone(this);
  }
}
