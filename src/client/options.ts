// What a client may be told, and what it is told where nobody says.

import { HiveError } from "../base/errors.ts";
import { type TypeClass, Types } from "../wire/value.ts";
import type { NearOptions } from "./near-options.ts";
import { type SpoolOptions, type SpoolSettings, spoolSettings } from "./spool-options.ts";

export type ReconnectOptions = {
  /** The longest first pause; each further one may be twice as long. A pause is drawn between 0 and that. */
  minMs?: number;
  maxMs?: number;
  /** Attempts in a row before the client gives up and closes. Without it, it never does. */
  attemptsMax?: number;
};

/** What may wait for an answer at once. Above it a call is refused at once with OVERLOADED: nothing was sent. */
export type QueueOptions = {
  calls?: number;
  bytes?: number;
  /** How long a call may wait for a connection. Then it rejects with CONNECTION_LOST, and was not sent. */
  ageMs?: number;
};

export type ClientOptions = {
  /** The hive's token, where it wants one. */
  token?: string;
  /** What the connection is called in CLIENT LIST: visible ASCII. */
  name?: string;
  /** A call without a deadline of its own has this one. Default 10,000; 0: none. */
  timeoutMs?: number;
  /** From dialing to the end of the handshake. Default 5,000. */
  connectTimeoutMs?: number;
  /** How long connect() tries where nobody answers yet. Default 0: one attempt. */
  waitMs?: number;
  /** False: a connection that is lost ends the client. */
  reconnect?: ReconnectOptions | false;
  queue?: QueueOptions;
  /** How often either end has to be heard of; after three times that in silence the connection is lost. Default 5,000; 0: off. */
  heartbeatMs?: number;
  /**
   * How long the client looks for an answer without giving the processor away, while few calls are open.
   * It halves the time of a call over a unix socket and costs processor time. Default 50; 0: off. In
   * browsers it has no effect.
   */
  spinMicroseconds?: number;
  /** False: nothing is read straight from the memory of a hive of this host, see client.shared. */
  shared?: boolean;
  /**
   * Values of keys that get() has read are kept in this process until the hive says that they changed: see
   * client.near. With `prefix` only of keys that begin so; the hive tells of each change of those.
   */
  near?: NearOptions & { prefix?: string | undefined };
  /** Classes whose instances devices and sessions keep as such; instances of others are refused there. */
  types?: readonly TypeClass[];
  /**
   * What devices put is kept while there is no connection, and sent then: see client.spool. With it connect() resolves
   * although no hive answers yet, and goes on trying.
   */
  spool?: SpoolOptions | undefined;
};

export type Settings = {
  token: string | undefined;
  name: string | undefined;
  timeoutMs: number;
  connectTimeoutMs: number;
  waitMs: number;
  reconnects: boolean;
  reconnect: { minMs: number; maxMs: number; attemptsMax: number };
  queue: { calls: number; bytes: number; ageMs: number };
  heartbeatMs: number;
  spinMicroseconds: number;
  shared: boolean;
  near: ClientOptions["near"];
  types: Types;
  spool: SpoolSettings | undefined;
};

/** @throws {HiveError} REFUSED_SETTING */
export function settingsOf(options: ClientOptions): Settings {
  const { reconnect, queue } = options;
  const settings: Settings = {
    token: options.token,
    name: options.name,
    timeoutMs: options.timeoutMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    waitMs: options.waitMs ?? 0,
    reconnects: reconnect !== false,
    reconnect: { minMs: 50, maxMs: 5_000, attemptsMax: Number.POSITIVE_INFINITY, ...(reconnect || {}) },
    queue: { calls: 100_000, bytes: 64 * 1024 * 1024, ageMs: 5_000, ...queue },
    heartbeatMs: options.heartbeatMs ?? 5_000,
    spinMicroseconds: options.spinMicroseconds ?? 50,
    shared: options.shared ?? true,
    near: options.near,
    types: new Types(options.types),
    spool: options.spool === undefined ? undefined : spoolSettings(options.spool),
  };
  for (const name of ["timeoutMs", "connectTimeoutMs", "waitMs", "heartbeatMs", "spinMicroseconds"] as const) {
    requireCount(name, settings[name]);
  }
  for (const name of ["calls", "bytes", "ageMs"] as const) requireCount(`queue.${name}`, settings.queue[name]);
  requireNear(options.near);
  requireCount("reconnect.minMs", settings.reconnect.minMs);
  requireCount("reconnect.maxMs", settings.reconnect.maxMs);
  // What waits in a spool waits for a hive, however long that takes.
  if (settings.spool !== undefined) settings.waitMs = Number.POSITIVE_INFINITY;
  return settings;
}

/** @throws {HiveError} REFUSED_SETTING */
export function requireNear(near: NearOptions | undefined): void {
  for (const name of ["entriesMax", "bytesMax", "ttlMs"] as const) {
    if (near?.[name] !== undefined) requireCount(`near.${name}`, near[name]);
  }
}

function requireCount(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new HiveError("REFUSED_SETTING", `${name}: expected a number from 0 on, got ${value}`);
}
