// Played arguments: what a structure's code plays, as the arguments of a call.
//
//   hive.play("HSET", key, field, { any: "value" }) ──▶ Args

import { Args, KIND_BYTES, KIND_TEXT, KIND_VALUE } from "../engine/args.ts";
import { encode } from "../wire/value.ts";
import { rawOf } from "./stamp.ts";
import { unwrapped } from "./storable.ts";

/** Text and bytes are raw, everything else is a value; the name may be two words. */
export function argumentsOf(command: string, given: readonly unknown[]): Args {
  const parts: Uint8Array[] = command.split(" ").map((word) => Buffer.from(word));
  const kinds: number[] = parts.map(() => KIND_TEXT);
  for (const item of given) {
    // Bytes of a state are a wrapper, which nobody can copy from.
    const value = rawOf(item);
    if (typeof value === "string") kinds.push(KIND_TEXT);
    else kinds.push(value instanceof Uint8Array ? KIND_BYTES : KIND_VALUE);
    parts.push(
      typeof value === "string" ? Buffer.from(value) : value instanceof Uint8Array ? value : encode(unwrapped(value)),
    );
  }
  const args = new Args(parts.length);
  args.reset(Buffer.concat(parts));
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    args.push(at, parts[i]!.length, kinds[i]!);
    at += parts[i]!.length;
  }
  args.kept = true;
  return args;
}
