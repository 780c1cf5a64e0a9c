// The command line as commander explains it: help, version, and what is wrong with a call.
//
// Whatever can be run has been run by main.ts, so no command has an action here.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { SERVE_OPTIONS } from "./serve-options.ts";

const EXIT_USAGE = 2;

/** Answers the arguments of this process. Resolves with the exit code. */
export async function explain(): Promise<number> {
  const program = new Command("memhive")
    .description("Shared memory for TypeScript: a hive that processes, devices and any Redis client share")
    .version(version())
    .showHelpAfterError("(memhive --help says more)")
    .exitOverride();
  const serve = program.command("serve").description("run a hive in the foreground until SIGTERM or SIGINT");
  for (const { name, value, help } of SERVE_OPTIONS) {
    serve.option(value === undefined ? `--${name}` : `--${name} <${value}>`, help);
  }
  serve.exitOverride().action(() => {});
  try {
    await program.parseAsync();
    return EXIT_USAGE;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
}

/** From the package.json nearest to this file: the repository's, or the installed package's. */
function version(): string {
  for (const folder of ["../", "../../"]) {
    try {
      return JSON.parse(readFileSync(new URL(`${folder}package.json`, import.meta.url), "utf8")).version;
    } catch {
      // One folder further up.
    }
  }
  return "unknown";
}
