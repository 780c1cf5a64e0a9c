// Serving: a call that waited for a key runs as if it were made now.
//
//   BlockedCalls ──▶ is there memory? has its token quota left? ──▶ serve() ──▶ answered, or it waits on

import { HiveError } from "../base/errors.ts";
import type { Store } from "../store/store.ts";
import { COMMAND_GROWS, type Command } from "./command-table.ts";
import { type Context, GATE_LIMITED } from "./context.ts";
import type { QuotaGuard } from "./quota-guard.ts";

export type ServingParts = {
  store: Store;
  quotas: QuotaGuard | undefined;
  context: Context;
  command: Command;
  /** Answers with the error instead of what was written. @throws what is no HiveError */
  fail(error: unknown): void;
};

/** Returns whether the call was answered. */
export function serveUnderPolicy(serve: () => boolean, parts: ServingParts): boolean {
  const { store, quotas, context, command, fail } = parts;
  if ((command.flags & COMMAND_GROWS) !== 0 && !store.eviction.makeRoom()) {
    fail(new HiveError("OUT_OF_MEMORY", "command not allowed when used memory > 'maxmemory'."));
    return true;
  }
  let isAnswered = true;
  const run = (): boolean => {
    try {
      isAnswered = serve();
      return isAnswered;
    } catch (error) {
      fail(error);
      return false;
    }
  };
  if ((context.gate & GATE_LIMITED) === 0 || quotas?.watches(command) !== true) run();
  else {
    const refused = quotas.run(context.token!, command, run);
    if (refused !== undefined) fail(refused);
  }
  return isAnswered;
}
