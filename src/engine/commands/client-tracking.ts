// Client tracking: CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO. What they switch is in tracking.ts.

import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { TrackingMode } from "../tracking.ts";
import { syntaxError } from "../values.ts";

type Asked = TrackingMode & { prefixes: string[] };

const SWITCHING = "before disabling tracking for this client, and then re-enabling it with a different mode.";

export function tracking(context: Context, args: Args, reply: Reply): void {
  const asked = read(context, args);
  if (args.is(2, "ON")) begin(context, asked);
  else if (args.is(2, "OFF")) context.services.tracking.end(context);
  else throw syntaxError();
  reply.ok();
}

/** @throws {HiveError} SYNTAX, INVALID_ARGUMENT, NOT_INTEGER */
function read({ services }: Context, args: Args): Asked {
  const asked: Asked = { broadcast: false, optIn: false, optOut: false, noLoop: false, redirect: 0, prefixes: [] };
  for (let i = 3; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "REDIRECT") && hasMore) {
      i++;
      if (asked.redirect !== 0) throw invalid("A client can only redirect to a single other client");
      asked.redirect = args.integer(i);
      // One of another wire takes no pushes.
      if (services.clients.get(asked.redirect)?.peer.deliver === undefined) {
        throw invalid("The client ID you want redirect to does not exist");
      }
    } else if (args.is(i, "BCAST")) asked.broadcast = true;
    else if (args.is(i, "OPTIN")) asked.optIn = true;
    else if (args.is(i, "OPTOUT")) asked.optOut = true;
    else if (args.is(i, "NOLOOP")) asked.noLoop = true;
    else if (args.is(i, "PREFIX") && hasMore) asked.prefixes.push(args.latin1(++i));
    else throw syntaxError();
  }
  return asked;
}

function begin(context: Context, { prefixes, ...mode }: Asked): void {
  const { broadcast, optIn, optOut } = mode;
  const before = context.tracking;
  if (!broadcast && prefixes.length > 0) throw invalid("PREFIX option requires BCAST mode to be enabled");
  if (before !== undefined && before.broadcast !== broadcast) {
    throw invalid(`You can't switch BCAST mode on/off ${SWITCHING}`);
  }
  if (broadcast && (optIn || optOut)) throw invalid("OPTIN and OPTOUT are not compatible with BCAST");
  if (optIn && optOut) throw invalid("You can't specify both OPTIN mode and OPTOUT mode");
  if (before !== undefined && ((optIn && before.optOut) || (optOut && before.optIn))) {
    throw invalid(`You can't switch OPTIN/OPTOUT mode ${SWITCHING}`);
  }
  if (broadcast) {
    const existing = before?.prefixes ?? new Set<string>();
    const { trackedPrefixesMax } = context.services.limits;
    // Each is compared with each, so their number is looked at first: one that is said twice counts twice.
    if (prefixes.length > trackedPrefixesMax || new Set([...existing, ...prefixes]).size > trackedPrefixesMax) {
      throw new HiveError("OVERLOADED", `more than trackedPrefixesMax (${trackedPrefixesMax}) prefixes`);
    }
    requireApart(prefixes, existing);
    if (prefixes.length === 0) prefixes.push("");
    admit(context, prefixes);
  }
  context.services.tracking.begin(context, mode, prefixes);
}

/** No prefix may be the beginning of another. */
function requireApart(prefixes: readonly string[], existing: ReadonlySet<string>): void {
  const sorted = [...existing].sort();
  for (const [i, prefix] of prefixes.entries()) {
    const old = sorted.find((other) => overlaps(prefix, other));
    if (old !== undefined) throw overlapping(prefix, "an existing prefix", old);
    const other = prefixes.slice(i + 1).find((later) => overlaps(prefix, later));
    if (other !== undefined) throw overlapping(prefix, "another provided prefix", other);
  }
}

function overlaps(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function overlapping(prefix: string, what: string, other: string): HiveError {
  return invalid(
    `Prefix '${shown(prefix)}' overlaps with ${what} '${shown(other)}'. Prefixes for a single client must not overlap.`,
  );
}

function shown(prefix: string): string {
  const bytes = Buffer.from(prefix, "latin1");
  return quoteBytes(bytes, 0, bytes.length, QUOTED_BYTES_MAX);
}

/** @throws {HiveError} OVERLOADED; NO_PERMISSION: names of keys are told to who may read them. */
function admit({ services, token }: Context, prefixes: readonly string[]): void {
  const { keyBytesMax } = services.limits;
  for (const prefix of prefixes) {
    if (prefix.length > keyBytesMax) throw invalid(`a prefix is longer than keyBytesMax (${keyBytesMax})`);
    if (token === undefined || token.grants.coversPrefix("read", Buffer.from(prefix, "latin1"))) continue;
    throw new HiveError("NO_PERMISSION", "'client|tracking' needs read on all keys with its prefixes");
  }
}

export function caching({ tracking: state }: Context, args: Args, reply: Reply): void {
  if (state === undefined) {
    const message =
      "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled";
    throw invalid(message);
  }
  if (args.is(2, "YES")) {
    if (!state.optIn) throw invalid("CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  } else if (!args.is(2, "NO")) throw syntaxError();
  else if (!state.optOut) throw invalid("CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  state.caching = true;
  reply.ok();
}

export function getRedir({ tracking: state }: Context, _args: Args, reply: Reply): void {
  reply.integer(state?.redirect ?? -1);
}

export function trackingInfo({ tracking: state }: Context, _args: Args, reply: Reply): void {
  const flags = [state === undefined ? "off" : "on"];
  if (state?.broadcast) flags.push("bcast");
  if (state?.optIn) flags.push("optin", ...(state.caching ? ["caching-yes"] : []));
  if (state?.optOut) flags.push("optout", ...(state.caching ? ["caching-no"] : []));
  if (state?.noLoop) flags.push("noloop");
  if (state?.isBroken) flags.push("broken_redirect");
  reply.map(3);
  reply.text("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.text(flag);
  reply.text("redirect");
  reply.integer(state?.redirect ?? -1);
  reply.text("prefixes");
  const prefixes = [...(state?.prefixes ?? [])].sort();
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulk(Buffer.from(prefix, "latin1"), 0, prefix.length);
}

function invalid(message: string): HiveError {
  return new HiveError("INVALID_ARGUMENT", message);
}
