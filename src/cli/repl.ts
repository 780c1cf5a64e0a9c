// The interactive command line: a line is a command, what comes back is shown.
//
//   hive://127.0.0.1:4483> HSET users ada ='{"born":1815}'
//   (integer) 1
//
// History is kept in a file of the user's, without lines that hold a token. Completion and hints come
// from the command rows. A connection that is lost comes back by itself; until then calls say so.
// Without a terminal it reads a command a line and prints the replies: a script.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { isHiveError } from "../base/errors.ts";
import type { Client } from "../client/node.ts";
import { COMMANDS, type CommandHelp } from "../server/command-help.ts";
import { type CommonOptions, dialHive } from "./dial-hive.ts";
import { showJson, showReply } from "./printing.ts";
import { parseWords } from "./words.ts";

const HISTORY_LINES_MAX = 1000;
/** What may hold a secret is not written down. */
const SECRET = /^\s*(auth|hello)\b/i;

const HELP = `Type a command and its arguments: SET greeting hello · HGETALL users · help HSET
  "…" and '…' quote as in redis-cli; =JSON is a value: =1815  ={"born":1815}
  help [NAME]   commands, or one of them      clear   the screen      quit   or Ctrl+D
Tab completes the name of a command.
`;

export class Repl {
  readonly #options: CommonOptions;

  constructor(options: CommonOptions) {
    this.#options = options;
  }

  /** Reads lines until the end of input, or `quit`. @throws {HiveError} there is no hive. */
  async run(): Promise<void> {
    await using hive = await dialHive(this.#options);
    if (process.stdin.isTTY && process.stdout.isTTY) await this.#converse(hive);
    else await this.#readScript(hive);
  }

  async #converse(hive: Client): Promise<void> {
    const history = historyPath();
    const lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      history: readHistory(history),
      historySize: HISTORY_LINES_MAX,
      removeHistoryDuplicates: true,
      completer: complete,
    });
    const prompt = (): void => {
      lines.setPrompt(`${hive.address}${hive.state === "ready" ? "" : ` (${hive.state})`}> `);
      lines.prompt();
    };
    process.stdout.write(`memhive ${hive.hiveVersion} at ${hive.address}; help says how, Ctrl+D ends\n`);
    prompt();
    for await (const line of lines) {
      if (!(await this.#perform(hive, line, lines))) break;
      prompt();
    }
    lines.close();
    writeHistory(history, (lines as unknown as { history?: string[] }).history ?? []);
  }

  async #readScript(hive: Client): Promise<void> {
    for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!(await this.#perform(hive, line, undefined))) break;
    }
  }

  /** Answers one line. Returns false where it was the last. */
  async #perform(hive: Client, line: string, lines: Interface | undefined): Promise<boolean> {
    try {
      const words = parseWords(line);
      if (words.length === 0) return true;
      const [name, ...rest] = words;
      const word = String(name).toLowerCase();
      if (word === "quit" || word === "exit") return false;
      if (word === "help") write(help(rest.map(String)));
      else if (word === "clear" && lines !== undefined) process.stdout.write("\x1b[H\x1b[2J");
      else write(this.#show(await hive.send(words, { as: "auto" })));
    } catch (error) {
      if (!isHiveError(error)) throw error;
      // What the hive says of the arguments, not what this side says of the quotes.
      const wrongArguments = error.code === "WRONG_ARITY" || (error.code === "SYNTAX" && error.call !== undefined);
      const hint = wrongArguments ? hintOf(line) : "";
      write(`(error) ${error.code} ${error.message}${hint === "" ? "" : `\n        ${hint}`}`);
    }
    return true;
  }

  #show(reply: unknown): string {
    return this.#options.json ? showJson(reply) : showReply(reply);
  }
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The commands that begin with what is typed, and what of it they complete. */
export function complete(line: string): [string[], string] {
  const typed = line.trimStart().toUpperCase();
  const names = COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(typed));
  if (typed !== "" && names.length > 0 && names.some((name) => name !== typed))
    return [names.map((name) => `${name} `), line.trimStart()];
  const command = commandOf(line);
  // Nothing to complete, but something to say: the arguments that the command takes.
  return command === undefined ? [[], line] : [["", `${command.name} ${command.syntax}`.trim()], line];
}

/** "HSET key field value [field value …]" for a line that begins with a command; empty where there is none. */
function hintOf(line: string): string {
  const command = commandOf(line);
  return command === undefined ? "" : `${command.name} ${command.syntax}`.trim();
}

function commandOf(line: string): CommandHelp | undefined {
  const [first = "", second = ""] = line.trim().toUpperCase().split(/\s+/);
  return COMMANDS.find(({ name }) => name === `${first} ${second}`) ?? COMMANDS.find(({ name }) => name === first);
}

function help(words: readonly string[]): string {
  if (words.length === 0) {
    const families = Map.groupBy(COMMANDS, ({ family }) => family);
    const list = [...families].map(([family, rows]) => `${family}: ${rows.map(({ name }) => name).join(", ")}`);
    return `${HELP}\n${list.join("\n")}`;
  }
  const command = commandOf(words.join(" "));
  if (command === undefined) return `there is no command ${words.join(" ").toUpperCase()}`;
  return `${`${command.name} ${command.syntax}`.trim()}\n  ${command.summary}`;
}

function historyPath(): string {
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return process.env["MEMHIVE_HISTORY"] ?? join(state, "memhive", "history");
}

/** Newest first, as readline has it. */
function readHistory(path: string): string[] {
  try {
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean).reverse() : [];
  } catch {
    return [];
  }
}

/** A history that cannot be written is no reason to fail. */
function writeHistory(path: string, newestFirst: readonly string[]): void {
  const kept = newestFirst.filter((line) => !SECRET.test(line)).slice(0, HISTORY_LINES_MAX);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${kept.reverse().join("\n")}\n`, { mode: 0o600 });
  } catch (error) {
    process.stderr.write(`memhive: history was not kept: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
