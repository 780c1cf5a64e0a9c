// Client list: one line per connection, as CLIENT LIST and CLIENT INFO show it, and which types there are.
//
// The fields are Redis's, in its order. Those of what a hive has not (databases, its buffers)
// say so: 0, or -1.

import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import { type Context, GATE_MULTI, GATE_NO_TOUCH } from "../context.ts";
import type { Reply } from "../reply.ts";
import { syntaxError } from "../values.ts";

/** Types that connections of Redis have. Here they are normal, or listen to channels. */
const TYPES: readonly string[] = ["NORMAL", "SLAVE", "REPLICA", "PUBSUB", "MASTER"];

/** The type in argument `index`. @throws {HiveError} INVALID_ARGUMENT */
export function clientType(args: Args, index: number): string {
  const type = TYPES.find((known) => args.is(index, known));
  if (type !== undefined) return type;
  const shown = quoteBytes(args.buffer, args.start(index), args.end(index), QUOTED_BYTES_MAX);
  throw new HiveError("INVALID_ARGUMENT", `Unknown client type '${shown}'`);
}

/** Whether a connection has the type that clientType() read. */
export function isOfType(client: Context, type: string): boolean {
  return type === (client.listens ? "PUBSUB" : "NORMAL");
}

export function clientList(context: Context, args: Args, reply: Reply): void {
  const { clients, limits } = context.services;
  if (args.count === 2) return showAll(clients.values(), reply, limits.outputBytesMax);
  if (args.count === 4 && args.is(2, "TYPE")) {
    const type = clientType(args, 3);
    return showAll(
      [...clients.values()].filter((client) => isOfType(client, type)),
      reply,
      limits.outputBytesMax,
    );
  }
  if (args.count <= 3 || !args.is(2, "ID")) throw syntaxError();
  const chosen: Context[] = [];
  for (let i = 3; i < args.count; i++) {
    const client = clients.get(clientId(args, i));
    if (client) chosen.push(client);
  }
  showAll(chosen, reply, limits.outputBytesMax);
}

function clientId(args: Args, index: number): number {
  try {
    return args.integer(index);
  } catch {
    throw new HiveError("NOT_INTEGER", "Invalid client ID");
  }
}

export function clientInfo(context: Context, _args: Args, reply: Reply): void {
  showAll([context], reply, context.services.limits.outputBytesMax);
}

/** @throws {HiveError} OUTPUT_TOO_BIG: CLIENT LIST ID may name a connection as often as it likes. */
function showAll(clients: Iterable<Context>, reply: Reply, bytesMax: number): void {
  const known = new Map<Context, string>();
  let lines = "";
  for (const client of clients) {
    let shown = known.get(client);
    if (shown === undefined) {
      shown = `${line(client)}\n`;
      known.set(client, shown);
    }
    if (lines.length + shown.length > bytesMax) {
      throw new HiveError("OUTPUT_TOO_BIG", `reply exceeds outputBytesMax (${bytesMax} bytes)`);
    }
    lines += shown;
  }
  reply.verbatim("txt", lines);
}

function line(client: Context): string {
  const { peer, transaction } = client;
  const inMulti = (client.gate & GATE_MULTI) !== 0;
  const { tracking } = client;
  // In Redis's order.
  const all = [
    client.listens && "P",
    inMulti && "x",
    client.services.blocked.isWaiting(client.id) && "b",
    tracking !== undefined && "t",
    tracking?.isBroken && "R",
    tracking?.broadcast && "B",
    transaction?.touched && "d",
    client.noEvict && "e",
    (client.gate & GATE_NO_TOUCH) !== 0 && "T",
  ]
    .filter(Boolean)
    .join("");
  const multiBytes = inMulti ? transaction!.queuedBytes : 0;
  return [
    `id=${client.id} addr=${peer.address} laddr=${peer.localAddress} fd=-1 name=${client.name}`,
    `age=${seconds(client.nowMs - client.createdAtMs)} idle=${seconds(client.nowMs - client.lastCallMs)}`,
    `flags=${all === "" ? "N" : all} db=0 sub=${client.listensTo("channel")} psub=${client.listensTo("pattern")} ssub=${client.listensTo("shard")}`,
    `multi=${inMulti ? transaction!.queue.length : -1} watch=${transaction?.watched.size ?? 0}`,
    `qbuf=${peer.inputBytes} qbuf-free=0 argv-mem=0 multi-mem=${multiBytes} rbs=0 rbp=0`,
    `obl=0 oll=0 omem=${peer.outputBytes} tot-mem=${peer.inputBytes + peer.outputBytes + multiBytes} events=r`,
    `cmd=${client.lastCommand.toLowerCase().replace(" ", "|") || "NULL"} user=${client.user} redir=${tracking?.redirect ?? -1}`,
    `resp=${client.protocol} lib-name=${client.libraryName} lib-ver=${client.libraryVersion}`,
  ].join(" ");
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
