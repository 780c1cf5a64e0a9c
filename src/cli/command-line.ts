// The command line as commander reads it: help, version, what is wrong with a call, and the commands of
// a client. `memhive serve` with good options never comes here (main.ts).

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { isHiveError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { flagsOf } from "../server/settings/flags.ts";
import * as commands from "./client-commands.ts";
import { configGet, configSet, showSettings } from "./config-commands.ts";
import type { DemoOptions } from "./demo/demo.ts";
import { DEVICE_ACTIONS, device } from "./device-commands.ts";
import type { CommonOptions } from "./dial-hive.ts";
import { count, milliseconds } from "./option-values.ts";
import { SNAPSHOT_ACTIONS, snapshot } from "./snapshot-commands.ts";
import { addTokenCommands } from "./token-commands.ts";
import type { TopOptions } from "./top/top.ts";

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_NOT_FOUND = 3;

const EXIT_CODES = `
Exit codes: 0 done, 1 it failed and says why, 2 it was called wrongly, 3 there is no such key or field.`;

const FORMS = `
VALUE is text as it stands; "-" reads standard input. With --json it is a value in JSON: 1815,
{"born":1815}, and for what JSON lacks {"$":"Date","is":"2020-01-01T00:00:00.000Z"} and the like
(docs/guides/command-line.md). With --bytes it is bytes in hexadecimal.`;

/** Answers the arguments of this process. Resolves with the exit code. */
export async function runCommandLine(): Promise<number> {
  let exitCode = EXIT_OK;
  // `memhive keys | head -1` closes the pipe: that is the reader's wish, and the end.
  process.stdout.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? EXIT_OK : EXIT_FAILED),
  );
  const program = build((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (!isHiveError(error)) throw error;
    const sent = error.sent === true ? " (it was sent: it may have had an effect)" : "";
    process.stderr.write(`memhive: ${error.code}: ${error.message}${sent}\n`);
    return EXIT_FAILED;
  }
}

function build(onExitCode: (code: number) => void): Command {
  const program = new Command("memhive")
    .description("Shared memory for TypeScript: a hive that processes, devices and any Redis client share")
    .version(VERSION)
    // A flag belongs to the command that it stands behind.
    .enablePositionalOptions()
    .showHelpAfterError("(memhive --help says more)")
    .addHelpText("after", EXIT_CODES)
    .exitOverride();
  addServe(program);
  addTokenCommands(program, () => onExitCode(EXIT_NOT_FOUND));

  const common = (command: Command): Command => {
    command.exitOverride();
    command.option(
      "--url <url>",
      "the hive: hive://host:port, hives:// for TLS, unix:/path (default $MEMHIVE_URL, or hive://127.0.0.1:4483)",
    );
    command.option("--token <token>", "its token, where it wants one ($MEMHIVE_TOKEN is safer: ps shows options)");
    command.option("--ca <file>", "for hives://: the authority of the hive's certificate ($MEMHIVE_CA)");
    command.option("--cert <file>", "for hives://: a client certificate ($MEMHIVE_CERT)");
    command.option("--key <file>", "for hives://: its private key ($MEMHIVE_KEY)");
    command.option("--timeout <ms>", "how long an answer may take", milliseconds);
    return command.option("--json", "values and replies in JSON, a line each");
  };
  const add = (name: string, description: string): Command => common(program.command(name).description(description));
  const run = (work: (...args: never[]) => Promise<boolean>): ((...args: unknown[]) => Promise<void>) => {
    return async (...args) => {
      const command = args.at(-1) as Command;
      const found = await work(...([command.opts(), ...args.slice(0, -2)] as never[]));
      if (!found) onExitCode(EXIT_NOT_FOUND);
    };
  };

  add("get", "print the value of a key").argument("<key>").action(run(commands.get));
  const set = add("set", "set the value of a key").argument("<key>").argument("<value>").addHelpText("after", FORMS);
  valueOptions(set)
    .option("--if-absent", "only where there is no such key")
    .option("--if-present", "only where there is one")
    .action(run(commands.set));
  add("del", "delete keys, and print how many there were").argument("<keys...>").action(run(commands.del));
  add("keys", "print the names of keys, a line each")
    .argument("[pattern]", "glob, such as user:*")
    .option("--type <type>", "only keys of this type: string, hash, set")
    .option("--limit <count>", "so many at the most", count)
    .action(run(commands.keys));
  addTable(add, run);
  add("send", "send any command, and print the reply")
    .argument("<command...>", "its name and arguments, such as HSET users ada 1815")
    .option("--typed", "arguments that are JSON are sent as these values, the others as text")
    .addHelpText("after", "\ndocs/commands.md lists the commands; COMMAND DOCS NAME asks the hive.")
    .action(run(commands.send));
  add("info", "print what the hive says of itself").argument("[section]").action(run(commands.info));
  addActions(add, run, {
    name: "snapshot",
    description: "store, restore, list and inspect snapshots",
    actions: SNAPSHOT_ACTIONS,
    args: "a name in the hive's folder; inspect takes the path of a file, and needs no hive",
    work: snapshot,
  });
  addActions(add, run, {
    name: "device",
    description: "list devices, show what one has and may have, and delete all its labels",
    actions: DEVICE_ACTIONS,
    args: "ids of devices",
    work: device,
  });
  add("top", "show live how a hive is: calls, memory, clients, the busiest commands; q ends it")
    .option("--interval <ms>", "between two looks (default 1000)", milliseconds)
    .option("--once", "print once: also what it does where there is no terminal")
    .option("--clients", "the connections too; c shows and hides them")
    .action(run(showTop));
  addConfig(program, common, run);
  program
    .command("demo")
    .description("a hive, four processes and a structure of ten lines, played by themselves in a minute")
    .option("--seconds <count>", "how long it takes, about (default 60)", count)
    .exitOverride()
    .action(async (options: DemoOptions) => {
      const { demo } = await import("./demo/demo.ts");
      if (!(await demo(options))) onExitCode(EXIT_FAILED);
    });
  add("cli", "type commands and see their replies; with history, completion and hints").action(run(commands.cli));
  return program;
}

function addServe(program: Command): void {
  const serve = program.command("serve").description("run a hive in the foreground until SIGTERM or SIGINT");
  settingFlags(serve).exitOverride().addHelpText("after", SETTINGS_HELP);
  // A call that commander finds nothing wrong with was answered by main.ts.
  serve.action(() => serve.error("error: a flag of memhive serve is given wrongly"));
}

const SETTINGS_HELP = `
Every flag is a setting: it may stand in the environment (MEMHIVE_PORT) or in the file of --config too.
docs/settings.md has them all; memhive config prints what would be used.`;

function settingFlags(command: Command): Command {
  for (const { name, placeholder, help, repeats } of flagsOf()) {
    if (repeats) command.option(`--${name} <${placeholder}>`, help, nameAndValue);
    else command.option(placeholder === "" ? `--${name}` : `--${name} <${placeholder}>`, help);
  }
  return command;
}

function nameAndValue(text: string): string {
  if (/^[A-Za-z]+=/.test(text)) return text;
  throw new InvalidArgumentError("expected NAME=VALUE, such as valueBytesMax=16mb");
}

function addConfig(program: Command, common: (command: Command) => Command, run: Run): void {
  const config = program
    .command("config")
    .description("print the settings that memhive serve would use, and their sources");
  // Behind get and set the flags are theirs.
  settingFlags(config.enablePositionalOptions())
    .argument("[names...]", "only these settings or groups: port, limits")
    .option("--json", "as JSON")
    .exitOverride()
    .action(() => showSettings(process.argv.slice(3)));
  common(config.command("get").description("print settings of a running hive, under Redis's names"))
    .argument("<names...>", "names or globs, such as maxmemory*")
    .action(run(configGet));
  common(config.command("set").description("change settings of a running hive: all of them, or none"))
    .argument("<pairs...>", "NAME VALUE …, such as maxmemory 1gb")
    .action(run(configSet));
}

/** Loaded when it is asked for. */
async function showTop(options: TopOptions): Promise<boolean> {
  const { top } = await import("./top/top.ts");
  return await top(options);
}

type Add = (name: string, description: string) => Command;
type Run = (work: (...args: never[]) => Promise<boolean>) => (...args: unknown[]) => Promise<void>;

function addTable(add: Add, run: Run): void {
  const table = add("table", "read and write the fields of a table")
    .argument("<name>")
    .argument("<action>", "get, set, del, keys, entries or size")
    .argument("[args...]", "get FIELD, set FIELD VALUE, del FIELDS…")
    .addHelpText("after", FORMS);
  valueOptions(table).option("--typed", "FIELD is JSON: 1 is the number, not the text").action(run(commands.table));
}

type Actions = {
  name: string;
  description: string;
  /** What each takes. */
  actions: Readonly<Record<string, { min: number; max: number; takes: string }>>;
  /** What the arguments of all of them are. */
  args: string;
  work: (options: CommonOptions, action: string, args: string[]) => Promise<boolean>;
};

/** A command that does one of several things, by its first argument. */
function addActions(add: Add, run: Run, { name, description, actions, args: help, work }: Actions): void {
  const forms = Object.entries(actions).map(([action, { takes }]) => `  ${name} ${action} ${takes}`);
  add(name, description)
    .argument("<action>", Object.keys(actions).join(", "))
    .argument("[args...]", help)
    .addHelpText("after", `\n${forms.join("\n")}`)
    .action((action: string, args: string[], ...rest: unknown[]) => {
      const known = actions[action];
      if (known === undefined || args.length < known.min || args.length > known.max) {
        const usage = known === undefined ? Object.keys(actions).join(", ") : `${action} ${known.takes}`;
        (rest.at(-1) as Command).error(`error: memhive ${name}: expected ${usage}`);
      }
      return run(work)(action, args, ...rest);
    });
}

function valueOptions(command: Command): Command {
  return command
    .option("--bytes", "VALUE is bytes in hexadecimal")
    .option("--ttl <ms>", "it runs out after so many milliseconds", milliseconds);
}
