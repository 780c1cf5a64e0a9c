// ChangeHistory: the newest changes of the memory, in order, so that who was away for a while misses none.
//
//   append() ──▶ [ block of records ] ──▶ [ block ] ──▶ [ block ]        the oldest block goes when there is too much
//                       ▲ cursor: what this reader has seen
//
// Changes have numbers, from 1 on, without a gap. Where some were not counted (nobody watched, or all that there
// was gave way to a snapshot) one number stands for them, and whoever comes from before it is told.
//
//   record   bytes u32 | kind u8 | name kinds u8 | key bytes u32 | other bytes u32 | value bytes u32 | key | other | value
//
// Records are bytes in buffers, not objects: what they take is counted exactly, and the collector has nothing to walk.

/** Taken out: it was of a secret. */
const ERASED = 0;
/** A key, field or member came, or has another value. */
export const CHANGE_SET = 1;
export const CHANGE_DELETED = 2;
export const CHANGE_EXPIRED = 3;
export const CHANGE_EVICTED = 4;
/** `other` is the new name. */
export const CHANGE_RENAMED = 5;
/** All keys went. */
export const CHANGE_FLUSHED = 6;

const HEADER = 18;
const HAS_OTHER = 64;
const HAS_VALUE = 128;
/** A block takes so much, or an eighth of what the history may: what goes at once when there is too much. */
const BLOCK_BYTES: number = 64 * 1024;
const BLOCKS_MIN = 8;

/** A name, or a value, as the store has it; `kind` is KIND_RAW, …. */
export type Stored = { bytes: Uint8Array; kind: number };

export type Change = {
  kind: number;
  key: Stored;
  /** The field or member; of a rename the new name. */
  other: Stored | undefined;
  /** Of what ran out: its last value. */
  value: Stored | undefined;
};

/** Why changes are missing. `history`: there were more than the history keeps. */
export type GapReason = "history" | "unwatched" | "restored";

/** All up to change `until` may be missing; `lost` is how many, where they were counted. */
export type Gap = { why: GapReason; until: number; lost: number | undefined };

type Block = { first: number; count: number; bytes: Buffer; end: number; next: Block | undefined };

/** Where a reader stands. */
export class HistoryCursor {
  /** The change that it has seen last. */
  sequence: number;
  block: Block | undefined = undefined;
  at = 0;

  constructor(sequence: number) {
    this.sequence = sequence;
  }
}

export class ChangeHistory {
  readonly #changesMax: number;
  readonly #bytesMax: number;
  readonly #blockBytes: number;
  readonly #blockChanges: number;
  #oldest: Block | undefined = undefined;
  #newest: Block | undefined = undefined;
  #last = 0;
  #changes = 0;
  #bytes = 0;
  /** The number that stands for changes that were not counted, and why. */
  #uncountedAt = 0;
  #uncountedWhy: GapReason = "unwatched";

  constructor(limits: { changesMax: number; bytesMax: number }) {
    this.#changesMax = limits.changesMax;
    this.#bytesMax = limits.bytesMax;
    this.#blockBytes = Math.min(BLOCK_BYTES, Math.ceil(limits.bytesMax / BLOCKS_MIN));
    this.#blockChanges = Math.ceil(limits.changesMax / BLOCKS_MIN);
  }

  /** The number of the newest change; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** How many changes are kept, and the bytes of their blocks. */
  get changes(): number {
    return this.#changes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get #first(): number {
    return this.#oldest?.first ?? this.#last + 1;
  }

  /** Keeps a copy of a change, as the newest; the oldest ones go where that is too much. */
  append({ kind, key, other, value }: Change): void {
    const [otherBytes, valueBytes] = [other?.bytes.length ?? 0, value?.bytes.length ?? 0];
    const size = HEADER + key.bytes.length + otherBytes + valueBytes;
    const block = this.#room(size);
    const { bytes, end } = block;
    const has = (other === undefined ? 0 : HAS_OTHER) | (value === undefined ? 0 : HAS_VALUE);
    bytes.writeUInt32LE(size, end);
    bytes[end + 4] = kind;
    bytes[end + 5] = key.kind | ((other?.kind ?? 0) << 2) | ((value?.kind ?? 0) << 4) | has;
    bytes.writeUInt32LE(key.bytes.length, end + 6);
    bytes.writeUInt32LE(otherBytes, end + 10);
    bytes.writeUInt32LE(valueBytes, end + 14);
    let at = end + HEADER;
    for (const part of [key, other, value]) {
      if (part === undefined) continue;
      bytes.set(part.bytes, at);
      at += part.bytes.length;
    }
    block.end = at;
    block.count++;
    this.#changes++;
    this.#last++;
    while (this.#changes > this.#changesMax || this.#bytes > this.#bytesMax) this.#dropOldest();
  }

  #room(size: number): Block {
    const newest = this.#newest;
    if (newest !== undefined && newest.end + size <= newest.bytes.length && newest.count < this.#blockChanges) {
      return newest;
    }
    const bytes = Buffer.alloc(Math.max(size, this.#blockBytes));
    const block = { first: this.#last + 1, count: 0, bytes, end: 0, next: undefined };
    if (newest === undefined) this.#oldest = block;
    else newest.next = block;
    this.#newest = block;
    this.#bytes += bytes.length;
    return block;
  }

  #dropOldest(): void {
    const block = this.#oldest!;
    this.#changes -= block.count;
    this.#bytes -= block.bytes.length;
    const { next } = block;
    // A slow reader may hold the block: it must not hold all that came after it.
    block.next = undefined;
    this.#oldest = next;
    if (next === undefined) this.#newest = undefined;
  }

  /** Changes are made from here on, or were, that are not counted. What is kept goes: nobody can go on from it. */
  interrupt(why: GapReason): void {
    while (this.#oldest !== undefined) this.#dropOldest();
    this.#uncountedAt = ++this.#last;
    this.#uncountedWhy = why;
  }

  /** What is missing for a reader who has seen all up to change `sequence`; undefined where nothing is. */
  gapBehind(sequence: number): Gap | undefined {
    const until = this.#first - 1;
    if (sequence >= until) return undefined;
    if (sequence < this.#uncountedAt) return { why: this.#uncountedWhy, until, lost: undefined };
    return { why: "history", until, lost: until - sequence };
  }

  /**
   * Reads the change behind `cursor` into `view`, and moves on. Returns whether there is one.
   * @param cursor Behind no gap: see gapBehind().
   */
  read(cursor: HistoryCursor, view: ChangeView): boolean {
    if (cursor.sequence >= this.#last) return false;
    let { block } = cursor;
    // A block that is gone is behind a gap, and where the gap ended another one begins.
    if (block === undefined || block.first < this.#first) block = this.#seek(cursor);
    while (cursor.at >= block.end) {
      block = block.next!;
      cursor.at = 0;
    }
    cursor.block = block;
    cursor.at += view.read(block.bytes, cursor.at);
    view.sequence = ++cursor.sequence;
    return true;
  }

  #seek(cursor: HistoryCursor): Block {
    let block = this.#oldest!;
    while (block.first + block.count <= cursor.sequence + 1) block = block.next!;
    cursor.at = 0;
    for (let sequence = block.first; sequence <= cursor.sequence; sequence++) {
      cursor.at += block.bytes.readUInt32LE(cursor.at);
    }
    return block;
  }

  /** Takes every change out that has this key, old name or new: it has become a secret. Their numbers stay. */
  erase(key: Uint8Array): void {
    const view = new ChangeView();
    for (let block = this.#oldest; block !== undefined; block = block.next) {
      for (let at = 0; at < block.end; ) {
        const size = view.read(block.bytes, at);
        if (view.isOf(key)) {
          block.bytes[at + 4] = ERASED;
          block.bytes.fill(0, at + HEADER, at + size);
        }
        at += size;
      }
    }
  }
}

/** One change, where it lies in the history: good until the next append(). */
export class ChangeView {
  sequence = 0;
  kind = 0;
  bytes: Buffer = Buffer.alloc(0);
  keyStart = 0;
  keyEnd = 0;
  keyKind = 0;
  hasOther = false;
  otherEnd = 0;
  otherKind = 0;
  hasValue = false;
  valueEnd = 0;
  valueKind = 0;

  /** Returns the bytes of the record. */
  read(bytes: Buffer, at: number): number {
    const flags = bytes[at + 5]!;
    this.bytes = bytes;
    this.kind = bytes[at + 4]!;
    this.keyKind = flags & 3;
    this.otherKind = (flags >> 2) & 3;
    this.valueKind = (flags >> 4) & 3;
    this.hasOther = (flags & HAS_OTHER) !== 0;
    this.hasValue = (flags & HAS_VALUE) !== 0;
    this.keyStart = at + HEADER;
    this.keyEnd = this.keyStart + bytes.readUInt32LE(at + 6);
    this.otherEnd = this.keyEnd + bytes.readUInt32LE(at + 10);
    this.valueEnd = this.otherEnd + bytes.readUInt32LE(at + 14);
    return bytes.readUInt32LE(at);
  }

  /** Whether there is nothing to tell of it any more. */
  get isErased(): boolean {
    return this.kind === ERASED;
  }

  isOf(key: Uint8Array): boolean {
    const { bytes, keyStart, keyEnd, otherEnd } = this;
    if (bytes.subarray(keyStart, keyEnd).equals(key)) return true;
    return this.kind === CHANGE_RENAMED && bytes.subarray(keyEnd, otherEnd).equals(key);
  }
}
