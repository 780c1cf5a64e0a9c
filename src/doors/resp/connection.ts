// RespConnection: one client of the RESP door, from its first call to its end.
//
//   receive(chunk) ──▶ call, call, call … ──▶ one write
//        │                 │ a promise: no further call until it settles; bytes wait in the reader
//        │                 └ a client that does not read: no further call until it has, then cut off
//        └ bytes while stopped: kept, and above a mark no longer read from the socket
//
// Calls run while #stops is 0; each bit is one reason not to. Replies keep the order of the calls
// because nothing runs beside a call that waits. Hot path: #runCalls(), once per call.

import { HiveError } from "../../base/errors.ts";
import { type EndCause, LATIN1_BYTES_MAX, type Receiver, type Transport } from "../../base/transport.ts";
import { type Holder, UNCOUNTED_BYTES } from "../../base/waiting-bytes.ts";
import { Args } from "../../engine/args.ts";
import {
  type Context,
  GATE_AUTH,
  type Peer,
  REPLY_OFF,
  REPLY_SKIP,
  REPLY_SKIP_NEXT,
  REPLY_WITHHELD,
} from "../../engine/context.ts";
import type { Push } from "../../engine/push.ts";
import { RespReader } from "../../wire/resp-reader.ts";
import type { RespWriter } from "../../wire/resp-writer.ts";
import { Admission } from "./admission.ts";
import { Pushes } from "./pushes.ts";
import type { RespShared } from "./shared.ts";

/** In a long pipeline the scratch is written out whenever it holds this much. */
const FLUSH_BYTES = 64 * 1024;
/** What a connection that is stopped may have in the reader before its socket is no longer read. */
const UNREAD_BYTES_MAX = 64 * 1024;
/** A chunk larger than this is likely to hold several calls, whose keys are looked ahead for. */
const PIPELINE_BYTES_MIN = 128;
/** What the position of an argument takes, in lists that grow to twice their size. */
const ARGUMENT_BYTES = 18;
/** An Args that one call made this big is not kept for the next. */
const ARGS_KEPT_MAX = 4 * 1024;

// Bits of #stops.
/** A call answers later. */
const WAITING = 1;
/** The client does not read its replies. */
const BACKLOG = 2;
/** The connection ends after what is written. */
const ENDING = 4;
/** Nobody is there any more. */
const CLOSED = 8;
/** The engine has forgotten it. */
const LEFT = 16;

export type RespConnectionParts = {
  transport: Transport;
  /** The engine has forgotten the connection. */
  onGone(connection: RespConnection): void;
};

export class RespConnection implements Receiver, Peer, Holder {
  readonly door = "resp";
  readonly ordered = true;
  readonly #shared: RespShared;
  readonly #transport: Transport;
  readonly #context: Context;
  readonly #reader: RespReader<Args>;
  readonly #onGone: (connection: RespConnection) => void;
  #stops = 0;
  #running = false;
  /** The peer sends no more. */
  #finished = false;
  readonly #admission: Admission;
  /** Several calls came at once: their replies may leave with those of others. One alone is what somebody waits for. */
  #soon = false;
  /** Bytes of the arguments of the call that answers later. */
  #laterBytes = 0;
  /** Whether it counts among those on which much waits. */
  #weighed = false;
  readonly #pushes: Pushes;
  /** Looks whether a client that is behind has read something. */
  #reading: NodeJS.Timeout | undefined = undefined;

  /** @throws {HiveError} TOO_MANY_CONNECTIONS, HIVE_CLOSED */
  constructor(shared: RespShared, { transport, onGone }: RespConnectionParts) {
    this.#shared = shared;
    this.#transport = transport;
    this.#onGone = onGone;
    this.#pushes = new Pushes(shared, transport, {
      onPending: (pending) => void (pending > UNCOUNTED_BYTES && this.#fallBehind(pending)),
      onLosing: (pending) => this.#watchReading(pending, shared.limits.outputSoftTimeoutMs),
      onTold: (reason) => this.#endTold(reason),
    });
    this.#context = shared.runner.open(this);
    const isStranger = (this.#context.gate & GATE_AUTH) !== 0;
    this.#reader = new RespReader(isStranger ? shared.strangersLimits : shared.requestLimits);
    this.#admission = new Admission({
      ...{ shared, context: this.#context, reader: this.#reader },
      isWaiting: () => (this.#stops & WAITING) !== 0,
      onStrange: (reason) => this.#end(reason),
      onLate: (reason) => this.cutOff(reason),
    });
  }

  // Peer.

  get address(): string {
    return this.#transport.address;
  }

  get localAddress(): string {
    return this.#transport.localAddress;
  }

  get inputBytes(): number {
    return this.#reader.pendingBytes;
  }

  get outputBytes(): number {
    return this.#transport.pendingBytes;
  }

  deliver(push: Push): void {
    if ((this.#stops & CLOSED) !== 0) return;
    this.#pushes.add(push, this.#context.protocol, this.#running);
  }

  // Holder.

  get waitingBytes(): number {
    const reader = this.#reader;
    const input = reader.pendingBytes + reader.heldArguments * ARGUMENT_BYTES + this.#laterBytes;
    return input + this.#transport.pendingBytes + this.#heapBytes + this.#pushes.bytes;
  }

  cutOff(reason: string): void {
    this.#shared.onNotice(this.address, reason);
    this.close("now");
  }

  /** What is kept on the heap for EXEC, and of what it listens to. */
  get #heapBytes(): number {
    const { transaction, subscribedHeapBytes } = this.#context;
    if (transaction === undefined) return subscribedHeapBytes;
    return transaction.queuedBytes + transaction.watchedHeapBytes + subscribedHeapBytes;
  }

  /** What waits on it has become more, or was much before. */
  #weigh(): void {
    this.#weighed = true;
    this.#shared.waiting.weigh(this);
    this.#weighed = this.waitingBytes > UNCOUNTED_BYTES;
  }

  close(how: "drain" | "now"): void {
    if (how === "drain") return this.finish();
    this.#transport.destroy();
    this.#stops |= CLOSED;
    if (!this.#running) this.#leave();
  }

  /** The end, in order: a call that waits may still answer, no other runs. */
  finish(): void {
    this.#stops |= ENDING;
    if (!this.#running && (this.#stops & WAITING) === 0) this.#leave();
  }

  // Receiver.

  receive(buffer: Buffer, start: number, end: number): void {
    const reader = this.#reader;
    const fresh = reader.pendingBytes === 0;
    this.#soon = end - start > PIPELINE_BYTES_MIN;
    reader.feed(buffer, start, end);
    if (this.#stops === 0) {
      // What was pushed before these calls goes before their replies.
      if (this.#pushes.bytes > 0) this.#pushes.flush();
      this.#shared.runner.tick();
      if (fresh && this.#soon && this.#shared.runner.looksAhead) {
        this.#shared.lookAhead(buffer, start, end);
      }
      this.#runCalls();
    }
    reader.settle();
    const unread = reader.pendingBytes;
    if (this.#stops !== 0 && unread > UNREAD_BYTES_MAX) this.#transport.pause();
    if (this.#weighed || unread > UNCOUNTED_BYTES || this.#heapBytes > UNCOUNTED_BYTES) this.#weigh();
  }

  drained(): void {
    if (this.#pushes.lost > 0) return this.#pushes.tellLost();
    if ((this.#stops & BACKLOG) === 0) return;
    this.#stops &= ~BACKLOG;
    clearTimeout(this.#reading);
    this.#goOn();
  }

  finished(): void {
    this.#finished = true;
    if ((this.#stops & WAITING) !== 0) this.#giveUpWaiting();
    if ((this.#stops & (WAITING | BACKLOG)) === 0) this.#leave();
  }

  closed(_cause: EndCause): void {
    this.#stops |= CLOSED;
    this.#leave();
    this.#shared.waiting.forget(this);
  }

  // Calls.

  /** Runs the calls that are there, until one stops the connection, and writes their replies. */
  #runCalls(): void {
    try {
      this.#runAll();
    } catch (error) {
      // Our own mistake, for the process: what was written of a reply is not to go to whoever is next.
      this.#running = false;
      this.#shared.writer.clear();
      this.close("now");
      throw error;
    }
  }

  #runAll(): void {
    const shared = this.#shared;
    const reader = this.#reader;
    const context = this.#context;
    const runner = shared.runner;
    const writer = shared.writer;
    context.lastCallMs = context.nowMs;
    writer.session = context;
    writer.lastError = undefined;
    this.#running = true;
    while (this.#stops === 0) {
      const args = reader.next(shared.args);
      if (args === undefined) {
        if (reader.holds(shared.args)) shared.args = new Args();
        if (reader.broken !== undefined) this.#refuse(reader.broken);
        break;
      }
      const from = writer.length;
      const later = runner.run(context, args, writer);
      if (later !== undefined) {
        this.#wait(later, args, from);
        break;
      }
      if (args.kept || args.starts.length > ARGS_KEPT_MAX) this.#replaceArgs(args);
      if (context.replyMode !== 0) this.#withhold(writer, from);
      if (this.#admission.watches) this.#admission.look(writer);
      if (writer.length >= FLUSH_BYTES || this.#pushes.bytes > 0) this.#flush();
      if (this.#pushes.bytes > 0) this.#pushes.flush();
    }
    this.#running = false;
    this.#flush();
    if (this.#pushes.bytes > 0) this.#pushes.flush();
    if ((this.#stops & (ENDING | CLOSED)) !== 0 || (this.#finished && this.#stops === 0)) this.#leave();
  }

  /** Goes on after a stop, with the bytes that the reader kept. */
  #goOn(): void {
    if ((this.#stops & CLOSED) !== 0) return;
    if (this.#stops === 0) {
      this.#shared.runner.tick();
      this.#transport.resume();
    }
    this.#runCalls();
    this.#reader.settle();
  }

  /** The call that began at `from` answers later: it keeps the writer, and the door gets another one. */
  #wait(later: Promise<void>, args: Args, from: number): void {
    const reply = this.#shared.writer;
    this.#shared.writer = reply.leave(from);
    this.#replaceArgs(args);
    this.#laterBytes = args.totalBytes();
    this.#stops |= WAITING;
    if (this.#finished) this.#giveUpWaiting();
    // A rejection is our own bug: nobody catches it, and it ends the process.
    void later.then(() => this.#answered(reply));
  }

  #answered(reply: RespWriter): void {
    this.#stops &= ~WAITING;
    this.#laterBytes = 0;
    if ((this.#stops & CLOSED) !== 0) return;
    if (this.#context.replyMode !== 0) this.#withhold(reply, 0);
    // A big one goes out by itself: it may be as large as the limit, and no error of its would have a taker.
    if (reply.length > FLUSH_BYTES) this.#flush(reply);
    else this.#shared.writer.append(reply);
    if (this.#admission.watches) this.#admission.look(reply);
    this.#goOn();
  }

  /** Who sends no more is taken for gone, as in Redis: nothing is taken from a list for him. */
  #giveUpWaiting(): void {
    this.#context.abort(new HiveError("CONNECTION_LOST", "the client sends no more"));
  }

  #replaceArgs(args: Args): void {
    if (this.#shared.args === args) this.#shared.args = new Args();
  }

  /** CLIENT REPLY: takes back the reply of the call that began at `from`. */
  #withhold(writer: RespWriter, from: number): void {
    const context = this.#context;
    // EXEC withholds reply by reply, and says so.
    if (context.withheldInside) context.withheldInside = false;
    else if ((context.replyMode & REPLY_WITHHELD) !== 0) writer.length = from;
    const next = (context.replyMode & REPLY_SKIP_NEXT) === 0 ? 0 : REPLY_SKIP;
    context.replyMode = (context.replyMode & REPLY_OFF) | next;
  }

  /** What came is no request: says so, where there is something to say, and ends. */
  #refuse({ message, reason }: { message: string; reason: string }): void {
    if (message !== "" && (this.#context.replyMode & REPLY_WITHHELD) === 0)
      this.#shared.writer.error("BAD_FRAME", message);
    this.#end(reason);
  }

  // The way out.

  #flush(writer: RespWriter = this.#shared.writer): void {
    const transport = this.#transport;
    const length = writer.length;
    if (length === 0) return;
    if (length <= LATIN1_BYTES_MAX) {
      transport.writeLatin1(writer.buffer.latin1Slice(0, length), this.#soon);
      writer.clear();
    } else if (transport.write(writer.buffer, length)) writer.clear();
    else writer.surrender();
    const pending = transport.pendingBytes;
    if (pending > UNCOUNTED_BYTES) this.#fallBehind(pending);
  }

  /** The client does not read: it is cut off above the hard limit, else it gets time and no further call. */
  #fallBehind(pending: number): void {
    const { outputBytesMax, outputSoftBytesMax, outputSoftTimeoutMs, unauthenticatedBytesMax } = this.#shared.limits;
    this.#weigh();
    // Strangers get no memory: what they asked for in vain does not pile up.
    const softBytesMax = this.#admission.isStranger
      ? Math.min(outputSoftBytesMax, unauthenticatedBytesMax)
      : outputSoftBytesMax;
    if (pending <= softBytesMax || (this.#stops & CLOSED) !== 0) return;
    if (pending > outputBytesMax) {
      this.cutOff(`unread replies of ${pending} bytes exceed outputBytesMax (${outputBytesMax})`);
      return;
    }
    if ((this.#stops & BACKLOG) !== 0) return;
    this.#stops |= BACKLOG;
    this.#transport.pause();
    this.#transport.awaitDrained();
    this.#watchReading(pending, outputSoftTimeoutMs);
  }

  /** It was too slow with reading messages, and knows it now. */
  #endTold(reason: string): void {
    this.#end(reason);
    if (!this.#running && (this.#stops & WAITING) === 0) this.#leave();
  }

  /** Looks again and again whether a slow client has read something since. */
  #watchReading(pending: number, timeoutMs: number): void {
    clearTimeout(this.#reading);
    this.#reading = setTimeout(() => {
      const now = this.#transport.pendingBytes;
      if (now >= pending) this.cutOff(`read nothing of ${now} bytes for outputSoftTimeoutMs (${timeoutMs})`);
      else this.#watchReading(now, timeoutMs);
    }, timeoutMs).unref();
  }

  #end(reason: string): void {
    this.#shared.onNotice(this.address, reason);
    this.#stops |= ENDING;
  }

  /** The last thing: the engine forgets the connection, and what is written goes out. */
  #leave(): void {
    if (this.#stops & LEFT) return;
    this.#stops |= LEFT | CLOSED;
    this.#admission.end();
    clearTimeout(this.#reading);
    this.#pushes.close();
    this.#transport.end();
    this.#shared.runner.close(this.#context);
    this.#onGone(this);
  }
}
