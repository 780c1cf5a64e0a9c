// FrameWriter: frames of the native protocol as bytes in one scratch, without a socket.
//
//   begin(RESULT, id) ──▶ bulk(…) | array(2) … ──▶ finish() ──▶ begin … ──▶ bytes[0 … end) ──▶ written out ──▶ clear()
//
// It is engine's Reply for this wire (same names, same contract) and what a client writes its arguments
// with; the items in a frame are item-writer.ts. A reply that is nothing but an
// error turns its RESULT into a FAILURE. A call that answers later takes the writer with it: leave()
// then gives its owner another one that has the scratch.

import { copyBytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";
import { FAILURE, FRAME_HEADER_BYTES, RESULT } from "./frame.ts";
import { HEAD_BYTES, ItemWriter } from "./item-writer.ts";
import { ATOM_CLOSED, ATOM_FAILED, ITEM_ARRAY, ITEM_ATOM, ITEM_MAP, ITEM_SET, SIZE_OPEN } from "./items.ts";
import { Scratch } from "./value-scratch.ts";

const SCRATCH_BYTES = 64 * 1024;
/** What leave() gives the call that answers later. */
const LATER_BYTES = 256;
/** Of an error's message this much is sent. */
const ERROR_UNITS_MAX = 4 * 1024;

export class FrameWriter extends ItemWriter {
  /** Native replies tell maps, sets, booleans and doubles from arrays and strings. */
  readonly typed = true;
  /** The code of the last error written; whoever reads it clears it. */
  lastError: ErrorCode | undefined = undefined;
  /** Where the frame that is being written begins. */
  #frame = 0;
  /** Bytes that were in front of the scratch when leave() was called: marks stay valid. */
  #base = 0;
  /** Where the collections that are open begin. */
  readonly #opened: number[] = [];

  /** @param bytesMax How much may be in it at once. */
  constructor(bytesMax: number, scratch: Scratch = new Scratch(SCRATCH_BYTES)) {
    super(bytesMax, scratch);
  }

  get length(): number {
    return this.scratch.end;
  }

  /** Forgets what is written. A buffer that one big frame made big is given up. */
  clear(): void {
    this.scratch.reset();
  }

  /** Gives the buffer away with what is in it, and goes on with another. */
  surrender(): void {
    this.scratch = new Scratch(SCRATCH_BYTES);
  }

  /**
   * Splits the writer for a call whose frame began at `from` and which answers later: this one keeps
   * that frame, in a small buffer, and its marks; the returned one has the scratch with bytes 0 to `from`.
   */
  leave(from: number): FrameWriter {
    const scratch = this.scratch;
    const kept = new Scratch(scratch.end - from + LATER_BYTES);
    copyBytes(scratch.bytes, from, scratch.end, kept.bytes, 0);
    kept.end = scratch.end - from;
    scratch.end = from;
    this.scratch = kept;
    this.#frame -= from;
    this.#base += from;
    return new FrameWriter(this.bytesMax, scratch);
  }

  /** What another writer has, behind what this one has. */
  append(other: FrameWriter): void {
    const { bytes, end } = other.scratch;
    this.reserve(end);
    copyBytes(bytes, 0, end, this.scratch.bytes, this.scratch.end);
    this.scratch.end += end;
  }

  // Frames.

  /** Begins a frame. Returns where. @throws {HiveError} OUTPUT_TOO_BIG */
  begin(kind: number, id: number): number {
    this.reserve(FRAME_HEADER_BYTES);
    const { bytes, end } = this.scratch;
    bytes[end] = kind;
    bytes[end + 1] = id >>> 24;
    bytes[end + 2] = id >>> 16;
    bytes[end + 3] = id >>> 8;
    bytes[end + 4] = id;
    this.scratch.end = end + FRAME_HEADER_BYTES;
    this.#frame = end;
    return end;
  }

  /** Ends the frame: its size is known now. Returns the bytes of its body. */
  finish(): number {
    const { bytes, end } = this.scratch;
    const at = this.#frame;
    const size = end - at - FRAME_HEADER_BYTES;
    bytes[at + 5] = size >>> 24;
    bytes[at + 6] = size >>> 16;
    bytes[at + 7] = size >>> 8;
    bytes[at + 8] = size;
    return size;
  }

  /** The same for a frame that gets its id only now. */
  finishAs(id: number): number {
    const { bytes } = this.scratch;
    const at = this.#frame;
    bytes[at + 1] = id >>> 24;
    bytes[at + 2] = id >>> 16;
    bytes[at + 3] = id >>> 8;
    bytes[at + 4] = id;
    return this.finish();
  }

  /** Where the frame that is being written begins. */
  get frameStart(): number {
    return this.#frame;
  }

  /** Takes back the frame that is being written. */
  abandon(): void {
    this.scratch.end = this.#frame;
    this.#opened.length = 0;
  }

  /** A frame without items. */
  bare(kind: number, id: number): void {
    this.begin(kind, id);
    this.finish();
  }

  // Replies.

  open(kind: "array" | "set" | "map"): void {
    this.reserve(1);
    const item = kind === "array" ? ITEM_ARRAY : kind === "set" ? ITEM_SET : ITEM_MAP;
    this.#opened.push(this.mark());
    this.scratch.byte((item << 5) | SIZE_OPEN);
  }

  close(): void {
    if (this.#opened.pop() === undefined) throw new Error("close() without open()");
    this.atom(ATOM_CLOSED);
  }

  /** Never fails, whatever the message: an error can be told even where a reply would be too big. */
  error(code: ErrorCode, message: string): void {
    this.lastError = code;
    const scratch = this.scratch;
    scratch.reserve((code.length + Math.min(message.length, ERROR_UNITS_MAX)) * 3 + 3 * HEAD_BYTES);
    const alone = scratch.end === this.#frame + FRAME_HEADER_BYTES && scratch.bytes[this.#frame] === RESULT;
    if (alone) scratch.bytes[this.#frame] = FAILURE;
    else scratch.byte((ITEM_ATOM << 5) | ATOM_FAILED);
    this.longText(code);
    this.longText(message.slice(0, ERROR_UNITS_MAX));
  }

  mark(): number {
    return this.scratch.end + this.#base;
  }

  rewind(mark: number): void {
    this.scratch.end = mark - this.#base;
    const opened = this.#opened;
    while (opened.length > 0 && opened[opened.length - 1]! >= mark) opened.pop();
    // The error that made it a failure is among what is taken back.
    const { bytes, end } = this.scratch;
    if (end === this.#frame + FRAME_HEADER_BYTES && bytes[this.#frame] === FAILURE) bytes[this.#frame] = RESULT;
  }
}
