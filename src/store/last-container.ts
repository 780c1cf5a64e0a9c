// LastContainer: the container that was looked up last, to be found again without its key's hash.
//
//   find(name) ──▶ root of the id that is remembered ──▶ key of the root ──▶ has it that name? else as any key
//
// A pipeline of HSET or SADD names one key again and again. What is remembered is an id, not a ref: a root
// knows where its key's entry is and whether it was detached, so moves, renames and removals need not be
// told of. In a keyspace that was emptied containers are not marked: what was remembered before counts no more.

import type { Containers } from "./containers.ts";
import type { Entries } from "./entries.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  FLAG_TTL,
  KEY_KIND_MASK,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  KIND_VALUE,
  SEGMENT_MASK,
  UNIT_SHIFT,
} from "./layout.ts";

export class LastContainer {
  readonly #keyspace: Keyspace;
  readonly #entries: Entries;
  readonly #containers: Containers;
  /** 0 while there is none. */
  #id = 0;
  /** Totals.clears when it was noted. */
  #clears = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.#entries = keyspace.memory.entries;
    this.#containers = keyspace.memory.containers;
  }

  /** The entry of a key that is there and has not run out, as Keyspace.find() gives it; 0 when there is none. */
  find(name: Uint8Array, start: number, length: number, kind: number): number {
    const last = kind === KIND_VALUE ? 0 : this.#last(name, start, length);
    if (last !== 0) return last;
    const ref = this.#keyspace.find(name, start, length, kind);
    const root = ref === 0 ? 0 : this.#entries.rootOf(ref);
    if (root !== 0) {
      this.#id = this.#containers.idOf(root);
      this.#clears = this.#keyspace.memory.totals.clears;
    }
    return ref;
  }

  /** The key of the container if it has this raw name and no TTL; 0 says nothing. */
  #last(name: Uint8Array, start: number, length: number): number {
    const containers = this.#containers;
    if (this.#id === 0 || this.#clears !== this.#keyspace.memory.totals.clears) return 0;
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
