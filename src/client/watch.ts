// Watch: what happens to keys, in order, each change once.
//
//   for await (const change of hive.watch("users/*")) …
//
// It is one call of the hive that is a stream. When the connection is lost it goes on by itself from the position
// that it had, and misses nothing, as long as the hive's history reaches back that far. Where it does not, and
// after a restart of the hive, the next change is one of kind "gap": what was read before may be out of date.

import { HiveError } from "../base/errors.ts";
import { type ElementSource, WINDOW_BYTES } from "../wire/streams.ts";
import type { CallSpec } from "./call.ts";
import type { Connection } from "./connection.ts";
import { anything } from "./specs.ts";

export type WatchOptions = {
  /** The position of a change, to go on behind it; from now on without it. */
  since?: string | undefined;
  /** Ends the watch, in order. */
  signal?: AbortSignal | undefined;
};

/** A key's name, or a field's: text where it is UTF-8, else bytes; a field may be a number, too. */
type Named = { key: string | Uint8Array; position: string };

/**
 * What happened. `position` may be stored, and given as `since` later, by any process.
 *
 * - set: the key came, or has another value; with `field`, that field or member of it. Of a list, or where several
 *   members went at once, only the key is told
 * - deleted: the key went, or the field or member
 * - expired: the same because its time was up; `value` is its last value, of strings and of fields, where that is
 *   no larger than the hive keeps
 * - evicted: the key went because memory was short
 * - renamed: the key has the name `to`; what had that name is gone
 * - flushed: all keys went
 * - gap: changes before this position are missing: `lost` of all keys at the most, where the hive has counted them.
 *   `why` is "history" (there were more than it keeps), "unwatched" (nobody watched, so nothing was noted),
 *   "restarted" (the hive) or "restored" (a snapshot)
 */
export type Change =
  | (Named & { kind: "set" | "deleted"; field?: unknown })
  | (Named & { kind: "expired"; field?: unknown; value?: unknown })
  | (Named & { kind: "evicted" })
  | (Named & { kind: "renamed"; to: string | Uint8Array })
  | { kind: "flushed"; position: string }
  | { kind: "gap"; why: "history" | "unwatched" | "restarted" | "restored"; lost?: number; position: string };

const FEED: CallSpec<unknown> = { words: ["FEED"], form: "(n)", repeats: false, decode: anything };
const FROM_NOW = "$";

export class Watch implements AsyncIterableIterator<Change, undefined> {
  /** Resolves when the hive tells what happens from then on. Rejects with what ends it before. */
  readonly ready: Promise<void>;
  readonly #connection: Connection;
  readonly #patterns: readonly string[];
  readonly #settleReady: { resolve: () => void; reject: (error: unknown) => void };
  #source: ElementSource<unknown> | undefined = undefined;
  /** What was asked for ahead, until it is known that the hive tells. */
  #first: Promise<IteratorResult<unknown, undefined>> | undefined = undefined;
  #position: string | undefined;
  #run = "";
  #isOver = false;

  /** Made by client.watch(). */
  constructor(connection: Connection, patterns: readonly string[], { since, signal }: WatchOptions) {
    this.#connection = connection;
    this.#patterns = patterns;
    this.#position = since;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#settleReady = { resolve, reject };
    promise.catch(() => {});
    signal?.addEventListener("abort", () => void this.return(), { once: true });
    if (signal?.aborted) void this.return();
    else this.#open();
  }

  /** How far it has come: behind the change that was read last, or further where nothing there was for it. */
  get position(): string | undefined {
    return this.#position;
  }

  #open(): void {
    this.#source = this.#connection.stream(FEED, [this.#position ?? FROM_NOW, ...this.#patterns], WINDOW_BYTES);
    this.#first = this.#source.next().then((result) => this.#begin(result));
    this.#first.catch((error: unknown) => isLoss(error) || this.#settleReady.reject(error));
  }

  /** The first element says where it begins: that is the position of who came without one. */
  #begin(result: IteratorResult<unknown, undefined>): IteratorResult<unknown, undefined> {
    if (result.done) return result;
    const [run, sequence] = result.value as [string, number];
    this.#run = run;
    // With a position of another run of the hive it waits for the gap that comes next.
    if (this.#position === undefined) this.#position = `${run}:${sequence}`;
    this.#settleReady.resolve();
    return result;
  }

  async next(): Promise<IteratorResult<Change, undefined>> {
    while (!this.#isOver) {
      try {
        const first = this.#first;
        this.#first = undefined;
        const { done, value } = await (first ?? this.#source!.next());
        if (done) break;
        if (first !== undefined) continue;
        const change = this.#changeOf(value as unknown[]);
        if (change !== undefined) return { done: false, value: change };
      } catch (error) {
        if (!isLoss(error) || this.#connection.state === "closed") {
          this.#end(error);
          throw error;
        }
        if (!this.#isOver) this.#open();
      }
    }
    return { done: true, value: undefined };
  }

  #changeOf([sequence, kind, first, second, third]: unknown[]): Change | undefined {
    const position = `${this.#run}:${sequence}`;
    this.#position = position;
    const key = first as string | Uint8Array;
    switch (kind) {
      case "set":
      case "deleted":
        return { kind, key, ...(second === undefined ? {} : { field: second }), position };
      case "expired": {
        const value = third === undefined ? {} : { value: third };
        return { kind, key, ...(second === undefined ? {} : { field: second }), ...value, position };
      }
      case "evicted":
        return { kind, key, position };
      case "renamed":
        return { kind, key, to: second as string | Uint8Array, position };
      case "flushed":
        return { kind, position };
      case "gap": {
        const why = first as "history" | "unwatched" | "restarted" | "restored";
        return { kind, why, ...(second === undefined ? {} : { lost: second as number }), position };
      }
      default:
        // "at", or what a later hive tells beside: only how far it has come.
        return undefined;
    }
  }

  #end(error: unknown): void {
    this.#isOver = true;
    this.#settleReady.reject(error);
  }

  /** Ends the watch. */
  async return(): Promise<IteratorResult<Change, undefined>> {
    this.#end(new HiveError("ABORTED", "the watch was ended"));
    await this.#source?.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** The connection is lost, or its hive goes: there may be another one. */
function isLoss(error: unknown): boolean {
  return error instanceof HiveError && (error.code === "CONNECTION_LOST" || error.code === "HIVE_CLOSED");
}
