// GrowingText: a long text that is made of very many small ones.
//
//   add("[") add("1") add(",") … ──▶ a line of up to 64 Ki characters ──▶ runs of UTF-8 ──▶ bytes, or text
//
// `text += piece` alone keeps a node of 32 bytes for each piece until somebody reads the text: a number of a JSON array
// takes forty times its length on the heap then. Here a line at a time does, and what is written is off the heap.

import { HiveError } from "./errors.ts";

const LINE_UNITS = 65_536;

const encoder = new TextEncoder();
/** What begins with a byte order mark keeps it. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class GrowingText {
  readonly #bytesMax: number;
  readonly #runs: Uint8Array<ArrayBuffer>[] = [];
  #runBytes = 0;
  #line = "";

  /** @param bytesMax outputBytesMax of whom it is for */
  constructor(bytesMax: number = Number.POSITIVE_INFINITY) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes so far; of the line that is open, its characters. */
  get size(): number {
    return this.#runBytes + this.#line.length;
  }

  /** @param piece Whole characters: half of a surrogate pair is replaced. @throws {HiveError} OUTPUT_TOO_BIG */
  add(piece: string): void {
    this.#line += piece;
    if (this.#line.length >= LINE_UNITS) this.#endLine();
  }

  #endLine(): void {
    // Before it is encoded: a text that is too long by itself is not copied.
    if (this.size <= this.#bytesMax) {
      const run = encoder.encode(this.#line);
      this.#runs.push(run);
      this.#runBytes += run.length;
      this.#line = "";
    }
    if (this.size > this.#bytesMax) {
      throw new HiveError("OUTPUT_TOO_BIG", `the answer exceeds outputBytesMax (${this.#bytesMax})`);
    }
  }

  /** All of it, in UTF-8. @throws {HiveError} OUTPUT_TOO_BIG */
  bytes(): Uint8Array<ArrayBuffer> {
    this.#endLine();
    if (this.#runs.length === 1) return this.#runs[0]!;
    const bytes = new Uint8Array(this.#runBytes);
    let at = 0;
    for (const run of this.#runs) {
      bytes.set(run, at);
      at += run.length;
    }
    return bytes;
  }

  /** The same as a string. @throws {HiveError} OUTPUT_TOO_BIG */
  text(): string {
    const whole = this.whole();
    return typeof whole === "string" ? whole : decoder.decode(whole);
  }

  /** The same, a string as long as that is cheaper. @throws {HiveError} OUTPUT_TOO_BIG */
  whole(): string | Uint8Array<ArrayBuffer> {
    return this.#runs.length === 0 && this.size * 3 <= this.#bytesMax ? this.#line : this.bytes();
  }
}
