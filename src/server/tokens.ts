// Tokens of a hive: the registry, and the file that it is kept in where there is one.
//
//   start ──▶ file ──▶ registry ◀── file changes (fs.watch, reload()) ──▶ a broken one: notice, the old tokens stay
//   create, revoke ──▶ the file, where there is one (tokens-change.ts) ──▶ registry
//
// The folder is watched, not the file: whoever changes it puts another file in its place. Where the path is a link,
// both folders are: either end may change.

import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { HiveError, isHiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { TokenInfo, TokenOptions } from "../engine/token-records.ts";
import { TokenRegistry } from "../engine/tokens.ts";
import { addToken, changeTokens, removeToken } from "./tokens-change.ts";
import { fileBehind, markOf, readTokens, type TokensContent } from "./tokens-file.ts";

/** Several changes of a folder at once are one. */
const SETTLE_MS = 20;

export type TokensParts = {
  /** The one that may do everything. */
  single: string | undefined;
  /** Where the others are kept; true: nowhere. */
  store: string | true | undefined;
  limits: Limits;
  clock: Clock;
  onNotice(message: string): void;
};

export class Tokens {
  /** Undefined for a hive that lets everybody in. */
  readonly registry: TokenRegistry | undefined;
  readonly #parts: TokensParts;
  readonly #path: string | undefined;
  readonly #watchers = new Map<string, FSWatcher>();
  #settling: NodeJS.Timeout | undefined = undefined;
  #mark = "";

  private constructor(parts: TokensParts) {
    const { single, store, limits } = parts;
    this.#parts = parts;
    this.#path = typeof store === "string" ? store : undefined;
    if (single === undefined && store === undefined) return;
    this.registry = new TokenRegistry({ limits, ...(single === undefined ? {} : { single }) });
  }

  /** @throws {HiveError} REFUSED_SETTING: the file is no good, or the single token too short. */
  static open(parts: TokensParts): Tokens {
    const tokens = new Tokens(parts);
    if (tokens.#path === undefined) return tokens;
    // Watched before it is read, so that no change falls between the two.
    tokens.#watch(tokens.#path);
    try {
      tokens.#load(tokens.#path);
    } catch (error) {
      tokens.close();
      throw error;
    }
    return tokens;
  }

  /**
   * A new token: its text is told here and never again.
   * @throws {HiveError} INVALID_ARGUMENT; REFUSED_SETTING: this hive was started without tokens, or the file is no good.
   */
  async create(options: TokenOptions): Promise<{ token: string; info: TokenInfo }> {
    const { limits, clock } = this.#parts;
    const nowMs = clock.nowMs();
    if (this.#path === undefined) return this.#required().create(options, nowMs);
    return await this.#change(this.#path, (content) => addToken(content, options, { nowMs, limits }));
  }

  /** What may be shown of them, in the order of their making. */
  list(): TokenInfo[] {
    return this.registry?.list() ?? [];
  }

  /** Ends a token and its connections at once. Resolves with whether there was one. */
  async revoke(id: string): Promise<boolean> {
    if (this.#path === undefined) return this.#required().revoke(id);
    return await this.#change(this.#path, (content) => removeToken(content, id));
  }

  /** Takes the file over as it is now. A broken one is a notice, and the old tokens stay. */
  reload(): void {
    if (this.#path === undefined) return;
    const { onNotice } = this.#parts;
    try {
      this.#load(this.#path);
      onNotice(`${this.list().length} tokens read from ${this.#path}`);
    } catch (error) {
      if (!isHiveError(error)) throw error;
      onNotice(`${error.message}; the tokens stay as they were`);
    }
  }

  /** Looks at the file no more. */
  close(): void {
    clearTimeout(this.#settling);
    for (const folder of this.#watchers.keys()) this.#unwatch(folder);
  }

  #required(): TokenRegistry {
    if (this.registry !== undefined) return this.registry;
    const message = "this hive was started without tokens, so it lets everybody in: start it with token or tokens";
    throw new HiveError("REFUSED_SETTING", message);
  }

  async #change<Result>(path: string, change: (content: TokensContent) => Result): Promise<Result> {
    // A new file would have this change alone, and revoke all that the old one had.
    if (markOf(path) === undefined) readTokens(path, this.#parts.limits);
    const result = await changeTokens(path, this.#parts.limits, change, this.registry!.known);
    this.#load(path);
    return result;
  }

  #load(path: string): void {
    const { content, mark, isPrivate } = readTokens(path, this.#parts.limits, this.registry!.known);
    this.#mark = mark;
    this.registry!.replaceAll(content.tokens, content.nextOwner);
    if (!isPrivate) this.#parts.onNotice(`others than its owner may read ${path}: chmod 600 is better`);
  }

  #watch(path: string): void {
    const wanted = new Set([dirname(path), dirname(fileBehind(path))]);
    for (const folder of this.#watchers.keys()) if (!wanted.has(folder)) this.#unwatch(folder);
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watchFolder(folder, path);
  }

  #watchFolder(folder: string, path: string): void {
    const failed = (error: Error): void =>
      this.#parts.onNotice(`cannot watch ${path}: ${error.message}; send SIGHUP after a change`);
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#changed(path));
      watcher.on("error", failed);
      this.#watchers.set(folder, watcher);
    } catch (error) {
      failed(error as Error);
    }
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  /** Something in the folder changed. */
  #changed(path: string): void {
    if (this.#settling !== undefined) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      const mark = markOf(path);
      if (mark === undefined || mark === this.#mark) return;
      this.#mark = mark;
      this.#watch(path);
      this.reload();
    }, SETTLE_MS).unref();
  }
}
