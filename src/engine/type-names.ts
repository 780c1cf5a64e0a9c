// Type names: the words of Redis for what a key holds.

import { TYPE_LIST, TYPE_SET, TYPE_SORTED, TYPE_STRING, TYPE_STRUCTURE, TYPE_TABLE } from "../store/layout.ts";

const NAMES: Readonly<Record<number, string>> = {
  [TYPE_STRING]: "string",
  [TYPE_TABLE]: "hash",
  [TYPE_SET]: "set",
  [TYPE_LIST]: "list",
  [TYPE_SORTED]: "zset",
  [TYPE_STRUCTURE]: "structure",
};

/** The word for a type of layout.ts, in lower case. */
export function typeName(type: number): string {
  return NAMES[type] ?? "none";
}
