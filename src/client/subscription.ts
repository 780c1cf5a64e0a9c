// Subscription: messages of channels, for as long as somebody reads them.
//
//   for await (const { channel, value } of hive.subscribe("news")) …
//
// It is one call of the hive that is a stream. When the connection is lost it subscribes again by itself on the
// next one; what was published meanwhile is gone, so the next message says `afterGap: true` and `onGap` is told
// at once. A reader that is too slow gets OVERLOADED, with the number of messages that it lost in `detail.lost`.

import { HiveError } from "../base/errors.ts";
import { type ElementSource, WINDOW_BYTES } from "../wire/streams.ts";
import type { CallSpec } from "./call.ts";
import type { Connection } from "./connection.ts";
import { anything } from "./specs.ts";

export type SubscribeOptions = {
  /** The names are globs: all channels that they match. */
  patterns?: boolean | undefined;
  /** Ends the subscription, in order. */
  signal?: AbortSignal | undefined;
  /** The connection was lost: messages may be missing from here on. It is being subscribed again. */
  onGap?: ((cause: HiveError) => void) | undefined;
};

export type ChannelMessage<Value = unknown> = {
  channel: string;
  /** What was published: text, bytes or a value, as it was given. What RESP sent is text where it is UTF-8. */
  value: Value;
  /** The glob that matched, where the subscription is of those. */
  pattern?: string;
  /** Messages may be missing in front of this one. */
  afterGap: boolean;
};

const SUBSCRIBE: CallSpec<unknown> = { words: ["SUBSCRIBE"], form: "(n)", repeats: false, decode: anything };
const PSUBSCRIBE: CallSpec<unknown> = { words: ["PSUBSCRIBE"], form: "(n)", repeats: false, decode: anything };

export class Subscription<Value = unknown> implements AsyncIterableIterator<ChannelMessage<Value>, undefined> {
  /** Resolves when the hive sends what is published from then on. Rejects with what ends it before. */
  readonly ready: Promise<void>;
  readonly #connection: Connection;
  readonly #names: readonly string[];
  readonly #options: SubscribeOptions;
  readonly #settleReady: { resolve: () => void; reject: (error: unknown) => void };
  #source: ElementSource<unknown> | undefined = undefined;
  /** The element that is asked for ahead, until it is known that the hive listens. */
  #first: Promise<IteratorResult<unknown, undefined>> | undefined = undefined;
  #afterGap = false;
  #over = false;

  /** Made by client.subscribe(). */
  constructor(connection: Connection, names: readonly string[], options: SubscribeOptions) {
    this.#connection = connection;
    this.#names = names;
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#settleReady = { resolve, reject };
    promise.catch(() => {});
    options.signal?.addEventListener("abort", () => void this.return(), { once: true });
    if (options.signal?.aborted) void this.return();
    else this.#open();
  }

  #open(): void {
    const spec = this.#options.patterns ? PSUBSCRIBE : SUBSCRIBE;
    this.#source = this.#connection.stream(spec, this.#names, WINDOW_BYTES);
    this.#first = this.#source.next();
    this.#first.then(
      ({ done }) => done || this.#settleReady.resolve(),
      (error: unknown) => isLoss(error) || this.#settleReady.reject(error),
    );
  }

  async next(): Promise<IteratorResult<ChannelMessage<Value>, undefined>> {
    while (!this.#over) {
      try {
        const first = this.#first;
        this.#first = undefined;
        const { done, value } = await (first ?? this.#source!.next());
        if (done) break;
        if (typeof value === "number") continue;
        return { done: false, value: this.#message(value as unknown[]) };
      } catch (error) {
        if (!isLoss(error) || this.#connection.state === "closed") {
          this.#end(error);
          throw error;
        }
        this.#afterGap = true;
        this.#options.onGap?.(error as HiveError);
        if (!this.#over) this.#open();
      }
    }
    return { done: true, value: undefined };
  }

  #message([channel, value, pattern]: unknown[]): ChannelMessage<Value> {
    const afterGap = this.#afterGap;
    this.#afterGap = false;
    const message = { channel: String(channel), value: value as Value, afterGap };
    return pattern === undefined ? message : { ...message, pattern: String(pattern) };
  }

  #end(error: unknown): void {
    this.#over = true;
    this.#settleReady.reject(error);
  }

  /** Ends the subscription. */
  async return(): Promise<IteratorResult<ChannelMessage<Value>, undefined>> {
    this.#end(new HiveError("ABORTED", "the subscription was ended"));
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

function isLoss(error: unknown): boolean {
  return error instanceof HiveError && error.code === "CONNECTION_LOST";
}
