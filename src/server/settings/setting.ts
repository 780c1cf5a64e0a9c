// Setting: one row of the table: what it is called everywhere, and what it may be.
//
//   name "tls.cert" ──▶ file {"tls":{"cert":…}} · option tls.cert · --tls-cert · MEMHIVE_TLS_CERT
//
// The name is the path to the value in a settings file and in the options of Hive.start(); the flag and the
// variable follow from it unless the row says otherwise.

import type { Kind, SettingValue } from "./kinds.ts";

export type Group =
  | "start"
  | "network"
  | "access"
  | "tls"
  | "memory"
  | "events"
  | "snapshots"
  | "structures"
  | "logs"
  | "limits";

/** Whom a setting is for: the hive has it as an option, the command alone does something with it. */
export type Taker = "hive" | "command";

export type Setting = {
  readonly name: string;
  readonly kind: Kind;
  readonly group: Group;
  /** One line: what it does. Its default follows by itself. */
  readonly help: string;
  /** Undefined: nothing is set, which `help` explains. */
  readonly initial: SettingValue | undefined;
  /** Without the dashes; undefined for what has --limit. */
  readonly flag: string | undefined;
  /** A flag that takes no value and switches it off: "no-tcp". */
  readonly offFlag: string | undefined;
  readonly environment: string;
  /** Whether it may stand in a settings file. */
  readonly inFile: boolean;
  /** Shown as set or not set, and never in an error. */
  readonly secret: boolean;
  readonly taker: Taker;
};

type Given = Pick<Setting, "name" | "kind" | "group" | "help"> & Partial<Setting>;

/** A row with its names filled in. */
export function setting(given: Given): Setting {
  const words = given.name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll(".", "-")
    .toLowerCase();
  const flag = "flag" in given ? given.flag : words;
  return {
    initial: undefined,
    offFlag: undefined,
    environment: `MEMHIVE_${(flag ?? words).replaceAll("-", "_").toUpperCase()}`,
    inFile: true,
    secret: false,
    taker: "hive",
    ...given,
    flag,
  };
}

/** Where a value came from, as errors and `memhive config` name it. */
export type Source =
  | { readonly kind: "flag"; readonly flag: string }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "option" }
  | { readonly kind: "default" };

/** "--port", "environment MEMHIVE_PORT", "memhive.json", "option", "default" */
export function sourceName(source: Source): string {
  if (source.kind === "flag") return source.flag;
  if (source.kind === "environment") return `environment ${source.variable}`;
  return source.kind === "file" ? source.path : source.kind;
}

/** Source and setting in front of an error: "memhive.json: limits.valueBytesMax". */
export function placeOf(name: string, source: Source): string {
  if (source.kind === "file" || source.kind === "option")
    return `${sourceName(source)}${source.kind === "file" ? ":" : ""} ${name}`;
  return sourceName(source);
}
