// Target: what a request asks for: a path, whose parts may be any bytes, and a query.
//
//   "/v1/tables/users/%FF?ttlMs=5" ──▶ path "/v1/tables/users/%FF" · part(3) bytes ff · query

import { HiveError } from "../../base/errors.ts";

export class Target {
  /** As it was sent, percent escapes and all, without the query. */
  readonly path: string;
  readonly #query: string;

  private constructor(path: string, query: string) {
    this.path = path;
    this.#query = query;
  }

  /** Of the form with a host in front, which proxies may send, only the path counts. */
  static parse(target: string): Target {
    const bare = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
    const at = bare.indexOf("?");
    const path = at < 0 ? bare : bare.slice(0, at);
    return new Target(path === "" ? "/" : path, at < 0 ? "" : bare.slice(at + 1));
  }

  /** The parts between slashes, as they were sent; the first is what follows the first slash. */
  get parts(): string[] {
    return this.path.split("/").slice(1);
  }

  /**
   * The query, whose names are all of `names`.
   * @throws {HiveError} INVALID_ARGUMENT: another name, or one twice
   */
  query(names: readonly string[]): Readonly<Record<string, string | undefined>> {
    const found: Record<string, string> = {};
    for (const [name, value] of new URLSearchParams(this.#query)) {
      if (!names.includes(name) || name in found) {
        const known = names.length === 0 ? "this page takes no query" : `expected ${names.join(", ")}, each once`;
        throw new HiveError("INVALID_ARGUMENT", `query ${name.slice(0, 64)}: ${known}`);
      }
      found[name] = value;
    }
    return found;
  }
}

/** The bytes that a part of a path stands for. @throws {HiveError} INVALID_ARGUMENT: a % that is no escape */
export function partBytes(part: string): Buffer {
  if (/%(?![0-9a-fA-F]{2})/.test(part)) {
    throw new HiveError("INVALID_ARGUMENT", "the path has a % that is no escape: write %25");
  }
  const latin1 = part.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1");
}
