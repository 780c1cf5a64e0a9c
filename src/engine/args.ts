// Args: the arguments of one call, read in place.
//
//   door fills: reset(buffer) push(start, length, kind)…  ──▶  row reads: bytes(i) text(i) integer(i) …
//
// All arguments of a call lie in one buffer (the received chunk), so nothing is sliced or decoded
// before a command asks for it; that is what keeps a GET free of allocations. The price is a rule:
// what Args gives is valid until `run` returns. A command that waits calls keep() first.
//
// One concrete class for every door, on purpose: the command rows read it in their hot path, and a
// second implementation would make each of those reads polymorphic.

import { parseInt64, parseSafeInteger } from "../base/decimal.ts";
import { HiveError } from "../base/errors.ts";
import { KIND_RAW, KIND_VALUE } from "../store/layout.ts";
import { integerOf, valueToText } from "../wire/value.ts";

export { KIND_BYTES, KIND_RAW, KIND_TEXT, KIND_VALUE } from "../store/layout.ts";

const EMPTY = Buffer.alloc(0);

export class Args {
  /** Where the arguments lie. Owned by the door until keep(). */
  buffer: Buffer = EMPTY;
  /** How many arguments there are, the command's name (argument 0) included. */
  count = 0;
  /** Set by keep(): the door must take another Args for its next call. */
  kept = false;
  /** Whether an argument is an encoded value. */
  typed = false;
  starts: Int32Array;
  lengths: Int32Array;
  kinds: Uint8Array;

  /** @param capacity Arguments that fit before it grows. */
  constructor(capacity: number = 64) {
    this.starts = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.kinds = new Uint8Array(capacity);
  }

  /** Begins a call whose arguments lie in `buffer`. */
  reset(buffer: Buffer): void {
    this.buffer = buffer;
    this.count = 0;
    this.typed = false;
  }

  /** Adds one argument: `length` bytes at `start`. */
  push(start: number, length: number, kind: number = KIND_RAW): void {
    const index = this.count++;
    if (index === this.starts.length) this.#grow();
    this.starts[index] = start;
    this.lengths[index] = length;
    this.kinds[index] = kind;
    if (kind === KIND_VALUE) this.typed = true;
  }

  start(index: number): number {
    return this.starts[index]!;
  }

  end(index: number): number {
    return this.starts[index]! + this.lengths[index]!;
  }

  length(index: number): number {
    return this.lengths[index]!;
  }

  /** KIND_RAW, KIND_TEXT or KIND_BYTES for raw bytes, KIND_VALUE for one canonically encoded value. */
  kind(index: number): number {
    return this.kinds[index]!;
  }

  /** A view, valid until `run` returns. */
  bytes(index: number): Buffer {
    const start = this.starts[index]!;
    return this.buffer.subarray(start, start + this.lengths[index]!);
  }

  /** A copy that the caller owns. */
  copy(index: number): Buffer {
    return Buffer.from(this.bytes(index));
  }

  /** A value as the text that RESP would read: a word of a command may be a number. */
  text(index: number): string {
    const start = this.starts[index]!;
    if (this.kinds[index] === KIND_VALUE) return valueToText(this.buffer, start, start + this.lengths[index]!);
    return this.buffer.utf8Slice(start, start + this.lengths[index]!);
  }

  /** One character per byte: an exact, reversible key for a Map. */
  latin1(index: number): string {
    const start = this.starts[index]!;
    if (this.kinds[index] === KIND_VALUE) return Buffer.from(this.text(index)).latin1Slice();
    return this.buffer.latin1Slice(start, start + this.lengths[index]!);
  }

  /**
   * Whether the argument is `word`, which is in upper case ASCII, in any case. A zero byte ends the
   * argument, as it does for the words of Redis. Allocates nothing.
   */
  is(index: number, word: string): boolean {
    const length = word.length;
    if (index >= this.count || this.lengths[index]! < length) return false;
    const start = this.starts[index]!;
    if (this.lengths[index] !== length && this.buffer[start + length] !== 0) return false;
    if (this.kinds[index] === KIND_VALUE) return false;
    for (let i = 0; i < length; i++) {
      let byte = this.buffer[start + i]!;
      if (byte >= 97 && byte <= 122) byte -= 32;
      if (byte !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /**
   * A signed 64-bit decimal integer, as Redis reads one (no sign but `-`, no leading zero or space).
   * Exact up to 2^53, above it the nearest double: for counts, offsets and times, whose ranges are
   * checked anyway. int64() is exact everywhere.
   * @throws {HiveError} NOT_INTEGER
   */
  integer(index: number): number {
    const start = this.starts[index]!;
    const end = start + this.lengths[index]!;
    if (this.kinds[index] === KIND_VALUE) return Number(this.int64(index));
    const small = parseSafeInteger(this.buffer, start, end);
    if (small === small) return small;
    return Number(this.int64(index));
  }

  /** The same, exact; undefined where it is none. */
  tryInt64(index: number): bigint | undefined {
    const start = this.starts[index]!;
    const end = start + this.lengths[index]!;
    if (this.kinds[index] !== KIND_VALUE) return parseInt64(this.buffer, start, end);
    const encoded = integerOf(this.buffer, start, end);
    return encoded === undefined ? undefined : BigInt(encoded);
  }

  /** The same, exact. @throws {HiveError} NOT_INTEGER */
  int64(index: number): bigint {
    const value = this.tryInt64(index);
    if (value === undefined) throw new HiveError("NOT_INTEGER", "value is not an integer or out of range");
    return value;
  }

  /** Bytes of all arguments together. */
  totalBytes(): number {
    let total = 0;
    for (let i = 0; i < this.count; i++) total += this.lengths[i]!;
    return total;
  }

  /** Copies the arguments out of the door's buffer, so that they stay valid after `run` returned. */
  keep(): void {
    if (this.kept) return;
    this.buffer = this.#pack();
    this.kept = true;
  }

  /** An independent Args with the same arguments in a buffer of its own. */
  clone(): Args {
    const twin = new Args(this.count);
    const buffer = Buffer.allocUnsafe(this.totalBytes());
    twin.reset(buffer);
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      this.buffer.copy(buffer, at, this.start(i), this.end(i));
      twin.push(at, this.lengths[i]!, this.kinds[i]!);
      at += this.lengths[i]!;
    }
    twin.kept = true;
    return twin;
  }

  /** For callers inside the process: arguments from strings (as text) and bytes. */
  static of(...values: (string | Uint8Array)[]): Args {
    const parts = values.map((value) => (typeof value === "string" ? Buffer.from(value) : value));
    const args = new Args();
    args.reset(Buffer.concat(parts));
    let at = 0;
    for (const part of parts) {
      args.push(at, part.length);
      at += part.length;
    }
    return args;
  }

  #pack(): Buffer {
    const buffer = Buffer.allocUnsafeSlow(this.totalBytes());
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      this.buffer.copy(buffer, at, this.start(i), this.end(i));
      this.starts[i] = at;
      at += this.lengths[i]!;
    }
    return buffer;
  }

  #grow(): void {
    const size = Math.max(8, this.starts.length * 2);
    const starts = new Int32Array(size);
    const lengths = new Int32Array(size);
    const kinds = new Uint8Array(size);
    starts.set(this.starts);
    lengths.set(this.lengths);
    kinds.set(this.kinds);
    this.starts = starts;
    this.lengths = lengths;
    this.kinds = kinds;
  }
}
