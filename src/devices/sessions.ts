// Sessions: leases on part of a device's memory, gone for good when they end.
//
//   begin ──▶ $session:sensor-7:k3Jf… a table that is a secret, with the key's own deadline ──▶ closed, or run out
//
// Everything of a session is in its key: the labels, and under the name `false`, which no label can have, what it is:
// its time and whether use prolongs it. The deadline is the store's, so a client that dies keeps nothing alive, and
// what ends is overwritten with zeros where it lay, as everything is that it gives up before (FLAG_SCRUB): no snapshot
// has it, nor the feed's history. Whoever listens to the channel of the same name is told how it ended.

import { randomBytes } from "node:crypto";
import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import { findField } from "../engine/fields.ts";
import type { MessageBus } from "../engine/message-bus.ts";
import { isSessionKey } from "../engine/reserved-names.ts";
import type { SessionFigures } from "../engine/session-figures.ts";
import type { Slice } from "../store/collections.ts";
import type { ChangeKind, ChangeListener } from "../store/funnel.ts";
import { KIND_TEXT, KIND_VALUE } from "../store/layout.ts";
import { KEEP_DEADLINE } from "../store/placement.ts";
import type { Store } from "../store/store.ts";
import { decode, encode } from "../wire/value.ts";
import type { DeviceName } from "./device-names.ts";
import type { Memories, Place } from "./memories.ts";
import { ownField, setOwnField } from "./own-field.ts";

/** Of the id: nobody guesses one. */
const ID_BYTES = 16;
const FACTS_BYTES = 9;

export type SessionFacts = { ttlMs: number; sliding: boolean };
export type SessionEnd = "closed" | "expired" | "evicted";

export class Sessions implements ChangeListener {
  readonly #memories: Memories;
  readonly #slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
  readonly #ends: Record<SessionEnd, number> = { closed: 0, expired: 0, evicted: 0 };
  #begun = 0;
  #listens = false;
  #store: Store | undefined = undefined;
  #bus: MessageBus | undefined = undefined;

  constructor(memories: Memories) {
    this.#memories = memories;
  }

  /**
   * Begins one, empty. Returns its id. @param facts.ttlMs Infinity: until it is closed. @param id One that its caller has
   * chosen. @throws {HiveError} QUOTA, OUT_OF_MEMORY; BUSY_KEY: a session with this id is open
   */
  begin(
    context: Context,
    device: DeviceName,
    facts: SessionFacts,
    id: string = randomBytes(ID_BYTES).toString("base64url"),
  ): string {
    const { store, nowMs } = context;
    const { ttlMs } = facts;
    const place = sessionPlace(device, id);
    if (this.#memories.find(context, place) !== 0) {
      throw new HiveError("BUSY_KEY", "a session with this id is open: close it first, or go on with it");
    }
    // A key that is a secret from its first moment: the feed need not look for what it told of it.
    const { changes } = store.memory;
    const { quiet } = changes;
    changes.quiet = true;
    try {
      this.#memories.grow(context, place, place.key.length + FACTS_BYTES, () => {
        let key = this.#memories.create(context, place, { isOfSession: true });
        store.keys.setScrub(key);
        key = setOwnField(store, key, encodeFacts(facts));
        if (Number.isFinite(ttlMs)) store.keys.setDeadline(key, nowMs + ttlMs);
      });
    } finally {
      changes.quiet = quiet;
    }
    this.#begun++;
    this.look(store, context.services.bus);
    return id;
  }

  /** The entry of a session, which use prolongs where it is a sliding one; 0 when it has ended. */
  use(context: Context, place: Place): number {
    const { store, nowMs } = context;
    const key = this.#memories.find(context, place);
    if (key === 0) return 0;
    const { ttlMs, sliding } = this.#factsOf(store, key);
    if (!sliding || !Number.isFinite(ttlMs)) return key;
    return store.keys.setDeadline(key, nowMs + ttlMs);
  }

  /** Prolongs one, by its own time or by another one, which is its own then. Returns whether it is open. */
  touch(context: Context, place: Place, ttlMs: number | undefined): boolean {
    const { store, nowMs } = context;
    const key = this.#memories.find(context, place);
    if (key === 0) return false;
    const facts = this.#factsOf(store, key);
    const own = ttlMs ?? facts.ttlMs;
    this.#memories.grow(context, place, FACTS_BYTES, () => {
      const written = own === facts.ttlMs ? key : setOwnField(store, key, encodeFacts({ ...facts, ttlMs: own }));
      if (Number.isFinite(own)) store.keys.setDeadline(written, nowMs + own);
    });
    return true;
  }

  /** What a session is, and the milliseconds that it has left; undefined when it has ended. Does not prolong it. */
  facts({ store, nowMs }: Context, place: Place): (SessionFacts & { leftMs: number }) | undefined {
    const key = store.keys.find(place.key, 0, place.key.length, 0);
    if (key === 0) return undefined;
    const deadlineMs = store.memory.entries.deadline(key);
    return { ...this.#factsOf(store, key), leftMs: deadlineMs - nowMs };
  }

  /** Takes all labels out, and leaves the session open. */
  clear(context: Context, place: Place): boolean {
    const { store } = context;
    const key = this.use(context, place);
    if (key === 0) throw gone();
    const names: Buffer[] = [];
    store.fields.each(key, (field) => {
      const { bytes, start, end, kind } = store.fields.name(key, field, this.#slice);
      if (kind !== KIND_VALUE) names.push(Buffer.from(bytes.subarray(start, end)));
    });
    let target = key;
    for (const name of names) target = store.fields.delete(target, store.fields.find(target, name, 0, name.length));
    for (const name of names) name.fill(0);
    return names.length > 0;
  }

  /** Ends one. Returns whether it was open. */
  close(context: Context, place: Place): boolean {
    if (!this.#memories.remove(context, place)) return false;
    this.#ended(context.services.bus, place.key, "closed");
    return true;
  }

  /**
   * Puts the fields of a patch over those of the object under a label, or the patch where there is none: one step, so
   * that patches from many sides all count.
   * @param label The argument that names it; the patch is the one behind it.
   * @throws {HiveError} SESSION_GONE, INVALID_ARGUMENT: one of both is no plain object; QUOTA, VALUE_TOO_BIG.
   */
  merge(context: Context, args: Args, place: Place, label: number): void {
    const { store } = context;
    const patch = objectOf(args.buffer, args.start(label + 1), args.end(label + 1), args.kind(label + 1), "the patch");
    const key = this.use(context, place);
    if (key === 0) throw gone();
    const field = findField(store, key, args, label);
    let merged = patch;
    if (field !== 0) {
      const { bytes, start, end, kind } = store.fields.value(key, field, this.#slice);
      merged = { ...objectOf(bytes, start, end, kind, "what is there"), ...patch };
    }
    const value = encode(merged);
    const { buffer } = args;
    const [at, length, kind] = [args.start(label), args.length(label), args.kind(label)];
    this.#memories.grow(context, place, length + value.length, () => {
      store.fields.set(key, buffer, at, length, kind, value, 0, value.length, KIND_VALUE, KEEP_DEADLINE);
    });
    value.fill(0);
  }

  // ChangeListener: while sessions are open, those that run out are told of.

  change(why: ChangeKind, ref: number): void {
    if (why === "flush") return this.#allEnded();
    if (why !== "expire" && why !== "evict") return;
    const { entries } = this.#store!.memory;
    if (ref === 0 || !entries.isOfSession(ref)) return;
    const bytes = entries.bytesOf(ref);
    const [start, length] = [entries.keyStart(ref), entries.keyLength(ref)];
    const how = why === "expire" ? "expired" : "evicted";
    if (isSessionKey(bytes, start, length)) this.#ended(this.#bus!, bytes.subarray(start, start + length), how);
  }

  /** Listens while sessions are open, which may have come with a snapshot. For every now and then. */
  look(store: Store, bus: MessageBus): void {
    const { totals, funnel } = store.memory;
    if (totals.sessionKeys > 0 === this.#listens) return;
    this.#listens = !this.#listens;
    this.#store = store;
    this.#bus = bus;
    if (this.#listens) funnel.listen(this);
    else funnel.leave(this);
  }

  /** How many are open, and what became of the others since the hive has begun. */
  figures({ memory }: Store): SessionFigures {
    return { open: memory.totals.sessionKeys, begun: this.#begun, ...this.#ends };
  }

  #ended(bus: MessageBus, key: Buffer, how: SessionEnd): void {
    this.#ends[how]++;
    if (bus.isHeard) bus.publish(key.latin1Slice(), how, KIND_TEXT);
  }

  /**
   * All go at once, also where a snapshot is restored, which may bring some back: whoever waits for an end is told to look.
   */
  #allEnded(): void {
    this.#ends.closed += this.#store!.memory.totals.sessionKeys;
    const bus = this.#bus!;
    for (const name of [...bus.names("channel")]) {
      if (isSessionKey(name, 0, name.length)) bus.publish(name.latin1Slice(), "closed", KIND_TEXT);
    }
  }

  #factsOf(store: Store, key: number): SessionFacts {
    const { bytes, start } = store.fields.value(key, ownField(store, key), this.#slice);
    return { sliding: bytes[start] === 1, ttlMs: bytes.readDoubleLE(start + 1) };
  }
}

function encodeFacts({ ttlMs, sliding }: SessionFacts): Buffer {
  const facts = Buffer.alloc(FACTS_BYTES);
  facts[0] = sliding ? 1 : 0;
  facts.writeDoubleLE(ttlMs, 1);
  return facts;
}

/** Where a session's memory is. @param id As begin() gave it; another one is of no session. */
function sessionPlace(device: DeviceName, id: string): Place {
  return { key: Buffer.from(device.sessionStart + id), device };
}

export function gone(): HiveError {
  return new HiveError("SESSION_GONE", "the session was closed, or its time was up: begin another");
}

function objectOf(bytes: Buffer, start: number, end: number, kind: number, what: string): Record<string, unknown> {
  const value = kind === KIND_VALUE ? decode(bytes, start, end) : undefined;
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return value as Record<string, unknown>;
  }
  throw new HiveError("INVALID_ARGUMENT", `${what} is no plain object: its fields cannot be merged`);
}
