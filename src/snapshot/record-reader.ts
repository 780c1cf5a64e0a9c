// RecordReader: the records of raw blocks, one after the other, each checked before anybody sees it.
//
//   read(raw, target) ──▶ key(facts, container) | field(facts, container) …        BAD_SNAPSHOT at what no hive writes
//
// Nothing in a snapshot is trusted: sizes are compared with what is there, types and kinds with those that
// exist, values with the canonical form, packed tables with their own layout.

import { isUtf8 } from "node:buffer";
import type { Limits } from "../base/limits.ts";
import { GROUP_OWNER_MIN } from "../store/accounting.ts";
import {
  CHUNK_HEADER,
  KIND_TEXT,
  KIND_VALUE,
  PACKED_BYTES_MAX,
  PACKED_HEADER,
  PACKED_RECORDS_MAX,
  RECORD_HEADER,
  TYPE_CHUNK,
  TYPE_FIELD,
  TYPE_LIST,
  TYPE_MEMBER,
  TYPE_SET,
  TYPE_SORTED,
  TYPE_STRING,
  TYPE_STRUCTURE,
  TYPE_TABLE,
} from "../store/layout.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import type { EntryFacts } from "../store/restoring.ts";
import { isPackedSorted } from "../store/sorted-records.ts";
import { walk, walkScalar } from "../wire/value.ts";
import { bad, type Counts, RECORD_CONTAINER, RECORD_OWNED, RECORD_ROOT, RECORD_SECRET, RECORD_TTL } from "./format.ts";
import { type ContentCheck, ListCheck } from "./list-check.ts";

export type { ContentCheck } from "./list-check.ts";

const TWO32 = 4294967296;
/** Container ids are below: they count up from 1 and are used again. */
const CONTAINER_MAX = 2 ** 31 - 1;
/** What a chunk of one element has beside: its header, the length on both sides, a code. */
const CHUNK_OVERHEAD: number = CHUNK_HEADER + 9;
const NO_BYTES = Buffer.alloc(0);

/** Gets what a snapshot holds. The facts are one object, used again for the next record. */
export interface RecordTarget {
  key(facts: EntryFacts, container: number): void;
  field(facts: EntryFacts, container: number): void;
}

function canonical({ valueDepthMax }: Limits): ContentCheck {
  return {
    check(what, kind, bytes, start, end) {
      if (kind === KIND_TEXT && !isUtf8(bytes.subarray(start, end))) throw bad("a text is not UTF-8");
      if (kind !== KIND_VALUE) return;
      if (what === "key") throw bad("a key's name is no text");
      try {
        if (what === "field") walkScalar(bytes, start, end);
        else walk(bytes, start, end, valueDepthMax);
      } catch (error) {
        throw bad(`a value cannot be read: ${(error as Error).message}`);
      }
    },
  };
}

export class RecordReader {
  readonly counts: Counts = { keys: 0, fields: 0, containers: 0, rawBytes: 0 };
  readonly #limits: Limits;
  readonly #versionMax: number;
  readonly #content: ContentCheck;
  readonly #lists: ListCheck;
  readonly #facts: EntryFacts = {
    type: 0,
    nameKind: 0,
    valueKind: 0,
    version: 0,
    deadlineMs: NO_DEADLINE,
    owner: 0,
    ownedWord: 0,
    isSecret: false,
    bytes: NO_BYTES,
    nameStart: 0,
    nameLength: 0,
    valueStart: 0,
    valueLength: 0,
  };
  #bytes: Buffer = NO_BYTES;
  #at = 0;

  /** @param versionMax The highest version that an entry may have. */
  constructor(limits: Limits, versionMax: number, content: ContentCheck = canonical(limits)) {
    this.#limits = limits;
    this.#versionMax = versionMax;
    this.#content = content;
    this.#lists = new ListCheck(content);
  }

  /** Reads all records of a block, or of the blocks that one record takes. @throws {HiveError} BAD_SNAPSHOT, and what `target` throws */
  read(raw: Buffer, target: RecordTarget): void {
    this.#bytes = raw;
    this.#at = 0;
    this.counts.rawBytes += raw.length;
    let container = 0;
    while (this.#at < raw.length) {
      const head = raw[this.#at++]!;
      if (head === RECORD_CONTAINER) {
        container = this.#varint();
        if (container === 0 || container > CONTAINER_MAX) throw bad("a container has a number that none has");
        continue;
      }
      const inner = this.#record(head);
      const { type } = this.#facts;
      if (type === TYPE_FIELD || type === TYPE_MEMBER || type === TYPE_CHUNK) {
        if (container === 0) throw bad("a field belongs to no container");
        this.counts.fields++;
        target.field(this.#facts, container);
      } else {
        this.counts.keys++;
        if (inner !== 0) this.counts.containers++;
        target.key(this.#facts, inner);
      }
    }
  }

  /** Reads a record into #facts. Returns the id of its container; 0 for none. */
  #record(head: number): number {
    const bytes = this.#bytes;
    const facts = this.#facts;
    const flags = this.#byte();
    facts.type = head & 15;
    facts.nameKind = (head >>> 4) & 3;
    facts.valueKind = head >>> 6;
    facts.bytes = bytes;
    facts.nameLength = this.#varint();
    const second = this.#varint();
    facts.version = this.#uint32() + (this.#byte() + this.#byte() * 256) * TWO32;
    facts.deadlineMs = (flags & RECORD_TTL) === 0 ? NO_DEADLINE : this.#uint32() + this.#uint32() * TWO32;
    facts.owner = (flags & RECORD_OWNED) === 0 ? 0 : this.#uint32();
    facts.ownedWord = (flags & RECORD_OWNED) === 0 ? 0 : this.#uint32();
    facts.isSecret = (flags & RECORD_SECRET) !== 0;
    const container = (flags & RECORD_ROOT) === 0 ? 0 : second;
    facts.nameStart = this.#at;
    facts.valueStart = this.#at + facts.nameLength;
    facts.valueLength = (flags & RECORD_ROOT) === 0 ? second : 0;
    this.#at += facts.nameLength + facts.valueLength;
    if (this.#at > bytes.length) throw bad("a record is cut short");
    if ((flags & ~(RECORD_TTL | RECORD_OWNED | RECORD_ROOT | RECORD_SECRET)) !== 0)
      throw bad("a record has flags that none has");
    this.#check(flags, container);
    return container;
  }

  #check(flags: number, container: number): void {
    const facts = this.#facts;
    const { type, nameLength, valueLength } = facts;
    if (type === TYPE_STRING) {
      if ((flags & RECORD_ROOT) !== 0) throw bad("a string has a container");
    } else if (type === TYPE_STRUCTURE) {
      if ((flags & RECORD_ROOT) !== 0) throw bad("a structure has a container");
      if (facts.valueKind !== KIND_VALUE) throw bad("a structure is no value");
    } else if (type === TYPE_TABLE || type === TYPE_SET || type === TYPE_SORTED || type === TYPE_LIST) {
      if ((flags & RECORD_ROOT) === 0) {
        if (type === TYPE_LIST) this.#lists.checkPacked(facts);
        else this.#checkPacked();
      } else if (container === 0 || container > CONTAINER_MAX) throw bad("a container has a number that none has");
      if (facts.valueKind !== 0) throw bad("a table has the kind of a value");
    } else if (type === TYPE_FIELD || type === TYPE_MEMBER) {
      if ((flags & ~RECORD_TTL) !== 0) throw bad("a field has an owner or a container");
      if (type === TYPE_MEMBER && valueLength > 0) throw bad("a member has a value");
    } else if (type === TYPE_CHUNK) {
      if (flags !== 0) throw bad("a part of a list has a deadline, an owner or a container");
      this.#lists.checkChunk(facts);
    } else throw bad(`a record has type ${type}, which this hive does not know`);
    if (facts.version > this.#versionMax) throw bad("an entry has a higher version than the snapshot");
    const { keyBytesMax, valueBytesMax } = this.#limits;
    if (nameLength > keyBytesMax) throw bad(`a name of ${nameLength} bytes exceeds keyBytesMax (${keyBytesMax})`);
    if (valueLength > valueBytesMax + (type === TYPE_CHUNK ? CHUNK_OVERHEAD : 0)) {
      throw bad(`a value of ${valueLength} bytes exceeds valueBytesMax (${valueBytesMax})`);
    }
    if ((flags & RECORD_OWNED) !== 0 && (facts.owner === 0 || facts.owner >= 2 ** 31)) {
      throw bad("a key has an owner that there cannot be");
    }
    // Tokens answer for what devices have, and for nothing else.
    const payer = facts.ownedWord >>> 1;
    if (payer !== 0 && (facts.owner < GROUP_OWNER_MIN || payer >= GROUP_OWNER_MIN)) {
      throw bad("a key has a payer that there cannot be");
    }
    if (facts.isSecret && (flags & RECORD_OWNED) === 0) throw bad("a key is a secret of nobody");
    const bytes = this.#bytes;
    const { nameKind, nameStart, valueKind, valueStart } = facts;
    if (type === TYPE_CHUNK) return;
    const what = type === TYPE_FIELD || type === TYPE_MEMBER ? "field" : "key";
    if (nameKind !== 0) this.#content.check(what, nameKind, bytes, nameStart, nameStart + nameLength);
    if (valueKind !== 0) this.#content.check("value", valueKind, bytes, valueStart, valueStart + valueLength);
  }

  /** A packed table or set, as layout.ts draws it. */
  #checkPacked(): void {
    const { type, valueStart, valueLength } = this.#facts;
    const bytes = this.#bytes;
    if (type === TYPE_SORTED) return this.#checkSorted();
    if (valueLength <= PACKED_HEADER || valueLength > PACKED_BYTES_MAX) throw bad("a packed table has a wrong size");
    const end = valueStart + valueLength;
    const count = bytes[valueStart]! | (bytes[valueStart + 1]! << 8);
    let at = valueStart + PACKED_HEADER;
    let seen = 0;
    while (at < end) {
      if (at + RECORD_HEADER > end) throw bad("a packed table is cut short");
      const kinds = bytes[at]!;
      const nameLength = bytes[at + 1]! | (bytes[at + 2]! << 8);
      const length = bytes[at + 3]! | (bytes[at + 4]! << 8);
      const next = at + RECORD_HEADER + nameLength + length;
      if (kinds > 15 || next > end || (type === TYPE_SET && length > 0)) throw bad("a packed table is damaged");
      const value = at + RECORD_HEADER + nameLength;
      if ((kinds & 3) !== 0) this.#content.check("field", kinds & 3, bytes, at + RECORD_HEADER, value);
      if (kinds >>> 2 !== 0) this.#content.check("value", kinds >>> 2, bytes, value, next);
      this.#checkNew(valueStart + PACKED_HEADER, at);
      at = next;
      seen++;
    }
    if (seen !== count || seen > PACKED_RECORDS_MAX)
      throw bad("a packed table has another number of records than it says");
  }

  #checkSorted(): void {
    const { valueStart, valueLength } = this.#facts;
    const isSound = isPackedSorted(this.#bytes, valueStart, valueStart + valueLength, (member) => {
      if (member.kind !== 0) this.#content.check("field", member.kind, this.#bytes, member.nameStart, member.end);
    });
    if (!isSound) throw bad("a packed sorted set is damaged");
  }

  /** No record before the one at `at` has its name. */
  #checkNew(start: number, at: number): void {
    const bytes = this.#bytes;
    const length = bytes[at + 1]! | (bytes[at + 2]! << 8);
    const typed = (bytes[at]! & 3) === KIND_VALUE;
    for (let other = start; other < at; ) {
      const otherLength = bytes[other + 1]! | (bytes[other + 2]! << 8);
      if (otherLength === length && ((bytes[other]! & 3) === KIND_VALUE) === typed) {
        let i = 0;
        while (i < length && bytes[other + RECORD_HEADER + i] === bytes[at + RECORD_HEADER + i]) i++;
        if (i === length) throw bad("a packed table has a name twice");
      }
      other += RECORD_HEADER + otherLength + (bytes[other + 3]! | (bytes[other + 4]! << 8));
    }
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw bad("a record is cut short");
    return this.#bytes[this.#at++]!;
  }

  #uint32(): number {
    if (this.#at + 4 > this.#bytes.length) throw bad("a record is cut short");
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + 4;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) + bytes[at + 3]! * 16777216;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (value >= TWO32) throw bad("a number is too large");
        return value;
      }
    }
    throw bad("a number is too large");
  }
}
