// LateCalls: the calls of one native connection whose answers come later.
//
//   begin(id, …) ──▶ waiting ──answered──▶ end(id)            cancelled: nobody waits, but the engine still has it
//
// Their arguments wait with them, so both their number and their bytes are bounded. A call that was
// cancelled counts until the engine is done with it: else cancelling would be a way around the limits.

import { HiveError } from "../../base/errors.ts";
import type { FrameWriter } from "../../wire/frame-writer.ts";

/** What a call takes beside its arguments: its writer, its promise, its places in maps. */
const CALL_BYTES = 1024;

export type LateCall = {
  reply: FrameWriter;
  /** Ends the signal of a call that asked for one. */
  abort: AbortController | undefined;
  /** Of its arguments, which wait with it. */
  bytes: number;
  /** A stream, which goes on until somebody ends it. */
  endless: boolean;
};

export class LateCalls {
  /** Those that somebody waits for, by id. */
  readonly #waiting = new Map<number, LateCall>();
  readonly #limits: { openCallsMax: number; openCallsBytesMax: number };
  /** The same and those that were cancelled. */
  #running = 0;
  #runningBytes = 0;

  constructor(limits: { openCallsMax: number; openCallsBytesMax: number }) {
    this.#limits = limits;
  }

  /** How many somebody waits for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** What they take in memory, about. */
  get heapBytes(): number {
    return this.#runningBytes + this.#running * CALL_BYTES;
  }

  /** Whether as much waits as may: then nothing more is read. */
  get isFull(): boolean {
    const { openCallsMax, openCallsBytesMax } = this.#limits;
    return this.#running >= openCallsMax || this.#runningBytes >= openCallsBytesMax;
  }

  /** @throws {HiveError} BAD_FRAME: a call of that id waits already. */
  requireNew(id: number): void {
    if (this.#waiting.has(id)) throw new HiveError("BAD_FRAME", `call ${id} has no answer yet, and its id came again`);
  }

  begin(id: number, call: LateCall): void {
    this.#waiting.set(id, call);
    this.#running++;
    this.#runningBytes += call.bytes;
  }

  /** The engine is done with it. Returns whether somebody still waits: the id may be another call's by now. */
  end(id: number, call: LateCall): boolean {
    this.#running--;
    this.#runningBytes -= call.bytes;
    return this.#waiting.get(id) === call && this.#waiting.delete(id);
  }

  /** Nobody waits for it any more. */
  cancel(id: number): void {
    const call = this.#waiting.get(id);
    if (call === undefined) return;
    this.#waiting.delete(id);
    call.abort?.abort(new HiveError("ABORTED", "the caller wants no answer any more"));
  }

  abortAll(why: string): void {
    for (const { abort } of this.#waiting.values()) abort?.abort(new HiveError("CONNECTION_LOST", why));
  }

  /** The hive closes: what would go on for ever ends now. */
  abortStreams(why: HiveError): void {
    for (const { abort, endless } of [...this.#waiting.values()]) if (endless) abort?.abort(why);
  }

  clear(): void {
    this.#waiting.clear();
  }
}
