// Outbox: the calls of a client as bytes, gathered until the end of the turn, and kept while they are open.
//
//   write(spec, args) ──▶ scratch ──end of this turn──▶ one write        resend() after a reconnect
//
// Calls made in one turn of the loop leave in one write. A call knows its batch and its place in it, so
// that after a lost connection what may be sent again can be, and what was never sent still goes out.
// Frames that belong to no call of ours (PONG, CREDIT, CANCEL, elements) go first and are never repeated.

import { allocateBytes, copyBytes, latin1Slice } from "../base/bytes.ts";
import { HiveError } from "../base/errors.ts";
import type { Transport } from "../base/transport.ts";
import { CALL, CALL_STREAMS, FRAME_HEADER_BYTES, TRANSACTION } from "../wire/frame.ts";
import { FrameWriter } from "../wire/frame-writer.ts";
import type { Name } from "../wire/item-writer.ts";
import type { Batch, CallSpec, ClientCall, StoredItem } from "./call.ts";

/** Up to here what goes out is one string: no buffer object, and libuv writes from its stack. */
const STRING_BYTES_MAX = 2 * 1024;

/** A call of a transaction. */
export type QueuedCall = { spec: CallSpec<unknown>; args: readonly unknown[] };

export type OutboxLimits = { frameBytesMax: number; encoding: { depthMax: number } };

export class Outbox {
  limits: OutboxLimits;
  /** Frames without a call. */
  readonly control: FrameWriter = new FrameWriter(Number.POSITIVE_INFINITY);
  #writer = new FrameWriter(Number.POSITIVE_INFINITY);
  #batch: Batch = newBatch();
  #writing = false;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  /** The batch that is being gathered. */
  get batch(): Batch {
    return this.#batch;
  }

  /** Bytes that wait for the next flush. */
  get length(): number {
    return this.#writer.length + this.control.length;
  }

  /** Where the frame written last begins. */
  get frameStart(): number {
    return this.#writer.frameStart;
  }

  /**
   * Writes the frame of a call, without its id. Returns its bytes.
   * @param creditBytes Given: the answer is read as a stream.
   * @throws {HiveError} BAD_VALUE, FRAME_TOO_BIG; what a getter of a value throws. Nothing was written.
   */
  write(spec: CallSpec<unknown>, args: readonly unknown[], creditBytes: number = -1): number {
    const writer = this.#begin(CALL);
    try {
      writer.uint8(creditBytes < 0 ? 0 : CALL_STREAMS);
      if (creditBytes >= 0) writer.uint32(creditBytes);
      this.#writeCall(writer, spec, args);
      return this.#end(writer);
    } catch (error) {
      writer.abandon();
      throw error;
    } finally {
      this.#writing = false;
    }
  }

  /** The same for several calls that run as one. */
  writeTransaction(calls: readonly QueuedCall[]): number {
    const writer = this.#begin(TRANSACTION);
    try {
      for (const { spec, args } of calls) {
        writer.array(spec.words.length + args.length);
        this.#writeCall(writer, spec, args);
      }
      return this.#end(writer);
    } catch (error) {
      writer.abandon();
      throw error;
    } finally {
      this.#writing = false;
    }
  }

  /** Gives the frame written last its id. */
  finish(id: number): void {
    this.#writer.finishAs(id);
  }

  /** Takes the frame written last back. */
  abandon(): void {
    this.#writer.abandon();
  }

  #begin(kind: number): FrameWriter {
    if (this.#writing) throw new HiveError("BAD_VALUE", "a getter of a value made a call while the value was encoded");
    this.#writing = true;
    this.#writer.begin(kind, 0);
    return this.#writer;
  }

  /** Returns the bytes of the whole frame. */
  #end(writer: FrameWriter): number {
    const size = writer.finish();
    const { frameBytesMax } = this.limits;
    if (size <= frameBytesMax) return size + FRAME_HEADER_BYTES;
    throw new HiveError("FRAME_TOO_BIG", `a call of ${size} bytes exceeds frameBytesMax (${frameBytesMax})`);
  }

  #writeCall(writer: FrameWriter, { words, form }: CallSpec<unknown>, args: readonly unknown[]): void {
    for (let i = 0; i < words.length; i++) writer.word(words[i]!);
    const repeated = form.indexOf("(");
    const fixed = repeated < 0 ? form.length : repeated;
    for (let i = 0; i < args.length; i++) {
      const letter =
        i < fixed ? form.charCodeAt(i) : form.charCodeAt(fixed + 1 + ((i - fixed) % (form.length - fixed - 2)));
      if (letter === LETTER_N) writer.name(args[i] as Name);
      else if (letter === LETTER_V) writer.any(args[i], this.limits.encoding);
      else if (letter === LETTER_S) {
        const { kind, bytes } = args[i] as StoredItem;
        writer.bulk(bytes, 0, bytes.length, kind);
      } else writer.word(String(args[i]));
    }
  }

  /**
   * Hands everything to `transport`.
   * @param open The calls without an answer: asked for only where one of this batch is over already.
   */
  flush(transport: Transport, open: () => readonly ClientCall[]): void {
    if (this.control.length > 0) {
      send(transport, this.control);
      this.control.clear();
    }
    const gathered = this.#batch;
    if (gathered.spoilt) this.#gather(open().filter((call) => call.batch === gathered));
    const writer = this.#writer;
    const batch = this.#batch;
    if (writer.length === 0) return;
    const { bytes, end } = writer.scratch;
    batch.sent = true;
    if (end <= STRING_BYTES_MAX && latin1Slice !== undefined) {
      batch.text = latin1Slice(bytes, 0, end);
      transport.writeLatin1(batch.text);
    } else {
      const copy = allocateBytes(end);
      copyBytes(bytes, 0, end, copy, 0);
      batch.bytes = copy;
      transport.write(copy, end);
    }
    writer.clear();
    this.#batch = newBatch();
  }

  /** The connection is a new one: what is open goes out (again), and nothing that was written for the old one. */
  resend(calls: readonly ClientCall[]): void {
    this.control.clear();
    this.#gather(calls);
  }

  /** Makes the frames of `calls`, wherever they lie, the content of a new batch. */
  #gather(calls: readonly ClientCall[]): void {
    const old = this.#writer;
    const batch = newBatch();
    const writer = new FrameWriter(Number.POSITIVE_INFINITY);
    for (const call of calls) {
      const at = writer.length;
      const { text, bytes } = call.batch;
      const scratch = writer.scratch;
      scratch.reserve(call.size);
      if (text !== undefined) copyText(text, call.at, call.size, scratch.bytes, at);
      else copyBytes(bytes ?? old.scratch.bytes, call.at, call.at + call.size, scratch.bytes, at);
      scratch.end = at + call.size;
      call.batch = batch;
      call.at = at;
    }
    this.#writer = writer;
    this.#batch = batch;
  }
}

const LETTER_N = "n".charCodeAt(0);
const LETTER_V = "v".charCodeAt(0);
const LETTER_S = "s".charCodeAt(0);

function newBatch(): Batch {
  return { sent: false, spoilt: false, text: undefined, bytes: undefined };
}

function send(transport: Transport, writer: FrameWriter): void {
  const { bytes, end } = writer.scratch;
  if (end <= STRING_BYTES_MAX && latin1Slice !== undefined) transport.writeLatin1(latin1Slice(bytes, 0, end));
  else transport.write(bytes.slice(0, end), end);
}

function copyText(text: string, start: number, size: number, target: Uint8Array, at: number): void {
  for (let i = 0; i < size; i++) target[at + i] = text.charCodeAt(start + i);
}
