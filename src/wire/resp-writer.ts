// RespWriter: replies of RESP2 and RESP3 as bytes in one scratch buffer, without a socket.
//
//   integer(1) bulk(…) map(2) … ──▶ buffer[0 .. length) ──▶ the door writes it out ──▶ clear()
//
// It is engine's Reply for this wire (same names, same contract), shared by all connections of a door:
// they run one after the other, and what a read event wrote is out before the next begins. Nothing is
// allocated for a reply but where the buffer grows. A call that answers later takes the writer with it:
// leave() then gives the door another one that has the scratch.
//
// open() does not know how many values follow. close() counts them by walking over what was written,
// which costs nothing in all other replies, and moves it if the count has more than one digit.
//
// RESP2 has fewer types: a map is an array of keys and values, a boolean 1 or 0, a double a string.
// Hot path: Buffer, and public fields that the door reads.

import { doubleText } from "../base/double-text.ts";
import { ERRORS, type ErrorCode, HiveError } from "../base/errors.ts";
import { encodeQuoted, hasQuoted } from "../base/quoted.ts";
import { endOfValue } from "./resp-walk.ts";
import { valueToText } from "./value.ts";

const SCRATCH_BYTES = 64 * 1024;
/** Of an error's message this much is sent; none of ours is longer, even where it quotes a client. */
const ERROR_LENGTH_MAX = 4 * 1024;
/** A scratch that grew beyond this is given up once it is out. */
const SCRATCH_KEPT_BYTES = 1024 * 1024;
/** What leave() gives the call that answers later. */
const LATER_BYTES = 128;
/** From here on a buffer grows by half of itself instead of twice. */
const DOUBLING_BYTES_MAX = 16 * 1024 * 1024;
/** Copying byte by byte is quicker up to here: about 1 ns each, where Buffer.copy takes 28. */
const LOOP_BYTES_MAX = 24;
/** The first byte, up to 16 digits, a sign and the line end of an integer or a header. */
const NUMBER_BYTES = 20;
const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
const copyBytes: (this: Uint8Array, target: Uint8Array, at: number, start: number, end: number) => number =
  Buffer.prototype.copy;

export class RespWriter {
  /** The replies: bytes 0 to `length`. */
  buffer: Buffer;
  length = 0;
  /** Whose protocol counts: HELLO changes it in the middle of its own reply. */
  session: { readonly protocol: 2 | 3 };
  /** The code of the last error written. The door clears it. */
  lastError: ErrorCode | undefined = undefined;
  /** Bytes that were in front of the buffer when leave() was called: marks stay valid. */
  #base = 0;
  /** Where the collections that are open begin. */
  readonly #opened: number[] = [];
  readonly #bytesMax: number;

  /** @param bytesMax How much may wait in it, outputBytesMax. */
  constructor(session: { readonly protocol: 2 | 3 }, bytesMax: number, buffer?: Buffer) {
    this.session = session;
    this.buffer = buffer ?? Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.#bytesMax = bytesMax;
  }

  get typed(): boolean {
    return this.session.protocol === 3;
  }

  // What the door does with it.

  /** Forgets what is written. A buffer that one big reply made big is given up. */
  clear(): void {
    this.length = 0;
    if (this.buffer.length > SCRATCH_KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /** Gives the buffer away with what is in it, and goes on with another. */
  surrender(): void {
    this.length = 0;
    this.buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /**
   * Splits the writer for a call that began at `from` and answers later: this one keeps what that call
   * wrote, in a small buffer, and its marks; the returned one has the scratch with bytes 0 to `from`.
   */
  leave(from: number): RespWriter {
    const scratch = this.buffer;
    const kept = this.length - from;
    this.buffer = Buffer.allocUnsafeSlow(kept + LATER_BYTES);
    scratch.copy(this.buffer, 0, from, this.length);
    this.length = kept;
    this.#base += from;
    const successor = new RespWriter(this.session, this.#bytesMax, scratch);
    successor.length = from;
    return successor;
  }

  /** What another writer has, behind what this one has. */
  append(other: RespWriter): void {
    this.#reserve(other.length);
    this.length += other.buffer.copy(this.buffer, this.length, 0, other.length);
  }

  // Scalars.

  nil(): void {
    this.#literal(this.session.protocol === 3 ? "_\r\n" : "$-1\r\n");
  }

  nullArray(): void {
    this.#literal(this.session.protocol === 3 ? "_\r\n" : "*-1\r\n");
  }

  ok(): void {
    if (this.length + 5 > this.buffer.length) this.#grow(5);
    const buffer = this.buffer;
    const at = this.length;
    buffer[at] = 43;
    buffer[at + 1] = 79;
    buffer[at + 2] = 75;
    buffer[at + 3] = 13;
    buffer[at + 4] = 10;
    this.length = at + 5;
  }

  status(text: string): void {
    this.#literal(`+${text}\r\n`);
  }

  integer(value: number): void {
    if (this.length + NUMBER_BYTES > this.buffer.length) this.#grow(NUMBER_BYTES);
    this.buffer[this.length++] = 58;
    if (value < 0) {
      this.buffer[this.length++] = 45;
      value = -value;
    }
    this.#endLine(writeDecimal(this.buffer, this.length, value));
  }

  bigint(value: bigint): void {
    const text = value.toString();
    if (value >= INT64_MIN && value <= INT64_MAX) this.#literal(`:${text}\r\n`);
    else if (this.typed) this.#literal(`(${text}\r\n`);
    else this.text(text);
  }

  double(value: number): void {
    if (this.typed) this.#literal(`,${doubleText(value)}\r\n`);
    else this.text(doubleText(value));
  }

  boolean(value: boolean): void {
    if (this.typed) this.#literal(value ? "#t\r\n" : "#f\r\n");
    else this.integer(value ? 1 : 0);
  }

  bulk(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const needed = length + NUMBER_BYTES + 2;
    if (this.length + needed > this.buffer.length) this.#grow(needed);
    const buffer = this.buffer;
    let at = this.length;
    buffer[at] = 36;
    at = writeDecimal(buffer, at + 1, length);
    buffer[at] = 13;
    buffer[at + 1] = 10;
    at += 2;
    if (length <= LOOP_BYTES_MAX) for (let i = start; i < end; i++) buffer[at++] = bytes[i]!;
    else {
      copyBytes.call(bytes, buffer, at, start, end);
      at += length;
    }
    buffer[at] = 13;
    buffer[at + 1] = 10;
    this.length = at + 2;
  }

  text(value: string): void {
    this.#string(36, "", value);
  }

  verbatim(format: string, value: string): void {
    if (this.typed) this.#string(61, `${format}:`, value);
    else this.text(value);
  }

  value(bytes: Uint8Array, start: number, end: number): void {
    this.text(valueToText(bytes, start, end));
  }

  /** Never throws, whatever the message: an error can be told even where a reply would be too big. */
  error(code: ErrorCode, message: string): void {
    this.lastError = code;
    const line = `-${ERRORS[code].resp} ${oneLine(message.slice(0, ERROR_LENGTH_MAX))}\r\n`;
    const bytes = hasQuoted(line) ? encodeQuoted(line) : undefined;
    const size = bytes?.length ?? Buffer.byteLength(line);
    if (this.length + size > this.buffer.length) this.#grow(size, Number.POSITIVE_INFINITY);
    this.length += bytes?.copy(this.buffer, this.length) ?? this.buffer.utf8Write(line, this.length);
  }

  // Collections.

  array(count: number): void {
    this.#header(42, count);
  }

  map(count: number): void {
    if (this.typed) this.#header(37, count);
    else this.#header(42, 2 * count);
  }

  set(count: number): void {
    this.#header(this.typed ? 126 : 42, count);
  }

  push(count: number): void {
    this.#header(this.typed ? 62 : 42, count);
  }

  open(kind: "array" | "set" | "map"): void {
    this.#opened.push(this.length + this.#base);
    if (kind === "map") this.map(0);
    else if (kind === "set") this.set(0);
    else this.array(0);
  }

  close(): void {
    const opened = this.#opened.pop();
    if (opened === undefined) throw new Error("close() without open()");
    const header = opened - this.#base;
    const body = header + 4; // one byte, the digit 0, CR, LF
    let count = 0;
    for (let at = body; at < this.length; count++) at = endOfValue(this.buffer, at);
    if (this.buffer[header] === 37) count /= 2;
    const moved = String(count).length - 1;
    if (moved > 0) {
      this.#reserve(moved);
      this.buffer.copyWithin(body + moved, body, this.length);
      this.length += moved;
    }
    const digitsEnd = writeDecimal(this.buffer, header + 1, count);
    this.buffer[digitsEnd] = 13;
    this.buffer[digitsEnd + 1] = 10;
  }

  mark(): number {
    return this.length + this.#base;
  }

  rewind(mark: number): void {
    this.length = mark - this.#base;
    const opened = this.#opened;
    while (opened.length > 0 && opened[opened.length - 1]! >= mark) opened.pop();
  }

  // The buffer.

  #header(type: number, count: number): void {
    if (this.length + NUMBER_BYTES > this.buffer.length) this.#grow(NUMBER_BYTES);
    this.buffer[this.length] = type;
    this.#endLine(writeDecimal(this.buffer, this.length + 1, count));
  }

  #endLine(at: number): void {
    this.buffer[at] = 13;
    this.buffer[at + 1] = 10;
    this.length = at + 2;
  }

  /** ASCII as it is. */
  #literal(ascii: string): void {
    const length = ascii.length;
    if (this.length + length > this.buffer.length) this.#grow(length);
    const buffer = this.buffer;
    let at = this.length;
    for (let i = 0; i < length; i++) buffer[at++] = ascii.charCodeAt(i);
    this.length = at;
  }

  /** A string with its length in bytes in front. */
  #string(type: number, prefix: string, value: string): void {
    const length = prefix.length + Buffer.byteLength(value);
    this.#reserve(length + NUMBER_BYTES + 2);
    this.#header(type, length);
    this.length += this.buffer.latin1Write(prefix, this.length);
    this.length += this.buffer.utf8Write(value, this.length);
    this.#endLine(this.length);
  }

  #reserve(bytes: number): void {
    if (this.length + bytes > this.buffer.length) this.#grow(bytes);
  }

  /** @throws {HiveError} OUTPUT_TOO_BIG: the call fails, instead of the hive running out of memory. */
  #grow(bytes: number, bytesMax: number = this.#bytesMax): void {
    if (this.length + bytes > bytesMax) {
      throw new HiveError("OUTPUT_TOO_BIG", `reply exceeds outputBytesMax (${this.#bytesMax} bytes)`);
    }
    const size = this.buffer.length;
    const step = size < DOUBLING_BYTES_MAX ? 2 * size : size + size / 2;
    // Not beyond the limit: what is not asked for here would not be looked at.
    const bigger = Buffer.allocUnsafeSlow(Math.max(Math.min(step, this.#bytesMax), this.length + bytes));
    this.buffer.copy(bigger, 0, 0, this.length);
    this.buffer = bigger;
  }
}

/** As Redis does: an error is one line, whatever a client's bytes put into its text. */
function oneLine(message: string): string {
  return /[\r\n]/.test(message) ? message.replace(/^[\r\n]+|[\r\n]+$/g, "").replace(/[\r\n]/g, " ") : message;
}

/** Writes a whole number from 0 to 2^53 in decimal. Returns where it ends. */
function writeDecimal(buffer: Buffer, at: number, value: number): number {
  if (value < 10) {
    buffer[at] = 48 + value;
    return at + 1;
  }
  if (value < 100) {
    const tens = (value / 10) | 0;
    buffer[at] = 48 + tens;
    buffer[at + 1] = 48 + value - tens * 10;
    return at + 2;
  }
  if (value > 999_999_999) {
    const high = Math.floor(value / 1e9);
    at = writeDecimal(buffer, at, high);
    return writeDigits(buffer, at, value - high * 1e9, 9);
  }
  return writeDigits(buffer, at, value, digitsOf(value));
}

/** Exactly `digits` digits of `value`, which is below 10^9. */
function writeDigits(buffer: Buffer, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    buffer[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}

function digitsOf(value: number): number {
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  return value < 100_000_000 ? 8 : 9;
}
