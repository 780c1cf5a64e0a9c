// Frames of the native protocol: what the two ends of a connection send each other.
//
//   0xC1 "hive" version | frame | frame | …              frame = kind u8 | id u32 | body bytes u32 | body
//
// Integers are big-endian, as in MessagePack. docs/protocol.md is the normative page; the numbers here
// and there are compared by a test. Every kind has its high bit set, so text of another protocol is
// never taken for a frame. Ids of calls are odd where the dialing end made them, else even: each end
// counts its own, and the id alone says whose call a frame belongs to.
//
// It must not know what a body means: items.ts and handshake.ts do.

import { allocateBytes, copyBytes } from "../base/bytes.ts";
import { HiveError } from "../base/errors.ts";
import { uint32At } from "./value-reading.ts";

/** What a dialing end sends before its first frame: 0xC1, "hive", and the version that it speaks. */
export const PREAMBLE: Uint8Array = Uint8Array.of(0xc1, 0x68, 0x69, 0x76, 0x65, 1);
export const PROTOCOL_VERSION = 1;

export const FRAME_HEADER_BYTES = 9;

/** dialing end → hive, first: who it is. Body: one item, a map. */
export const HELLO = 0x81;
/** hive → dialing end: it may call now. Body: one item, a map. */
export const WELCOME = 0x82;
/** Either: this end sends no further frame, for this reason. Body: as FAILURE. */
export const GOODBYE = 0x83;
/** Either: are you there? The other end answers with a PONG of the same id. No body. */
export const PING = 0x84;
export const PONG = 0x85;
/** A call. Body: flags u8, then with CALL_STREAMS a credit u32, then one item per argument. */
export const CALL = 0x86;
/** The answer, and the end of the call. Body: one item. */
export const RESULT = 0x87;
/** The call failed. Body: an item for the code and one for the message; what follows is passed over. */
export const FAILURE = 0x88;
/** Whoever made the call wants no answer any more. No body. */
export const CANCEL = 0x89;
/** An element of the stream that a call is. Body: one item. */
export const ELEMENT = 0x8a;
/** So many more bytes of elements may be sent. Body: u32. */
export const CREDIT = 0x8b;
/** Whoever made the call sends no further elements. No body. */
export const END = 0x8c;
/** Several calls that run as one. Body: for each call an ARRAY head with its count, and its items. */
export const TRANSACTION = 0x8d;
/** Kinds from here to here belong to refs, objects held on the other end. */
export const REFS_FIRST = 0x90;
export const REFS_LAST = 0x9f;

/** Flag of a CALL: the caller reads the answer as a stream, and gives a first credit. */
export const CALL_STREAMS = 1;

/** Ids are 31 bits: a signed integer of 32 that is never negative. */
export const ID_MAX = 0x7fff_ffff;

/** Of a body that is larger this much is allocated at first, so that a claim alone takes no memory. */
const FIRST_ALLOCATION_BYTES = 64 * 1024;
/** The same before the header is whole. */
const SMALL_FRAME_BYTES = 256;

/**
 * Finds frames in the chunks of a connection.
 *
 *   feed(chunk) ──▶ next() → kind, id, bytes[start … end) ──▶ next() … false ──▶ settle()
 *
 * A frame that lies in one chunk is read in place; one that does not is put together in a buffer that
 * grows with what has arrived. What next() gives is valid until the next call of next() or settle().
 */
export class FrameReader {
  kind = 0;
  id = 0;
  /** Where the body lies. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** A larger body is refused. It may change between two frames. */
  bodyBytesMax: number;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #chunkEnd = 0;
  /** A frame that began in an earlier chunk: its first #keptBytes bytes. */
  #kept: Uint8Array = NOTHING;
  #keptBytes = 0;

  constructor(bodyBytesMax: number) {
    this.bodyBytesMax = bodyBytesMax;
  }

  /** Bytes that wait for the rest of their frame, or for next(). */
  get pendingBytes(): number {
    return this.#keptBytes + this.#chunkEnd - this.#at;
  }

  /** More bytes. They are read in place until settle(). */
  feed(bytes: Uint8Array, start: number, end: number): void {
    if (this.#at < this.#chunkEnd) {
      const left = this.#chunkEnd - this.#at;
      const joined = allocateBytes(left + end - start);
      copyBytes(this.#chunk, this.#at, this.#chunkEnd, joined, 0);
      copyBytes(bytes, start, end, joined, left);
      this.#chunk = joined;
      this.#at = 0;
      this.#chunkEnd = joined.length;
      return;
    }
    this.#chunk = bytes;
    this.#at = start;
    this.#chunkEnd = end;
  }

  /** One byte in front of the frames; -1 where none has arrived. */
  takeByte(): number {
    return this.#at < this.#chunkEnd ? this.#chunk[this.#at++]! : -1;
  }

  /**
   * Moves to the next whole frame. Returns whether there is one.
   * @throws {HiveError} FRAME_TOO_BIG, BAD_FRAME: nothing behind it can be read, the connection has to end.
   */
  next(): boolean {
    if (this.#keptBytes > 0) return this.#completeKept();
    const at = this.#at;
    const left = this.#chunkEnd - at;
    if (left < FRAME_HEADER_BYTES) return this.#keep(left);
    const size = this.#readHeader(this.#chunk, at);
    if (left < FRAME_HEADER_BYTES + size) return this.#keep(left);
    this.bytes = this.#chunk;
    this.start = at + FRAME_HEADER_BYTES;
    this.end = this.start + size;
    this.#at = this.end;
    return true;
  }

  /** The chunk is the caller's again: what next() has not come to is copied. */
  settle(): void {
    const left = this.#chunkEnd - this.#at;
    const rest = left === 0 ? NOTHING : allocateBytes(this.#keptBytes + left);
    if (left > 0) {
      copyBytes(this.#kept, 0, this.#keptBytes, rest, 0);
      copyBytes(this.#chunk, this.#at, this.#chunkEnd, rest, this.#keptBytes);
      this.#kept = NOTHING;
      this.#keptBytes = 0;
    }
    this.#chunk = rest;
    this.#at = 0;
    this.#chunkEnd = rest.length;
    this.bytes = NOTHING;
  }

  /** Forgets everything that has arrived. */
  clear(): void {
    this.#kept = NOTHING;
    this.#keptBytes = 0;
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#chunkEnd = 0;
    this.bytes = NOTHING;
  }

  /** Returns the bytes of the body. */
  #readHeader(bytes: Uint8Array, at: number): number {
    this.kind = bytes[at]!;
    if (this.kind < HELLO || this.kind > REFS_LAST) {
      throw new HiveError("BAD_FRAME", `no kind of frame begins with ${this.kind}`);
    }
    const id = uint32At(bytes, at + 1);
    if (id > ID_MAX) throw new HiveError("BAD_FRAME", `id ${id} exceeds 31 bits`);
    this.id = id;
    const size = uint32At(bytes, at + 5);
    if (size > this.bodyBytesMax) {
      throw new HiveError("FRAME_TOO_BIG", `frame of ${size} bytes exceeds frameBytesMax (${this.bodyBytesMax})`);
    }
    return size;
  }

  /** Takes the last `count` bytes of the chunk, the beginning of a frame. Returns false: there is no whole one. */
  #keep(count: number): false {
    if (count === 0) return false;
    const size = count < FRAME_HEADER_BYTES ? SMALL_FRAME_BYTES : this.#wholeBytes(this.#chunk, this.#at);
    this.#kept = allocateBytes(Math.min(size, Math.max(FIRST_ALLOCATION_BYTES, count * 2)));
    copyBytes(this.#chunk, this.#at, this.#chunkEnd, this.#kept, 0);
    this.#keptBytes = count;
    this.#at = this.#chunkEnd;
    return false;
  }

  #wholeBytes(bytes: Uint8Array, at: number): number {
    return FRAME_HEADER_BYTES + this.#readHeader(bytes, at);
  }

  #completeKept(): boolean {
    if (this.#keptBytes < FRAME_HEADER_BYTES && !this.#fill(FRAME_HEADER_BYTES)) return false;
    const whole = this.#wholeBytes(this.#kept, 0);
    if (!this.#fill(whole)) return false;
    this.bytes = this.#kept;
    this.start = FRAME_HEADER_BYTES;
    this.end = whole;
    this.#kept = NOTHING;
    this.#keptBytes = 0;
    return true;
  }

  /** Adds from the chunk until there are `wanted` bytes. Returns whether there are. */
  #fill(wanted: number): boolean {
    const count = Math.min(wanted - this.#keptBytes, this.#chunkEnd - this.#at);
    const needed = this.#keptBytes + count;
    if (needed > this.#kept.length) {
      const grown = allocateBytes(Math.min(wanted, Math.max(needed, this.#kept.length * 2, FIRST_ALLOCATION_BYTES)));
      copyBytes(this.#kept, 0, this.#keptBytes, grown, 0);
      this.#kept = grown;
    }
    copyBytes(this.#chunk, this.#at, this.#at + count, this.#kept, this.#keptBytes);
    this.#at += count;
    this.#keptBytes = needed;
    return needed === wanted;
  }
}

const NOTHING = new Uint8Array(0);
