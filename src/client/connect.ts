// connect(): from an address to a client.
//
//   connectWith(platform)(target, options) ──▶ how to dial ──▶ Connection ──ready──▶ Client
//
// The platform is what differs between Node and browsers; its entry file hands it in.

import { HiveError, isHiveError } from "../base/errors.ts";
import { systemTimers } from "../base/timers.ts";
import type { Transport } from "../base/transport.ts";
import { VERSION } from "../base/version.ts";
import { type Address, DEFAULT_URL, parseAddress } from "./address.ts";
import { Bound } from "./bound.ts";
import { Client } from "./client.ts";
import { Connection } from "./connection.ts";
import { Nears } from "./nears.ts";
import { type ClientOptions, settingsOf } from "./options.ts";
import type { Dial } from "./session.ts";
import { type OpenShared, SharedReads } from "./shared-reads.ts";
import { TOUCH } from "./specs.ts";
import { Spool } from "./spool.ts";
import type { OpenSpool } from "./spool-keeper.ts";
import type { SpoolSettings } from "./spool-options.ts";
import { StateEvent } from "./state-event.ts";

/** Something in this process that can be connected to: a Hive of memhive-server. */
export interface Dialable {
  dial(): Promise<Transport>;
}

export type Platform<Tls> = {
  name: string;
  /** The address where nobody says one; undefined where there is none. */
  defaultUrl(): string | undefined;
  /** Maps the memory of a hive of this host; undefined where that cannot be done. */
  openShared?: OpenShared;
  /** Opens the folder of a spool; undefined where there are no folders. */
  openSpool?: OpenSpool;
  /** Opens a connection. @throws {HiveError} UNSUPPORTED: it cannot be done here. */
  dial(address: Address, tls: Tls | undefined): Dial;
};

export type Connect<Tls> = (target?: string | Dialable, options?: ClientOptions & { tls?: Tls }) => Promise<Client>;

export function connectWith<Tls>(platform: Platform<Tls>): Connect<Tls> {
  return async (target, options = {}) => {
    const where = dialOf(platform, target, options);
    const settings = settingsOf({ ...options, ...(where.token === undefined ? {} : { token: where.token }) });
    let client: Client | undefined;
    const shared = new SharedReads({
      open: platform.openShared,
      wanted: settings.shared,
      isLocal: where.isLocal,
      timers: systemTimers,
      touch: (names) => void connection.call(TOUCH, names, undefined).catch(() => {}),
    });
    const nears = new Nears(systemTimers);
    let mapped: Promise<void> | undefined;
    const spool = await openSpool(platform, settings.spool);
    // With a spool the program goes on at once where nobody answers: after the first attempt, which may take its time.
    const { promise: offline, resolve: isOffline } = Promise.withResolvers<void>();
    const stopWaiting = spool && systemTimers.after(OFFLINE_MS, isOffline, true);
    const connection: Connection = new Connection({
      dial: where.dial,
      address: where.shown,
      settings,
      library: { name: platform.name, version: VERSION },
      timers: systemTimers,
      random: Math.random,
      readsMemory: () => shared.on,
      onWrite: (spec, args) => nears.wrote(spec, args),
      onState(state, cause) {
        if (state === "ready") spool?.send();
        else if (state === "closed") void spool?.end();
        else if (cause !== undefined) isOffline();
        if (state !== "ready") nears.lost();
        if (state === "ready") mapped = shared.connected(connection.welcome!);
        else
          shared.disconnected(
            cause?.message ?? (state === "closed" ? "this client is closed" : "there is no connection"),
          );
        client?.dispatchEvent(new StateEvent(state, cause));
      },
    });
    const { near } = settings;
    const keys = near === undefined ? undefined : nears.of(connection, ["PREFIX", near.prefix ?? ""], near);
    client = new Client(new Bound({ connection, shared, nears, keys, types: settings.types, spool }));
    spool?.attach(connection);
    try {
      await (spool === undefined ? connection.ready : Promise.race([connection.ready, offline]));
      await mapped;
    } catch (error) {
      throw withAdvice(error, where.shown);
    } finally {
      stopWaiting?.();
    }
    return client;
  };
}

/** How long connect() waits with a spool: longer than a handshake takes, and less than a person minds. */
const OFFLINE_MS = 500;

async function openSpool<Tls>(
  { openSpool }: Platform<Tls>,
  settings: SpoolSettings | undefined,
): Promise<Spool | undefined> {
  return settings && Spool.open({ settings, timers: systemTimers, nowMs: Date.now }, openSpool);
}

type Where = {
  dial: Dial;
  shown: string;
  token: string | undefined;
  /** Whether the address says that the hive is on this host: another one is not believed that it is. */
  isLocal: boolean;
};

function dialOf<Tls>(
  platform: Platform<Tls>,
  target: string | Dialable | undefined,
  options: ClientOptions & { tls?: Tls },
): Where {
  if (typeof target === "object") {
    return { dial: () => target.dial(), shown: "this process", token: options.token, isLocal: true };
  }
  const address = parseAddress(target ?? platform.defaultUrl() ?? DEFAULT_URL);
  const { shown } = address;
  const token = options.token ?? address.token;
  return { dial: platform.dial(address, options.tls), shown, token, isLocal: isLoopback(address.target) };
}

function isLoopback(target: Address["target"]): boolean {
  return "path" in target || /^(localhost|127\.[\d.]+|::1)$/.test(target.host);
}

/** Whoever tries memhive for the first time has no hive yet. */
function withAdvice(error: unknown, address: string): unknown {
  if (!isHiveError(error) || error.code !== "CONNECTION_LOST") return error;
  const refused = /ECONNREFUSED|ENOENT/.test(error.message);
  const advice = refused ? `; is a hive running there? \`memhive serve\` starts one at ${DEFAULT_URL}` : "";
  const message = error.message.includes(address) ? error.message : `${address}: ${error.message}`;
  return new HiveError(error.code, `${message}${advice}`, {
    detail: error.detail,
    cause: error.cause ?? error,
    sent: false,
  });
}
