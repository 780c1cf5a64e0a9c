#!/usr/bin/env node
// memhive: the command.
//
//   memhive serve [--host] [--port] [--unix] [--config] …              its flags: server/settings/table.ts
//   memhive token create | list | revoke                              token-commands.ts
//   memhive config | top | get | set | del | keys | table | send | info | snapshot | device | cli       command-line.ts
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
const { tryFlags } = await import("../server/settings/flags.ts");
const [command, ...args] = process.argv.slice(2);
const flags = command === "serve" ? tryFlags(args) : undefined;
if (flags !== undefined) {
  const { relaunchWithAllocatorSettings } = await import("./launch.ts");
  await relaunchWithAllocatorSettings();
  const { serve } = await import("./serve.ts");
  process.exitCode = await serve(flags.texts);
} else {
  const { runCommandLine } = await import("./command-line.ts");
  process.exitCode = await runCommandLine();
}
