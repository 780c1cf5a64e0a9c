// The commands of a client: each dials, asks, prints, and closes.
//
//   options, arguments ──▶ with a client ──▶ standard output            false: there is no such key or field

import { readFileSync } from "node:fs";
import { HiveError } from "../base/errors.ts";
import type { Client, Key } from "../client/node.ts";
import { type CommonOptions, dialHive } from "./dial-hive.ts";
import { parseNotation } from "./notation.ts";
import { plain, showJson, showReply } from "./printing.ts";

type ValueOptions = CommonOptions & { bytes?: boolean; ttl?: number };

async function withHive<T>(options: CommonOptions, work: (hive: Client) => Promise<T>): Promise<T> {
  const hive = await dialHive(options, { reconnect: false });
  try {
    return await work(hive);
  } finally {
    await hive.close();
  }
}

/** A value as --json or plain, with an end of line behind text. */
function print(value: unknown, options: CommonOptions): void {
  const shown = options.json ? showJson(value) : plain(value);
  if (typeof shown === "string") process.stdout.write(`${shown}\n`);
  else process.stdout.write(shown);
}

function parseValue(text: string, { json, bytes }: ValueOptions): unknown {
  const given = text === "-" ? readFileSync(0) : text;
  if (bytes) return hexadecimal(String(given).trim());
  if (json) return parseNotation(String(given));
  // Standard input may be anything; what is text there is text.
  return typeof given === "string" ? given : textOrBytes(given);
}

function textOrBytes(bytes: Buffer): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new Uint8Array(bytes);
  }
}

function hexadecimal(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(text))
    throw new HiveError("BAD_VALUE", "--bytes: expected pairs of hexadecimal digits");
  return Uint8Array.from(Buffer.from(text, "hex"));
}

export function get(options: CommonOptions, key: string): Promise<boolean> {
  return withHive(options, async (hive) => {
    const value = await hive.get(key, { as: "auto" });
    if (value === undefined && !(await hive.exists(key))) return notFound(`there is no key ${key}`);
    print(value, options);
    return true;
  });
}

type SetOptions = ValueOptions & { ifAbsent?: boolean; ifPresent?: boolean };

export function set(options: SetOptions, key: string, text: string): Promise<boolean> {
  const value = parseValue(text, options);
  const onlyIf = options.ifAbsent ? "absent" : options.ifPresent ? "present" : undefined;
  return withHive(options, async (hive) => {
    const done = await hive.put(key, value, {
      ...(options.ttl === undefined ? {} : { ttlMs: options.ttl }),
      ...(onlyIf === undefined ? {} : { onlyIf }),
    });
    return done || notFound(onlyIf === "absent" ? `there is a key ${key} already` : `there is no key ${key}`);
  });
}

export function del(options: CommonOptions, keys: string[]): Promise<boolean> {
  return withHive(options, async (hive) => {
    const deleted = await hive.send(["DEL", ...keys]);
    print(deleted, options);
    return deleted !== 0;
  });
}

type KeysOptions = CommonOptions & { type?: string; limit?: number };

export function keys(options: KeysOptions, pattern?: string): Promise<boolean> {
  return withHive(options, async (hive) => {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    const filter = {
      as: "auto" as const,
      ...(pattern === undefined ? {} : { match: pattern }),
      ...(options.type === undefined ? {} : { type: options.type }),
    };
    for await (const key of hive.scan(filter)) {
      if (left-- <= 0) break;
      print(key, options);
    }
    return true;
  });
}

type TableOptions = ValueOptions & { typed?: boolean };

export function table(options: TableOptions, name: string, action: string, args: string[]): Promise<boolean> {
  const wanted: Record<string, [least: number, most: number]> = {
    get: [1, 1],
    set: [2, 2],
    del: [1, Number.POSITIVE_INFINITY],
    keys: [0, 0],
    entries: [0, 0],
    size: [0, 0],
  };
  const range = wanted[action];
  if (range === undefined || args.length < range[0] || args.length > range[1]) {
    throw new HiveError(
      "SYNTAX",
      "memhive table NAME get FIELD | set FIELD VALUE | del FIELDS… | keys | entries | size",
    );
  }
  return withHive(options, (hive) => tableAction(hive, { options, name, action, args }));
}

type TableCall = { options: TableOptions; name: string; action: string; args: string[] };

async function tableAction(hive: Client, { options, name, action, args }: TableCall): Promise<boolean> {
  const fields = hive.table<unknown, Key>(name);
  const field = (text: string): Key => (options.typed ? (parseNotation(text) as Key) : text);
  switch (action) {
    case "get": {
      const key = field(args[0]!);
      const value = await hive.send(["HGET", name, key], { as: "auto" });
      if (value === undefined && !(await fields.has(key))) return notFound(`table ${name} has no field ${args[0]}`);
      print(value, options);
      return true;
    }
    case "set":
      await fields.set(
        field(args[0]!),
        parseValue(args[1]!, options),
        options.ttl === undefined ? {} : { ttlMs: options.ttl },
      );
      return true;
    case "del": {
      const deleted = await hive.send(["HDEL", name, ...args.map(field)]);
      print(deleted, options);
      return deleted !== 0;
    }
    case "keys":
      for await (const key of fields.keys({ as: "auto" })) print(key, options);
      return true;
    case "entries":
      for await (const [key, value] of fields.entries({ as: "auto" })) printEntry(key, value, options);
      return true;
    default:
      print(await fields.size(), options);
      return true;
  }
}

function printEntry(key: unknown, value: unknown, options: CommonOptions): void {
  if (options.json) print([key, value], options);
  else process.stdout.write(`${showReply(key)}\t${showReply(value)}\n`);
}

export function send(options: CommonOptions & { typed?: boolean }, words: string[]): Promise<boolean> {
  const [name = "", ...args] = words;
  const values = options.typed ? args.map(jsonOrText) : args;
  return withHive(options, async (hive) => {
    const reply = await hive.send([name, ...values], { as: "auto" });
    process.stdout.write(`${options.json ? showJson(reply) : showReply(reply)}\n`);
    return true;
  });
}

function jsonOrText(text: string): unknown {
  try {
    return parseNotation(text);
  } catch {
    return text;
  }
}

export function info(options: CommonOptions, section?: string): Promise<boolean> {
  return withHive(options, async (hive) => {
    const sections = await hive.info(section ?? "everything");
    if (options.json) print(sections, options);
    else process.stdout.write(infoText(sections));
    return true;
  });
}

function infoText(sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string {
  return Object.entries(sections)
    .map(([name, facts]) => {
      const width = Math.max(...Object.keys(facts).map((fact) => fact.length), 0);
      const lines = Object.entries(facts).map(([fact, value]) => `  ${fact.padEnd(width)}  ${String(value)}\n`);
      return `${name}\n${lines.join("")}`;
    })
    .join("\n");
}

export async function cli(options: CommonOptions): Promise<boolean> {
  const { Repl } = await import("./repl.ts");
  await new Repl(options).run();
  return true;
}

function notFound(message: string): false {
  process.stderr.write(`memhive: ${message}\n`);
  return false;
}
