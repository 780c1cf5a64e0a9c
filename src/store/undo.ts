// Undo: a command that fails half-way leaves no trace.
//
//   begin() ──▶ the funnel's changes are noted, each with what was there before ──▶ commit() | rollback()
//
// Armed only for commands that change more than one entry: a single change takes its memory before it
// writes, so it cannot fail half-way. Containers that are detached meanwhile wait for the outcome, and
// readers in other processes ask the socket: they never see what is taken back.

import type { ChangeKind, ChangeListener } from "./funnel.ts";
import { enter, leave } from "./header.ts";
import {
  FLAG_SCRUB,
  KEY_OFFSET,
  KEYSPACE_ROOT,
  KIND_VALUE,
  SEGMENT_MASK,
  UNIT_SHIFT,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import { copyListWords, isListRoot, restoreListWords } from "./list-skips.ts";
import type { Memory } from "./memory.ts";
import type { Placement } from "./placement.ts";

/** What was there: the bytes of an entry, or only a name where nothing was. Of a key, or of a field in the container `id`. */
type Note = {
  id: number;
  name: Buffer;
  kind: number;
  image: Buffer | undefined;
  deadlineMs: number;
  root: number;
  /** For a field: words 2 and 3 of its key's entry, version and access clock. */
  stamp: readonly [number, number] | undefined;
  /** For a chunk: what the root says of its list. */
  list: Int32Array | undefined;
};

const KEY_LEVEL = 0;

export class Undo implements ChangeListener {
  readonly #memory: Memory;
  readonly #placement: Placement;
  #notes: Note[] = [];
  /** Chunks of lists that are noted. */
  readonly #chunks = new Set<number>();
  #armed = false;
  /** Changes since begin(), but for keys that had run out: those are gone whatever comes of the command. */
  changes = 0;

  constructor(memory: Memory, placement: Placement) {
    this.#memory = memory;
    this.#placement = placement;
  }

  begin(): void {
    this.#armed = true;
    this.changes = 0;
    this.#memory.events.hold();
    this.#memory.changes.hold();
    enter(this.#memory.segments.words[0]!);
    this.#memory.containers.hold();
    this.#memory.funnel.listen(this);
  }

  /** How many changes are noted. */
  get size(): number {
    return this.#notes.length;
  }

  /** Whether a command is being noted. */
  get armed(): boolean {
    return this.#armed;
  }

  commit(): void {
    this.#end();
    this.#memory.changes.release(true);
    this.#memory.events.release(true);
  }

  /**
   * Puts everything back as it was at begin().
   * @throws {HiveError} OUT_OF_MEMORY: the system itself gave none; what could be put back is.
   */
  rollback(): void {
    const { funnel, pages } = this.#memory;
    funnel.leave(this);
    // What was there had its memory before: a limit that was reached meanwhile must not keep it from coming back.
    pages.overdraft = pages.inUse;
    let failure: unknown;
    for (let i = this.#notes.length - 1; i >= 0; i--) {
      try {
        this.#restore(this.#notes[i]!);
      } catch (error) {
        failure ??= error;
      }
    }
    pages.overdraft = 0;
    this.#end();
    this.#memory.changes.release(false);
    this.#memory.events.release(false);
    if (failure !== undefined) throw failure;
  }

  #end(): void {
    for (const { name, image } of this.#notes) {
      name.fill(0); // that of a new field is noted before it is known to be a secret
      if (image && (image.readInt32LE(0) & FLAG_SCRUB) !== 0) image.fill(0);
    }
    this.#notes = [];
    this.#chunks.clear();
    this.#armed = false;
    this.#memory.funnel.leave(this);
    this.#memory.containers.release();
    leave(this.#memory.segments.words[0]!);
  }

  change(
    kind: ChangeKind,
    key: number,
    entry: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    nameKind: number,
  ): void {
    if (kind === "flush") return;
    if (kind !== "expire") this.changes++;
    const { entries, containers, pages, segments } = this.#memory;
    const root = key === 0 ? 0 : entries.rootOf(key);
    const inField = kind.startsWith("field") && root !== 0;
    const target = inField ? entry : key;
    const stamp = inField ? entries.stampOf(key) : undefined;
    const id = inField ? containers.idOf(root) : KEY_LEVEL;
    // Of a copy of a million fields one note is enough.
    if (inField && containers.isFresh(id)) return;
    const isChunk = inField && isListRoot(pages, root);
    // Nor is more than the first change of a chunk worth one: a chunk has 4 KiB, and one call may change it a thousand times.
    if (
      isChunk &&
      !this.#isFirst(id, entry === 0 ? bytes : entries.bytesOf(entry), entry === 0 ? start : entries.keyStart(entry))
    )
      return;
    const list = isChunk ? copyListWords(segments.words, root) : undefined;
    if (target === 0) {
      const name = Buffer.from(bytes.subarray(start, start + length));
      const deadlineMs = Number.POSITIVE_INFINITY;
      this.#notes.push({ id, name, kind: nameKind, image: undefined, deadlineMs, root: 0, stamp, list });
      return;
    }
    const own = entries.bytesOf(target);
    const at = (target & SEGMENT_MASK) << UNIT_SHIFT;
    const nameAt = entries.keyStart(target);
    this.#notes.push({
      id,
      name: Buffer.from(own.subarray(nameAt, nameAt + entries.keyLength(target))),
      kind: entries.keyKind(target),
      image: Buffer.from(own.subarray(at, at + entries.size(target))),
      deadlineMs: entries.deadline(target),
      root: entries.rootOf(target),
      stamp,
      list,
    });
  }

  /** Whether a chunk, by its container and its name, was not noted before. */
  #isFirst(id: number, name: Uint8Array, at: number): boolean {
    const number = name[at]! | (name[at + 1]! << 8) | (name[at + 2]! << 16) | (name[at + 3]! << 24);
    const chunk = id * 2 ** 32 + (number >>> 0);
    if (this.#chunks.has(chunk)) return false;
    this.#chunks.add(chunk);
    return true;
  }

  #restore(note: Note): void {
    const { entries, index, keys, containers, pages, segments } = this.#memory;
    const root = note.id === KEY_LEVEL ? KEYSPACE_ROOT : containers.rootOf(note.id);
    const typed = note.kind === KIND_VALUE ? 1 : 0;
    const hash = keys.hash(note.name, 0, note.name.length, typed);
    const now = index.find(root, hash, note.name.length, typed);
    if (now !== 0) {
      const inner = entries.rootOf(now);
      // Not what went back to the key that it was renamed from.
      if (inner !== 0 && inner !== note.root && containers.keyOf(inner) === now) containers.detach(inner);
      this.#placement.remove(root, now);
    }
    if (note.stamp) entries.restoreStamp(containers.keyOf(root), note.stamp);
    if (note.list) restoreListWords({ words: segments.words, pages }, root, note.list);
    if (note.image === undefined) return;
    const head = note.image.readInt32LE(0);
    const length = note.image.readInt32LE(4);
    const valueAt = KEY_OFFSET[(head >>> 8) & 7]! + note.name.length;
    const ref = entries.create(head, note.name, 0, note.name.length, length);
    entries.writeValue(ref, (head & VALUE_KIND_MASK) >> VALUE_KIND_SHIFT, note.image, valueAt, length);
    entries.restoreParts(ref, note.image);
    if (note.root !== 0) entries.setRoot(ref, note.root, containers.idOf(note.root));
    this.#placement.place(root, hash, ref, note.deadlineMs);
    if (note.root === 0) return;
    if (containers.isDetached(note.root)) containers.reattach(note.root);
    containers.setAccount(note.root, this.#memory.accountOf(ref));
    containers.setKey(note.root, ref);
  }
}
