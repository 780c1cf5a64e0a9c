// Policy: why a call is refused before it runs, by who its caller is.
//
//   authenticated? ──▶ may he do that with these keys? ──▶ …the engine's own: transaction, pause… ──▶ not too often?
//
// Asked only where context.gate says that there is something to ask. It changes nothing but the count of
// calls; the engine says the refusal, and spoils the transaction where one is open.

import type { Clock } from "../base/clock.ts";
import { type ErrorCode, isHiveError } from "../base/errors.ts";
import type { Args } from "./args.ts";
import { hasTypedKey } from "./catalogue.ts";
import { COMMAND_BEFORE_AUTH, COMMAND_ENDS_MULTI, type Command } from "./command-table.ts";
import { type Context, GATE_AUTH, GATE_LIMITED, GATE_SUBSCRIBED } from "./context.ts";
import { missingPermission } from "./permission.ts";
import { reservedKey, reservedRefusal } from "./reserved-names.ts";

export type Refusal = { code: ErrorCode; message: string };

/** Whether the caller is known, and may make this call. */
export function refusalOf(
  { gate, token, protocol, services }: Context,
  command: Command,
  args: Args,
): Refusal | undefined {
  if ((gate & GATE_AUTH) !== 0 && (command.flags & COMMAND_BEFORE_AUTH) === 0) {
    return { code: "NO_AUTH", message: "Authentication required." };
  }
  if ((gate & GATE_LIMITED) !== 0) {
    const missing = missingOf(command, args, { grants: token!.grants, limits: services.limits });
    if (missing !== undefined) return { code: "NO_PERMISSION", message: missing };
  }
  if ((gate & GATE_SUBSCRIBED) === 0 || protocol === 3 || LISTENERS.has(command.name)) return undefined;
  const allowed = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
  return { code: "UNSUPPORTED", message: `Can't execute '${command.wireName}': ${allowed}` };
}

/** Why the keys of a call cannot be keys, or are not for its command to write. Asked of every call. */
export function nameRefusal({ row, mayWriteReserved }: Command, args: Args): Refusal | undefined {
  if (args.typed && hasTypedKey(row, args))
    return { code: "BAD_VALUE", message: "a key is text or bytes, not a value" };
  if (!mayWriteReserved) return undefined;
  const index = reservedKey(row, args);
  if (index === 0) return undefined;
  return { code: "NO_PERMISSION", message: reservedRefusal(args, index) };
}

/** A name that cannot be made is the command's own to refuse. */
function missingOf(command: Command, args: Args, who: Parameters<typeof missingPermission>[3]): string | undefined {
  try {
    return missingPermission(command.row, command.wireName, args, who);
  } catch (error) {
    if (isHiveError(error)) return `'${command.wireName}': ${error.message}`;
    throw error;
  }
}

/** What a connection of RESP2 may call while it listens: it cannot tell a message from a reply. */
const LISTENERS: ReadonlySet<string> = new Set(
  "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE PING QUIT RESET".split(" "),
);

/** Counts a call of a token that has a quota of them. The ways in, and out of a transaction, are free. */
export function rateRefusal({ token }: Context, { flags }: Command, clock: Clock): Refusal | undefined {
  const max = token?.quotas.callsPerSecond;
  if (max === undefined || (flags & (COMMAND_BEFORE_AUTH | COMMAND_ENDS_MULTI)) !== 0) return undefined;
  const waitMs = token!.takeCall(clock.monotonicMs());
  if (waitMs === 0) return undefined;
  const message = `callsPerSecond: this token may make ${max} calls a second; try again in ${waitMs} ms`;
  return { code: "QUOTA", message };
}
