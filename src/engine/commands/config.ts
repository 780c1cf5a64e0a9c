// CONFIG: the settings by name, and the statistics set back.

import { HiveError } from "../../base/errors.ts";
import { quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { matchesGlob } from "../glob.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { syntaxError } from "../values.ts";

/** Names without one of these are looked up and shown as they were written. */
const PATTERN = /[*?[]/;
/** A name, a value or a pattern. The longest of Redis's own have a few dozen. */
const WORD_BYTES_MAX = 4 * 1024;

function get({ services }: Context, args: Args, reply: Reply): void {
  const { settings } = services;
  const found = new Map<string, string>();
  for (let i = 2; i < args.count; i++) {
    const asked = word(args, i);
    if (!PATTERN.test(asked)) {
      const value = settings.get(asked);
      if (value !== undefined) found.set(asked, value);
      continue;
    }
    const pattern = Buffer.from(asked.toLowerCase());
    for (const name of settings.names()) {
      const bytes = Buffer.from(name);
      if (matchesGlob(pattern, 0, pattern.length, bytes, 0, bytes.length)) found.set(name, settings.get(name)!);
    }
  }
  reply.map(found.size);
  for (const [name, value] of found) {
    reply.text(name);
    reply.text(value);
  }
}

function set({ services }: Context, args: Args, reply: Reply): void {
  if (args.count % 2 !== 0) throw syntaxError();
  const pairs: [string, string][] = [];
  for (let i = 2; i < args.count; i += 2) pairs.push([word(args, i), word(args, i + 1)]);
  services.settings.set(pairs);
  reply.ok();
}

/**
 * Up to the first zero byte, as Redis reads names and values here.
 *
 * @throws {HiveError} INVALID_ARGUMENT where it is longer than any name or value is: settings are kept.
 */
function word(args: Args, index: number): string {
  if (args.length(index) > WORD_BYTES_MAX) {
    throw new HiveError("INVALID_ARGUMENT", `CONFIG takes names and values of at most ${WORD_BYTES_MAX} bytes`);
  }
  return quoteBytes(args.buffer, args.start(index), args.end(index), WORD_BYTES_MAX);
}

function resetStatistics({ services }: Context, _args: Args, reply: Reply): void {
  services.resetStatistics();
  reply.ok();
}

function rewrite(): void {
  throw new HiveError("UNSUPPORTED", "The server is running without a config file");
}

export const CONFIG_ROW: Row = {
  name: "CONFIG",
  family: "server",
  arity: -2,
  flags: ["admin"],
  permission: "admin",
  summary: "Settings",
  syntax: "subcommand [argument ...]",
  subcommands: [
    {
      name: "CONFIG GET",
      family: "server",
      arity: -3,
      flags: ["admin"],
      permission: "admin",
      summary: "Returns the settings whose names fit one of the patterns",
      syntax: "parameter [parameter ...]",
      run: get,
    },
    {
      name: "CONFIG SET",
      family: "server",
      arity: -4,
      flags: ["admin"],
      permission: "admin",
      summary: "Changes settings: all of them, or none when one is refused",
      syntax: "parameter value [parameter value ...]",
      run: set,
    },
    {
      name: "CONFIG RESETSTAT",
      family: "server",
      arity: 2,
      flags: ["admin"],
      permission: "admin",
      summary: "Sets the counters of INFO back to 0",
      syntax: "",
      run: resetStatistics,
    },
    {
      name: "CONFIG REWRITE",
      family: "server",
      arity: 2,
      flags: ["admin"],
      permission: "admin",
      summary: "Is refused: a hive has no configuration file",
      syntax: "",
      run: rewrite,
    },
  ],
  run: () => {},
};
