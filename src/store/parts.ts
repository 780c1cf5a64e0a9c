// Parts: the lists and sorted sets of a structure, keys of their own under reserved names.
//
//   key q with the parts "items" and "by-age" ──▶ $part:q:items, $part:q:by-age ──▶ they go, move and are copied with q
//
// Which ones a structure has stands in front of its state: [class, version, [name, …], state]. So whoever removes or renames a
// key finds them without a search, and what is no part of a key that is there (restoring.ts looks) can be told.

import { tooBig } from "../base/errors.ts";
import { KEYSPACE_ROOT, KIND_VALUE, TYPE_STRUCTURE } from "./layout.ts";
import type { Memory } from "./memory.ts";

const PREFIX = Buffer.from("$part:");
const COLON = 58;
const PART_NAME = /^[\w.-]{1,64}$/;
/** What the name of a part has beside that of its key, at most. */
const NAME_BYTES_MAX: number = PREFIX.length + 1 + 64;

const ARRAY_OF_4 = 0x94;

/** What removes and renames keys. */
export interface PartKeys {
  find(name: Uint8Array, start: number, length: number, kind: number): number;
  remove(ref: number, why: "delete" | "expire" | "evict"): void;
  rename(ref: number, name: Uint8Array, start: number, length: number, kind: number): number;
  readonly keyBytesMax: number;
}

export function isPartName(name: string): boolean {
  return PART_NAME.test(name);
}

/** The key of a part of the key `owner`. */
export function partKey(owner: Uint8Array, name: string): Buffer {
  return Buffer.concat([PREFIX, owner, Buffer.from(`:${name}`, "latin1")]);
}

/** How many bytes from `start` + ownerStart() on are the name of the key whose part has this name; 0 where it is none. */
export function ownerLength(bytes: Buffer, start: number, length: number): number {
  if (!beginsAsPart(bytes, start, length)) return 0;
  let at = start + length - 1;
  while (at > start + PREFIX.length && bytes[at] !== COLON) at--;
  return Math.max(0, at - start - PREFIX.length);
}

export function ownerStart(start: number): number {
  return start + PREFIX.length;
}

/** Whether a name is reserved for parts. */
export function beginsAsPart(bytes: Uint8Array, start: number, length: number): boolean {
  // The first byte alone tells of most names.
  if (bytes[start] !== PREFIX[0] || length <= PREFIX.length) return false;
  return PREFIX.compare(bytes, start, start + PREFIX.length) === 0;
}

/** The names of the parts that the value of a structure tells of. */
export function readPartNames(bytes: Buffer, start: number, end: number): string[] {
  if (bytes[start] !== ARRAY_OF_4) return [];
  const names: string[] = [];
  const cls = textLength(bytes, start + 1);
  if (cls === undefined) return [];
  const version = cls.start + cls.length;
  const list = version + integerBytes(bytes[version]!);
  // Whoever made a payload of RESTORE may have put anything there.
  if (list + 3 > end) return [];
  const head = bytes[list]!;
  let count = head >>> 4 === 9 ? head & 15 : head === 0xdc ? bytes.readUInt16BE(list + 1) : 0;
  for (let at = list + (head === 0xdc ? 3 : 1); count > 0 && at < end; count--) {
    const text = textLength(bytes, at);
    if (text === undefined || text.start + text.length > end) return [];
    const name = bytes.latin1Slice(text.start, text.start + text.length);
    if (!isPartName(name)) return [];
    names.push(name);
    at = text.start + text.length;
  }
  return names;
}

/** MessagePack: fixstr and str 8. Longer ones are no names. */
function textLength(bytes: Buffer, at: number): { start: number; length: number } | undefined {
  const head = bytes[at]!;
  if (head >>> 5 === 5) return { start: at + 1, length: head & 31 };
  return head === 0xd9 ? { start: at + 2, length: bytes[at + 1]! } : undefined;
}

function integerBytes(head: number): number {
  if (head < 0x80 || head >= 0xe0) return 1;
  // uint 8 to 64, then int 8 to 64.
  return head >= 0xcc && head <= 0xd3 ? 1 + 2 ** ((head - 0xcc) & 3) : 1;
}

/** The parts of one key, by the names that it had when it was looked at. */
export type PartsOfKey = { readonly owner: Buffer; readonly kind: number; readonly names: readonly string[] };

const NONE: PartsOfKey = { owner: Buffer.alloc(0), kind: 0, names: [] };

export class Parts {
  readonly #memory: Memory;
  readonly #keys: PartKeys;

  constructor(memory: Memory, keys: PartKeys) {
    this.#memory = memory;
    this.#keys = keys;
  }

  /** The parts of what entry `ref` holds: none but of structures. */
  of(ref: number): PartsOfKey {
    const { entries } = this.#memory;
    if (ref === 0 || entries.type(ref) !== TYPE_STRUCTURE) return NONE;
    const bytes = entries.bytesOf(ref);
    const start = entries.valueStart(ref);
    const names = readPartNames(bytes, start, start + entries.valueLength(ref));
    if (names.length === 0) return NONE;
    const at = entries.keyStart(ref);
    const owner = Buffer.from(bytes.subarray(at, at + entries.keyLength(ref)));
    return { owner, kind: entries.keyKind(ref), names };
  }

  /** The entry of a part; 0 while it is empty. */
  find({ owner, kind }: PartsOfKey, name: string): number {
    const key = partKey(owner, name);
    return this.#keys.find(key, 0, key.length, kind);
  }

  remove(parts: PartsOfKey, why: "delete" | "expire" | "evict"): void {
    for (const name of parts.names) {
      const ref = this.find(parts, name);
      if (ref !== 0) this.#keys.remove(ref, why);
    }
  }

  /** Before rename(), where it could still be refused. @throws {HiveError} KEY_TOO_BIG */
  checkRename({ names }: PartsOfKey, length: number): void {
    const { keyBytesMax } = this.#keys;
    if (names.length === 0 || length + NAME_BYTES_MAX <= keyBytesMax) return;
    throw tooBig("KEY_TOO_BIG", "key with its parts", length + NAME_BYTES_MAX, "keyBytesMax", keyBytesMax);
  }

  /** Their key has another name now. */
  rename(parts: PartsOfKey, owner: Uint8Array, kind: number): void {
    for (const name of parts.names) {
      const ref = this.find(parts, name);
      const key = partKey(owner, name);
      if (ref !== 0) this.#keys.rename(ref, key, 0, key.length, kind);
    }
  }

  /** The entry of the key that `ref` is a part of; `ref` itself where it is none. Removes nothing. */
  ownerOr(ref: number): number {
    const { entries, index, keys } = this.#memory;
    const bytes = entries.bytesOf(ref);
    const at = entries.keyStart(ref);
    const length = ownerLength(bytes, at, entries.keyLength(ref));
    if (length === 0) return ref;
    const typed = entries.keyKind(ref) === KIND_VALUE ? 1 : 0;
    const owner = index.find(KEYSPACE_ROOT, keys.hash(bytes, ownerStart(at), length, typed), length, typed);
    return owner === 0 ? ref : owner;
  }

  /** Removes those of these keys that are a part of nothing. */
  removeStrays(names: readonly Buffer[]): void {
    for (const name of names) {
      const ref = this.#keys.find(name, 0, name.length, 0);
      if (ref !== 0 && !this.#isOwned(ref)) this.#keys.remove(ref, "delete");
    }
  }

  /** Whether a key with the name of a part belongs to a structure that is there and names it. */
  #isOwned(ref: number): boolean {
    const owner = this.ownerOr(ref);
    if (owner === ref) return false;
    const { entries } = this.#memory;
    const end = entries.keyStart(ref) + entries.keyLength(ref);
    const from = ownerStart(entries.keyStart(ref)) + entries.keyLength(owner) + 1;
    return this.of(owner).names.includes(entries.bytesOf(ref).latin1Slice(from, end));
  }
}
