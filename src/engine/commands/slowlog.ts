// SLOWLOG and LATENCY: which calls took long, and how long the calls of each command take. A hive keeps no
// latency events, so LATENCY LATEST, HISTORY and RESET answer that there are none.

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import type { CommandEntry } from "../catalogue.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";

const COUNT_DEFAULT = 10;

function get({ services }: Context, args: Args, reply: Reply): void {
  if (args.count > 3) {
    throw new HiveError("WRONG_ARITY", "unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.");
  }
  const calls = services.slowLog.latest(args.count === 3 ? wantedCount(args) : COUNT_DEFAULT);
  reply.array(calls.length);
  for (const call of calls) {
    reply.array(6);
    reply.integer(call.id);
    reply.integer(call.atSeconds);
    reply.integer(call.microseconds);
    reply.array(call.args.length);
    for (const bytes of call.args) reply.bulk(bytes, 0, bytes.length);
    reply.text(call.address);
    reply.text(call.clientName);
  }
}

function wantedCount(args: Args): number {
  let count = -2;
  try {
    count = args.integer(2);
  } catch {}
  if (count < -1) throw new HiveError("OUT_OF_RANGE", "count should be greater than or equal to -1");
  return count === -1 ? Number.MAX_SAFE_INTEGER : count;
}

function length({ services }: Context, _args: Args, reply: Reply): void {
  reply.integer(services.slowLog.length);
}

function reset({ services }: Context, _args: Args, reply: Reply): void {
  services.slowLog.clear();
  reply.ok();
}

/** How long calls took, by command: how many took at most 1, 2, 4, … microseconds (of 1024 ns each). */
function histogram({ services }: Context, args: Args, reply: Reply): void {
  const asked = new Set<CommandEntry>();
  for (let i = 2; i < args.count; i++) {
    const entry = services.commands.named(args.latin1(i));
    if (entry !== undefined) for (const one of [entry, ...(entry.subcommands?.values() ?? [])]) asked.add(one);
  }
  const shown = [...(args.count === 2 ? services.commands.each() : asked)].filter(({ latency }) => latency?.calls);
  reply.map(shown.length);
  for (const { wireName, calls, latency } of shown) {
    const powers = [...latency!.powers()];
    reply.text(wireName);
    reply.map(2);
    reply.text("calls");
    reply.integer(calls);
    reply.text("histogram_usec");
    reply.map(powers.length);
    for (const [microseconds, count] of powers) {
      reply.integer(microseconds);
      reply.integer(count);
    }
  }
}

type Inner = Pick<Row, "name" | "arity" | "summary" | "syntax" | "run">;

function inner(row: Inner): Row {
  return { family: "server", flags: ["admin"], permission: "admin", ...row };
}

export const SLOWLOG_ROW: Row = {
  ...inner({
    name: "SLOWLOG",
    arity: -2,
    summary: "The calls that took longest lately",
    syntax: "subcommand [argument ...]",
    run: () => {},
  }),
  subcommands: [
    inner({
      name: "SLOWLOG GET",
      arity: -2,
      summary: "Returns the latest slow calls, -1 for all: id, time, microseconds, arguments, address, name",
      syntax: "[count]",
      run: get,
    }),
    inner({ name: "SLOWLOG LEN", arity: 2, summary: "Returns how many calls are remembered", syntax: "", run: length }),
    inner({ name: "SLOWLOG RESET", arity: 2, summary: "Forgets them", syntax: "", run: reset }),
  ],
};

export const LATENCY_ROW: Row = {
  ...inner({
    name: "LATENCY",
    arity: -2,
    summary: "How long calls take; latency events: a hive keeps none, see SLOWLOG",
    syntax: "subcommand [argument ...]",
    run: () => {},
  }),
  subcommands: [
    inner({
      name: "LATENCY HISTOGRAM",
      arity: -2,
      summary: "Returns of commands how many calls took at most 1, 2, 4, ... microseconds",
      syntax: "[command [command ...]]",
      run: histogram,
    }),
    inner({
      name: "LATENCY LATEST",
      arity: 2,
      summary: "Returns the latest event of each kind: there are none",
      syntax: "",
      run: (_context, _args, reply) => reply.array(0),
    }),
    inner({
      name: "LATENCY HISTORY",
      arity: 3,
      summary: "Returns the events of one kind: there are none",
      syntax: "event",
      run: (_context, _args, reply) => reply.array(0),
    }),
    inner({
      name: "LATENCY RESET",
      arity: -2,
      summary: "Forgets events, and returns of how many kinds: 0",
      syntax: "[event [event ...]]",
      run: (_context, _args, reply) => reply.integer(0),
    }),
  ],
};
