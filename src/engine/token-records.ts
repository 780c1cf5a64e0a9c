// Token records: what is kept of a token, and whether it can be one.
//
//   newToken(options) ──▶ record, and the text that is told once          tokens file ──▶ checkToken(record)

import { createHash, randomBytes, randomInt } from "node:crypto";
import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { GROUP_OWNER_MIN } from "../store/accounting.ts";
import { Grants } from "./grants.ts";

/** Upper bounds for all connections of a token together; what is not there is not bounded. */
export type TokenQuotas = { bytes?: number; keys?: number; callsPerSecond?: number; connections?: number };

export const QUOTA_NAMES: readonly (keyof TokenQuotas)[] = ["bytes", "keys", "callsPerSecond", "connections"];

export type TokenOptions = {
  /** For people; AUTH takes it as the user too. */
  name?: string;
  /** "read:users:*", "write:*", "admin", "all". */
  grants: readonly string[];
  /** The device that it belongs to: then it reaches the memory of that one and nothing else. */
  device?: string;
  quotas?: TokenQuotas;
  /** Epoch milliseconds; without it the token has no end. */
  expiresAtMs?: number;
};

/** What may be shown of a token. */
export type TokenInfo = {
  id: string;
  name: string;
  grants: readonly string[];
  device?: string;
  quotas: TokenQuotas;
  expiresAtMs?: number;
  createdAtMs: number;
};

/** What is kept of a token. */
export type TokenRecord = TokenInfo & {
  /** SHA-256 of the whole token, hexadecimal. */
  hash: string;
  /** From 1 on, below GROUP_OWNER_MIN: by which the store counts its keys and bytes. */
  owner: number;
};

/** Above are those of devices. */
const OWNER_MAX: number = GROUP_OWNER_MIN - 1;

/**
 * Owner number of the first token of a registry or a file. Keys in snapshots keep their owners, and where one begins
 * anew its tokens are not to get the keys, and the used-up quotas, of those before.
 */
export function firstOwner(): number {
  return randomInt(1, 2 ** 30);
}

type NewToken = { owner: number; nowMs: number; limits: Limits };

/** A token that is in no registry yet. @throws {HiveError} INVALID_ARGUMENT, REFUSED_SETTING */
export function newToken(options: TokenOptions, more: NewToken): { record: TokenRecord; token: string } {
  const { owner, nowMs, limits } = more;
  if (owner > OWNER_MAX) throw new HiveError("REFUSED_SETTING", "all owner numbers are used: begin a new tokens file");
  const id = randomBytes(6).toString("hex");
  const token = `hive_${id}_${randomBytes(32).toString("base64url")}`;
  const record: TokenRecord = {
    id,
    name: options.name ?? "",
    grants: Grants.parse(options.grants, limits).texts,
    ...(options.device === undefined ? {} : { device: options.device }),
    quotas: { ...options.quotas },
    ...(options.expiresAtMs === undefined ? {} : { expiresAtMs: options.expiresAtMs }),
    createdAtMs: nowMs,
    hash: createHash("sha256").update(token).digest("hex"),
    owner,
  };
  checkToken(record, limits);
  return { record, token };
}

/** @throws {HiveError} INVALID_ARGUMENT, which says what is wrong with a record whose parts have the right types. */
export function checkToken(record: TokenRecord, limits: Limits): void {
  const { name, device, quotas, expiresAtMs, createdAtMs, owner, grants } = record;
  const { tokenNameBytesMax } = limits;
  if (grants.length === 0) throw bad("grants: at least one, such as read:* or all");
  Grants.parse(grants, limits);
  for (const [what, text] of Object.entries({ name, device: device ?? "" })) {
    if (Buffer.byteLength(text) > tokenNameBytesMax) throw bad(`${what}: longer than ${tokenNameBytesMax} bytes`);
    // It stands in lines of CLIENT LIST and of the log, or may.
    if (/[^!-~]/.test(text)) throw bad(`${what}: expected visible ASCII without spaces`);
  }
  for (const quota of QUOTA_NAMES) {
    const value = quotas[quota];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw bad(`quota ${quota}: expected a whole number above 0, got ${value}`);
    }
  }
  if (expiresAtMs !== undefined && !(Number.isSafeInteger(expiresAtMs) && expiresAtMs > 0)) {
    throw bad("expiresAtMs: expected whole milliseconds since 1970");
  }
  if (!Number.isSafeInteger(createdAtMs)) throw bad("createdAtMs: expected whole milliseconds since 1970");
  if (!(Number.isSafeInteger(owner) && owner > 0 && owner <= OWNER_MAX)) {
    throw bad(`owner: expected a whole number from 1 to ${OWNER_MAX}`);
  }
}

function bad(reason: string): HiveError {
  return new HiveError("INVALID_ARGUMENT", reason);
}

/** What may be shown of a record. */
export function infoOf({ id, name, grants, device, quotas, expiresAtMs, createdAtMs }: TokenInfo): TokenInfo {
  return {
    id,
    name,
    grants,
    ...(device === undefined ? {} : { device }),
    quotas,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    createdAtMs,
  };
}
