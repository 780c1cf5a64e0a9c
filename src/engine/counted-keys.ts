// Counted keys: those of a call that says how many they are ("numkeys key [key ...]").

import type { Args } from "./args.ts";

/**
 * Finds the arguments that name keys, where their number stands in argument `index`; none where that number is
 * no good, as the command refuses such a call, and COMMAND GETKEYS as well.
 */
export function countedKeysAt(index: number): (args: Args) => number[] {
  return (args) => {
    const keys = Number(args.tryInt64(index) ?? 0n);
    if (keys < 1 || keys > args.count - index - 1) return [];
    return Array.from({ length: keys }, (_, i) => index + 1 + i);
  };
}
