// Engine: call ──▶ row ──▶ policy ──▶ run ──▶ reply.
//
// run() is the only way into the hive. Policy stands here, once, in Redis's order: is there such a
// command, has it the right number of arguments, is the caller authenticated and permitted, is
// there memory, is a transaction open. Each row then runs alone: whatever does not await is atomic.
//
// The doors call tick() once per read event: the clock is read once for all calls that arrived
// together, which is also what makes expiry consistent within a pipeline.

import type { Args } from "./args.ts";
import type { Context, Peer } from "./context.ts";
import type { Reply } from "./reply.ts";

/** What a door needs of an engine. LocalEngine answers at once, DelayedEngine one tick later. */
export interface Runner {
  /** Reads the clock. Called once for the calls of one read event, before the first. */
  tick(): void;
  /** A new connection. @throws {HiveError} OVERLOADED above connectionsMax. */
  open(peer: Peer): Context;
  /** The connection ended: its transaction, watches and waiting calls end with it. */
  close(context: Context): void;
  /**
   * Runs one call and writes exactly one value (or an error) to `reply`. Returns a promise where
   * the answer comes later: then `args` belongs to the engine until it settles (the door looks at
   * args.kept), and the door must not run the connection's next call on an ordered wire.
   * Never throws for a caller's mistake, and the promise never rejects for one.
   */
  run(context: Context, args: Args, reply: Reply): void | Promise<void>;
}
