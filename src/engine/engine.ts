// Runner: the engine as a door sees it. Two implementers: LocalEngine answers at once where it can,
// DelayedEngine answers every call later; the conformance suites of all doors pass over both.

import type { Args } from "./args.ts";
import type { Context, Peer } from "./context.ts";
import type { Reply } from "./reply.ts";

export interface Runner {
  /** Reads the clock. Called once for the calls of one read event, before the first. */
  tick(): void;
  /**
   * Whether it is worth to tell the keys of several calls ahead, with expect(). It is where the data are
   * larger than the processor's cache.
   */
  readonly looksAhead: boolean;
  /**
   * These `calls` calls come next: call i's key lies at `starts[2 * i]` of `bytes`, what follows it at
   * `starts[2 * i + 1]` (length 0: nothing). Changes nothing; a wrong guess only costs time.
   */
  expect(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array, calls: number): void;
  /** The calls of one read event have run: who keeps what they changed is told of it, behind their answers. */
  ran?(): void;
  /** A new connection. @throws {HiveError} TOO_MANY_CONNECTIONS above connectionsMax, HIVE_CLOSED. */
  open(peer: Peer): Context;
  /** The connection ended: its transaction, watches and waiting calls end with it. */
  close(context: Context): void;
  /**
   * Runs one call and writes exactly one value (or an error) to `reply`. Returns a promise where
   * the answer comes later: then `args` belongs to the engine until it settles (args.keep() was
   * called), and the door must not run the connection's next call on an ordered wire.
   * Never throws for a caller's mistake, and the promise never rejects for one.
   */
  run(context: Context, args: Args, reply: Reply): void | Promise<void>;
  /**
   * Runs several calls as one, as MULTI, the calls and EXEC do, for wires whose connection is shared by
   * many callers. Writes an array of their replies, where what failed is an error; or one error, when a
   * call was refused and none ran. Each of `calls` has to stay valid as run() wants it.
   */
  transact(context: Context, calls: readonly Args[], reply: Reply): void | Promise<void>;
}
