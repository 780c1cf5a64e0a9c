// Spool: what a device puts while its line is bad, kept until the hive has it, and sent in order.
//
//   device.put(label, value) ──▶ a number ──▶ waiting (and the disk) ──batch──▶ DEVICE.SPOOL ──▶ acknowledged
//
// One batch is on the way at a time, of readings of one device. What of it the hive has, its answer says; where there is
// none, the same readings go again, and the hive passes over those that it has. A hive that comes back with less than it
// had (restarted, restored) says so by another name of its memory: then what was kept for that goes again too.
// docs/decisions/0023-spool.md has the reasons.

import { type ErrorCode, HiveError, isHiveError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import type { StoredItem } from "./call.ts";
import type { Connection } from "./connection.ts";
import { closedError } from "./final-errors.ts";
import { SPOOL, type SpoolAnswer, spoolArguments, storedItem } from "./spool-call.ts";
import { SpoolContent } from "./spool-content.ts";
import { freshMarks, newProducer, type OpenedSpool, type OpenSpool, type SpoolKeeper } from "./spool-keeper.ts";
import type { SpoolFailure, SpoolSettings, SpoolStats } from "./spool-options.ts";
import { bytesOf, type Reading } from "./spool-readings.ts";

/** Readings of a batch, and their bytes: a call that takes the hive about a millisecond. */
const BATCH_READINGS_MAX = 512;
const BATCH_BYTES_MAX: number = 256 * 1024;
/** Between two looks at what is too old, at what a snapshot holds by now, and at what was refused for a time. */
const LOOK_MS = 1_000;
/** Of one reading, whatever is done: it is passed over and counted. Everything else is tried again. */
const FOR_GOOD: readonly ErrorCode[] = [
  ...(["KEY_TOO_BIG", "VALUE_TOO_BIG", "FRAME_TOO_BIG", "BAD_VALUE", "INVALID_ARGUMENT", "WRONG_TYPE"] as const),
];
/** Caps and quotas of bytes and labels; one of calls is over in a second. */
const CAP = /^(bytes|keys):/;

export type SpoolParts = {
  settings: SpoolSettings;
  timers: Timers;
  /** Epoch milliseconds. */
  nowMs(): number;
};

/** What a program sees of it. */
export type ClientSpool = Pick<Spool, "stats" | "drained">;

export class Spool {
  readonly #parts: SpoolParts;
  readonly #producer: string;
  readonly #keeper: SpoolKeeper | undefined;
  readonly #content: SpoolContent;
  readonly #damaged: number;
  #connection: Connection | undefined = undefined;
  /** The memory that the last answer was of. */
  #memory = "";
  #isSending = false;
  /** Nothing is sent until the next look. */
  #pauses = false;
  #readingsMax = BATCH_READINGS_MAX;
  #look: Cancel | undefined = undefined;
  #lastRefusal: SpoolFailure | undefined = undefined;
  #lastFailure: SpoolFailure | undefined = undefined;
  #closed: HiveError | undefined = undefined;
  #drains: { resolve: () => void; reject: (error: HiveError) => void }[] = [];

  private constructor(parts: SpoolParts, opened: OpenedSpool) {
    this.#parts = parts;
    this.#keeper = opened.keeper;
    this.#producer = opened.producer;
    this.#damaged = opened.damaged;
    this.#content = new SpoolContent(parts.settings, opened);
  }

  /** Opens what the folder has, where there is one. @throws {HiveError} REFUSED_SETTING */
  static async open(parts: SpoolParts, openDisk: OpenSpool | undefined): Promise<Spool> {
    const { settings, timers } = parts;
    const { dir } = settings;
    const fresh = { producer: newProducer(), marks: freshMarks() };
    if (dir === undefined) return new Spool(parts, { ...fresh, keeper: undefined, readings: [], damaged: 0 });
    if (openDisk === undefined)
      throw new HiveError("UNSUPPORTED", "spool.dir: there are no folders here; leave it out");
    return new Spool(parts, await openDisk({ ...settings, dir }, fresh, timers));
  }

  /** From now on it sends over this connection whenever that is ready: tell it with send(). */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#lookLater();
    this.send();
  }

  stats(): SpoolStats {
    this.#dropOld();
    const { marks, waiting, kept } = this.#content;
    const { acknowledged, dropped, refused, letGo } = marks;
    return {
      accepted: acknowledged + dropped + refused + waiting.readings,
      ...{ acknowledged, dropped, refused },
      lastRefusal: this.#lastRefusal,
      waiting: waiting.readings,
      waitingBytes: waiting.bytes,
      waitingMs: waiting.first === undefined ? 0 : Math.max(0, this.#parts.nowMs() - waiting.first.atMs),
      unstored: kept.length,
      unstoredBytes: kept.bytes,
      letGo,
      damaged: this.#damaged,
      lastFailure: this.#lastFailure,
    };
  }

  /**
   * Resolves when nothing waits: everything that was put is in the hive, or was dropped or refused.
   * @throws {HiveError} HIVE_CLOSED; ABORTED by the signal
   */
  drained({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (this.#isDrained) return Promise.resolve();
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const drain = { resolve, reject };
    const abort = (): void => {
      this.#drains = this.#drains.filter((other) => other !== drain);
      reject(new HiveError("ABORTED", "the signal ended", { cause: signal?.reason }));
    };
    this.#drains.push(drain);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    return promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  get #isDrained(): boolean {
    return this.#content.waiting.readings === 0;
  }

  // The way in.

  /** Resolves when the reading is kept, and survives this process where there is a folder. @throws {HiveError} OVERLOADED, BAD_VALUE, HIVE_CLOSED */
  async put(
    device: string,
    label: unknown,
    value: unknown,
    ttlMs: number | undefined,
    itemOf: (value: unknown) => StoredItem = storedItem,
  ): Promise<void> {
    if (this.#closed !== undefined) throw closedError(undefined);
    const items = { label: storedItem(label), value: itemOf(value) };
    const reading = { sequence: 0, atMs: this.#parts.nowMs(), device, ...items, ttlMs: ttlMs ?? 0 };
    this.#dropOld();
    this.#content.makeRoom(bytesOf(reading));
    this.#content.add(reading);
    this.#lookLater();
    if (this.#keeper === undefined) this.#content.writtenTo = reading.sequence;
    else await this.#write(this.#keeper, reading);
    this.send();
  }

  async #write(keeper: SpoolKeeper, reading: Reading): Promise<void> {
    const { sequence } = reading;
    keeper.mark(this.#content.changed());
    keeper.append(reading);
    try {
      await keeper.flush();
    } catch (error) {
      this.#content.takeBack(sequence);
      this.#settleDrains();
      throw error;
    }
    this.#content.writtenTo = Math.max(this.#content.writtenTo, sequence);
  }

  #dropOld(): void {
    if (this.#content.dropOld(this.#parts.nowMs())) this.#settleDrains();
  }

  // The way out.

  /** Sends what waits, unless something is on its way. */
  send(): void {
    if (this.#isSending || this.#pauses || this.#closed !== undefined || this.#connection?.state !== "ready") return;
    this.#dropOld();
    const batch = this.#batch();
    // Nothing to send is sent too: to hear what a snapshot holds by now.
    const device = batch[0]?.device ?? (this.#asks ? this.#content.kept.first?.device : undefined);
    if (device === undefined) return;
    this.#asks = false;
    this.#isSending = true;
    const names = { producer: this.#producer, memory: this.#memory };
    const args = spoolArguments(device, names, batch, this.#parts.nowMs());
    const call = (): Promise<SpoolAnswer> => this.#connection!.call(SPOOL, args, undefined);
    // What may be in the hive without an answer is known on the disk before it is sent.
    (this.#keeper === undefined ? call() : this.#note(this.#keeper).then(call)).then(
      (answer) => this.#answered(device, batch, answer),
      (error: unknown) => this.#failed(device, batch, error),
    );
  }

  #asks = false;

  #batch(): Reading[] {
    const { argumentsMax, frameBytesMax } = this.#connection!.welcome!.limits;
    const readingsMax = Math.max(1, Math.min(this.#readingsMax, Math.floor((argumentsMax - 5) / 4)));
    return this.#content.take(
      readingsMax,
      Math.min(BATCH_BYTES_MAX, this.#parts.settings.bytesMax / 4, frameBytesMax / 2),
    );
  }

  #answered(device: string, batch: readonly Reading[], answer: SpoolAnswer): void {
    if (this.#closed !== undefined) return;
    const { memory, last, version, storedVersion, refusal } = answer;
    if (memory !== this.#memory) this.#content.beginAgain(device, last, version);
    else this.#content.acknowledge(device, last, version);
    this.#memory = memory;
    if (refusal !== undefined && batch.some(({ sequence }) => sequence === refusal.sequence)) {
      this.#refused({ ...refusal, device });
    } else {
      this.#lastFailure = undefined;
      this.#readingsMax = Math.min(BATCH_READINGS_MAX, this.#readingsMax * 2);
    }
    this.#content.stored(storedVersion);
    this.#sent();
  }

  /** There was an answer, or there will be none. */
  #sent(): void {
    this.#isSending = false;
    // A disk that fails is told of by the next put.
    if (this.#keeper !== undefined) this.#note(this.#keeper).catch(() => {});
    this.#settleDrains();
    this.send();
  }

  #note(keeper: SpoolKeeper): Promise<void> {
    keeper.mark(this.#content.changed());
    return keeper.flush();
  }

  /** The first reading that is in doubt was refused: it is passed over, or stands there until the next look. */
  #refused(failure: SpoolFailure): void {
    const isForGood = FOR_GOOD.includes(failure.code) || (failure.code === "QUOTA" && CAP.test(failure.message));
    if (!isForGood) return this.#pause(failure);
    if (this.#content.refuse(failure.sequence)) this.#lastRefusal = failure;
  }

  #failed(device: string, batch: readonly Reading[], error: unknown): void {
    if (this.#closed !== undefined) return;
    if (!isHiveError(error)) throw error;
    const { code, message } = error;
    const sequence = batch[0]?.sequence ?? 0;
    // Which of them it is, is found by sending fewer.
    const isOfOne = FOR_GOOD.includes(code) || (code === "QUOTA" && CAP.test(message));
    if (isOfOne && batch.length > 1) this.#readingsMax = batch.length >> 1;
    else if (isOfOne && batch.length === 1) this.#refused({ code, message, device, sequence });
    else this.#pause({ code, message, device, sequence });
    this.#sent();
  }

  #pause(failure: SpoolFailure): void {
    this.#lastFailure = failure;
    // Once there is a connection again it is tried at once.
    this.#pauses = failure.code !== "CONNECTION_LOST";
  }

  #settleDrains(): void {
    if (!this.#isDrained) return;
    for (const { resolve } of this.#drains) resolve();
    this.#drains = [];
  }

  // Time, and the end.

  #lookLater(): void {
    if (this.#look !== undefined || this.#closed !== undefined) return;
    if (this.#isDrained && this.#content.kept.length === 0) return;
    this.#look = this.#parts.timers.after(LOOK_MS, () => {
      this.#look = undefined;
      this.#pauses = false;
      this.#asks = true;
      this.#dropOld();
      this.send();
      this.#lookLater();
    });
  }

  /** Sends what can be sent within `graceMs`, then takes nothing more. What is left stays in the folder, where there is one. */
  async close(graceMs: number): Promise<void> {
    if (this.#closed !== undefined) return;
    if (!this.#isDrained && this.#connection?.state === "ready" && graceMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = this.#parts.timers.after(graceMs, resolve, true);
      await Promise.race([promise, this.drained().catch(() => {})]);
      cancel();
    }
    await this.end();
  }

  /** At once. */
  async end(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#closed = closedError(undefined);
    this.#look?.();
    for (const { reject } of this.#drains) reject(this.#closed);
    this.#drains = [];
    await this.#keeper?.close();
  }
}
