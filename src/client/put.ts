// The options of put(), as words of SET.

import type { CallOptions } from "./call.ts";
import { milliseconds } from "./table.ts";

export type PutOptions = CallOptions & {
  /** The key runs out after so many milliseconds. Without it, a TTL that it had is gone. */
  ttlMs?: number | undefined;
  /** A TTL that the key has stays. Not together with ttlMs. */
  keepTtl?: boolean | undefined;
  /** Only where there is no such key, or only where there is one. */
  onlyIf?: "absent" | "present" | undefined;
};

export function putWords(options: PutOptions | undefined): readonly (string | number)[] {
  if (options === undefined) return NONE;
  const words: (string | number)[] = [];
  if (options.ttlMs !== undefined) words.push("PX", milliseconds(options.ttlMs));
  if (options.keepTtl) words.push("KEEPTTL");
  if (options.onlyIf !== undefined) words.push(options.onlyIf === "absent" ? "NX" : "XX");
  return words;
}

const NONE: readonly string[] = [];
