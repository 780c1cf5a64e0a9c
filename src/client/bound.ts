// Bound: a connection, with what its calls are told where they are told nothing else.
//
//   client.with({ timeoutMs: 200 }) ──▶ Bound { connection, { timeoutMs: 200 } } ──▶ tables, sets, calls of it

import type { As } from "../wire/items.ts";
import type { Types } from "../wire/value.ts";
import type { CallOptions, CallSpec } from "./call.ts";
import type { Connection } from "./connection.ts";
import { idOf, type NearReads, UNKNOWN } from "./near-reads.ts";
import type { Nears } from "./nears.ts";
import type { SharedReads } from "./shared-reads.ts";
import type { Seen } from "./specs.ts";
import type { Spool } from "./spool.ts";

export type ReadOptions = CallOptions & {
  /**
   * "auto": what RESP stored is text where it is UTF-8, else bytes; without it what is not UTF-8 is
   * NOT_TEXT. "bytes": everything exactly as it is stored, values in their encoding.
   */
  as?: "auto" | "bytes" | undefined;
};

export type BoundParts = {
  connection: Connection;
  shared: SharedReads;
  /** What is kept near, and of it the plain keys, where the client keeps any. */
  nears: Nears;
  keys: NearReads | undefined;
  /** The classes whose instances devices and sessions carry. */
  types: Types;
  /** What devices put, where the client has one. */
  spool: Spool | undefined;
};

export class Bound {
  readonly connection: Connection;
  readonly shared: SharedReads;
  readonly nears: Nears;
  readonly keys: NearReads | undefined;
  readonly types: Types;
  readonly spool: Spool | undefined;
  readonly defaults: CallOptions | undefined;

  constructor(parts: BoundParts, defaults?: CallOptions) {
    this.connection = parts.connection;
    this.shared = parts.shared;
    this.nears = parts.nears;
    this.keys = parts.keys;
    this.types = parts.types;
    this.spool = parts.spool;
    this.defaults = defaults;
  }

  /** The same with more that is told. A call ends with whichever signal ends first. */
  with(options: CallOptions): Bound {
    return new Bound(this, this.options(options));
  }

  /** What a call is told. */
  options(own: CallOptions | undefined): CallOptions | undefined {
    const { defaults } = this;
    if (own === undefined || defaults === undefined) return own ?? defaults;
    const both = own.signal !== undefined && defaults.signal !== undefined;
    return {
      timeoutMs: own.timeoutMs ?? defaults.timeoutMs,
      signal: both ? AbortSignal.any([own.signal!, defaults.signal!]) : (own.signal ?? defaults.signal),
    };
  }

  /**
   * Whether a call may be answered from memory that is shared: not while one that may write has no answer yet, since
   * calls of one client are seen in their order, and not where its signal has ended.
   */
  sharing(options: CallOptions | undefined): boolean {
    if (!this.shared.on || this.connection.writes > 0 || !this.connection.isOpen) return false;
    return !options?.signal?.aborted && !this.defaults?.signal?.aborted;
  }

  /** What a name is kept under near; undefined where it is to be asked for as ever. */
  nearId(near: NearReads | undefined, name: unknown, options: ReadOptions | undefined): string | undefined {
    if (near === undefined || options?.as !== undefined || !this.connection.isOpen) return undefined;
    if (options?.signal?.aborted || this.defaults?.signal?.aborted) return undefined;
    const id = idOf(name);
    return id === undefined || (near.target[0] === "PREFIX" && !id.startsWith(near.target[1])) ? undefined : id;
  }

  /** A read that is answered from what is kept, or asked for and kept then. */
  near(
    near: NearReads,
    id: string,
    spec: CallSpec<Seen>,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    const value = near.kept(id);
    if (value !== UNKNOWN) return Promise.resolve(value);
    return near.ask(id, () => this.connection.call(spec, args, this.options(options)));
  }

  call<Result>(spec: CallSpec<Result>, args: readonly unknown[], options: CallOptions | undefined): Promise<Result> {
    return this.connection.call(spec, args, this.options(options));
  }

  read<Result>(spec: CallSpec<Result>, args: readonly unknown[], options: ReadOptions | undefined): Promise<Result> {
    const as: As = options?.as ?? "values";
    return this.connection.call(spec, args, this.options(options), as);
  }
}
