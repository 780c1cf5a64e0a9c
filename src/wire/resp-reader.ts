// RespReader: requests out of a stream of bytes, without a socket.
//
//   feed(chunk) ──▶ next(args) next(args) … undefined ──▶ settle()      once per chunk that arrives
//
// Arguments are found where they lie: next() fills in positions and copies nothing. What is left at the
// end of a chunk, the beginning of a call or calls that had to wait, is copied to a carry buffer by
// settle(), since the chunk belongs to the caller again after that. The rest of a call that is in the
// carry is taken from the next chunk piece by piece, so the calls behind it are read in place again,
// and a bulk of n bytes costs O(n) however it is cut.
//
// Two parsers. #quick() reads a whole well-formed call and gives up on anything else; #resume() is the
// state machine that reads every form, can stop at any byte and knows the errors. They must agree.
//
// Errors, leniency and limits of lines are those of Redis 7.0 (networking.c, sds.c): the two bytes that
// end a line or a bulk are skipped unseen. It must not know commands or sockets. Hot path: it uses
// Buffer, and one long function that writes into the lists of Args itself: 9 ns for a
// GET, where a call of push() for each argument makes it 14.

import { parseSafeInteger } from "../base/decimal.ts";
import { isHostile, splitInline } from "./resp-inline.ts";

/** Where the reader puts arguments: the part of engine's Args that it needs. */
export interface ArgumentList {
  buffer: Buffer;
  count: number;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  reset(buffer: Buffer): void;
  push(start: number, length: number): void;
}

/** What one call may have. `unauthenticated` only chooses how the refusal is worded. */
export type RequestLimits = {
  argumentsMax: number;
  /** All arguments together. */
  argumentBytesMax: number;
  /** A line of the inline form, or of a length. */
  lineBytesMax: number;
  unauthenticated: boolean;
};

/** Why no further request can be read. An empty message: close without a word. */
export type Breakage = { message: string; reason: string };

const EMPTY: Buffer = Buffer.alloc(0);
const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
/** A carry up to this size is made as big as the announced bulk at once, a bigger one as bytes arrive. */
const CARRY_AT_ONCE_BYTES = 256 * 1024;
/** What one argument takes at the least. */
const EMPTY_BULK_BYTES = "$0\r\n\r\n".length;
/** Room for what usually follows the announced part of a call. */
const CARRY_SLACK_BYTES = 64;

export class RespReader<A extends ArgumentList> {
  /** Set when what came is no request: next() gives no more calls. */
  broken: Breakage | undefined = undefined;
  /** Whether the call that next() gave last was in the inline form. */
  inline = false;
  #hadLine = false;
  #limits: RequestLimits;
  // The window being read: the caller's chunk, or the carry.
  #buffer: Buffer = EMPTY;
  #at = 0;
  #end = 0;
  #carrying = false;
  // The chunk behind the carry.
  #chunk: Buffer = EMPTY;
  #chunkAt = 0;
  #chunkEnd = 0;
  // The call that is there in part: its arguments so far, where it starts in the window, what is missing.
  #held: A | undefined = undefined;
  #callStart = 0;
  #missing = -1;
  #bulkBytes = -1;
  #totalBytes = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Takes effect with the next call. */
  set limits(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Bytes that came and were not given out as calls. */
  get pendingBytes(): number {
    const start = this.#held === undefined ? this.#at : this.#callStart;
    return this.#end - start + (this.#chunkEnd - this.#chunkAt);
  }

  /** Arguments of the call that is there in part: their positions take memory too. */
  get heldArguments(): number {
    return this.#held === undefined ? 0 : this.#held.count;
  }

  /** Whether `args` holds the beginning of a call: then it belongs to the reader until next() returns it. */
  holds(args: A): boolean {
    return this.#held === args;
  }

  /** Bytes `start` to `end` of `buffer` arrived. They stay as they are until settle(). */
  feed(buffer: Buffer, start: number, end: number): void {
    if (this.broken !== undefined) return;
    if (this.#carrying) {
      this.#chunk = buffer;
      this.#chunkAt = start;
      this.#chunkEnd = end;
    } else {
      this.#buffer = buffer;
      this.#at = start;
      this.#end = end;
    }
  }

  /**
   * The next whole call; undefined when there is none, or when the stream is broken. It is `spare`,
   * filled, or the one handed in when the beginning of that call arrived.
   */
  next(spare: A): A | undefined {
    if (this.#held === undefined && this.#quick(spare)) {
      this.inline = false;
      return spare;
    }
    return this.#resume(spare);
  }

  /** Copies what was not given out, so that the caller may reuse the chunk. */
  settle(): void {
    const start = this.#held === undefined ? this.#at : this.#callStart;
    if (this.broken !== undefined) {
      this.#drop();
    } else if (!this.#carrying) {
      if (start < this.#end) this.#carry(this.#wantedBytes());
      else this.#buffer = EMPTY;
    } else if (this.#chunkAt < this.#chunkEnd) {
      this.#take(this.#chunkEnd - this.#chunkAt);
    } else if (start === this.#end) {
      this.#drop();
    }
  }

  /** Reads one call that is all there and in the usual form. */
  #quick(args: A): boolean {
    const buffer = this.#buffer;
    const end = this.#end;
    const start = this.#at;
    if (start + 4 > end || buffer[start] !== STAR) return false;
    let count = buffer[start + 1]! - 48;
    if (count < 1 || count > 9) return false;
    let at = start + 2;
    let byte = buffer[at]!;
    while (byte !== CR) {
      byte -= 48;
      if (byte < 0 || byte > 9 || at >= end) return false;
      count = count * 10 + byte;
      byte = buffer[++at]!;
    }
    at += 2;
    const { starts, lengths } = args;
    if (count > this.#limits.argumentsMax || count > starts.length) return false;
    for (let i = 0; i < count; i++) {
      if (at + 4 > end || buffer[at] !== DOLLAR) return false;
      let length = buffer[at + 1]! - 48;
      if (length < 0 || length > 9) return false;
      byte = buffer[at + 2]!;
      at += 3;
      // More digits; a length that begins with 0 has none.
      if (byte !== CR && length === 0) return false;
      while (byte !== CR) {
        byte -= 48;
        if (byte < 0 || byte > 9 || at >= end) return false;
        length = length * 10 + byte;
        byte = buffer[at++]!;
      }
      at++;
      starts[i] = at;
      lengths[i] = length;
      at += length + 2;
      if (at > end) return false;
    }
    if (at - start > this.#limits.argumentBytesMax) return false;
    args.buffer = buffer;
    args.count = count;
    this.#at = at;
    return true;
  }

  /** Goes on with the call that is there in part, or begins one. */
  #resume(spare: A): A | undefined {
    while (this.broken === undefined) {
      if (this.#at >= this.#end && this.#held === undefined) {
        if (!this.#carrying) return undefined;
        this.#leaveCarry();
        if (this.#at >= this.#end) return undefined;
      }
      if (this.#held === undefined) this.#begin(spare);
      const whole = this.#buffer[this.#callStart] === STAR ? this.#array() : this.#line();
      if (whole === undefined) {
        if (this.broken !== undefined || !this.#more()) return undefined;
        continue;
      }
      this.#held = undefined;
      // Empty ones are skipped.
      if (whole.count > 0) return whole;
    }
    return undefined;
  }

  #begin(args: A): void {
    args.reset(this.#buffer);
    this.#held = args;
    this.#callStart = this.#at;
    this.#missing = -1;
    this.#bulkBytes = -1;
    this.#totalBytes = 0;
  }

  /** Reads on in `*N ($length bytes)*` as far as the window goes. */
  #array(): A | undefined {
    const args = this.#held!;
    this.inline = false;
    if (this.#missing < 0) {
      const count = this.#number("mbulk");
      if (count === undefined) return undefined;
      if (!(count <= this.#limits.argumentsMax)) {
        const refused = this.#limits.unauthenticated && count <= 0x7fffffff;
        return this.#break(refused ? "unauthenticated multibulk length" : "invalid multibulk length");
      }
      this.#missing = Math.max(count, 0);
    }
    while (this.#missing > 0) {
      if (this.#bulkBytes < 0) {
        const length = this.#number("bulk");
        if (length === undefined) return undefined;
        if (!this.#accepts(length)) return undefined;
        this.#bulkBytes = length;
        this.#totalBytes += length;
      }
      if (this.#end - this.#at < this.#bulkBytes + 2) return undefined;
      args.push(this.#at, this.#bulkBytes);
      this.#at += this.#bulkBytes + 2;
      this.#bulkBytes = -1;
      this.#missing--;
    }
    args.buffer = this.#buffer;
    return args;
  }

  /** Whether a bulk of `length` bytes may follow. */
  #accepts(length: number): boolean {
    const limits = this.#limits;
    if (length >= 0 && this.#totalBytes + length <= limits.argumentBytesMax) return true;
    // NaN, negative, or more than the biggest bulk that there can be.
    if (!(length >= 0)) this.#break("invalid bulk length");
    else if (limits.unauthenticated) this.#break("unauthenticated bulk length");
    else if (length > limits.argumentBytesMax) this.#break("invalid bulk length");
    else {
      this.#break(`arguments of ${this.#totalBytes + length} bytes exceed frameBytesMax (${limits.argumentBytesMax})`);
    }
    return false;
  }

  /** The number of a length's line, NaN where it is none; undefined when the line is not whole or not allowed. */
  #number(what: "mbulk" | "bulk"): number | undefined {
    const buffer = this.#buffer;
    const stop = Math.min(this.#end, this.#at + this.#limits.lineBytesMax + 1);
    let cr = this.#at;
    while (cr < stop && buffer[cr] !== CR) cr++;
    if (cr - this.#at > this.#limits.lineBytesMax) return this.#break(`too big ${what} count string`);
    if (cr + 2 > this.#end) return undefined;
    const first = buffer[this.#at]!;
    if (what === "bulk" && first !== DOLLAR) {
      // As quoteBytes() has it for a byte that is no text, and a zero byte stays, as in Redis.
      const shown = String.fromCharCode(first < 0x80 ? first : 0xdc00 + first);
      return this.#break(`expected '$', got '${shown}'`);
    }
    const value = parseSafeInteger(buffer, this.#at + 1, cr);
    this.#at = cr + 2;
    return value;
  }

  /** Reads a call in the inline form. */
  #line(): A | undefined {
    const args = this.#held!;
    const max = this.#limits.lineBytesMax;
    const length = this.#buffer.subarray(this.#at, Math.min(this.#end, this.#at + max + 1)).indexOf(LF);
    if (length < 0) {
      if (this.#end - this.#at > max) return this.#break("too big inline request");
      return undefined;
    }
    const lineEnd = this.#at + length;
    const textEnd = length > 0 && this.#buffer[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    const line = this.#buffer.subarray(this.#at, textEnd);
    if (isHostile(line, !this.#hadLine)) {
      this.broken = { message: "", reason: "possible cross-protocol attack: an HTTP request on the RESP door" };
      return undefined;
    }
    if (!splitInline(line, args)) return this.#break("unbalanced quotes in request");
    if (args.count > this.#limits.argumentsMax) {
      const refused = this.#limits.unauthenticated;
      return this.#break(refused ? "unauthenticated multibulk length" : "invalid multibulk length");
    }
    if (this.#limits.unauthenticated && length > this.#limits.argumentBytesMax) {
      return this.#break("unauthenticated bulk length");
    }
    this.#at = lineEnd + 1;
    this.inline = true;
    this.#hadLine = true;
    return args;
  }

  #break(reason: string): undefined {
    this.broken = { message: `Protocol error: ${reason}`, reason };
    return undefined;
  }

  // The carry.

  /** Bytes of the current call that are missing at the least. */
  #wantedBytes(): number {
    if (this.#held === undefined || this.#missing < 0) return 1;
    const bulk = this.#bulkBytes < 0 ? 0 : this.#bulkBytes + 2 - EMPTY_BULK_BYTES;
    return Math.max(1, bulk + this.#missing * EMPTY_BULK_BYTES - (this.#end - this.#at));
  }

  /** Brings more of the current call into the window. False when there is no more. */
  #more(): boolean {
    const there = this.#chunkEnd - this.#chunkAt;
    if (!this.#carrying || there === 0) return false;
    let bytes = this.#wantedBytes();
    if (this.#bulkBytes < 0) {
      const line = this.#chunk.subarray(this.#chunkAt, this.#chunkEnd).indexOf(LF);
      bytes = line < 0 ? there : Math.max(line + 1, bytes);
    }
    this.#take(Math.min(there, bytes));
    return true;
  }

  /** Moves the next `bytes` of the chunk to the end of the carry. */
  #take(bytes: number): void {
    if (this.#end + bytes > this.#buffer.length) this.#carry(Math.max(bytes, this.#wantedBytes()));
    this.#chunk.copy(this.#buffer, this.#end, this.#chunkAt, this.#chunkAt + bytes);
    this.#end += bytes;
    this.#chunkAt += bytes;
    if (this.#chunkAt === this.#chunkEnd) this.#chunk = EMPTY;
  }

  /** Makes a new carry of what is not given out, with room for what is there and for a good part of `wanted`. */
  #carry(wanted: number): void {
    const start = this.#held === undefined ? this.#at : this.#callStart;
    const bytes = this.#end - start;
    const carry = Buffer.allocUnsafeSlow(carrySize(bytes, wanted, this.#chunkEnd - this.#chunkAt));
    this.#buffer.copy(carry, 0, start, this.#end);
    const held = this.#held;
    if (held !== undefined) {
      if (start > 0) for (let i = 0; i < held.count; i++) held.starts[i]! -= start;
      held.buffer = carry;
      this.#callStart = 0;
    }
    this.#buffer = carry;
    this.#at -= start;
    this.#end = bytes;
    this.#carrying = true;
  }

  /** The carry is read: goes on in the chunk behind it. */
  #leaveCarry(): void {
    this.#buffer = this.#chunk;
    this.#at = this.#chunkAt;
    this.#end = this.#chunkEnd;
    this.#chunk = EMPTY;
    this.#chunkAt = 0;
    this.#chunkEnd = 0;
    this.#carrying = false;
  }

  #drop(): void {
    this.#chunk = EMPTY;
    this.#chunkAt = 0;
    this.#chunkEnd = 0;
    this.#leaveCarry();
    this.#held = undefined;
  }
}

/**
 * How big a carry of `bytes` is made when `wanted` more are announced and `there` of them have come.
 * What is announced is not believed from the first byte on; but a carry that grows does so by a good
 * part of itself, so that each byte is copied a few times at the most.
 */
function carrySize(bytes: number, wanted: number, there: number): number {
  const needed = bytes + wanted + CARRY_SLACK_BYTES;
  const grown = bytes + (bytes >> 2);
  if (needed <= CARRY_AT_ONCE_BYTES || needed <= 3 * bytes) return Math.max(needed, grown, bytes + there);
  return Math.max(CARRY_AT_ONCE_BYTES, 2 * bytes, bytes + there);
}
