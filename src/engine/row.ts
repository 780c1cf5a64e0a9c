// Row: one command of the table.
//
// Dispatch, permissions, key positions, COMMAND, docs/commands.md and completion are all read from
// the rows; nothing about a command is said twice. A row never sees a wire format, and policy
// (authentication, permission, memory, transactions) is applied around it by the engine.

import type { Args } from "./args.ts";
import type { RowFacts } from "./catalogue.ts";
import type { Context } from "./context.ts";
import type { Reply } from "./reply.ts";

export {
  type Family,
  type Flag,
  type KeyAccess,
  type KeySpec,
  keyIndexes,
  oneKey,
  type Permission,
} from "./catalogue.ts";

export type Row = RowFacts & {
  /**
   * For a container command ("CLIENT"): its subcommands, by their second word. `run` is then only
   * called without one, where the arity allows that (COMMAND). Each container gets a HELP of its own.
   */
  subcommands?: readonly Row[];
  /**
   * Answers through `reply`, exactly one value. It answers at once where it can; a row with
   * `mayWait` may return a promise, and then calls args.keep() before its first await.
   * @throws {HiveError} to fail; what was written to `reply` is taken back first.
   */
  run(context: Context, args: Args, reply: Reply): void | Promise<void>;
};
