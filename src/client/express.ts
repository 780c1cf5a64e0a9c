// memhive/express: sessions of express-session in a hive.
//
//   app.use(session({ secret, store: new HiveStore({ client }), … }))
//
// Each web session is one of the hive (device-session.ts), with a label for each of its fields. What a request has
// changed is found by comparing with what it read, and only that is written: requests of one session that change
// different fields do not undo each other. One that was ended, by a logout or by its time, is not brought back by a
// request that still has it: a close always wins. What it held is overwritten in the hive then.
//
// Values are what JSON makes of them, as in every store of express-session.

import { type SessionData, Store } from "express-session";
import { isHiveError } from "../base/errors.ts";
import type { Client } from "./client.ts";
import { sessionChannel } from "./device-session.ts";

export type HiveStoreOptions = {
  client: Client;
  /** The device that the sessions count for. Default: "express". */
  device?: string | undefined;
  /** How long a session lives whose cookie has no end of its own. Default: a day. */
  ttlMs?: number | undefined;
};

type Callback<Value = void> = (error?: unknown, value?: Value) => void;
/** By field: its JSON. */
type Fields = ReadonlyMap<string, string>;

const DAY_MS = 86_400_000;
const COOKIE = "cookie";

export class HiveStore extends Store {
  readonly #client: Client;
  readonly #device: string;
  readonly #ttlMs: number;
  /** What the hive had of a session when a request read or wrote it. */
  readonly #seen: WeakMap<object, { sid: string; fields: Fields }> = new WeakMap();

  constructor({ client, device = "express", ttlMs = DAY_MS }: HiveStoreOptions) {
    super();
    this.#client = client;
    this.#device = device;
    this.#ttlMs = ttlMs;
  }

  override get(sid: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    settle(this.#read(sid), callback);
  }

  /** What express makes of what get() gave: from here on it is known what of it is new. */
  override createSession(...args: Parameters<Store["createSession"]>): ReturnType<Store["createSession"]> {
    const session = super.createSession(...args);
    const sid = (args[0] as unknown as { sessionID?: string }).sessionID;
    if (sid !== undefined) this.#seen.set(session, { sid, fields: fieldsOf(session) });
    return session;
  }

  override set(sid: string, session: SessionData, callback?: Callback): void {
    settle(this.#write(sid, session), callback);
  }

  override destroy(sid: string, callback?: Callback): void {
    settle(
      this.#client.send(["SESSION.CLOSE", this.#device, sid]).then(() => {}),
      callback,
    );
  }

  /** Prolongs a session that is open. */
  override touch(sid: string, session: SessionData, callback?: () => void): void {
    settle(this.#touch(sid, session), callback as Callback | undefined);
  }

  override all(
    callback: (error: unknown, sessions?: SessionData[] | { [sid: string]: SessionData } | null) => void,
  ): void {
    const read = async (): Promise<{ [sid: string]: SessionData }> => {
      const sids = await this.#sids();
      const sessions = await Promise.all(sids.map((sid) => this.#read(sid)));
      return Object.fromEntries(sids.flatMap((sid, i) => (sessions[i] ? [[sid, sessions[i]]] : [])));
    };
    settle(read(), callback);
  }

  override length(callback: (error: unknown, length?: number) => void): void {
    settle(
      this.#sids().then((sids) => sids.length),
      callback,
    );
  }

  override clear(callback?: Callback): void {
    const close = async (): Promise<void> => {
      const sids = await this.#sids();
      await Promise.all(sids.map((sid) => this.#client.send(["SESSION.CLOSE", this.#device, sid])));
    };
    settle(close(), callback);
  }

  async #read(sid: string): Promise<SessionData | null> {
    const found = await this.#client.send(["HGETALL", sessionChannel(this.#device, sid)]);
    if (!(found instanceof Map) || found.size === 0) return null;
    const labels = [...found].filter(([label]) => typeof label === "string");
    return Object.fromEntries(labels) as SessionData;
  }

  async #write(sid: string, session: SessionData): Promise<void> {
    const ttlMs = this.#leftMs(session);
    if (ttlMs <= 0) return void (await this.#client.send(["SESSION.CLOSE", this.#device, sid]));
    const fields = fieldsOf(session);
    const seen = this.#seen.get(session);
    const target = [this.#device, sid] as const;
    const calls = this.#client.multi();
    const put = (name: string, json: string): void =>
      void calls.send(["SESSION.PUT", ...target, name, JSON.parse(json)]);
    if (seen?.sid === sid) {
      calls.send(["SESSION.TOUCH", ...target, "PX", ttlMs]);
      for (const [name, json] of fields) if (seen.fields.get(name) !== json) put(name, json);
      const gone = [...seen.fields.keys()].filter((name) => !fields.has(name));
      if (gone.length > 0) calls.send(["SESSION.DELETE", ...target, ...gone]);
    } else {
      calls.send(["SESSION.CLOSE", ...target]);
      calls.send(["SESSION.BEGIN", this.#device, "PX", ttlMs, "ID", sid]);
      for (const [name, json] of fields) put(name, json);
    }
    await run(calls);
    this.#seen.set(session, { sid, fields });
  }

  async #touch(sid: string, session: SessionData): Promise<void> {
    const ttlMs = this.#leftMs(session);
    if (ttlMs <= 0) return void (await this.#client.send(["SESSION.CLOSE", this.#device, sid]));
    const cookie = fieldsOf(session).get(COOKIE);
    const calls = this.#client.multi().send(["SESSION.TOUCH", this.#device, sid, "PX", ttlMs]);
    if (cookie !== undefined) calls.send(["SESSION.PUT", this.#device, sid, COOKIE, JSON.parse(cookie)]);
    await run(calls);
    const seen = this.#seen.get(session);
    if (seen?.sid === sid && cookie !== undefined) {
      this.#seen.set(session, { sid, fields: new Map([...seen.fields, [COOKIE, cookie]]) });
    }
  }

  /** Milliseconds that a session has left, by its cookie. */
  #leftMs({ cookie }: SessionData): number {
    const expires = cookie?.expires as Date | string | null | undefined;
    return expires ? Math.ceil(new Date(expires).getTime() - Date.now()) : this.#ttlMs;
  }

  async #sids(): Promise<string[]> {
    const start = sessionChannel(this.#device, "");
    const keys = await Array.fromAsync(this.#client.scan({ match: `${start}*` }));
    return [...new Set(keys)].map((key) => key.slice(start.length));
  }
}

/** The calls run as one. To a session that has ended nothing is written, and that is no failure. */
async function run(calls: { exec(): Promise<readonly unknown[]> }): Promise<void> {
  const answers = await calls.exec();
  const failed = answers.find((answer) => isHiveError(answer) && answer.code !== "SESSION_GONE");
  if (failed !== undefined) throw failed;
}

function fieldsOf(session: object): Fields {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(session)) {
    const json: string | undefined = JSON.stringify(value);
    if (json !== undefined) fields.set(name, json);
  }
  return fields;
}

/** What a callback throws is its own: it does not run inside the promise. */
function settle<Value>(work: Promise<Value>, callback: ((error: unknown, value?: Value) => void) | undefined): void {
  work.then(
    (value) => callback && setImmediate(callback, null, value),
    (error: unknown) => callback && setImmediate(callback, error),
  );
}
