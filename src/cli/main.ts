#!/usr/bin/env node
// memhive: the command.
//
//   memhive serve [--host] [--port] [--unix] [--no-tcp] [--max-memory] [--max-memory-policy]
//   memhive token create | list | revoke                              token-commands.ts
//   memhive get | set | del | keys | table | send | info | cli        of a client: command-line.ts
//
// What a hive that idles need not carry is loaded when it is asked for: commander alone is 7 MB. Exit
// codes: 0 done, 1 it failed and says why, 2 it was called wrongly, 3 there is no such key or field.
//
// An older Node does not even load the rest, so its version is looked at before anything is imported.

const NODE_MAJOR_MIN = 22;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(`memhive: needs Node ${NODE_MAJOR_MIN} or later, and this is ${process.versions.node}\n`);
  process.exit(1);
}
const { tryServeOptions } = await import("./serve-options.ts");
const [command, ...args] = process.argv.slice(2);
const options = command === "serve" ? tryServeOptions(args) : undefined;
if (options !== undefined) {
  const { relaunchWithAllocatorSettings } = await import("./launch.ts");
  await relaunchWithAllocatorSettings();
  const { serve } = await import("./serve.ts");
  process.exitCode = await serve(options);
} else {
  const { runCommandLine } = await import("./command-line.ts");
  process.exitCode = await runCommandLine();
}
