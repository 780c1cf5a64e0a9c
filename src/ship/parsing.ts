// Parsing: the source of a function as a tree, and the names in it that are declared nowhere.
//
//   "(n) => n * rate" ──acorn──▶ tree ──eslint-scope──▶ ["rate"]
//
// Both packages are handed in by the entry (node.ts, browser.ts): they are optional peers of the client.

import type { CodeKind } from "../wire/value.ts";

export type Node = { type: string; start: number; end: number } & Record<string, unknown>;

type Scopes = { globalScope: { through: readonly { identifier: { name: string } }[] } | null };

/** acorn's parse(), and eslint-scope's analyze(). */
export type Parser = {
  parse(source: string, options: Record<string, unknown>): unknown;
  analyze(tree: unknown, options: Record<string, unknown>): unknown;
};

/** eslint-scope takes a year; names are resolved alike in later ones. */
const SCOPE_YEAR = 2025;

/** How a function's text is read, and what of it is its own node. */
export type Form = { kind: CodeKind; node: Node; tree: unknown };

/** @throws {SyntaxError} It is no function in strict mode. */
export function formOf(parser: Parser, source: string): Form {
  let failure: unknown;
  // What begins like a method may also be an expression: `async (a) => a`, `get(a) {}`.
  for (const [before, after] of [
    ["(", "\n)"],
    ["({", "\n})"],
  ] as const) {
    try {
      const tree = parser.parse(before + source + after, {
        ecmaVersion: "latest",
        sourceType: "module",
        ranges: true,
        allowSuperOutsideMethod: true,
        checkPrivateFields: false,
      }) as Node;
      const form = rootOf(tree);
      if (form !== undefined) return form;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new SyntaxError("it is no function");
}

const KINDS: Readonly<Record<string, CodeKind>> = {
  FunctionExpression: "function",
  ArrowFunctionExpression: "arrow",
  ClassExpression: "class",
};

function rootOf(tree: Node): Form | undefined {
  const [statement, ...others] = tree["body"] as Node[];
  const node = statement?.["expression"] as Node | undefined;
  if (node === undefined || others.length > 0) return undefined;
  const kind = KINDS[node.type];
  if (kind !== undefined) return { kind, node, tree };
  const [property, ...more] = node.type === "ObjectExpression" ? (node["properties"] as Node[]) : [];
  if (property === undefined || more.length > 0 || property.type !== "Property") return undefined;
  if (property["kind"] === "get") return { kind: "getter", node: property, tree };
  if (property["kind"] === "set") return { kind: "setter", node: property, tree };
  return property["method"] === true ? { kind: "method", node: property, tree } : undefined;
}

/** The names that the code uses and does not declare, each once, in the order of their use. */
export function freeNames(parser: Parser, tree: unknown): string[] {
  const scopes = parser.analyze(tree, { ecmaVersion: SCOPE_YEAR, sourceType: "module" }) as Scopes;
  return [...new Set((scopes.globalScope?.through ?? []).map(({ identifier }) => identifier.name))];
}

/** The nodes inside a node. */
export function* childrenOf(node: Node): Generator<Node> {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && typeof (child as Node).type === "string") yield child as Node;
    }
  }
}
