// LastContainer: the container that was looked up last, to be found again without its key's hash.
//
//   note(key) ──▶ its container's id ──▶ find(name): root of the id ──▶ key of the root ──▶ has it that name?
//
// A pipeline of HSET or SADD names one key again and again. What is remembered is an id, not a ref: a root
// knows where its key's entry is and whether it was detached, so moves, renames and removals need not be
// told of. In a keyspace that was emptied containers are not marked, which its own id shows.

import type { Containers } from "./containers.ts";
import type { Entries } from "./entries.ts";
import { FLAG_TTL, KEY_KIND_MASK, KEY_LENGTH_SHIFT, KEY_OFFSET, SEGMENT_MASK, UNIT_SHIFT } from "./layout.ts";

export class LastContainer {
  readonly #entries: Entries;
  readonly #containers: Containers;
  /** 0 while there is none. */
  #id = 0;
  #keyspaceId = 0;

  constructor(entries: Entries, containers: Containers) {
    this.#entries = entries;
    this.#containers = containers;
  }

  /** Remembers the container of a key that is there, if it has one of its own. */
  note(key: number): void {
    const root = this.#entries.rootOf(key);
    if (root === 0) return;
    this.#id = this.#containers.idOf(root);
    this.#keyspaceId = this.#containers.keyspaceId;
  }

  /** The key of the container if it has this raw name and no TTL; 0 says nothing. */
  find(name: Uint8Array, start: number, length: number): number {
    const containers = this.#containers;
    if (this.#id === 0 || this.#keyspaceId !== containers.keyspaceId) return 0;
    const root = containers.rootOf(this.#id);
    if (root === 0 || containers.isDetached(root)) return 0;
    const key = containers.keyOf(root);
    if (key === 0) return 0;
    const head = this.#entries.head(key);
    if (head >>> KEY_LENGTH_SHIFT !== length || (head & FLAG_TTL) !== 0) return 0;
    if ((head & KEY_KIND_MASK) === KEY_KIND_MASK) return 0;
    const bytes = this.#entries.bytesOf(key);
    const at = ((key & SEGMENT_MASK) << UNIT_SHIFT) + KEY_OFFSET[(head >>> 8) & 7]!;
    for (let i = length - 1; i >= 0; i--) if (bytes[at + i] !== name[start + i]) return 0;
    return key;
  }
}
