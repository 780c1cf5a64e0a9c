// NearReads: values that a client keeps in its own memory, until the hive says that they changed.
//
//   read(id) ──kept──▶ the value, a copy         else ──▶ the hive is asked ──▶ kept, unless it changed meanwhile
//   NEAR KEY users ──stream──▶ [users, ada] ──▶ what is kept of ada goes, and answers under way are not kept
//
// Nothing is kept unless the stream was open when the read was sent. A change that the hive makes after it ran the
// read is told after that; so either it is told before the answer comes, which is then not kept, or behind it, and
// what was kept goes. Elements are handled as they are parsed, answers in a later microtask: never the other way
// round. The client's own writes count as told when they are made. A connection that is lost, a stream that ends
// for whatever reason, empties it. docs/decisions/0015-client-side-caching.md has the whole argument.
//
// What is kept is what is stored: objects are decoded anew for each reader, so that nobody changes another's.

import type { HiveError } from "../base/errors.ts";
import type { Timers } from "../base/timers.ts";
import { decodeStored } from "../wire/items.ts";
import { type ElementSource, WINDOW_BYTES } from "../wire/streams.ts";
import { encodeScalar } from "../wire/value-encode.ts";
import type { Scalar } from "../wire/value-format.ts";
import { Scratch } from "../wire/value-scratch.ts";
import type { CallSpec, StoredItem } from "./call.ts";
import type { Connection } from "./connection.ts";
import type { NearOptions, NearState } from "./near-options.ts";
import { anything, type Seen } from "./specs.ts";

/** Nothing is kept of it. */
export const UNKNOWN: unique symbol = Symbol("unknown");

const ENTRIES_MAX = 10_000;
const BYTES_MAX = 64 * 1024 * 1024;
/** What an entry takes beside its bytes. About. */
const ENTRY_BYTES = 128;
const RETRY_MS = 1_000;

const NEAR: CallSpec<unknown> = {
  words: ["NEAR"],
  form: "wn",
  repeats: false,
  decode: anything,
};

type Entry = {
  found: boolean;
  /** What every reader may get itself: text, a number … */
  value: unknown;
  /** What is decoded for each of them. */
  stored: StoredItem | undefined;
  untilMs: number;
  bytes: number;
  /** Read since it was last looked at for its age. */
  used: boolean;
};

/** Reads under way of one name. */
type Reading = { readers: number; changed: boolean };

export type NearParts = {
  connection: Connection;
  timers: Timers;
  /** What NEAR is told. */
  target: readonly ["KEY" | "PREFIX", string];
  options: NearOptions;
};

export class NearReads {
  readonly target: readonly ["KEY" | "PREFIX", string];
  readonly #connection: Connection;
  readonly #timers: Timers;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #ttlMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #reading = new Map<string, Reading>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #on = false;
  #source: ElementSource<unknown> | undefined = undefined;
  /** Not opened again before. */
  #retryAtMs = 0;

  constructor({ connection, timers, target, options }: NearParts) {
    this.#connection = connection;
    this.#timers = timers;
    this.target = target;
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX;
    this.#bytesMax = options.bytesMax ?? BYTES_MAX;
    this.#ttlMs = options.ttlMs ?? Number.POSITIVE_INFINITY;
  }

  get state(): NearState {
    return {
      on: this.#on,
      hits: this.#hits,
      misses: this.#misses,
      entries: this.#entries.size,
      bytes: this.#bytes,
    };
  }

  /** What is kept: a value of the reader's own, undefined for what is missing; or UNKNOWN. */
  kept(id: string): unknown {
    const entry = this.#find(id);
    return entry === undefined ? UNKNOWN : entry.stored === undefined ? entry.value : decoded(entry.stored);
  }

  /** Whether what is kept is there at all; or UNKNOWN. */
  has(id: string): boolean | typeof UNKNOWN {
    return this.#find(id)?.found ?? UNKNOWN;
  }

  #find(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (
      entry !== undefined &&
      (entry.untilMs === Number.POSITIVE_INFINITY || this.#timers.monotonicMs() < entry.untilMs)
    ) {
      this.#hits++;
      entry.used = true;
      return entry;
    }
    this.#misses++;
    if (entry !== undefined) this.#drop(id);
    if (!this.#on) this.#open();
    return undefined;
  }

  /** Asks the hive, and keeps the answer where that is still true when it comes. */
  async ask(id: string, call: () => Promise<Seen>): Promise<unknown> {
    if (!this.#on) return (await call())?.value;
    let reading = this.#reading.get(id);
    if (reading === undefined) {
      reading = { readers: 0, changed: false };
      this.#reading.set(id, reading);
    }
    reading.readers++;
    try {
      const seen = await call();
      if (!reading.changed) this.#keep(id, seen);
      return seen?.value;
    } finally {
      if (--reading.readers === 0 && this.#reading.get(id) === reading) this.#reading.delete(id);
    }
  }

  #keep(id: string, seen: Seen): void {
    const size = ENTRY_BYTES + id.length + (seen?.stored.bytes.length ?? 0);
    if (size > this.#bytesMax / 8) return this.#drop(id);
    this.#drop(id);
    const shared = isPrimitive(seen?.value);
    this.#entries.set(id, {
      found: seen !== undefined,
      value: shared ? seen?.value : undefined,
      stored: shared ? undefined : seen?.stored,
      untilMs: this.#timers.monotonicMs() + this.#ttlMs,
      bytes: size,
      used: false,
    });
    this.#bytes += size;
    while (this.#entries.size > this.#entriesMax || this.#bytes > this.#bytesMax) this.#makeRoom();
  }

  /** The oldest goes, unless it was read since it was last the oldest. */
  #makeRoom(): void {
    for (const [id, entry] of this.#entries) {
      if (!entry.used) return this.#drop(id);
      entry.used = false;
      this.#entries.delete(id);
      this.#entries.set(id, entry);
    }
  }

  #drop(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
  }

  // What changes.

  /** One name has changed, or may have. */
  changed(id: string): void {
    this.#drop(id);
    const reading = this.#reading.get(id);
    if (reading === undefined) return;
    reading.changed = true;
    this.#reading.delete(id);
  }

  /** Everything may have. */
  empty(): void {
    this.#entries.clear();
    this.#bytes = 0;
    for (const reading of this.#reading.values()) reading.changed = true;
    this.#reading.clear();
  }

  /** There is no connection any more, or no stream: nothing is known. */
  lost(): void {
    this.#on = false;
    this.#source = undefined;
    this.empty();
  }

  #open(): void {
    if (this.#source !== undefined || this.#connection.state !== "ready") return;
    if (this.#timers.monotonicMs() < this.#retryAtMs) return;
    let source: ElementSource<unknown>;
    try {
      source = this.#connection.stream(NEAR, this.target, WINDOW_BYTES);
    } catch {
      // Too much waits, or the client is closed: the hive is asked instead, which says so.
      return;
    }
    this.#source = source;
    source.listen((element) => {
      if (this.#source === source) this.#told(element);
    });
    const ended = (error?: unknown): void => {
      if (this.#source !== source) return;
      // Refused, say: an older hive, or one that does not let it read all of that.
      if ((error as HiveError | undefined)?.code !== "OVERLOADED")
        this.#retryAtMs = this.#timers.monotonicMs() + RETRY_MS;
      this.lost();
    };
    source.next().then(() => ended(), ended);
  }

  #told(element: unknown): void {
    if (typeof element === "number") {
      this.#on = true;
      return;
    }
    const [key, field] = element as unknown[];
    const name = this.target[0] === "PREFIX" ? key : field;
    const id = name === undefined ? undefined : idOf(name);
    if (name === undefined) this.empty();
    else if (id !== undefined) this.changed(id);
  }
}

const scratch = new Scratch();

/** What a key or field is kept under; undefined for a name of which nothing is kept. Equal for equal names. */
export function idOf(name: unknown): string | undefined {
  if (typeof name === "string") return name.charCodeAt(0) === 0 ? undefined : name;
  // The same name may be written as text: it would be kept twice.
  if (name instanceof Uint8Array) return undefined;
  scratch.reset();
  try {
    encodeScalar(name as Scalar, scratch);
  } catch {
    // The hive says what is wrong with it.
    return undefined;
  }
  let id = "\0";
  for (let i = 0; i < scratch.end; i++) id += String.fromCharCode(scratch.bytes[i]!);
  return id;
}

function isPrimitive(value: unknown): boolean {
  return (typeof value !== "object" || value === null) && typeof value !== "function";
}

function decoded({ kind, bytes }: StoredItem): unknown {
  return decodeStored(bytes, 0, bytes.length, kind, "values");
}
