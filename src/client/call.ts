// Calls: what a client asks, what it expects, and how one that is under way is settled.
//
//   CallSpec (static) + arguments ──▶ Outbox ──▶ frame …… RESULT ──▶ spec.decode ──▶ resolve
//                                                       FAILURE, deadline, signal, loss ──▶ reject

import { HiveError } from "../base/errors.ts";
import type { As, ItemReader } from "../wire/items.ts";
import { LinkCall } from "../wire/link.ts";

/** What a user may say of any call. */
export type CallOptions = {
  /** Ends the call when it ends: the promise rejects with ABORTED. */
  signal?: AbortSignal | undefined;
  /** The answer has to come within so many milliseconds, else the promise rejects with DEADLINE. 0: no limit. */
  timeoutMs?: number | undefined;
};

/** One kind of call. Made once; what differs from call to call are the arguments. */
export type CallSpec<Result> = {
  /** The command, with its subcommand: each a word of its own. */
  readonly words: readonly string[];
  /**
   * How the arguments are written, a letter each; the last letters in parentheses repeat.
   * n: a name (text, bytes or a scalar) · v: anything that can be stored · w: a word or number of the
   * protocol · s: a StoredItem, as it came.
   */
  readonly form: string;
  /** Whether it may be sent again when the connection was lost before its answer: it changes nothing. */
  readonly repeats: boolean;
  /** The answer. @throws {HiveError} NOT_TEXT, BAD_VALUE, BAD_FRAME */
  readonly decode: (items: ItemReader, as: As) => Result;
};

/** What is stored, byte for byte: the kind of an item (wire/items.ts) and its bytes. */
export type StoredItem = { kind: number; bytes: Uint8Array };

/** Frames that go out together. */
export type Batch = {
  /** Whether it was handed to a connection. */
  sent: boolean;
  /** A call of it is over before it was sent: its bytes must not go out. */
  spoilt: boolean;
  /** What went out: one character per byte, or bytes. Kept as long as a call of it is open. */
  text: string | undefined;
  bytes: Uint8Array | undefined;
};

/** What a call needs of its connection when it is over. */
export type CallOwner = { settled(call: ClientCall): void };

export class ClientCall extends LinkCall {
  readonly spec: CallSpec<unknown>;
  readonly owner: CallOwner;
  readonly as: As;
  readonly key: unknown;
  batch: Batch;
  /** Where its frame lies in its batch, and its bytes. */
  at: number;
  size: number;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;
  /** Takes the listener of its signal away. */
  unlisten: (() => void) | undefined = undefined;

  /** Monotonic milliseconds: since when it waits for a connection, while there is none. */
  waitsSinceMs = 0;

  constructor(
    spec: CallSpec<unknown>,
    owner: CallOwner,
    { as, key }: { as: As; key: unknown },
    batch: Batch,
    at: number,
    size: number,
  ) {
    super();
    this.spec = spec;
    this.owner = owner;
    this.as = as;
    this.key = key;
    this.batch = batch;
    this.at = at;
    this.size = size;
  }

  answered(items: ItemReader): void {
    const value = this.#decode(items);
    this.owner.settled(this);
    this.unlisten?.();
    this.resolve(value);
  }

  /** A call whose answer cannot be read has run all the same. */
  #decode(items: ItemReader): unknown {
    try {
      return this.spec.decode(items, this.as);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      throw new HiveError(error.code, error.message, { detail: error.detail, sent: true });
    }
  }

  /** The hive said no, or what it said cannot be read. */
  failed({ code, message, detail, sent }: HiveError): void {
    const call = callInfo(this.spec, this.key);
    this.#reject(new HiveError(code, message, sent === undefined ? { detail, call } : { detail, call, sent }));
  }

  /** There will be no answer. */
  lost(error: HiveError): void {
    const { code, message, detail } = error;
    const options = { detail, cause: error, sent: this.batch.sent, call: callInfo(this.spec, this.key) };
    const doubt = this.batch.sent ? "" : " (not sent)";
    this.#reject(new HiveError(code, `${message}${doubt}`, options));
  }

  #reject(error: HiveError): void {
    this.owner.settled(this);
    this.unlisten?.();
    this.reject(error);
  }
}

/** The call as an error may show it. */
export function callInfo(spec: CallSpec<unknown>, key: unknown): { name: string; key?: string } {
  const name = spec.words.join(" ");
  return typeof key === "string" ? { name, key } : { name };
}

/** What a call that could not be made gives. Nothing was sent. */
export function rejected(spec: CallSpec<unknown>, args: readonly unknown[], error: unknown): Promise<never> {
  if (!(error instanceof HiveError)) return Promise.reject(error);
  const { code, message, detail } = error;
  const call = callInfo(spec, args[0]);
  return Promise.reject(new HiveError(code, message, { detail, cause: error, sent: false, call }));
}
