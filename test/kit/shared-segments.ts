// Shared segments: the store's memory in one SharedArrayBuffer, so that a worker can read it meanwhile.
//
//   segment i ──▶ bytes from i × SEGMENT_BYTES on        so a ref is a place in it, as it is for a process that maps files
//
// What is given back is overwritten: who reads it still, reads nonsense.

import { HiveError } from "../../src/base/errors.ts";
import { SEGMENT_BYTES } from "../../src/store/layout.ts";
import type { SegmentProvider } from "../../src/store/segments.ts";

const NONSENSE = 0xa5;

export class SharedSegments implements SegmentProvider {
  readonly shared = true;
  readonly memory: SharedArrayBuffer;
  readonly #bytes = new Map<number, number>();

  /** @param segments How many there may be; they cost nothing before they are written to. */
  constructor(segments: number) {
    this.memory = new SharedArrayBuffer(segments * SEGMENT_BYTES);
  }

  open(index: number, bytes: number): { buffer: SharedArrayBuffer; offset: number } {
    const offset = index * SEGMENT_BYTES;
    if (offset + bytes > this.memory.byteLength) throw new HiveError("OUT_OF_MEMORY", "the test's memory is full");
    if (this.#bytes.has(index)) new Uint8Array(this.memory, offset, bytes).fill(0);
    this.#bytes.set(index, bytes);
    return { buffer: this.memory, offset };
  }

  reserve(): void {}

  close(index: number): void {
    new Uint8Array(this.memory, index * SEGMENT_BYTES, this.#bytes.get(index)!).fill(NONSENSE);
  }
}
