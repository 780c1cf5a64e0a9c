// NativeOutlet: a native connection's way out: what is written, when it goes, and what if nobody reads it.
//
//   in a read event    frames ──▶ the door's scratch ──end of the event──▶ one write
//   at other times     frames ──▶ a small writer of its own ──end of this turn of the loop──▶ one write
//
// A client that does not read is given no further call above outputSoftBytesMax, and is cut off above
// outputBytesMax, or when it reads nothing for outputSoftTimeoutMs.

import { latin1Slice } from "../../base/bytes.ts";
import type { HiveError } from "../../base/errors.ts";
import { LATIN1_BYTES_MAX, type Transport } from "../../base/transport.ts";
import { UNCOUNTED_BYTES } from "../../base/waiting-bytes.ts";
import { GOODBYE } from "../../wire/frame.ts";
import { FrameWriter } from "../../wire/frame-writer.ts";
import { Scratch } from "../../wire/value.ts";
import type { NativeShared } from "./shared.ts";

/** What is gathered outside a read event goes out whenever it is this much. */
const GATHERED_BYTES = 64 * 1024;
const LATE_BYTES = 1024;
/** More than this is likely to be several calls. */
const SEVERAL_BYTES_MIN = 128;

export type OutletParts = {
  shared: NativeShared;
  transport: Transport;
  /** The client does not read: no further call of it is to run. */
  onHeld(): void;
  /** It has read everything. */
  onReleased(): void;
  /** Much waits to be read, or more than before. It may be cut off. */
  onBehind(): void;
  onCutOff(reason: string): void;
};

export class NativeOutlet {
  /** Whether a read event is under way: then the door's scratch is this connection's. */
  reading = false;
  /** Whether a call runs: its frame is open in the scratch, so others are not written there. */
  calling = false;
  /** Whether something went out since this was set to false. */
  wrote = false;
  readonly #parts: OutletParts;
  /** Several calls came at once. One alone is what somebody waits for. */
  #several = false;
  /** What was written outside a read event, until it goes out. */
  #late: FrameWriter | undefined = undefined;
  #scheduled = false;
  #closed = false;
  #backlog: NodeJS.Timeout | undefined = undefined;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  /** Whether the client is behind with reading. */
  get held(): boolean {
    return this.#backlog !== undefined;
  }

  /** A read event begins. What was written before its calls goes before their answers. */
  beginReading(bytes: number): void {
    this.#several = bytes > SEVERAL_BYTES_MIN;
    this.#flushLate();
    this.reading = true;
  }

  /** Where a frame is written now. */
  writer(): FrameWriter {
    if (this.reading && !this.calling) return this.#parts.shared.writer;
    this.#late ??= this.newWriter();
    return this.#late;
  }

  /** A small writer, for an answer that comes alone. */
  newWriter(): FrameWriter {
    return new FrameWriter(this.#parts.shared.limits.outputBytesMax, new Scratch(LATE_BYTES));
  }

  /** Something was written: outside a read event it goes out at the end of this turn of the loop. */
  schedule(): void {
    if ((this.reading && !this.calling) || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#flushLate();
    });
  }

  #flushLate(): void {
    const late = this.#late;
    this.#late = undefined;
    if (late !== undefined) this.flush(late);
  }

  /** An answer that was written outside a read event. A big one goes out by itself: it may be as large as the limit. */
  append(reply: FrameWriter): void {
    if (reply.length > GATHERED_BYTES) return this.flush(reply);
    const writer = this.writer();
    writer.append(reply);
    this.schedule();
    // Thousands of calls may be answered in one turn, such as those that waited for one thing.
    if (writer.length > GATHERED_BYTES) this.#flushLate();
  }

  /** Hands what `writer` has to the transport. @param soon Answers of several calls may leave with what other connections write in this turn. */
  flush(writer: FrameWriter, soon: boolean = false): void {
    const { transport } = this.#parts;
    const { bytes, end } = writer.scratch;
    if (end === 0) return;
    this.wrote = true;
    if (end <= LATIN1_BYTES_MAX) {
      transport.writeLatin1(latin1Slice!(bytes, 0, end), soon && this.#several);
      writer.clear();
    } else if (transport.write(bytes, end)) writer.clear();
    else writer.surrender();
    const pending = transport.pendingBytes;
    if (pending > UNCOUNTED_BYTES) this.#fallBehind(pending);
  }

  #fallBehind(pending: number): void {
    const { transport, shared, onHeld, onBehind, onCutOff } = this.#parts;
    const { outputBytesMax, outputSoftBytesMax, outputSoftTimeoutMs } = shared.limits;
    onBehind();
    if (pending <= outputSoftBytesMax || this.#closed) return;
    if (pending > outputBytesMax) {
      return onCutOff(`unread replies of ${pending} bytes exceed outputBytesMax (${outputBytesMax})`);
    }
    if (this.held) return;
    onHeld();
    transport.awaitDrained();
    this.#watchReading(pending, outputSoftTimeoutMs);
  }

  /** Looks again and again whether a slow client has read something since. */
  #watchReading(pending: number, timeoutMs: number): void {
    clearTimeout(this.#backlog);
    this.#backlog = setTimeout(() => {
      const now = this.#parts.transport.pendingBytes;
      if (now < pending) return this.#watchReading(now, timeoutMs);
      this.#parts.onCutOff(`read nothing of ${now} bytes for outputSoftTimeoutMs (${timeoutMs})`);
    }, timeoutMs).unref();
  }

  /** Everything that was written is out. */
  drained(): void {
    if (!this.held) return;
    clearTimeout(this.#backlog);
    this.#backlog = undefined;
    this.#parts.onReleased();
  }

  /** The last thing: what is left goes out, with the reason for the end where there is one. */
  close(goodbye: HiveError | undefined): void {
    this.#closed = true;
    clearTimeout(this.#backlog);
    const last = this.#late ?? this.newWriter();
    this.#late = undefined;
    if (goodbye !== undefined) writeGoodbye(last, goodbye);
    if (last.length > 0) this.#parts.transport.writeLatin1(latin1Slice!(last.scratch.bytes, 0, last.length));
  }
}

export function writeGoodbye(writer: FrameWriter, { code, message }: { code: string; message: string }): void {
  writer.begin(GOODBYE, 0);
  writer.text(code);
  writer.text(message);
  writer.finish();
}
