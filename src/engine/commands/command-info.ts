// COMMAND: the command table, as clients and tools of Redis ask for it.

import { HiveError } from "../../base/errors.ts";
import { Args } from "../args.ts";
import type { CommandEntry } from "../catalogue.ts";
import { categoriesOf, groupOf, replyFacts, shownKeys } from "../command-facts.ts";
import type { Context } from "../context.ts";
import { matchesGlob } from "../glob.ts";
import { HIVE_VERSION } from "../identity.ts";
import type { Reply } from "../reply.ts";
import { keyIndexes, type Row } from "../row.ts";
import { replySyntax } from "../syntax-tree.ts";
import { syntaxError } from "../values.ts";

function all({ services }: Context, _args: Args, reply: Reply): void {
  const commands = services.commands.all;
  reply.array(commands.size);
  for (const command of commands.values()) replyFacts(command, reply);
}

function count({ services }: Context, _args: Args, reply: Reply): void {
  reply.integer(services.commands.all.size);
}

function info(context: Context, args: Args, reply: Reply): void {
  if (args.count === 2) return all(context, args, reply);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const command = context.services.commands.named(args.latin1(i));
    if (command) replyFacts(command, reply);
    else reply.nil();
  }
}

function docs({ services }: Context, args: Args, reply: Reply): void {
  const chosen = new Map<string, CommandEntry>();
  if (args.count === 2) for (const command of services.commands.all.values()) chosen.set(command.wireName, command);
  for (let i = 2; i < args.count; i++) {
    const command = services.commands.named(args.latin1(i));
    if (command) chosen.set(command.wireName, command);
  }
  replyDocs([...chosen.values()], reply);
}

function replyDocs(commands: readonly CommandEntry[], reply: Reply): void {
  reply.map(commands.length);
  for (const command of commands) {
    const { row } = command;
    const inner = [...(command.subcommands?.values() ?? [])];
    const hasArguments = row.syntax !== "" && inner.length === 0;
    reply.text(command.wireName);
    reply.map(3 + (hasArguments ? 1 : 0) + (inner.length > 0 ? 1 : 0));
    reply.text("summary");
    reply.text(row.summary);
    reply.text("since");
    reply.text(HIVE_VERSION);
    reply.text("group");
    reply.text(groupOf(row));
    if (hasArguments) {
      reply.text("arguments");
      replySyntax(row.syntax, reply);
    }
    if (inner.length > 0) {
      reply.text("subcommands");
      replyDocs(inner, reply);
    }
  }
}

function list({ services }: Context, args: Args, reply: Reply): void {
  if (args.count > 2 && (args.count !== 5 || !args.is(2, "FILTERBY"))) throw syntaxError();
  const passes = args.count === 2 ? () => true : filter(args);
  const names = [...services.commands.each()].filter(passes).map((command) => command.wireName);
  reply.array(names.length);
  for (const name of names) reply.text(name);
}

function filter(args: Args): (command: CommandEntry) => boolean {
  if (args.is(3, "MODULE")) return () => false;
  if (args.is(3, "ACLCAT")) {
    const category = args.latin1(4).toLowerCase();
    return ({ row }) => categoriesOf(row).includes(category);
  }
  if (!args.is(3, "PATTERN")) throw syntaxError();
  const pattern = Buffer.from(args.latin1(4).toLowerCase(), "latin1");
  return ({ wireName }) => {
    const name = Buffer.from(wireName);
    return matchesGlob(pattern, 0, pattern.length, name, 0, name.length);
  };
}

function getKeys({ services }: Context, args: Args, reply: Reply): void {
  const call = new Args(args.count);
  call.reset(args.buffer);
  for (let i = 2; i < args.count; i++) call.push(args.start(i), args.length(i), args.kind(i));
  let command = services.commands.find(call);
  if (command?.subcommands !== undefined && call.count > 1) command = command.subcommand(call);
  if (!command) throw new HiveError("INVALID_ARGUMENT", "Invalid command specified");
  if (!shownKeys(command.row)) throw new HiveError("INVALID_ARGUMENT", "The command has no key arguments");
  if (call.count < command.argumentsMin || call.count > command.argumentsMax) {
    throw new HiveError("INVALID_ARGUMENT", "Invalid number of arguments specified for command");
  }
  const indexes = keyIndexes(command.row, call);
  if (indexes.length === 0) throw new HiveError("INVALID_ARGUMENT", "Invalid arguments specified for command");
  reply.array(indexes.length);
  for (const index of indexes) reply.bulk(call.buffer, call.start(index), call.end(index));
}

type Inner = Pick<Row, "name" | "arity" | "summary" | "syntax" | "run">;

function inner(row: Inner): Row {
  return { family: "server", flags: ["connection"], permission: "none", ...row };
}

export const COMMAND_ROW: Row = {
  ...inner({
    name: "COMMAND",
    arity: -1,
    summary: "Describes all commands",
    syntax: "[subcommand [argument ...]]",
    run: all,
  }),
  subcommands: [
    inner({ name: "COMMAND COUNT", arity: 2, summary: "Returns how many commands there are", syntax: "", run: count }),
    inner({
      name: "COMMAND INFO",
      arity: -2,
      summary: "Describes commands for programs",
      syntax: "[command-name [command-name ...]]",
      run: info,
    }),
    inner({
      name: "COMMAND DOCS",
      arity: -2,
      summary: "Describes commands for people",
      syntax: "[command-name [command-name ...]]",
      run: docs,
    }),
    inner({
      name: "COMMAND LIST",
      arity: -2,
      summary: "Returns the names of the commands",
      syntax: "[FILTERBY MODULE module-name | FILTERBY ACLCAT category | FILTERBY PATTERN pattern]",
      run: list,
    }),
    inner({
      name: "COMMAND GETKEYS",
      arity: -4,
      summary: "Finds which arguments of a call are keys",
      syntax: "command arg [arg ...]",
      run: getKeys,
    }),
  ],
};
