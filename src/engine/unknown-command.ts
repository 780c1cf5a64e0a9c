// What is said of a call that names no command, in Redis's words: as much of it as fits is quoted.

import { encodeQuoted, QUOTED_BYTES_MAX, quoteBytes } from "../base/quoted.ts";
import type { Args } from "./args.ts";

/** @param container The command whose subcommand is not known, by its name. */
export function unknownCommand(args: Args, container: string | undefined): string {
  const quote = (index: number, bytesMax: number): string =>
    quoteBytes(args.buffer, args.start(index), args.end(index), bytesMax);
  if (container !== undefined) return `unknown subcommand '${quote(1, QUOTED_BYTES_MAX)}'. Try ${container} HELP.`;
  let shown = "";
  for (let i = 1, bytes = 0; i < args.count && bytes < QUOTED_BYTES_MAX; i++) {
    const text = quote(i, QUOTED_BYTES_MAX - bytes);
    bytes += encodeQuoted(text).length + 3;
    shown += `'${text}' `;
  }
  return `unknown command '${quote(0, QUOTED_BYTES_MAX)}', with args beginning with: ${shown}`;
}
