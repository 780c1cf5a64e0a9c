// Tokens: who may do what, how much of it, and until when.
//
//   create(options) ──▶ "hive_<id>_<secret>", told once; kept is its SHA-256
//   verify(bytes)   ──▶ the Token, in the same time for every wrong one
//   revoke, replaceAll, expire ──▶ onGone, onUpdated ──▶ its connections end, or have less
//
// The secret is 256 random bits, so a fast hash is enough and nothing of it can be guessed. The id is for
// the look-up and for people: CLIENT LIST and notices show it. It does no I/O: server/tokens-file.ts
// keeps the records. A token's owner number, by which the store counts its keys, is never used again.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { HiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../base/limits.ts";
import { ALL_GRANTS, Grants } from "./grants.ts";
import { deviceKey, sessionKeyStart } from "./reserved-names.ts";
import {
  firstOwner,
  infoOf,
  newToken,
  type TokenInfo,
  type TokenOptions,
  type TokenQuotas,
  type TokenRecord,
} from "./token-records.ts";

/** The name of the user who has no token, and of the single one. */
export const DEFAULT_USER = "default";
/** Characters of the single token: nobody should guess it. */
export const SINGLE_TOKEN_LENGTH_MIN = 16;
/** What sums of intervals may be off. */
const ROUNDING_MS = 1e-3;
const FORM = /^hive_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const FORM_LENGTH = 61;

/** A token that is known: one object for as long as it is, whatever changes about it. */
export class Token {
  readonly id: string;
  info: TokenInfo;
  grants: Grants;
  readonly owner: number;
  /** Connections that have authenticated with it. */
  connections = 0;
  /** When its bucket of calls, one second's, is full again. */
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(record: TokenInfo & { owner: number }, limits: Limits) {
    this.id = record.id;
    this.owner = record.owner;
    this.info = infoOf(record);
    this.grants = grantsOf(record, limits);
  }

  get quotas(): TokenQuotas {
    return this.info.quotas;
  }

  get expiresAtMs(): number {
    return this.info.expiresAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** Whether its calls have to be looked at one by one. */
  get limited(): boolean {
    return !this.grants.unrestricted || this.ownsKeys || this.quotas.callsPerSecond !== undefined;
  }

  /** Whether it may read the hive's memory, where nobody looks at its calls. */
  get readsEverything(): boolean {
    return this.grants.everywhere("read") && this.quotas.callsPerSecond === undefined;
  }

  /** Whether the keys that it creates are counted as its own. */
  get ownsKeys(): boolean {
    return this.quotas.bytes !== undefined || this.quotas.keys !== undefined;
  }

  /** Counts a call of now. Returns 0, or after how many milliseconds one is allowed: then it was not counted. */
  takeCall(nowMs: number): number {
    const rate = this.quotas.callsPerSecond;
    if (rate === undefined) return 0;
    const intervalMs = 1000 / rate;
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs);
    const waitMs = this.#fullAtMs + intervalMs - 1000 - nowMs;
    if (waitMs > ROUNDING_MS) return Math.ceil(waitMs - ROUNDING_MS);
    this.#fullAtMs += intervalMs;
    return 0;
  }
}

export type TokenRegistryOptions = {
  limits?: Limits;
  /** The one token that may do everything, beside those with an id. */
  single?: string;
};

export class TokenRegistry {
  /** A token is no more: its connections have to end. Set by the engine. */
  onGone: (token: Token, why: "revoked" | "expired") => void = () => {};
  /** A token has other grants or quotas. Set by the engine. */
  onUpdated: (token: Token) => void = () => {};
  readonly #limits: Limits;
  readonly #byId = new Map<string, { record: TokenRecord; hash: Buffer; token: Token }>();
  readonly #byOwner = new Map<number, Token>();
  readonly #byDevice = new Map<string, Set<Token>>();
  /** Ids of tokens that were revoked lately, by their hash. */
  readonly #revoked = new Map<string, string>();
  readonly #single: { hash: Buffer; token: Token } | undefined;
  /** What no token has: compared with where there is nothing to compare with. */
  readonly #nothing: Buffer = randomBytes(32);
  #nextOwner: number = firstOwner();
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  /** @throws {HiveError} REFUSED_SETTING: the single token is too short, or too long to be sent. */
  constructor({ limits = DEFAULT_LIMITS, single }: TokenRegistryOptions = {}) {
    this.#limits = limits;
    this.#single = single === undefined ? undefined : this.#readSingle(single);
  }

  /** Owner number of the next token. */
  get nextOwner(): number {
    return this.#nextOwner;
  }

  /** Whether any token has a quota of bytes or keys. */
  get countsKeys(): boolean {
    return this.#byOwner.size > 0;
  }

  /** When the next token ends, in epoch milliseconds. */
  get nextExpiryMs(): number {
    return this.#nextExpiryMs;
  }

  /** The records, for whoever keeps them. Nobody changes one: what has changed is another object. */
  get records(): TokenRecord[] {
    return [...this.#byId.values()].map(({ record }) => record);
  }

  /** The same by id. */
  get known(): Map<string, TokenRecord> {
    return new Map(this.records.map((record) => [record.id, record]));
  }

  list(): TokenInfo[] {
    return this.records.map(infoOf);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** The token with a quota of bytes or keys that has this owner number. */
  ownedBy(owner: number): Token | undefined {
    return this.#byOwner.get(owner);
  }

  /** What the most generous token of a device lets it have; Infinity where it has none. */
  quotaOfDevice(device: string, quota: "bytes" | "keys"): number {
    const tokens = this.#byDevice.get(device);
    if (tokens === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(...[...tokens].map(({ quotas }) => quotas[quota] ?? Number.POSITIVE_INFINITY));
  }

  /**
   * A new token. Its text is in the answer and nowhere else.
   * @throws {HiveError} INVALID_ARGUMENT, REFUSED_SETTING: tokensMax are there.
   */
  create(options: TokenOptions, nowMs: number): { token: string; info: TokenInfo } {
    if (this.#byId.size >= this.#limits.tokensMax) {
      throw new HiveError("REFUSED_SETTING", `there are tokensMax (${this.#limits.tokensMax}) tokens: revoke some`);
    }
    const { record, token } = newToken(options, { owner: this.#nextOwner, nowMs, limits: this.#limits });
    this.#nextOwner++;
    this.#add(record);
    return { token, info: infoOf(record) };
  }

  /** Returns whether there was one with that id. */
  revoke(id: string): boolean {
    return this.#remove(id);
  }

  /**
   * Makes `records` the tokens: those that are not among them are revoked, others get what has changed.
   * A record whose secret or owner is another one is another token.
   * @throws {HiveError} INVALID_ARGUMENT: a record is no good; then nothing has changed.
   */
  replaceAll(records: readonly TokenRecord[], nextOwner: number): void {
    const wanted = new Map(records.map((record) => [record.id, record]));
    // All that may fail comes before the first change.
    const fresh = records.filter((record) => this.#byId.get(record.id)?.record !== record);
    const tokens = new Map(fresh.map((record) => [record.id, new Token(record, this.#limits)]));
    for (const [id, { record }] of this.#byId) {
      const next = wanted.get(id);
      if (next === undefined || next.hash !== record.hash || next.owner !== record.owner) this.#remove(id);
    }
    for (const record of fresh) {
      const known = this.#byId.get(record.id);
      if (known === undefined) this.#add(record, tokens.get(record.id)!);
      else if (JSON.stringify(known.record) !== JSON.stringify(record)) this.#update(known, record);
    }
    this.#nextOwner = Math.max(this.#nextOwner, nextOwner, ...records.map(({ owner }) => owner + 1));
    this.#findNextExpiry(0);
  }

  /** Ends the tokens whose time has come. They stay in the list, and let nobody in. */
  expire(nowMs: number): void {
    if (nowMs < this.#nextExpiryMs) return;
    for (const { token } of [...this.#byId.values()]) {
      if (token.expiresAtMs <= nowMs) this.onGone(token, "expired");
    }
    this.#findNextExpiry(nowMs);
  }

  /** The token with this text, if it is a good one. A wrong one takes the same steps, known id or not. */
  verify(text: Uint8Array, nowMs: number): Token | undefined {
    const hash = createHash("sha256").update(text).digest();
    const known = this.#byId.get(idOf(text));
    const isKnown = timingSafeEqual(hash, known?.hash ?? this.#nothing);
    const isSingle = timingSafeEqual(hash, this.#single?.hash ?? this.#nothing);
    if (isSingle) return this.#single!.token;
    return isKnown && known!.token.expiresAtMs > nowMs ? known!.token : undefined;
  }

  /**
   * The id of the token that had this text, which was revoked since the start or has expired: whoever has it
   * guesses nothing, but has not heard of it.
   */
  endedId(text: Uint8Array): string | undefined {
    const hash = createHash("sha256").update(text).digest("hex");
    const known = this.#byId.get(idOf(text));
    return known?.record.hash === hash ? known.record.id : this.#revoked.get(hash);
  }

  #readSingle(text: string): { hash: Buffer; token: Token } {
    const { unauthenticatedBytesMax } = this.#limits;
    if (text.length < SINGLE_TOKEN_LENGTH_MIN) {
      const message = `a token has at least ${SINGLE_TOKEN_LENGTH_MIN} characters, and this one ${text.length}: openssl rand -hex 32 makes one`;
      throw new HiveError("REFUSED_SETTING", message);
    }
    if (Buffer.byteLength(text) > unauthenticatedBytesMax / 2) {
      throw new HiveError("REFUSED_SETTING", `a token has at most ${unauthenticatedBytesMax / 2} bytes`);
    }
    const record = { id: DEFAULT_USER, name: DEFAULT_USER, grants: ALL_GRANTS, quotas: {}, createdAtMs: 0, owner: 0 };
    return { hash: createHash("sha256").update(text).digest(), token: new Token(record, this.#limits) };
  }

  #add(record: TokenRecord, token: Token = new Token(record, this.#limits)): void {
    this.#byId.set(record.id, { record, hash: Buffer.from(record.hash, "hex"), token });
    this.#setDevice(token, record.device);
    if (token.ownsKeys) this.#byOwner.set(token.owner, token);
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, token.expiresAtMs);
  }

  #update(known: { record: TokenRecord; token: Token }, record: TokenRecord): void {
    const { token } = known;
    known.record = record;
    this.#setDevice(token, record.device);
    token.info = infoOf(record);
    token.grants = grantsOf(record, this.#limits);
    if (token.ownsKeys) this.#byOwner.set(token.owner, token);
    else this.#byOwner.delete(token.owner);
    this.onUpdated(token);
  }

  #remove(id: string): boolean {
    const known = this.#byId.get(id);
    if (known === undefined) return false;
    this.#byId.delete(id);
    this.#byOwner.delete(known.token.owner);
    this.#setDevice(known.token, undefined);
    this.#revoked.set(known.record.hash, id);
    if (this.#revoked.size > this.#limits.tokensMax) this.#revoked.delete(this.#revoked.keys().next().value!);
    this.onGone(known.token, "revoked");
    return true;
  }

  #setDevice(token: Token, device: string | undefined): void {
    const { device: before } = token.info;
    if (before !== undefined) {
      const others = this.#byDevice.get(before);
      others?.delete(token);
      if (others?.size === 0) this.#byDevice.delete(before);
    }
    if (device === undefined) return;
    const tokens = this.#byDevice.get(device) ?? new Set();
    this.#byDevice.set(device, tokens.add(token));
  }

  /** Those that ended at `nowMs` or before are done with. */
  #findNextExpiry(nowMs: number): void {
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const { token } of this.#byId.values()) {
      if (token.expiresAtMs > nowMs) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, token.expiresAtMs);
    }
  }
}

/** What it may do: where it belongs to a device, what its grants say of reading and writing, on that memory alone. */
function grantsOf({ grants, device }: TokenInfo, limits: Limits): Grants {
  const given = Grants.parse(grants, limits);
  if (device === undefined) return given;
  const id = Buffer.from(device);
  const names = [deviceKey(id, id.length).latin1Slice(), `${sessionKeyStart(id, id.length)}*`];
  const own = (["read", "write"] as const).filter((permission) => given.has(permission));
  const texts = own.flatMap((permission) => names.map((name) => `${permission}:${name}`));
  return Grants.parse(texts, { ...limits, grantBytesMax: Number.POSITIVE_INFINITY });
}

/** The id in a token's text; what is no id where it has none. */
function idOf(text: Uint8Array): string {
  if (text.length !== FORM_LENGTH) return "";
  return FORM.exec(Buffer.from(text.buffer, text.byteOffset, text.length).latin1Slice())?.[1] ?? "";
}
