// Link: one connection of the native protocol, as both of its ends see it.
//
//   transport ──▶ receive() ──▶ frame ──▶ RESULT, FAILURE  ──▶ the open call of that id
//                                    ├──▶ CALL, TRANSACTION ──▶ owner.call(), owner.transact()
//                                    ├──▶ ELEMENT, CREDIT … ──▶ the stream of that id
//                                    └──▶ PING              ──▶ PONG
//
// After the handshake the two ends are equal: either may call, stream and cancel. What differs stands
// with the owners: a door answers calls from the engine, a client makes most of them. The owner also
// has the way out (writer, wrote): how frames are gathered into writes is its business.
//
// It reads no clock and opens nothing. What ends it is told to the owner once, by `ended`.

import { HiveError, isHiveError } from "../base/errors.ts";
import type { EndCause, Receiver } from "../base/transport.ts";
import { type CallTable, OpenCall } from "./call-table.ts";
import {
  CALL,
  CALL_STREAMS,
  CANCEL,
  CREDIT,
  ELEMENT,
  END,
  FAILURE,
  FrameReader,
  GOODBYE,
  HELLO,
  PING,
  PONG,
  PREAMBLE,
  RESULT,
  TRANSACTION,
  WELCOME,
} from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { decodeFailure, decodeItem, ITEM_VALUE, ItemReader } from "./items.ts";
import { ElementSink, ElementSource, WINDOW_BYTES } from "./streams.ts";
import { uint32At } from "./value-reading.ts";

/** A call made by this end: told of its answer exactly once, by one of the first two. */
export abstract class LinkCall extends OpenCall {
  /** Where its elements go, when it was made as a stream. */
  source: ElementSource<unknown> | undefined = undefined;
  /** Where elements of this end come from, when it sends some. */
  sink: ElementSink | undefined = undefined;

  /** The answer: one item, valid until this returns. @throws {HiveError} it cannot be decoded: then failed() follows. */
  abstract answered(items: ItemReader): void;
  abstract failed(error: HiveError): void;
}

/** A call of the other end that is a stream, until it is answered. */
export type IncomingStream = { sink: ElementSink; source: ElementSource<unknown> };

export interface LinkOwner {
  /** Where a frame is written now. */
  writer(): FrameWriter;
  /** A frame was written, and is to go out soon: at the end of receive(), or of this turn of the loop. */
  wrote(): void;
  /**
   * The other end's HELLO, or its WELCOME. The accepting end writes its WELCOME in there.
   * @throws {HiveError} to refuse the other end, which is told.
   */
  greeted(body: unknown): void;
  /** A call. Its arguments are items in bytes `start` to `end`, valid until this returns. It answers by RESULT or FAILURE. */
  call(id: number, bytes: Uint8Array, start: number, end: number, stream: IncomingStream | undefined): void;
  transact(id: number, bytes: Uint8Array, start: number, end: number): void;
  /** The other end wants no answer to its call any more. */
  cancelled(id: number): void;
  /** All frames of a read event are handled. */
  received(): void;
  drained(): void;
  /**
   * It is over: the other end said why (GOODBYE), it sent what is no frame, or the connection has gone.
   * Once. Open calls are still in the table; the transport is the owner's to close.
   */
  ended(why: LinkEnd): void;
}

export type LinkEnd = { how: "goodbye" | "broken" | "finished" | "closed"; error: HiveError };

export type LinkParts = {
  dialing: boolean;
  owner: LinkOwner;
  calls: CallTable<LinkCall>;
  /** A frame's body may have so many bytes until the handshake is done; then `bodyBytesMax` is set. */
  bodyBytesMax: number;
};

export class Link implements Receiver {
  /** True: frames that arrive are kept and not handled, until goOn(). */
  stopped = false;
  readonly #dialing: boolean;
  readonly #owner: LinkOwner;
  readonly #calls: CallTable<LinkCall>;
  readonly #reader: FrameReader;
  readonly #items = new ItemReader();
  /** Calls of the other end that are streams. */
  readonly #incoming = new Map<number, IncomingStream>();
  #greeted = false;
  #over = false;
  /** The other end sends no more; frames that wait are still handled. */
  #finished = false;
  /** Bytes of the preamble that have arrived. */
  #preamble: number;

  constructor({ dialing, owner, calls, bodyBytesMax }: LinkParts) {
    this.#dialing = dialing;
    this.#owner = owner;
    this.#calls = calls;
    this.#reader = new FrameReader(bodyBytesMax);
    this.#preamble = dialing ? PREAMBLE.length : 0;
  }

  set bodyBytesMax(bytes: number) {
    this.#reader.bodyBytesMax = bytes;
  }

  /** Whether both ends know each other. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Bytes received and not handled yet. */
  get pendingBytes(): number {
    return this.#reader.pendingBytes;
  }

  // Receiver.

  receive(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#over) this.#reader.feed(bytes, start, end);
    this.goOn();
  }

  /** Handles the frames that are there. */
  goOn(): void {
    const reader = this.#reader;
    try {
      if (this.#preamble < PREAMBLE.length) this.#readPreamble();
      while (!this.stopped && !this.#over && reader.next()) this.#handle();
    } catch (error) {
      if (!isHiveError(error)) throw error;
      this.#end("broken", error);
    }
    if (this.#over) reader.clear();
    else reader.settle();
    // A body may be large, and the next frame far away.
    this.#items.reset(NOTHING, 0, 0);
    if (this.#finished && !this.stopped) this.#endFinished();
    this.#owner.received();
  }

  drained(): void {
    this.#owner.drained();
  }

  finished(): void {
    this.#finished = true;
    if (!this.stopped) this.#endFinished();
  }

  #endFinished(): void {
    this.#end("finished", new HiveError("CONNECTION_LOST", "the other end closed the connection"));
  }

  closed(cause: EndCause): void {
    const message = this.#reader.pendingBytes > 0 ? `${cause.message}, in the middle of a frame` : cause.message;
    this.#end("closed", new HiveError("CONNECTION_LOST", `the connection was lost: ${message}`));
  }

  /** Nothing that arrives is handled any more, and `ended` is not called. */
  abandon(): void {
    this.#over = true;
    this.#closeStreams();
  }

  #end(how: LinkEnd["how"], error: HiveError): void {
    if (this.#over) return;
    this.#over = true;
    this.#closeStreams();
    this.#owner.ended({ how, error });
  }

  #closeStreams(): void {
    for (const { sink, source } of this.#incoming.values()) {
      sink.close();
      source.finish(new HiveError("CONNECTION_LOST", "the connection of this stream was lost"));
    }
    this.#incoming.clear();
  }

  #readPreamble(): void {
    const reader = this.#reader;
    while (this.#preamble < PREAMBLE.length) {
      const byte = reader.takeByte();
      if (byte < 0) return;
      const wanted = PREAMBLE[this.#preamble]!;
      const isVersion = this.#preamble === PREAMBLE.length - 1;
      if (isVersion ? byte === 0 : byte !== wanted) {
        throw new HiveError("BAD_FRAME", "this is not memhive's protocol: it begins with C1 and the word hive");
      }
      this.#preamble++;
    }
  }

  // Frames.

  #handle(): void {
    const { kind, id, bytes, start, end } = this.#reader;
    const items = this.#items;
    items.reset(bytes, start, end);
    if (!this.#greeted) return this.#handshake(kind);
    switch (kind) {
      case CALL:
        this.#requireTheirs(id);
        return this.#call(id, bytes, start, end);
      case RESULT: {
        this.#requireOurs(id);
        const call = this.#calls.take(id);
        if (call !== undefined) this.#answer(call, items);
        return;
      }
      case FAILURE: {
        this.#requireOurs(id);
        const call = this.#calls.take(id);
        if (call !== undefined) this.#fail(call, decodeFailure(items));
        return;
      }
      case TRANSACTION:
        this.#requireTheirs(id);
        return this.#owner.transact(id, bytes, start, end);
      case PING:
        requireEmpty(items);
        this.#owner.writer().bare(PONG, id);
        return this.#owner.wrote();
      case PONG:
        return requireEmpty(items);
      case GOODBYE:
        return this.#end("goodbye", decodeFailure(items));
      default:
        this.#handleStream(kind, id, items);
    }
  }

  #handshake(kind: number): void {
    if (kind === GOODBYE) return this.#end("goodbye", decodeFailure(this.#items));
    if (kind !== (this.#dialing ? WELCOME : HELLO)) {
      throw new HiveError("BAD_FRAME", `a frame of kind ${kind} before the handshake`);
    }
    const items = this.#items;
    const body = decodeItem(items);
    if (items.kind !== ITEM_VALUE || !items.done) throw new HiveError("BAD_FRAME", "the handshake is one map");
    this.#greeted = true;
    this.#owner.greeted(body);
  }

  #answer(call: LinkCall, items: ItemReader): void {
    call.sink?.close();
    try {
      call.answered(items);
      call.source?.finish();
    } catch (error) {
      if (!isHiveError(error)) throw error;
      call.failed(error);
      call.source?.finish(error);
      // What another end's encoder cannot have meant: nothing else of it can be trusted.
      if (error.code === "BAD_FRAME") throw error;
    }
  }

  #fail(call: LinkCall, error: HiveError): void {
    call.sink?.close();
    call.failed(error);
    call.source?.finish(error);
  }

  #call(id: number, bytes: Uint8Array, start: number, end: number): void {
    if (start === end) throw new HiveError("BAD_FRAME", "a call without a body");
    const flags = bytes[start]!;
    if ((flags & ~CALL_STREAMS) !== 0) throw new HiveError("BAD_FRAME", `flags ${flags} of a call are unknown`);
    let stream: IncomingStream | undefined;
    let at = start + 1;
    if (flags === CALL_STREAMS) {
      if (end - at < 4) throw new HiveError("BAD_FRAME", "a call without its credit");
      stream = this.#openIncoming(id, uint32At(bytes, at));
      at += 4;
    }
    this.#owner.call(id, bytes, at, end, stream);
  }

  /** Ids say who made a call. */
  #isOurs(id: number): boolean {
    return (id & 1) === (this.#dialing ? 1 : 0);
  }

  #requireOurs(id: number): void {
    if (!this.#isOurs(id)) throw new HiveError("BAD_FRAME", `call ${id} was answered by the end that made it`);
  }

  #requireTheirs(id: number): void {
    if (this.#isOurs(id)) throw new HiveError("BAD_FRAME", `call ${id} has an id of the end that received it`);
  }

  // Streams.

  #handleStream(kind: number, id: number, items: ItemReader): void {
    const ours = this.#isOurs(id);
    const stream = ours ? this.#calls.get(id) : this.#incoming.get(id);
    const size = items.end - items.at;
    switch (kind) {
      case ELEMENT:
        // Elements that were under way when this end stopped reading have no taker.
        return stream?.source?.push(size, () => decodeElement(items));
      case CREDIT:
        if (size !== 4) throw new HiveError("BAD_FRAME", `credit is 4 bytes, not ${size}`);
        return stream?.sink?.grant(uint32At(items.bytes, items.at));
      case CANCEL:
        this.#requireTheirs(id);
        requireEmpty(items);
        this.closeIncoming(id);
        return this.#owner.cancelled(id);
      case END:
        this.#requireTheirs(id);
        requireEmpty(items);
        return stream?.source?.finish();
      default:
        throw new HiveError("BAD_FRAME", `a frame of kind ${kind} makes no sense here`);
    }
  }

  #openIncoming(id: number, creditBytes: number): IncomingStream {
    if (this.#incoming.has(id)) throw new HiveError("BAD_FRAME", `stream ${id} is open, and its id came again`);
    const source = this.openSource(id, { windowBytes: WINDOW_BYTES, granted: false });
    const stream = { sink: this.openSink(id, creditBytes), source };
    this.#incoming.set(id, stream);
    return stream;
  }

  /** The stream of a call of the other end is over: it was answered, or cancelled. */
  closeIncoming(id: number): void {
    const stream = this.#incoming.get(id);
    if (stream === undefined) return;
    this.#incoming.delete(id);
    stream.sink.close();
    stream.source.finish();
  }

  /** Sends elements of call `id`, which the other end has given so much credit. */
  openSink(id: number, creditBytes: number): ElementSink {
    const write = (value: unknown): number => {
      const writer = this.#owner.writer();
      writer.begin(ELEMENT, id);
      try {
        writer.item(value);
      } catch (error) {
        writer.abandon();
        throw error;
      }
      const size = writer.finish();
      this.#owner.wrote();
      return size;
    };
    return new ElementSink({ creditBytes, write });
  }

  /** Reads elements of call `id`. */
  openSource(id: number, window: { windowBytes: number; granted: boolean }): ElementSource<unknown> {
    const ours = this.#isOurs(id);
    const grant = (bytes: number): void => {
      if (this.#over) return;
      const writer = this.#owner.writer();
      writer.begin(CREDIT, id);
      writer.uint32(bytes);
      writer.finish();
      this.#owner.wrote();
    };
    const stop = (): void => {
      if (!ours || this.#over) return;
      this.#owner.writer().bare(CANCEL, id);
      this.#owner.wrote();
      const call = this.#calls.take(id);
      call?.sink?.close();
      call?.failed(new HiveError("ABORTED", "the reader of the stream left it"));
    };
    return new ElementSource({ ...window, grant, stop });
  }
}

const NOTHING = new Uint8Array(0);

function requireEmpty(items: ItemReader): void {
  if (!items.done) throw new HiveError("BAD_FRAME", "a frame has a body where none belongs");
}

function decodeElement(items: ItemReader): unknown {
  const value = decodeItem(items, "auto");
  if (!items.done) throw new HiveError("BAD_FRAME", "an element is one item");
  return value;
}
