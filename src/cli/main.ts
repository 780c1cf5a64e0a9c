#!/usr/bin/env node
// memhive: the command.
//
//   memhive serve [--host] [--port] [--unix] [--max-memory] [--max-memory-policy]
//
// Each command is a file that is loaded when it is asked for: a hive that idles should not carry what
// other commands need. Exit codes: 0 done, 1 it failed and says why, 2 it was called wrongly.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { relaunchWithAllocatorSettings } from "./launch.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function commandLine(): Command {
  const program = new Command("memhive")
    .description("Shared memory for TypeScript: a hive that processes, devices and any Redis client share")
    .version(version())
    .showHelpAfterError("(memhive --help says more)")
    .exitOverride();
  program
    .command("serve")
    .description("run a hive in the foreground until SIGTERM or SIGINT")
    .option("--host <address>", "address of this machine's loopback to listen on", "127.0.0.1")
    .option("--port <number>", "TCP port, 0 for a free one", "4483")
    .option("--unix <path>", "unix socket to listen on as well")
    .option("--max-memory <bytes>", "what the data may take: 500mb, 1gb (kb, mb, gb of 1024; k, m, g of 1000)")
    .option("--max-memory-policy <policy>", "noeviction, allkeys-lru, allkeys-lfu or volatile-ttl")
    .action(async (options) => {
      await relaunchWithAllocatorSettings();
      const { serve } = await import("./serve.ts");
      await serve(options);
    });
  return program;
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

try {
  await commandLine().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else if (error instanceof Error && error.name === "HiveError") {
    process.stderr.write(`memhive: ${error.message}\n`);
    process.exitCode = EXIT_FAILED;
  } else {
    throw error;
  }
}
