// Snapshots: SAVE, BGSAVE, LASTSAVE as Redis has them, and SNAPSHOT, which says what it did.
//
// A hive never stands still for a store: SAVE is answered when it is done, and other connections go on
// meanwhile. A restore lets every call wait.

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { SnapshotReport } from "../persistence.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { syntaxError } from "../values.ts";

async function save({ services }: Context, args: Args, reply: Reply): Promise<void> {
  args.keep();
  refuseBesideOther(services.persistence.status().work !== undefined);
  await services.persistence.store();
  reply.ok();
}

function bgsave({ services }: Context, args: Args, reply: Reply): void {
  if (args.count > 2 || (args.count === 2 && !args.is(1, "SCHEDULE"))) throw syntaxError();
  const { persistence } = services;
  persistence.requirePlace();
  const busy = persistence.status().work !== undefined;
  if (args.count === 1) refuseBesideOther(busy);
  // What goes wrong is told by INFO and by the hive's log: nobody waits for it here.
  persistence.store().catch(() => {});
  reply.status(busy ? "Background saving scheduled" : "Background saving started");
}

function refuseBesideOther(busy: boolean): void {
  if (busy) throw new HiveError("SNAPSHOT_FAILED", "Background save already in progress");
}

function lastSave({ services }: Context, _args: Args, reply: Reply): void {
  const { last } = services.persistence.status();
  reply.integer(Math.floor((last?.createdMs ?? services.startedAtMs) / 1000));
}

async function store({ services }: Context, args: Args, reply: Reply): Promise<void> {
  args.keep();
  writeReport(reply, await services.persistence.store(args.count > 2 ? args.text(2) : undefined));
}

async function restore({ services }: Context, args: Args, reply: Reply): Promise<void> {
  args.keep();
  writeReport(reply, await services.persistence.restore(args.text(2)));
}

async function remove({ services }: Context, args: Args, reply: Reply): Promise<void> {
  args.keep();
  await services.persistence.remove(args.text(2));
  reply.ok();
}

async function list({ services }: Context, args: Args, reply: Reply): Promise<void> {
  args.keep();
  const snapshots = await services.persistence.list();
  reply.array(snapshots.length);
  for (const { name, bytes, storedMs } of snapshots)
    writeMap(reply, { name, bytes, "stored-ms": Math.floor(storedMs) });
}

function status({ services }: Context, _args: Args, reply: Reply): void {
  const { place, work, last, lastFailure, changes, stores, failures } = services.persistence.status();
  writeMap(reply, {
    place,
    working: work?.kind ?? "",
    "work-name": work?.name ?? "",
    "work-percent": Math.floor((work?.progress ?? 0) * 100),
    "work-keys": work?.keys ?? 0,
    "work-bytes": work?.bytes ?? 0,
    "backlog-bytes": work?.backlogBytes ?? 0,
    "last-name": last?.name ?? "",
    "last-created-ms": Math.floor(last?.createdMs ?? 0),
    "last-bytes": last?.bytes ?? 0,
    "last-keys": last?.keys ?? 0,
    "last-duration-ms": Math.round(last?.durationMs ?? 0),
    changes,
    stores,
    failures,
    "last-failure": lastFailure?.message ?? "",
    "last-failure-ms": Math.floor(lastFailure?.atMs ?? 0),
  });
}

function writeReport(reply: Reply, { name, bytes, keys, fields, createdMs, durationMs }: SnapshotReport): void {
  const times = { "created-ms": Math.floor(createdMs), "duration-ms": Math.round(durationMs) };
  writeMap(reply, { name, bytes, keys, fields, ...times });
}

function writeMap(reply: Reply, fields: Readonly<Record<string, string | number>>): void {
  const pairs = Object.entries(fields);
  reply.map(pairs.length);
  for (const [name, value] of pairs) {
    reply.text(name);
    if (typeof value === "number") reply.integer(value);
    else reply.text(value);
  }
}

type Inner = Pick<Row, "name" | "arity" | "summary" | "syntax" | "run">;

function later(row: Inner): Row {
  return { family: "server", flags: ["admin", "mayWait", "noMulti"], permission: "admin", ...row };
}

export const SNAPSHOT_ROWS: readonly Row[] = [
  later({ name: "SAVE", arity: 1, summary: "Stores a snapshot, and answers when it is there", syntax: "", run: save }),
  {
    name: "BGSAVE",
    family: "server",
    arity: -1,
    flags: ["admin"],
    permission: "admin",
    summary: "Begins to store a snapshot; SCHEDULE: after the one that is being stored",
    syntax: "[SCHEDULE]",
    run: bgsave,
  },
  {
    name: "LASTSAVE",
    family: "server",
    arity: 1,
    flags: ["admin", "fast"],
    permission: "admin",
    summary: "Returns the moment that the last snapshot shows, in seconds since 1970",
    syntax: "",
    run: lastSave,
  },
  {
    ...later({
      name: "SNAPSHOT",
      arity: -2,
      summary: "Stores, restores and lists snapshots",
      syntax: "subcommand [argument ...]",
      run: () => {},
    }),
    flags: ["admin"],
    subcommands: [
      later({
        name: "SNAPSHOT STORE",
        arity: -2,
        summary: "Stores a snapshot, and says what is in it",
        syntax: "[name]",
        run: store,
      }),
      later({
        name: "SNAPSHOT RESTORE",
        arity: 3,
        summary: "Puts what a snapshot holds in the place of everything; all calls wait meanwhile",
        syntax: "name",
        run: restore,
      }),
      later({
        name: "SNAPSHOT LIST",
        arity: 2,
        summary: "Returns the snapshots that there are, the newest first",
        syntax: "",
        run: list,
      }),
      later({ name: "SNAPSHOT REMOVE", arity: 3, summary: "Removes a snapshot", syntax: "name", run: remove }),
      {
        name: "SNAPSHOT STATUS",
        family: "server",
        arity: 2,
        flags: ["admin", "fast"],
        permission: "admin",
        summary: "Returns what is under way, and how the last one went",
        syntax: "",
        run: status,
      },
    ],
  },
];
