// Near feeds: what native clients are told so that they can answer reads from their own memory.
//
//   NEAR KEY users   as a stream ──▶ 1 · [users, field] · [users] … · []        NEAR PREFIX cfg:  ──▶ 1 · [key] …
//
// [key, field] says that one field changed, [key] that the key did, or that it is not known which field; [] that
// everything may have. What changes in one read event of a connection is told behind it, once: a field that is
// written a thousand times costs one element. Nothing is remembered of who has read what. A reader that is too slow for
// subscriberBytesMax is ended with OVERLOADED, and then knows that it knows nothing.

import type { ChangeKind, ChangeListener } from "../store/funnel.ts";
import { KIND_VALUE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { changedKey } from "./changed-key.ts";
import { Push } from "./push.ts";

const CHANGE_BYTES = 64;
/** Fields or keys of one feed that a turn gathers; more are told as a whole. */
const GATHERED_MAX = 4_096;

/** A change as an element. */
export class NearChange extends Push {
  readonly key: Buffer | undefined;
  readonly field: { name: Buffer; typed: boolean } | undefined;

  constructor(key: Buffer | undefined, field: { name: Buffer; typed: boolean } | undefined) {
    super();
    this.key = key;
    this.field = field;
  }

  get bytes(): number {
    return CHANGE_BYTES + (this.key?.length ?? 0) + (this.field?.name.length ?? 0);
  }
}

const EVERYTHING = new NearChange(undefined, undefined);

type Field = { bytes: Buffer; start: number; length: number; typed: boolean };

/** Where a feed's news go. */
export type NewsReader = { receive(push: Push): void };

/** One stream. `name` is a key's, or a prefix of keys' names; one character per byte. */
export class NearFeed {
  readonly name: string;
  readonly isPrefix: boolean;
  readonly subscriber: NewsReader;
  /** What is told at the end of this turn; undefined where it is everything. */
  #gathered: Map<string, NearChange> | undefined = new Map();

  constructor(name: string, isPrefix: boolean, subscriber: NewsReader) {
    this.name = name;
    this.isPrefix = isPrefix;
    this.subscriber = subscriber;
  }

  addAll(): void {
    this.#gathered = undefined;
  }

  add(key: string, field: Field | undefined): void {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    if (this.isPrefix || field === undefined) {
      // Of one key that is all there is to say.
      if (!this.isPrefix) gathered.clear();
      if (!gathered.has(key)) gathered.set(key, new NearChange(Buffer.from(key, "latin1"), undefined));
    } else if (!gathered.has(key)) {
      const name = field.bytes.latin1Slice(field.start, field.start + field.length);
      // Longer than the key's own name, so never that.
      const id = `${key}${field.typed ? 1 : 0}${name}`;
      if (gathered.has(id)) return;
      const copy = { name: Buffer.from(name, "latin1"), typed: field.typed };
      gathered.set(id, new NearChange(Buffer.from(key, "latin1"), copy));
    }
    if (gathered.size > GATHERED_MAX) this.addAll();
  }

  tell(): void {
    const gathered = this.#gathered;
    this.#gathered = new Map();
    if (gathered === undefined) this.subscriber.receive(EVERYTHING);
    else for (const change of gathered.values()) this.subscriber.receive(change);
  }
}

export class NearFeeds implements ChangeListener {
  readonly #store: Store;
  readonly #soon: (run: () => void) => void;
  readonly #byKey = new Map<string, Set<NearFeed>>();
  readonly #byPrefix = new Set<NearFeed>();
  #count = 0;
  readonly #withNews = new Set<NearFeed>();
  #scheduled = false;

  /** @param soon Runs something at the end of this turn of the loop. */
  constructor(store: Store, soon: (run: () => void) => void) {
    this.#store = store;
    this.#soon = soon;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#count;
  }

  /**
   * Tells what has changed so far. Called before calls of another connection run, and before a message is sent: what
   * a reader hears of the hive after a change comes behind the news of it.
   */
  tell(): void {
    if (this.#withNews.size === 0) return;
    const feeds = [...this.#withNews];
    this.#withNews.clear();
    for (const each of feeds) each.tell();
  }

  open(feed: NearFeed): void {
    this.#count++;
    if (feed.isPrefix) this.#byPrefix.add(feed);
    else {
      const known = this.#byKey.get(feed.name);
      if (known !== undefined) known.add(feed);
      else this.#byKey.set(feed.name, new Set([feed]));
    }
    this.#store.memory.funnel.listen(this);
  }

  close(feed: NearFeed): void {
    const same = feed.isPrefix ? this.#byPrefix : this.#byKey.get(feed.name);
    if (same?.delete(feed) !== true) return;
    this.#withNews.delete(feed);
    if (!feed.isPrefix && same.size === 0) this.#byKey.delete(feed.name);
    if (--this.#count === 0) this.#store.memory.funnel.leave(this);
  }

  change(
    kind: ChangeKind,
    ref: number,
    entry: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    nameKind: number,
  ): void {
    if (kind === "flush") return this.#flushed();
    // A deadline is no value: when it has come, that is told.
    if (kind === "ttl" || kind === "field-ttl" || this.#store.memory.changes.quiet) return;
    const { entries } = this.#store.memory;
    // A typed name is one that no caller can have: a key under construction.
    if ((ref === 0 ? nameKind : entries.keyKind(ref)) === KIND_VALUE) return;
    const key = changedKey(entries, ref, bytes, start, length);
    for (const feed of this.#byPrefix) if (key.startsWith(feed.name)) this.#note(feed, key, undefined);
    const feeds = this.#byKey.get(key);
    if (feeds === undefined) return;
    let field: Field | undefined;
    if (entry !== 0) {
      const typed = entries.keyKind(entry) === KIND_VALUE;
      field = {
        bytes: entries.bytesOf(entry),
        start: entries.keyStart(entry),
        length: entries.keyLength(entry),
        typed,
      };
    } else if (kind === "field-set" && ref !== 0 && bytes.length > 0) {
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      field = { bytes: whole, start, length, typed: nameKind === KIND_VALUE };
    }
    for (const feed of feeds) this.#note(feed, key, field);
  }

  #note(feed: NearFeed, key: string, field: Field | undefined): void {
    feed.add(key, field);
    this.#hasNews(feed);
  }

  #flushed(): void {
    for (const feeds of [this.#byPrefix, ...this.#byKey.values()]) {
      for (const feed of feeds) {
        feed.addAll();
        this.#hasNews(feed);
      }
    }
  }

  #hasNews(feed: NearFeed): void {
    this.#withNews.add(feed);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#soon(() => {
      this.#scheduled = false;
      this.tell();
    });
  }
}
