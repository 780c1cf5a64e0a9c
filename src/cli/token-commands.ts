// memhive token: makes, shows and ends the tokens of a file.
//
//   create ──▶ the file ──▶ the token on standard output, once; what it may do on standard error
//
// No hive has to run; one that does takes the change over at once. The commands dial nobody.

import { type Command, InvalidArgumentError } from "commander";
import { HiveError } from "../base/errors.ts";
import { limitsWith } from "../base/limits.ts";
import type { TokenInfo } from "../server/index.ts";
import { bytes as bytesKind } from "../server/settings/kinds.ts";
import { addToken, changeTokens, checkGrants, removeToken } from "../server/tokens-change.ts";
import { readTokens } from "../server/tokens-file.ts";
import { count } from "./option-values.ts";

type CommonOptions = { tokens?: string; json?: boolean };
type CreateOptions = CommonOptions & {
  grant: string[];
  name?: string;
  device?: string;
  bytes?: number;
  keys?: number;
  callsPerSecond?: number;
  connections?: number;
  expires?: number;
};

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const GRANTS_HELP = `
A grant is read, write, run or files, each on the keys that a pattern matches (read:users:*, write:*), or
admin, or all. write does not include read. docs/guides/tokens.md has more.`;

/** @param onNotFound There is no such token. */
export function addTokenCommands(program: Command, onNotFound: () => void): void {
  const token = program.command("token").description("make, show and revoke the tokens of a hive").exitOverride();
  const add = (name: string, description: string): Command =>
    token
      .command(name)
      .description(description)
      .exitOverride()
      .option("--tokens <file>", "where the tokens are ($MEMHIVE_TOKENS)")
      .option("--json", "in JSON");
  add("create", "make a token, and print it: this once")
    .requiredOption("--grant <grant>", "what it may do, again for more: read:users:*, write:*, admin, all", grant)
    .option("--name <name>", "for people; AUTH takes it as the user too")
    .option("--device <device>", "the device that it belongs to")
    .option("--bytes <bytes>", "what its keys may take: 500kb, 10mb", bytes)
    .option("--keys <count>", "how many keys it may have", count)
    .option("--calls-per-second <count>", "how many calls it may make", count)
    .option("--connections <count>", "how many connections it may have", count)
    .option("--expires <time>", "it ends after so long: 12h, 30d", duration)
    .addHelpText("after", GRANTS_HELP)
    .action(create);
  add("list", "show the tokens, not their secrets").action(list);
  add("revoke", "end tokens, and their connections at once")
    .argument("<ids...>")
    .action(async (ids: string[], options: CommonOptions) => {
      if (!(await revoke(ids, options))) onNotFound();
    });
}

async function create(options: CreateOptions): Promise<void> {
  const { name, device, bytes, keys, callsPerSecond, connections, expires } = options;
  const nowMs = Date.now();
  const quotas = Object.fromEntries(
    Object.entries({ bytes, keys, callsPerSecond, connections }).filter(([, value]) => value !== undefined),
  );
  const limits = limitsWith({});
  const { token, info } = await changeTokens(fileOf(options), limits, (content) =>
    addToken(
      content,
      {
        grants: options.grant,
        ...(name === undefined ? {} : { name }),
        ...(device === undefined ? {} : { device }),
        quotas,
        ...(expires === undefined ? {} : { expiresAtMs: nowMs + expires }),
      },
      { nowMs, limits },
    ),
  );
  if (options.json) return void process.stdout.write(`${JSON.stringify({ token, ...info })}\n`);
  process.stderr.write(`${describe(info)}\nThe token is shown this once:\n`);
  process.stdout.write(`${token}\n`);
}

async function list(options: CommonOptions): Promise<void> {
  const { content } = readTokens(fileOf(options), limitsWith({}));
  for (const { hash: _, owner: __, ...info } of content.tokens) {
    process.stdout.write(`${options.json ? JSON.stringify(info) : describe(info)}\n`);
  }
}

/** Returns whether all of them were there. */
async function revoke(ids: string[], options: CommonOptions): Promise<boolean> {
  const path = fileOf(options);
  const missing = await changeTokens(path, limitsWith({}), (content) => ids.filter((id) => !removeToken(content, id)));
  for (const id of missing) process.stderr.write(`memhive: there is no token ${id.slice(0, 64)} in ${path}\n`);
  const ended = ids.filter((id) => !missing.includes(id));
  if (options.json) process.stdout.write(`${JSON.stringify({ revoked: ended })}\n`);
  else for (const id of ended) process.stdout.write(`revoked ${id}\n`);
  return missing.length === 0;
}

function fileOf({ tokens }: CommonOptions): string {
  const path = tokens ?? process.env["MEMHIVE_TOKENS"];
  if (path !== undefined && path !== "") return path;
  throw new HiveError("REFUSED_SETTING", "which file? --tokens FILE, or MEMHIVE_TOKENS");
}

/** A token in one line: "1f… name=… grants=… bytes=… expires=…". */
function describe({ id, name, device, grants, quotas, expiresAtMs, createdAtMs }: TokenInfo): string {
  const ends = expiresAtMs !== undefined && expiresAtMs <= Date.now() ? "expired" : "expires";
  return [
    id,
    name === "" ? [] : `name=${name}`,
    device === undefined ? [] : `device=${device}`,
    `grants=${grants.join(",")}`,
    Object.entries(quotas).map(([quota, value]) => `${quota}=${value}`),
    `created=${new Date(createdAtMs).toISOString()}`,
    expiresAtMs === undefined ? [] : `${ends}=${new Date(expiresAtMs).toISOString()}`,
  ]
    .flat()
    .join(" ");
}

// Options.

function grant(text: string, before: string[] = []): string[] {
  try {
    checkGrants([text]);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return [...before, text];
}

function bytes(text: string): number {
  const value = bytesKind({ min: 1 }).parse(text);
  if (typeof value === "number") return value;
  throw new InvalidArgumentError("expected bytes above 0, such as 500kb or 10mb");
}

/** Milliseconds of "30d". */
function duration(text: string): number {
  const [, number, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (value > 0) return value;
  throw new InvalidArgumentError("expected a number and s, m, h, d or w, such as 12h or 30d");
}
