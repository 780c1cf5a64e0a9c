// RecordWriter: entries of an epoch as records, gathered into blocks.
//
//   epoch ──▶ key(ref), field(container, ref) ──▶ records ──a block is full──▶ onBlock(raw bytes, whether it goes on)
//
// A block can be read alone: the container of its fields is named anew in each. A record that is larger than
// a block is cut into blocks that say so.

import type { Entries } from "../store/entries.ts";
import type { EpochVisitor } from "../store/epoch.ts";
import { FLAG_SCRUB } from "../store/layout.ts";
import type { Memory } from "../store/memory.ts";
import {
  BLOCK_BYTES,
  CONTAINER_RECORD_MAX,
  type Counts,
  RECORD_CONTAINER,
  RECORD_HEAD_MAX,
  RECORD_OWNED,
  RECORD_ROOT,
  RECORD_SECRET,
  RECORD_TTL,
} from "./format.ts";

const TWO32 = 4294967296;
/** Deadlines end at 2^63 milliseconds. */
const DEADLINE_END = 2 ** 63;

/** Takes a block. The bytes are its own; it may give a buffer of BLOCK_BYTES back for the next one. */
export type OnBlock = (raw: Buffer, continues: boolean) => void;

export class RecordWriter implements EpochVisitor {
  readonly counts: Counts = { keys: 0, fields: 0, containers: 0, rawBytes: 0 };
  readonly #entries: Entries;
  readonly #onBlock: OnBlock;
  readonly #buffer: () => Buffer;
  #block: Buffer;
  #length = 0;
  /** The container that the block under way has named; 0 for none. */
  #container = 0;

  /** @param buffer Gives a buffer of BLOCK_BYTES for the next block. */
  constructor(memory: Memory, onBlock: OnBlock, buffer: () => Buffer) {
    this.#entries = memory.entries;
    this.#onBlock = onBlock;
    this.#buffer = buffer;
    this.#block = buffer();
  }

  key(ref: number, container: number): void {
    this.counts.keys++;
    if (container !== 0) this.counts.containers++;
    this.#write(ref, container, 0);
  }

  field(container: number, ref: number): void {
    this.counts.fields++;
    this.#write(ref, 0, container);
  }

  /** Raw bytes so far, those of the block under way included. */
  get rawBytes(): number {
    return this.counts.rawBytes + this.#length;
  }

  /** Hands on what is left. */
  finish(): void {
    this.#close();
  }

  /** @param container Of a key: the id of its fields. @param within Of a field: the container that it is in. */
  #write(ref: number, container: number, within: number): void {
    const entries = this.#entries;
    const keyBytes = entries.keyLength(ref);
    const valueBytes = container === 0 ? entries.valueLength(ref) : 0;
    const bytesMax = CONTAINER_RECORD_MAX + RECORD_HEAD_MAX + keyBytes + valueBytes;
    if (bytesMax > BLOCK_BYTES - this.#length) {
      this.#close();
      if (bytesMax > BLOCK_BYTES) return this.#writeLarge(ref, container, within, keyBytes + valueBytes);
    }
    if (within !== 0 && within !== this.#container) {
      this.#length = writeContainer(this.#block, this.#length, within);
      this.#container = within;
    }
    const at = this.#writeHead(this.#block, this.#length, ref, container);
    // The value stands behind the key in the entry, and is left out where there is a container.
    const from = entries.keyStart(ref);
    entries.bytesOf(ref).copy(this.#block, at, from, from + keyBytes + valueBytes);
    this.#length = at + keyBytes + valueBytes;
  }

  /** Into blocks of its own, in buffers that were used before where there are some: fresh memory is what takes time. */
  #writeLarge(ref: number, container: number, within: number, bytes: number): void {
    const own = this.#entries.bytesOf(ref);
    let block = this.#block;
    let length = this.#writeHead(block, within === 0 ? 0 : writeContainer(block, 0, within), ref, container);
    for (let from = this.#entries.keyStart(ref), left = bytes; ; ) {
      const part = Math.min(left, BLOCK_BYTES - length);
      own.copy(block, length, from, from + part);
      from += part;
      left -= part;
      this.counts.rawBytes += length + part;
      this.#onBlock(block.subarray(0, length + part), left > 0);
      block = this.#buffer();
      length = 0;
      if (left === 0) break;
    }
    this.#block = block;
  }

  #close(): void {
    if (this.#length === 0) return;
    this.counts.rawBytes += this.#length;
    this.#onBlock(this.#block.subarray(0, this.#length), false);
    this.#block = this.#buffer();
    this.#length = 0;
    this.#container = 0;
  }

  /** What stands before the name. Returns where that begins. */
  #writeHead(bytes: Buffer, start: number, ref: number, container: number): number {
    const entries = this.#entries;
    const head = entries.head(ref);
    const ttl = entries.hasTtl(ref);
    const owner = entries.ownerOf(ref);
    const keyBytes = entries.keyLength(ref);
    const valueBytes = entries.valueLength(ref);
    let at = start;
    bytes[at++] = head & 0xff; // type and kinds stand in the same bits in layout.ts
    const secret = owner !== 0 && (head & FLAG_SCRUB) !== 0 ? RECORD_SECRET : 0;
    const owned = owner !== 0 ? RECORD_OWNED : 0;
    bytes[at++] = (ttl ? RECORD_TTL : 0) | owned | (container !== 0 ? RECORD_ROOT : 0) | secret;
    at = writeVarint(bytes, at, keyBytes);
    at = writeVarint(bytes, at, container !== 0 ? container : valueBytes);
    const version = entries.versionOf(ref);
    at = writeUint32(bytes, at, version >>> 0);
    const high = (version / TWO32) | 0;
    bytes[at++] = high & 255;
    bytes[at++] = high >>> 8;
    if (ttl) {
      const deadline = entries.deadline(ref);
      const late = deadline >= DEADLINE_END;
      at = writeUint32(bytes, at, late ? -1 : deadline >>> 0);
      at = writeUint32(bytes, at, late ? 0x7fffffff : Math.floor(deadline / TWO32));
    }
    if (owner !== 0) {
      at = writeUint32(bytes, at, owner);
      at = writeUint32(bytes, at, entries.ownedWord(ref));
    }
    return at;
  }
}

function writeContainer(bytes: Buffer, at: number, id: number): number {
  bytes[at] = RECORD_CONTAINER;
  return writeVarint(bytes, at + 1, id);
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

function writeUint32(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >>> 8) & 255;
  bytes[at + 2] = (value >>> 16) & 255;
  bytes[at + 3] = value >>> 24;
  return at + 4;
}
