// ChangeLog: the funnel's changes as what happened to keys and fields, in order, each once, none that was not made.
//
//   funnel ──before a change──▶ note ──the next change, or the end of the turn: was it made?──▶ history ──▶ onChange
//
// The funnel tells of a change before it is made, and it may fail then. So a note stays open until the next one
// comes: its key is looked up, and its version says whether it has changed since. That asks nothing of those who
// change, and holds for a call that fails in its middle. What is noted while undo is armed waits for the outcome.
//
// Not told are deadlines and owners, which change no value; keys under construction, whose names no caller can
// have; containers before their first content; and whatever is a secret (FLAG_SCRUB), down to its name.

import {
  CHANGE_DELETED,
  CHANGE_EVICTED,
  CHANGE_EXPIRED,
  CHANGE_FLUSHED,
  CHANGE_RENAMED,
  CHANGE_SET,
  type Change,
  ChangeHistory,
  type Stored,
} from "./change-history.ts";
import type { Entries } from "./entries.ts";
import { type ChangeKind, type ChangeListener, type Funnel, NO_NAME } from "./funnel.ts";
import { KeyHash } from "./hash.ts";
import { HashIndex } from "./hash-index.ts";
import {
  FLAG_SCRUB,
  HEADER_KEY0,
  HEADER_KEY1,
  KEYSPACE_ROOT,
  KIND_VALUE,
  TYPE_LIST,
  TYPE_STRING,
  TYPE_TABLE,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import type { Segments } from "./segments.ts";

/** What shows that a noted change was made. */
type Proof =
  /** The key is there, with a version that came since. */
  | "changed"
  /** The key is not there, or came since. */
  | "gone"
  /** Either: the key changed, or went with its last field. */
  | "changed or gone"
  | "none needed";

type Note = Change & {
  proof: Proof;
  /** The version given last when it was noted. */
  version: number;
  /** Nothing to tell: the key may have become a secret. */
  isSilent: boolean;
  /** Of a rename, until the new name was told as one that is set: what comes in between is part of it. */
  awaitsName: boolean;
};

type Parts = { segments: Segments; pages: Pages; entries: Entries; funnel: Funnel };

export type HistoryLimits = {
  changesMax: number;
  bytesMax: number;
  /** A last value that is larger is not kept. */
  valueBytesMax: number;
};

const NO_KEY: Stored = { bytes: NO_NAME, kind: 0 };

export class ChangeLog implements ChangeListener {
  history: ChangeHistory = new ChangeHistory({ changesMax: 1, bytesMax: 1 });
  /** Keys come and go untold: another content takes the place of all that is there. */
  quiet = false;
  /** Something may have been added to the history; called once until settle(). */
  onChange: () => void = () => {};
  #valueBytesMax = 0;
  #isOn = false;
  #hasTold = false;
  readonly #parts: Parts;
  // Its own, so that those who change never find the index standing elsewhere.
  readonly #keys: KeyHash;
  readonly #index: HashIndex;
  /** Told, and not yet seen to be made. */
  #open: Note | undefined = undefined;
  /** What waits for the outcome of a call that may be taken back. */
  #held: Note[] | undefined = undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const words = parts.segments.words[0]!;
    this.#keys = new KeyHash(words[HEADER_KEY0]!, words[HEADER_KEY1]!);
    this.#index = new HashIndex(parts.segments, parts.pages, this.#keys);
  }

  /** Whether changes are noted. */
  get isOn(): boolean {
    return this.#isOn;
  }

  configure({ changesMax, bytesMax, valueBytesMax }: HistoryLimits): void {
    this.history = new ChangeHistory({ changesMax, bytesMax });
    this.#valueBytesMax = valueBytesMax;
  }

  start(): void {
    this.#isOn = true;
    this.#parts.funnel.listen(this);
  }

  /** Nothing is noted any more, and what was is forgotten: who comes back is told. */
  stop(): void {
    this.#isOn = false;
    this.#parts.funnel.leave(this);
    this.#open = undefined;
    this.#held = undefined;
    this.history.interrupt("unwatched");
  }

  /** A call begins that may be taken back. */
  hold(): void {
    if (!this.#isOn) return;
    this.#close();
    this.#held = [];
  }

  /** It ended: what it changed is in the history, or was taken back. */
  release(isDone: boolean): void {
    if (!this.#isOn) return;
    this.#close();
    const held = this.#held ?? [];
    this.#held = undefined;
    if (isDone) for (const note of held) this.history.append(note);
  }

  /** All that was made until now is in the history. */
  settle(): void {
    this.#hasTold = false;
    this.#close();
  }

  /** Another content took the place of all that was there. */
  replaced(): void {
    if (!this.#isOn) return;
    this.#open = undefined;
    this.history.interrupt("restored");
    this.#tell();
  }

  change(
    why: ChangeKind,
    key: number,
    entry: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    nameKind: number,
  ): void {
    if (this.quiet) return;
    const open = this.#open;
    if (open?.awaitsName) {
      open.awaitsName = why !== "set" || key !== 0;
      return;
    }
    if (why === "delete" && key !== 0) this.#goesWithItsLast(key);
    this.#close();
    const note = this.#noteOf(why, key, entry, bytes === NO_NAME ? undefined : named(bytes, start, length, nameKind));
    if (note === undefined) return;
    this.#open = note;
    this.#tell();
  }

  #tell(): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.onChange();
  }

  #noteOf(why: ChangeKind, key: number, entry: number, name: Stored | undefined): Note | undefined {
    if (why === "flush") return this.#note(CHANGE_FLUSHED, NO_KEY, "none needed");
    if (key === 0) {
      return name === undefined || name.kind === KIND_VALUE ? undefined : this.#note(CHANGE_SET, name, "changed");
    }
    if (why === "rename") return awaitingName(this.#noteOfRename(key, name!));
    if (this.#isHidden(key)) return undefined;
    const own = this.#nameOf(key);
    if (why === "ttl") return { ...this.#note(CHANGE_SET, own, "none needed"), isSilent: true };
    if (why === "set") return this.#note(CHANGE_SET, own, "changed");
    if (why.startsWith("field"))
      return this.#noteOfField(why, key, own, entry === 0 ? name : this.#nameOf(entry), entry);
    if (this.#isEmpty(key)) return undefined;
    if (why === "delete") return this.#note(CHANGE_DELETED, own, "gone");
    if (why === "evict") return this.#note(CHANGE_EVICTED, own, "gone");
    const isString = this.#parts.entries.type(key) === TYPE_STRING;
    return { ...this.#note(CHANGE_EXPIRED, own, "gone"), value: isString ? this.#valueOf(key) : undefined };
  }

  #noteOfField(why: ChangeKind, key: number, own: Stored, field: Stored | undefined, entry: number): Note | undefined {
    if (why === "field-ttl") return undefined;
    const type = this.#parts.entries.type(key);
    // Of a list, and of several members at once: its content is another one.
    if (type === TYPE_LIST || field === undefined) return this.#note(CHANGE_SET, own, "changed");
    if (why === "field-set") return { ...this.#note(CHANGE_SET, own, "changed"), other: field };
    const kind = why === "field-expire" ? CHANGE_EXPIRED : CHANGE_DELETED;
    const value = why === "field-expire" && type === TYPE_TABLE && entry !== 0 ? this.#valueOf(entry) : undefined;
    return { ...this.#note(kind, own, "changed or gone"), other: field, value };
  }

  #noteOfRename(from: number, to: Stored): Note | undefined {
    if (!this.#isHidden(from)) return { ...this.#note(CHANGE_RENAMED, this.#nameOf(from), "changed"), other: to };
    if (!this.#isSecret(from)) return this.#note(CHANGE_SET, to, "changed");
    // The name goes to a secret: all that may be told is that what had it is gone.
    return this.#find(to) === 0 ? undefined : { ...this.#note(CHANGE_DELETED, to, "changed") };
  }

  #note(kind: number, key: Stored, proof: Proof): Note {
    const { version } = this.#parts.entries;
    return { kind, key, other: undefined, value: undefined, proof, version, isSilent: false, awaitsName: false };
  }

  /** A field is taken out, and its key goes with it: that shows that the field went. */
  #goesWithItsLast(key: number): void {
    const open = this.#open;
    if (open === undefined || open.proof !== "changed or gone") return;
    const { entries } = this.#parts;
    const start = entries.keyStart(key);
    if (
      !entries
        .bytesOf(key)
        .subarray(start, start + entries.keyLength(key))
        .equals(open.key.bytes)
    )
      return;
    this.#open = undefined;
    this.#keep(open);
  }

  /** Looks whether what was told has been made. */
  #close(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    if (open.isSilent) return this.#forgetSecret(open.key);
    if (this.#wasMade(open)) this.#keep(open);
  }

  #wasMade({ kind, key, other, proof, version }: Note): boolean {
    if (proof === "none needed") return true;
    const ref = this.#find(kind === CHANGE_RENAMED ? other! : key);
    if (ref === 0) return proof !== "changed";
    const isNewer = this.#parts.entries.versionOf(ref) > version;
    if (!isNewer || proof === "gone") return isNewer;
    if (kind === CHANGE_DELETED && other === undefined) return true;
    return !this.#isSecret(ref) && !this.#isEmpty(ref);
  }

  #keep(note: Note): void {
    if (this.#held !== undefined) this.#held.push(note);
    else this.history.append(note);
  }

  #forgetSecret(key: Stored): void {
    const ref = this.#find(key);
    if (ref === 0 || !this.#isSecret(ref)) return;
    this.history.erase(key.bytes);
    this.#held = this.#held?.filter(({ key: own, other }) => !isSame(own, key) && !(other && isSame(other, key)));
  }

  // The store, as it is now.

  #find({ bytes, kind }: Stored): number {
    const typed = kind === KIND_VALUE ? 1 : 0;
    const hash = this.#keys.hash(bytes, 0, bytes.length, typed);
    return this.#index.find(KEYSPACE_ROOT, hash, bytes.length, typed);
  }

  #nameOf(ref: number): Stored {
    const { entries } = this.#parts;
    return named(entries.bytesOf(ref), entries.keyStart(ref), entries.keyLength(ref), entries.keyKind(ref));
  }

  #valueOf(ref: number): Stored | undefined {
    const { entries } = this.#parts;
    const length = entries.valueLength(ref);
    if (length > this.#valueBytesMax) return undefined;
    return named(entries.bytesOf(ref), entries.valueStart(ref), length, entries.valueKind(ref));
  }

  #isSecret(ref: number): boolean {
    return (this.#parts.entries.head(ref) & FLAG_SCRUB) !== 0;
  }

  /** A secret, or a key under construction. */
  #isHidden(ref: number): boolean {
    return this.#isSecret(ref) || this.#parts.entries.keyKind(ref) === KIND_VALUE;
  }

  /** A container that has no content yet, or that never got any. */
  #isEmpty(ref: number): boolean {
    const { entries } = this.#parts;
    if (entries.type(ref) === TYPE_STRING || entries.rootOf(ref) !== 0) return false;
    const at = entries.valueStart(ref);
    const bytes = entries.bytesOf(ref);
    return bytes[at] === 0 && bytes[at + 1] === 0;
  }
}

function awaitingName(note: Note | undefined): Note | undefined {
  return note === undefined ? undefined : { ...note, awaitsName: true };
}

function named(bytes: Uint8Array, start: number, length: number, kind: number): Stored {
  return { bytes: Buffer.from(bytes.subarray(start, start + length)), kind };
}

function isSame(a: Stored, b: Stored): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0;
}
