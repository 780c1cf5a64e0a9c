// HiveOptions: what Hive.start() takes.
//
// Those that can be set from outside too are rows of settings/table.ts, which checks them.

import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { FeedKeep } from "../engine/change-feed.ts";
import type { EvictionPolicy } from "../store/store.ts";
import type { StructureOption } from "./hive-structures.ts";
import type { HttpOptions } from "./http-doors.ts";
import type { SnapshotSettings } from "./snapshots.ts";
import type { TlsOptions } from "./tls-options.ts";

export type HiveOptions = {
  /** An address of this machine. One that is not loopback needs a token. */
  host?: string;
  /** 0 for a free one: then see hive.port. False for no TCP at all: then `unix` is how to reach the hive. */
  port?: number | false;
  /** A path to listen on as well, or alone. */
  unix?: string;
  /** TLS, on the same port as everything else. */
  tls?: TlsOptions;
  /** HTTP, on the same port: which web pages may call, and by which names. */
  http?: HttpOptions;
  /** False opens no port and no socket: the hive is there for this process alone. */
  listen?: boolean;
  /** Bytes that the data may take, rounded to pages; without it as much as the system gives. */
  maxMemoryBytes?: number;
  /** What happens when they are used up. Default: noeviction, calls that need memory fail. */
  maxMemoryPolicy?: EvictionPolicy;
  /** Bytes that one device may have, its sessions included, and that all devices may have together. 0: no such cap. */
  deviceBytesMax?: number;
  devicesBytesMax?: number;
  /** True: processes of this host and user may read the data straight from memory (package koffi, Linux). */
  shared?: boolean;
  /** The tmpfs that shared memory is kept in. Default: /dev/shm. */
  sharedFolder?: string;
  /** When changes are noted for hive.watch(). Default: from the first watcher on. */
  feed?: { keep?: FeedKeep };
  /** Which keyspace notifications are sent, in the letters of notify-keyspace-events. Default: none. */
  keyspaceEvents?: string;
  /** False: the hive does not keep the process alive, neither by listening nor by its connections. Default: it does. */
  keepAlive?: boolean;
  /** Where the hive has its time from: a ManualClock lets a test decide when a TTL has passed. */
  clock?: Clock;
  limits?: Partial<Limits>;
  /** Where snapshots are kept, and when they are made. Without it the hive keeps nothing. */
  snapshots?: SnapshotSettings & { folder?: string };
  /** What every connection has to say, and may do everything then: at least 16 characters. In-process ones need none. */
  token?: string;
  /** Tokens with grants and quotas: a file of `memhive token`, or true for those that hive.tokens makes meanwhile. */
  tokens?: string | true;
  /** Structures: classes, alone or with options for their init(), names of ready ones ("fifo"), files ("./votes.ts"). */
  structures?: readonly StructureOption[];
  /** True: structures of names and files run in worker threads. Classes among `structures` say that for themselves. */
  isolate?: boolean;
  /** True: a thread names on standard error which command of a structure blocks the hive, while it does. */
  watched?: boolean;
  /** What happens, for operators: a pino logger, or anything of its shape. Silent without it. */
  log?: Log;
  /** One line for operators: a connection was cut off or refused, and why. */
  onNotice?: (message: string) => void;
};

/** Every option, so that one with a slip in its name is refused. */
const OPTIONS: Readonly<Record<keyof HiveOptions, true>> = {
  host: true,
  port: true,
  unix: true,
  listen: true,
  http: true,
  tls: true,
  maxMemoryBytes: true,
  maxMemoryPolicy: true,
  deviceBytesMax: true,
  devicesBytesMax: true,
  shared: true,
  sharedFolder: true,
  feed: true,
  keyspaceEvents: true,
  keepAlive: true,
  clock: true,
  limits: true,
  snapshots: true,
  token: true,
  tokens: true,
  structures: true,
  isolate: true,
  watched: true,
  log: true,
  onNotice: true,
};

export const HIVE_OPTION_NAMES: readonly string[] = Object.keys(OPTIONS);
