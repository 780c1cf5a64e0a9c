// Changes of a tokens file: of a hive that runs, and of `memhive token`, which needs none.
//
//   changeTokens(path, …, (content) => addToken(content, …)) ──▶ lock ──▶ read ──▶ change ──▶ write ──▶ unlock

import { existsSync } from "node:fs";
import { HiveError } from "../base/errors.ts";
import { withLock } from "../base/file-lock.ts";
import type { Limits } from "../base/limits.ts";
import { Grants } from "../engine/grants.ts";
import { firstOwner, infoOf, newToken, type TokenInfo, type TokenOptions } from "../engine/token-records.ts";
import { fileBehind, type KnownRecords, readTokens, type TokensContent, writeTokens } from "./tokens-file.ts";

/**
 * Changes the file, alone; one that is not there begins empty. What `change` throws leaves it as it was.
 * @throws {HiveError} REFUSED_SETTING
 */
export async function changeTokens<Result>(
  path: string,
  limits: Limits,
  change: (content: TokensContent) => Result,
  known?: KnownRecords,
): Promise<Result> {
  return await withLock(fileBehind(path), () => {
    const content = existsSync(path)
      ? readTokens(path, limits, known).content
      : { nextOwner: firstOwner(), tokens: [] };
    const result = change(content);
    writeTokens(path, content);
    return result;
  });
}

type Making = { nowMs: number; limits: Limits };

/** @throws {HiveError} INVALID_ARGUMENT; REFUSED_SETTING: tokensMax are there. */
export function addToken(
  content: TokensContent,
  options: TokenOptions,
  { nowMs, limits }: Making,
): { token: string; info: TokenInfo } {
  if (content.tokens.length >= limits.tokensMax) {
    throw new HiveError("REFUSED_SETTING", `there are tokensMax (${limits.tokensMax}) tokens: revoke some`);
  }
  const { record, token } = newToken(options, { owner: content.nextOwner, nowMs, limits });
  content.tokens.push(record);
  content.nextOwner++;
  return { token, info: infoOf(record) };
}

/** Returns whether there was one with that id. */
export function removeToken(content: TokensContent, id: string): boolean {
  const index = content.tokens.findIndex((record) => record.id === id);
  if (index >= 0) content.tokens.splice(index, 1);
  return index >= 0;
}

/** @throws {HiveError} INVALID_ARGUMENT, which says what is wrong with them. */
export function checkGrants(grants: readonly string[]): void {
  Grants.parse(grants);
}
