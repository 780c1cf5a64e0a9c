// Additions: what a program put on a function or class after it was written. Its source does not have that, so a
// reader would get less than there is.
//
//   function f() {}   f.cache = new Map()   ──▶ "cache"

import type { CodeKind } from "../wire/value.ts";
import type { Node } from "./parsing.ts";

type Code = ((...args: never[]) => unknown) & { prototype?: unknown };

/** What was added, in words; undefined where the source is all. */
export function additionTo(code: Code, kind: CodeKind, node: Node): string | undefined {
  if (kind === "class") return additionToClass(code, node);
  const [own] = Object.keys(code);
  if (own !== undefined) return `the property ${own}`;
  const { prototype } = code;
  if (kind !== "function" || typeof prototype !== "object" || prototype === null) return undefined;
  const method = Reflect.ownKeys(prototype).find((name) => name !== "constructor");
  if (method !== undefined) return `prototype.${String(method)}`;
  const changed = Object.hasOwn(prototype, "constructor") && Object.getPrototypeOf(prototype) !== Object.prototype;
  return changed ? "another prototype" : undefined;
}

/** A class that computes names, or runs a static block, may have made anything of itself. */
function additionToClass(code: Code, node: Node): string | undefined {
  const members = (node["body"] as Node)["body"] as Node[];
  const isPlain = (member: Node): boolean => member.type !== "StaticBlock" && member["computed"] !== true;
  if (!members.every(isPlain)) return undefined;
  const written = (isStatic: boolean): Set<string> =>
    new Set(members.filter((member) => member["static"] === isStatic).map(nameOf));
  const statics = written(true);
  const added = Object.keys(code).find((name) => !statics.has(name));
  if (added !== undefined) return `the static property ${added}`;
  const methods = written(false).add("constructor");
  const method = Reflect.ownKeys(code.prototype as object).find((name) => !methods.has(String(name)));
  return method === undefined ? undefined : `prototype.${String(method)}`;
}

function nameOf(member: Node): string {
  const key = member["key"] as Node;
  return String(key["name"] ?? key["value"]);
}
