// Tokens file: the tokens of a hive on disk, for itself and for `memhive token`.
//
//   {"version":1,"nextOwner":3,"tokens":[{"id":"…","hash":"…","grants":["read:*"],"owner":1, …}]}
//
//   lock ──▶ read, check ──▶ change ──▶ temporary file, fsync, rename, fsync of the folder ──▶ unlock
//
// It holds hashes of secrets, not secrets, and is for its owner alone (mode 0600) all the same: whoever
// may write it lets himself in. Every entry is checked, and what is wrong is told by file and entry.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { HiveError, isHiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { checkToken, QUOTA_NAMES, type TokenQuotas, type TokenRecord } from "../engine/token-records.ts";
import { positionIn } from "./settings/file.ts";

export type TokensContent = {
  nextOwner: number;
  tokens: TokenRecord[];
};

/** What a file was when it was read: another one has another of these. */
export type TokensRead = { content: TokensContent; mark: string; isPrivate: boolean };

const VERSION = 1;
const MODE = 0o600;
/** Of a file with as many tokens as there may be, each with long patterns. */
const FILE_BYTES_MAX: number = 64 * 1024 * 1024;
const FILE_FIELDS: readonly string[] = ["version", "nextOwner", "tokens"];
const TOKEN_FIELDS: readonly string[] = [
  "id",
  "name",
  "hash",
  "grants",
  "device",
  "quotas",
  "expiresAtMs",
  "createdAtMs",
  "owner",
];

/** Records that were checked before, by id: an entry that is one of them is that object, without another look. */
export type KnownRecords = ReadonlyMap<string, TokenRecord>;

/**
 * @param known Saves most of the time where little has changed.
 * @throws {HiveError} REFUSED_SETTING: there is no such file, or it is no good; the message names the entry.
 */
export function readTokens(path: string, limits: Limits, known: KnownRecords = new Map()): TokensRead {
  const { text, mark, isPrivate } = load(path);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    // The engine's message quotes what stands there, which is a token where somebody mixed up two files.
    throw refused(path, `no JSON${positionIn(text, error)}: is it a file of memhive token?`);
  }
  return { content: contentOf(path, parsed, { limits, known }), mark, isPrivate };
}

/** What tells one content of the file from another without reading it; undefined where there is no file. */
export function markOf(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    return mark(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes the file anew, whole or not at all.
 * @throws {HiveError} REFUSED_SETTING: it cannot be written; the old one is as it was.
 */
export function writeTokens(path: string, { nextOwner, tokens }: TokensContent): void {
  const target = fileBehind(path);
  const folder = dirname(target);
  const temporary = join(folder, `.${basename(target)}.${process.pid}.${randomBytes(4).toString("hex")}`);
  try {
    const file = openSync(temporary, "wx", MODE);
    try {
      fchmodSync(file, MODE);
      const bytes = Buffer.from(`${JSON.stringify({ version: VERSION, nextOwner, tokens }, undefined, 2)}\n`);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw refused(path, `cannot be written: ${(error as Error).message}`);
  }
}

/** The file behind links: a rename would replace the link, and a lock beside it would not be the only one. */
export function fileBehind(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function load(path: string): { text: string; mark: string; isPrivate: boolean } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw refused(path, missing ? "there is no such file: memhive token create makes one" : (error as Error).message);
  }
  try {
    const { size, mode } = fstatSync(file);
    if (size > FILE_BYTES_MAX) throw refused(path, `${size} bytes are more than ${FILE_BYTES_MAX}`);
    return { text: readFileSync(file, "utf8"), mark: mark(file), isPrivate: (mode & 0o077) === 0 };
  } catch (error) {
    throw isHiveError(error) ? error : refused(path, (error as Error).message);
  } finally {
    closeSync(file);
  }
}

function mark(file: number): string {
  const { ino, mtimeNs, size } = fstatSync(file, { bigint: true });
  return `${ino}/${mtimeNs}/${size}`;
}

type Checking = { limits: Limits; known: KnownRecords };

function contentOf(path: string, parsed: unknown, checking: Checking): TokensContent {
  const { limits } = checking;
  if (!isObject(parsed)) throw refused(path, "expected an object");
  const version = parsed["version"];
  if (version !== VERSION) throw refused(path, `version ${show(version)}: this memhive knows ${VERSION}`);
  requireKnown(path, parsed, FILE_FIELDS);
  const { nextOwner, tokens } = parsed;
  if (!Number.isSafeInteger(nextOwner) || (nextOwner as number) < 1) {
    throw refused(path, `nextOwner: expected a whole number above 0, got ${show(nextOwner)}`);
  }
  if (!Array.isArray(tokens)) throw refused(path, `tokens: expected an array, got ${show(tokens)}`);
  if (tokens.length > limits.tokensMax) throw refused(path, `${tokens.length} exceed tokensMax (${limits.tokensMax})`);
  const records = tokens.map((entry, index) => recordOf(`${path}: token ${index + 1}`, entry, checking));
  for (const field of ["id", "owner"] as const) {
    const seen = new Set<string | number>();
    for (const [index, record] of records.entries()) {
      if (seen.has(record[field])) throw refused(path, `token ${index + 1}: ${field} ${record[field]} is there twice`);
      seen.add(record[field]);
    }
  }
  return { nextOwner: nextOwner as number, tokens: records };
}

function recordOf(where: string, entry: unknown, { limits, known }: Checking): TokenRecord {
  if (!isObject(entry)) throw refused(where, "expected an object");
  const { id, hash, grants } = entry;
  const before = known.get(id as string);
  if (before !== undefined && isSame(before, entry)) return before;
  if (typeof id !== "string" || !/^[0-9a-f]{12}$/.test(id)) {
    // Not shown, and the hash neither: somebody may have put the token itself here.
    throw refused(where, "id: expected 12 hexadecimal digits");
  }
  const what = `${where} (${id})`;
  requireKnown(what, entry, TOKEN_FIELDS);
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) {
    throw refused(what, "hash: expected the 64 hexadecimal digits of a SHA-256");
  }
  if (!Array.isArray(grants) || !grants.every((grant) => typeof grant === "string")) {
    throw refused(what, `grants: expected an array of texts, got ${show(grants)}`);
  }
  const record: TokenRecord = {
    id,
    name: textOf(what, entry, "name") ?? "",
    grants,
    ...definedOnly("device", textOf(what, entry, "device")),
    quotas: quotasOf(what, entry["quotas"]),
    ...definedOnly("expiresAtMs", numberOf(what, entry, "expiresAtMs")),
    createdAtMs: numberOf(what, entry, "createdAtMs") ?? 0,
    hash,
    owner: numberOf(what, entry, "owner") ?? 0,
  };
  try {
    checkToken(record, limits);
  } catch (error) {
    if (!isHiveError(error)) throw error;
    throw refused(what, error.message);
  }
  return record;
}

/** Whether an entry says what a record does, in every field, and no more. */
function isSame(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  const fields = Object.keys(one);
  if (fields.length !== Object.keys(other).length) return false;
  for (const field of fields) {
    const [mine, theirs] = [one[field], other[field]];
    if (mine === theirs) continue;
    if (typeof mine !== "object" || typeof theirs !== "object" || mine === null || theirs === null) return false;
    if (!isSame(mine as Record<string, unknown>, theirs as Record<string, unknown>)) return false;
  }
  return true;
}

function quotasOf(what: string, quotas: unknown): TokenQuotas {
  if (quotas === undefined) return {};
  if (!isObject(quotas)) throw refused(what, `quotas: expected an object, got ${show(quotas)}`);
  requireKnown(`${what}: quotas`, quotas, QUOTA_NAMES);
  for (const name of QUOTA_NAMES) numberOf(`${what}: quotas`, quotas, name);
  return quotas as TokenQuotas;
}

function textOf(what: string, entry: Record<string, unknown>, field: string): string | undefined {
  const value = entry[field];
  if (value === undefined || typeof value === "string") return value;
  throw refused(what, `${field}: expected a text, got ${show(value)}`);
}

function numberOf(what: string, entry: Record<string, unknown>, field: string): number | undefined {
  const value = entry[field];
  if (value === undefined || typeof value === "number") return value;
  throw refused(what, `${field}: expected a number, got ${show(value)}`);
}

function definedOnly<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: Value });
}

/** A field that is not known may be one that restricts: it is better not to go on without it. */
function requireKnown(what: string, entry: Record<string, unknown>, fields: readonly string[]): void {
  const unknown = Object.keys(entry).find((field) => !fields.includes(field));
  if (unknown !== undefined) throw refused(what, `${show(unknown)}: there is no such field`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 64);
}

function refused(what: string, reason: string): HiveError {
  return new HiveError("REFUSED_SETTING", `tokens file ${what}: ${reason}`);
}
