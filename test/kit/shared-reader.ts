// Shared reader: reads keys and fields out of the memory of a store that another thread writes to, as
// layout.ts (Shared readers) says that a process may. Written from that page alone, for tests.
//
//   place: root, sequence ──▶ bucket, sequence ──▶ slot ──▶ copy ──▶ all sequences once more
//
// One call is one attempt: it gives undefined where something changed meanwhile. Numbers read may be
// anything at all until the sequences have agreed, so every place is checked before it is read.

import { KeyHash } from "../../src/store/hash.ts";
import * as layout from "../../src/store/layout.ts";

const { KEYSPACE_ROOT } = layout;
/** More nodes than a chain ever has, and more bytes than an entry of the tests. */
const NODES_MAX = 1000;
const ENTRY_BYTES_MAX = 32 * 1024 * 1024;

/** An entry copied out. */
export type Found = {
  type: number;
  version: number;
  kind: number;
  value: Buffer;
  deadlineMs: number;
  /** Of an unpacked container: its root and its id. */
  root: number;
  id: number;
};

/** A sequence, by the number of its word, and what it was. */
type Guard = { word: number; sequence: number };

/** What one attempt says: an entry, that there is none, or nothing. */
export type Attempt = Found | "missing" | undefined;

export class SharedReader {
  /** Attempts that were given up because something was being written or had changed. */
  torn = 0;
  /** Called between two steps of an attempt, for tests that change the store just then. */
  between: () => void = () => {};
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #keys: KeyHash;
  readonly #honoursBusy: boolean;
  readonly #guards: Guard[] = [];

  /** @param honoursBusy Whether it gives up while the header says busy. Entries are whole without that too. */
  constructor(memory: SharedArrayBuffer, honoursBusy: boolean) {
    this.#words = new Int32Array(memory);
    this.#bytes = Buffer.from(memory);
    this.#keys = new KeyHash(this.#words[layout.HEADER_KEY0]!, this.#words[layout.HEADER_KEY1]!);
    this.#honoursBusy = honoursBusy;
  }

  key(name: Uint8Array, kind: number): Attempt {
    this.#guards.length = 0;
    return this.#settle(this.#find(KEYSPACE_ROOT, name, kind));
  }

  /** A field of the table or set that has a root of its own. */
  field(key: Uint8Array, kind: number, name: Uint8Array, nameKind: number): Attempt {
    this.#guards.length = 0;
    const container = this.#find(KEYSPACE_ROOT, key, kind);
    if (typeof container !== "object" || container.root === 0) return this.#settle(container && "missing");
    const root = this.#at(container.root, layout.ROOT_BYTES);
    const id = root < 0 ? -1 : this.#words[root + layout.ROOT_ID]!;
    const found = this.#find(container.root, name, nameKind);
    const settled = this.#settle(found);
    if (settled !== undefined && id !== container.id) throw new Error(`root of ${id} in a key of ${container.id}`);
    return settled;
  }

  /** The entry at `ref` and its name, whatever guards it. */
  entry(ref: number): { name: Buffer; found: Found } {
    const at = this.#at(ref, layout.HEADER_BYTES);
    const head = this.#words[at]!;
    const name = layout.KEY_OFFSET[(head >>> 8) & 7]!;
    const value = name + (head >>> layout.KEY_LENGTH_SHIFT);
    const copy = Buffer.from(this.#bytes.subarray(at * 4, at * 4 + value + this.#words[at + 1]!));
    return { name: copy.subarray(name, value), found: decode(copy, value) };
  }

  /** The attempt's outcome, when nothing has changed since its first look. */
  #settle(outcome: Attempt): Attempt {
    this.between();
    const stands =
      outcome !== undefined &&
      !(this.#honoursBusy && Atomics.load(this.#words, layout.HEADER_BUSY) !== 0) &&
      this.#guards.every(({ word, sequence }) => Atomics.load(this.#words, word) === sequence);
    if (stands) return outcome;
    this.torn++;
    return undefined;
  }

  /** Notes a sequence. False when it is odd. */
  #guard(word: number): boolean {
    const sequence = Atomics.load(this.#words, word);
    this.#guards.push({ word, sequence });
    this.between();
    return (sequence & 1) === 0;
  }

  /** The number of the first word of `bytes` bytes at `ref`; -1 when they lie outside. */
  #at(ref: number, bytes: number): number {
    const at = (ref >>> 0) * 2;
    return ref !== 0 && at * 4 + bytes <= this.#bytes.length ? at : -1;
  }

  #find(rootRef: number, name: Uint8Array, kind: number): Attempt {
    const words = this.#words;
    const typed = kind === layout.KIND_VALUE ? 1 : 0;
    const hash = this.#keys.hash(name, 0, name.length, typed);
    const root = this.#at(rootRef, layout.ROOT_BYTES);
    if (root < 0 || !this.#guard(root + layout.ROOT_SEQUENCE)) return undefined;
    this.between();
    const low = 2 ** (words[root + layout.ROOT_LEVEL]! & 31);
    const wide = (hash >>> 0) % (low * 2);
    const bucket = wide < low + words[root + layout.ROOT_SPLIT]! ? wide : wide % low;
    const block = bucket < 1024 ? 32 - Math.clz32(bucket) : Math.floor(bucket / 1024) + 10;
    const inBlock = bucket < 1024 ? bucket - Math.floor(2 ** (block - 1)) : bucket % 1024;
    const directory = this.#at(words[root + layout.ROOT_DIRECTORY]!, block * 4 + 4);
    if (directory < 0) return undefined;
    this.between();
    const first = this.#at(words[directory + block]!, (inBlock + 1) * layout.BUCKET_BYTES);
    if (first < 0) return undefined;
    const at = first + inBlock * 16;
    this.between();
    if (!this.#guard(at)) return undefined;
    return this.#chain(at, hash, name, typed);
  }

  #chain(bucket: number, hash: number, name: Uint8Array, typed: number): Attempt {
    const words = this.#words;
    let at = bucket;
    let next = words[bucket + 1]!;
    let slots = layout.BUCKET_SLOTS;
    for (let nodes = 0; nodes < NODES_MAX; nodes++) {
      for (let slot = at + 2; slot < at + 2 + slots * 2; slot += 2) {
        const ref = words[slot + 1]!;
        if (ref === 0) return "missing";
        if (words[slot] !== hash) continue;
        this.between();
        const found = this.#entry(ref, name, typed);
        if (found !== "missing") return found;
      }
      if (next === 0) return "missing";
      this.between();
      at = this.#at(next, layout.OVERFLOW_BYTES);
      if (at < 0) return undefined;
      next = words[at]!;
      slots = layout.OVERFLOW_SLOTS;
    }
    return undefined;
  }

  /** A copy of the entry, when it has this name. */
  #entry(ref: number, name: Uint8Array, typed: number): Attempt {
    const header = this.#at(ref, layout.HEADER_BYTES);
    if (header < 0) return undefined;
    const head = this.#words[header]!;
    const valueBytes = this.#words[header + 1]!;
    const offset = layout.KEY_OFFSET[(head >>> 8) & 7]!;
    const nameBytes = head >>> layout.KEY_LENGTH_SHIFT;
    const bytes = offset + nameBytes + valueBytes;
    if (valueBytes < 0 || bytes > ENTRY_BYTES_MAX || this.#at(ref, bytes) < 0) return undefined;
    if (nameBytes !== name.length) return "missing";
    const copy = Buffer.from(this.#bytes.subarray(header * 4, header * 4 + bytes));
    if (((head & layout.KEY_KIND_MASK) === layout.KEY_KIND_MASK ? 1 : 0) !== typed) return "missing";
    if (!copy.subarray(offset, offset + nameBytes).equals(name)) return "missing";
    return decode(copy, offset + nameBytes);
  }
}

/** Takes a copy apart; its first word may be another one than was read before it. */
function decode(copy: Buffer, valueAt: number): Found {
  const head = copy.readInt32LE(0);
  const hasTtl = (head & layout.FLAG_TTL) !== 0;
  const rootAt = 16 + (hasTtl ? layout.TTL_BYTES : 0) + ((head & layout.FLAG_OWNED) !== 0 ? 8 : 0);
  const hasRoot = (head & layout.FLAG_ROOT) !== 0 && rootAt + 8 <= copy.length;
  return {
    type: head & layout.TYPE_MASK,
    version: copy.readUInt16LE(14) * 2 ** 32 + copy.readUInt32LE(8),
    kind: (head & layout.VALUE_KIND_MASK) >> layout.VALUE_KIND_SHIFT,
    value: copy.subarray(valueAt),
    deadlineMs: hasTtl && copy.length >= 24 ? copy.readInt32LE(20) * 2 ** 32 + copy.readUInt32LE(16) : Infinity,
    root: hasRoot ? copy.readInt32LE(rootAt) : 0,
    id: hasRoot ? copy.readInt32LE(rootAt + 4) : 0,
  };
}
