// Syntax lines as trees: what COMMAND DOCS tells of a command's arguments.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSyntax, type SyntaxNode } from "../../src/engine/syntax-tree.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";

/** A tree on one line: token:name, ? for optional, * for multiple, {} for alternatives, () for a group. */
function outline(nodes: readonly SyntaxNode[]): string {
  return nodes
    .map(({ name, type, token, optional, multiple, children }) => {
      const brackets = type === "oneof" ? ["{", "}"] : ["(", ")"];
      const leaf = type === "pure-token" ? token! : token ? `${token}:${name}` : name;
      const inner = children.length > 0 ? `${brackets[0]}${outline(children)}${brackets[1]}` : leaf;
      return `${inner}${optional ? "?" : ""}${multiple ? "*" : ""}`;
    })
    .join(" ");
}

test("words, tokens, options, alternatives and repetitions", () => {
  const lines: Record<string, string> = {
    "": "",
    key: "key",
    "key value": "key value",
    "key [key ...]": "key*",
    "key field value [field value ...]": "key (field value)*",
    "key [NX | XX] [GET]": "key {NX XX}? GET?",
    "key [EX seconds | KEEPTTL]": "key {EX:seconds KEEPTTL}?",
    "cursor [MATCH pattern]": "cursor MATCH:pattern?",
    "ON | OFF": "{ON OFF}",
    "[event [event ...]]": "event?*",
  };
  for (const [line, tree] of Object.entries(lines)) assert.equal(outline(parseSyntax(line)), tree, line);
});

test("the line of every row is read to its end", () => {
  const words = (text: string): string[] =>
    [...new Set(text.toLowerCase().match(/[a-z0-9:./-]+/g))].filter((word) => word !== "...");
  const named = (nodes: readonly SyntaxNode[]): string[] =>
    nodes.flatMap(({ name, token, children }) =>
      children.length > 0 ? named(children) : [name, ...(token ? [token.toLowerCase()] : [])],
    );
  for (const row of ROWS.flatMap((row) => [row, ...(row.subcommands ?? [])])) {
    const missing = words(row.syntax).filter((word) => !named(parseSyntax(row.syntax)).includes(word));
    assert.deepEqual(missing, [], `${row.name} ${row.syntax}`);
    assert.equal(row.syntax.split("[").length, row.syntax.split("]").length, row.name);
  }
});
