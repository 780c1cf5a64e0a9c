// Tracking: which keys connections keep in caches of their own, and who is told when they change.
//
//   GET k by 7 ──▶ table: k → 7 ──▶ k changes ──▶ the funnel ──▶ invalidate k ──▶ 7, or where 7 redirects to
//   BCAST PREFIX u: by 8 ──────────▶ u:1, u:2 change ──end of this turn──▶ invalidate u:1 u:2 ──▶ 8
//
// All of it is Redis's: a key is told once, until it is read again; whoever changes a key that it tracks is
// told behind its own reply; what is told in broadcast is gathered for a turn of the loop, in the order of the
// names. The engine says when a call begins and ends. While nobody tracks it asks one branch.
//
// The table has limits (trackedKeysMax, trackedBytesMax): above them the keys that were noted first are told
// as changed and forgotten, which costs their readers a read and nothing else.

import type { Limits } from "../base/limits.ts";
import type { ChangeKind, ChangeListener } from "../store/funnel.ts";
import { KIND_VALUE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";
import { keyIndexes, type RowFacts } from "./catalogue.ts";
import { changedKey } from "./changed-key.ts";
import { BrokenRedirection, Invalidation } from "./invalidation.ts";
import { NearFeeds } from "./near-feeds.ts";
import type { Push } from "./push.ts";
import type { Settings } from "./settings.ts";

/** How a connection tracks. */
export type TrackingMode = {
  /** Told of all keys with its prefixes, read or not. */
  broadcast: boolean;
  /** Keys count only behind CLIENT CACHING YES; or do not behind CLIENT CACHING NO. */
  optIn: boolean;
  optOut: boolean;
  /** Not told of what it changes itself. */
  noLoop: boolean;
  /** The connection that is told instead; 0 for none. */
  redirect: number;
};

export type TrackingState = TrackingMode & {
  /** One character per byte. */
  prefixes: Set<string>;
  /** CLIENT CACHING was called: it holds for the next call, or transaction. */
  caching: boolean;
  /** `redirect` has gone. */
  isBroken: boolean;
};

/** A connection, as tracking sees it. */
export interface Tracker {
  readonly id: number;
  readonly protocol: 2 | 3;
  readonly peer: { deliver?(push: Push): void };
  readonly lastCommand: string;
  readonly inMulti: boolean;
  /** Whether it listens to channels. */
  readonly hearsMessages: boolean;
  tracking: TrackingState | undefined;
}

/** What a key in the table takes beside its name, and each reader of it after the first. About. */
const KEY_BYTES = 128;
const READER_BYTES = 32;
/** Keys that one turn gathers for a prefix before they are told. */
const GATHERED_KEYS_MAX = 65_536;

type Prefix = { name: string; clients: Set<Tracker>; keys: Map<string, Tracker | undefined> };

export type TrackingParts = {
  store: Store;
  limits: Limits;
  settings: Settings;
  clients: ReadonlyMap<number, Tracker>;
  /** Runs something at the end of this turn of the loop. */
  soon(run: () => void): void;
};

export class Tracking implements ChangeListener {
  /** Whether the engine is to say when calls begin and end. */
  on = false;
  /** Connections that track. */
  clients = 0;
  /** The same for native clients. */
  readonly feeds: NearFeeds;
  readonly #parts: TrackingParts;
  /** Ids of the readers of a key. */
  readonly #byKey = new Map<string, number | Set<number>>();
  #bytes = 0;
  #items = 0;
  readonly #prefixes = new Map<string, Prefix>();
  /** Whose call runs, and what it is to be told behind its reply. */
  #current: Tracker | undefined = undefined;
  #pending: (string | undefined)[] = [];
  #scheduled = false;

  constructor(parts: TrackingParts) {
    this.#parts = parts;
    this.feeds = new NearFeeds(parts.store, parts.soon);
  }

  /** Keys in the table, readers of them, and prefixes. */
  get figures(): { keys: number; items: number; prefixes: number } {
    return { keys: this.#byKey.size, items: this.#items, prefixes: this.#prefixes.size };
  }

  // Who tracks.

  /** A connection tracks from now on, or in another mode. The prefixes are added to those that it has. */
  begin(context: Tracker, mode: TrackingMode, prefixes: Iterable<string>): void {
    const before = context.tracking;
    if (before === undefined) this.clients++;
    const state: TrackingState = {
      ...mode,
      prefixes: before?.prefixes ?? new Set(),
      caching: before?.caching ?? false,
      isBroken: false,
    };
    context.tracking = state;
    for (const name of prefixes) {
      state.prefixes.add(name);
      const known = this.#prefixes.get(name);
      if (known !== undefined) known.clients.add(context);
      else this.#prefixes.set(name, { name, clients: new Set([context]), keys: new Map() });
    }
    this.on = true;
    this.#parts.store.memory.funnel.listen(this);
  }

  /** It tracks no more. What it read stays in the table, as in Redis: it counts where it tracks again. */
  end(context: Tracker): void {
    const state = context.tracking;
    if (state === undefined) return;
    this.clients--;
    context.tracking = undefined;
    for (const name of state.prefixes) {
      const prefix = this.#prefixes.get(name)!;
      prefix.clients.delete(context);
      if (prefix.clients.size === 0) this.#prefixes.delete(name);
    }
    this.#restIfIdle();
  }

  /** The connection is closed. */
  leave(context: Tracker): void {
    if (!this.on) return;
    this.end(context);
    if (this.clients > 0) return;
    this.#forgetAll();
    this.#restIfIdle();
  }

  #forgetAll(): void {
    this.#byKey.clear();
    this.#bytes = 0;
    this.#items = 0;
  }

  #restIfIdle(): void {
    if (this.clients > 0 || this.#byKey.size > 0) return;
    this.on = false;
    this.#parts.store.memory.funnel.leave(this);
  }

  // A call.

  /** Runs a call while somebody tracks. What its caller is told goes behind its reply. */
  around<Result>(context: Tracker, run: () => Result): Result {
    this.#current = context;
    let result: Result;
    try {
      result = run();
    } finally {
      this.#current = undefined;
    }
    const pending = this.#pending;
    if (pending.length > 0) this.#pending = [];
    for (const key of pending) this.#tell(context, key === undefined ? undefined : [bytesOf(key)]);
    const state = context.tracking;
    const holds = context.inMulti || context.lastCommand.startsWith("CLIENT");
    if (state !== undefined && !holds) state.caching = false;
    return result;
  }

  /** A connection that tracks has made a call: found or not, what it asked for is noted where the command reads. */
  remember(context: Tracker, row: RowFacts, args: Args): void {
    const { broadcast, optIn, optOut, caching } = context.tracking!;
    if (!row.flags.includes("read") || broadcast || (optIn && !caching) || (optOut && caching)) return;
    for (const index of keyIndexes(row, args)) {
      // No key is longer.
      if (args.length(index) <= this.#parts.limits.keyBytesMax) this.#note(args.latin1(index), context.id);
    }
    const { limits, settings } = this.#parts;
    for (const key of this.#byKey.keys()) {
      if (this.#byKey.size <= settings.trackedKeysMax && this.#bytes <= limits.trackedBytesMax) break;
      this.#invalidate(key);
    }
  }

  #note(key: string, id: number): void {
    const readers = this.#byKey.get(key);
    if (readers === id || (typeof readers === "object" && readers.has(id))) return;
    this.#items++;
    if (readers === undefined) {
      this.#byKey.set(key, id);
      this.#bytes += key.length + KEY_BYTES;
      return;
    }
    this.#bytes += READER_BYTES;
    if (typeof readers === "number") this.#byKey.set(key, new Set([readers, id]));
    else readers.add(id);
  }

  // Changes.

  change(
    kind: ChangeKind,
    ref: number,
    _entry: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    nameKind: number,
  ): void {
    if (kind === "flush") return this.flushed();
    const { changes, entries } = this.#parts.store.memory;
    // Another content takes the place of all: that was told as a flush.
    if (changes.quiet || (this.#byKey.size === 0 && this.#prefixes.size === 0)) return;
    // A typed name is one that no caller can have: a key under construction.
    if ((ref === 0 ? nameKind : entries.keyKind(ref)) === KIND_VALUE) return;
    const key = changedKey(entries, ref, bytes, start, length);
    for (const prefix of this.#prefixes.values()) if (key.startsWith(prefix.name)) this.#gather(prefix, key);
    this.#invalidate(key);
  }

  /** All keys are gone, or there were none. */
  flushed(): void {
    if (!this.on) return;
    for (const client of this.#parts.clients.values()) {
      if (client.tracking === undefined) continue;
      if (client === this.#current) this.#pending.push(undefined);
      else this.#tell(client, undefined);
    }
    this.#forgetAll();
  }

  #invalidate(key: string): void {
    const readers = this.#byKey.get(key);
    if (readers === undefined) return;
    this.#byKey.delete(key);
    const ids = typeof readers === "number" ? [readers] : [...readers];
    this.#items -= ids.length;
    this.#bytes -= key.length + KEY_BYTES + (ids.length - 1) * READER_BYTES;
    let invalidation: Invalidation | undefined;
    for (const id of ids) {
      const client = this.#parts.clients.get(id);
      const state = client?.tracking;
      if (state === undefined || state.broadcast) continue;
      if (client !== this.#current) {
        invalidation ??= new Invalidation([bytesOf(key)], 3);
        this.#send(client!, invalidation);
      } else if (!state.noLoop) this.#pending.push(key);
    }
    if (this.clients === 0) this.#restIfIdle();
  }

  #gather(prefix: Prefix, key: string): void {
    // Who changed it last: not told where it wants no echo.
    prefix.keys.set(key, this.#current);
    if (prefix.keys.size > GATHERED_KEYS_MAX) return this.#broadcast(prefix);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#parts.soon(() => {
      this.#scheduled = false;
      const prefixes = [...this.#prefixes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const each of prefixes) if (each.keys.size > 0) this.#broadcast(each);
    });
  }

  #broadcast(prefix: Prefix): void {
    const { keys, clients } = prefix;
    prefix.keys = new Map();
    const names = [...keys.keys()].sort();
    const all = new Invalidation(names.map(bytesOf), 3);
    for (const client of clients) {
      if (!client.tracking!.noLoop) this.#send(client, all);
      else {
        const others = names.filter((name) => keys.get(name) !== client);
        if (others.length > 0) this.#send(client, new Invalidation(others.map(bytesOf), 3));
      }
    }
  }

  #tell(client: Tracker, keys: readonly Buffer[] | undefined): void {
    if (client.tracking !== undefined) this.#send(client, new Invalidation(keys, client.protocol));
  }

  #send(client: Tracker, invalidation: Invalidation): void {
    const state = client.tracking!;
    let target: Tracker | undefined = client;
    if (state.redirect !== 0) {
      target = this.#parts.clients.get(state.redirect);
      if (target === undefined) {
        state.isBroken = true;
        if (client.protocol === 3) client.peer.deliver?.(new BrokenRedirection(state.redirect));
        return;
      }
    }
    // RESP2 has pushes only for who listens to channels.
    const isListening = state.redirect !== 0 && target.hearsMessages;
    if (target.protocol === 3 || isListening) target.peer.deliver?.(invalidation);
  }
}

function bytesOf(name: string): Buffer {
  return Buffer.from(name, "latin1");
}
