// DeviceSession: a lease on part of a device's memory, which ends, and takes what it holds with it.
//
//   await using session = await hive.session("sensor-7", { ttlMs: 10_000, sliding: true });
//
// Deadline and data are the hive's: a client that is gone keeps no session alive, and one that comes back goes on with
// the id (resume). This object only remembers which session it is, and how it knows that to have ended.

import { HiveError, isHiveError } from "../base/errors.ts";
import { decodeItem } from "../wire/items.ts";
import type { Bound } from "./bound.ts";
import type { CallOptions, CallSpec } from "./call.ts";
import { type DeviceOptions, type DeviceUsage, type PutLabelOptions, ttlWords, usage } from "./device.ts";
import { DeviceValues, type FetchOptions, type ValueSpecs } from "./device-values.ts";
import * as spec from "./specs.ts";
import { type ChannelMessage, Subscription } from "./subscription.ts";

export type SessionOptions = DeviceOptions & {
  /** The session ends after so many milliseconds. Without it, it stays open until it is closed. */
  ttlMs?: number | undefined;
  /** Every call prolongs it by `ttlMs` again. Default: it ends although it is in use. */
  sliding?: boolean | undefined;
  /** The id of a session that is open already: it is gone on with, and none begun. */
  resume?: string | undefined;
};

export type SessionEnd = "closed" | "expired" | "evicted";
export type SessionState = "new" | "open" | SessionEnd;

/** The time of an open session, and what it has left; undefined: it stays open until it is closed. */
export type SessionTime = { ttlMs: number | undefined; leftMs: number | undefined; sliding: boolean };

const BEGIN: CallSpec<string> = spec.write("SESSION.BEGIN", "n(w)", spec.text);
const PUT: ValueSpecs<void> = {
  plain: spec.write("SESSION.PUT", "nnnv(w)", spec.nothing),
  stored: spec.write("SESSION.PUT", "nnns(w)", spec.nothing),
};
const MERGE: ValueSpecs<void> = {
  plain: spec.write("SESSION.MERGE", "nnnv", spec.nothing),
  stored: spec.write("SESSION.MERGE", "nnns", spec.nothing),
};
const FETCH: CallSpec<unknown> = spec.write("SESSION.FETCH", "nnn", spec.anything);
const HAS: CallSpec<boolean> = spec.write("SESSION.HAS", "nnn", spec.flag);
const DELETE: CallSpec<number> = spec.write("SESSION.DELETE", "nn(n)", spec.integer);
const LABELS: CallSpec<unknown[]> = spec.write("SESSION.LABELS", "nn", spec.list);
const CLEAR: CallSpec<boolean> = spec.write("SESSION.CLEAR", "nn", spec.flag);
const USAGE: CallSpec<DeviceUsage> = spec.write("SESSION.USAGE", "nn", usage);
const STATE: CallSpec<SessionTime | undefined> = spec.read("SESSION.STATE", "nn", time);
const TOUCH: CallSpec<boolean> = spec.write("SESSION.TOUCH", "nn(w)", spec.flag);
const CLOSE: CallSpec<boolean> = spec.write("SESSION.CLOSE", "nn", spec.flag);

function time(items: Parameters<typeof decodeItem>[0]): SessionTime | undefined {
  const facts = decodeItem(items) as Map<string, number | undefined> | undefined;
  if (facts === undefined) return undefined;
  return { ttlMs: facts.get("ttl-ms"), leftMs: facts.get("left-ms"), sliding: facts.get("sliding") === 1 };
}

/**
 * Every method of a Device, on memory of its own that counts for the device. When the session ends, what it held is
 * overwritten with zeros in the hive. To one that has ended there is nothing to read: fetch() is undefined, has() false;
 * what writes rejects with SESSION_GONE. `ended` events tell of the end: see ends().
 */
export class DeviceSession implements AsyncDisposable {
  readonly device: string;
  readonly #bound: Bound;
  readonly #options: SessionOptions;
  readonly #values: DeviceValues;
  #id = "";
  #state: SessionState = "new";

  /** Made by client.session(), which begins it. */
  constructor(bound: Bound, device: string, options: SessionOptions) {
    this.#bound = bound;
    this.device = device;
    this.#options = options;
    this.#values = new DeviceValues(bound, options.types);
  }

  /** Whoever has it, and the right to the device, may go on with the session: resume(). "" before begin(). */
  get id(): string {
    return this.#id;
  }

  /** As far as this client knows: check() asks the hive. */
  get state(): SessionState {
    return this.#state;
  }

  /** Begins a session, empty. One that this object had goes on until its end, without it. */
  async begin(options?: CallOptions): Promise<this> {
    const { ttlMs, sliding = false } = this.#options;
    if (sliding && ttlMs === undefined) throw new HiveError("INVALID_ARGUMENT", "a sliding session needs ttlMs");
    const words = [...ttlWords({ ttlMs }), ...(sliding ? ["SLIDING"] : [])];
    this.#id = await this.#bound.call(BEGIN, [this.device, ...words], options);
    this.#state = "open";
    return this;
  }

  /** Goes on with a session that is open. @throws {HiveError} SESSION_GONE */
  async resume(id: string, options?: CallOptions): Promise<this> {
    const found = await this.#bound.call(STATE, [this.device, id], options);
    if (found === undefined) throw new HiveError("SESSION_GONE", "there is no open session with this id");
    this.#id = id;
    this.#state = "open";
    return this;
  }

  /** Asks the hive for the time of the session, without prolonging it; undefined: it has ended. */
  async check(options?: CallOptions): Promise<SessionTime | undefined> {
    const found = await this.#bound.call(STATE, [this.device, this.#id], options);
    if (found === undefined) this.#gone();
    return found;
  }

  /** Sets a label. @throws {HiveError} SESSION_GONE, QUOTA, BAD_VALUE, VALUE_TOO_BIG, KEY_TOO_BIG, OUT_OF_MEMORY */
  put(label: string, value: unknown, options?: PutLabelOptions): Promise<void> {
    return this.#writeValue(PUT, [label, value, ...ttlWords(options)], options);
  }

  /**
   * Puts the fields of an object over those of the one under a label, in one step in the hive: patches of parallel
   * requests all count. @throws {HiveError} INVALID_ARGUMENT: what is there, or the patch, is no plain object; and as put()
   */
  merge(label: string, patch: Record<string, unknown>, options?: CallOptions): Promise<void> {
    return this.#writeValue(MERGE, [label, patch], options);
  }

  fetch<Value = unknown>(label: string, options?: FetchOptions): Promise<Value | undefined> {
    return this.#values.read(FETCH, [this.device, this.#id, label], options) as Promise<Value | undefined>;
  }

  has(label: string, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(HAS, [this.device, this.#id, label], options);
  }

  /** Deletes labels. Resolves with how many were there. @throws {HiveError} SESSION_GONE */
  delete(...labels: string[]): Promise<number> {
    return labels.length === 0 ? Promise.resolve(0) : this.#write(DELETE, labels, undefined);
  }

  labels(options?: CallOptions): Promise<string[]> {
    return this.#bound.call(LABELS, [this.device, this.#id], options) as Promise<string[]>;
  }

  /** Deletes all labels; the session stays open. @throws {HiveError} SESSION_GONE */
  clear(options?: CallOptions): Promise<boolean> {
    return this.#write(CLEAR, [], options);
  }

  /** What its device has, and may have, and how many labels the session. @throws {HiveError} SESSION_GONE */
  usage(options?: CallOptions): Promise<DeviceUsage> {
    return this.#write(USAGE, [], options);
  }

  /**
   * Prolongs the session by its own time, or by another one, which is its own then. Resolves with whether it is open.
   */
  async touch(options: PutLabelOptions = {}): Promise<boolean> {
    const isOpen = await this.#bound.call(TOUCH, [this.device, this.#id, ...ttlWords(options)], options);
    if (!isOpen) this.#gone();
    return isOpen;
  }

  /** Ends the session: nothing that others write to it afterwards is kept. Resolves with whether it was open. */
  async close(options?: CallOptions): Promise<boolean> {
    const wasOpen = await this.#bound.call(CLOSE, [this.device, this.#id], options);
    if (this.#state === "open") this.#state = wasOpen ? "closed" : "expired";
    return wasOpen;
  }

  /**
   * Resolves when the session ends, with how. It looks whenever it has begun to listen, over lost connections too, so an
   * end meanwhile is not missed; how one was that nobody could tell of is a guess. A message is asked about: anybody may
   * publish one. @param signal Ends the wait: the promise rejects with ABORTED.
   */
  async ends(signal?: AbortSignal): Promise<SessionEnd> {
    for (;;) {
      const how = await this.#heardEnd(signal).catch((error: unknown) => {
        // The hive goes, and there may be another one.
        if (!isHiveError(error) || error.code !== "HIVE_CLOSED" || !this.#bound.connection.isOpen) throw error;
        return undefined;
      });
      if (how !== undefined) return (this.#state = how);
    }
  }

  /** The same, over one connection; undefined when that was lost. */
  async #heardEnd(signal: AbortSignal | undefined): Promise<SessionEnd | undefined> {
    const { promise: lost, resolve: lose } = Promise.withResolvers<undefined>();
    const options = { signal, onGap: () => lose(undefined) };
    const messages = new Subscription(this.#bound.connection, [sessionChannel(this.device, this.#id)], options);
    try {
      let told = messages.next();
      told.catch(() => {});
      if ((await Promise.race([messages.ready.then(() => true), lost])) === undefined) return undefined;
      if ((await this.check()) === undefined) {
        // An end between the two was told before this answer, and is here after one more: better than a guess.
        await this.check();
        return endOf(await Promise.race([told, undefined])) ?? (this.#state as SessionEnd);
      }
      for (;;) {
        const message = await Promise.race([told, lost]);
        if (message === undefined) return undefined;
        if (message.done) throw new HiveError("ABORTED", "the wait for the end of the session was ended");
        if ((await this.check()) === undefined) return endOf(message) ?? (this.#state as SessionEnd);
        told = messages.next();
        told.catch(() => {});
      }
    } finally {
      await messages.return();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "open") await this.close();
  }

  #write<Result>(call: CallSpec<Result>, args: readonly unknown[], options: CallOptions | undefined): Promise<Result> {
    return this.#noticing(this.#bound.call(call, [this.device, this.#id, ...args], options));
  }

  /** The same with a value behind the label. */
  #writeValue(call: ValueSpecs<void>, args: readonly unknown[], options: CallOptions | undefined): Promise<void> {
    return this.#noticing(this.#values.call(call, [this.device, this.#id, ...args], { at: 3, options }));
  }

  #noticing<Result>(answer: Promise<Result>): Promise<Result> {
    return answer.catch((error: unknown) => {
      if (isHiveError(error) && error.code === "SESSION_GONE") this.#gone();
      throw error;
    });
  }

  /** It has ended, without this client: by its time where it has one, else somebody closed it. */
  #gone(): void {
    if (this.#state === "open") this.#state = this.#options.ttlMs === undefined ? "closed" : "expired";
  }
}

/** How a session ended, by the message that tells of it; undefined where it says something else. */
function endOf(message: IteratorResult<ChannelMessage, undefined> | undefined): SessionEnd | undefined {
  const how = message?.value?.value;
  return how === "closed" || how === "expired" || how === "evicted" ? how : undefined;
}

/** The channel on which the end of a session is told, which is the name of its key. */
export function sessionChannel(device: string, id: string): string {
  const escaped = encodeURIComponent(device).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `$session:${escaped}:${id}`;
}
