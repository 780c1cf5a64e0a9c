// Syntax tree: a row's syntax line as the tree of arguments that COMMAND DOCS answers with.
//
//   "key [EX seconds | PX ms] [field ...]" ──▶ key, oneof(EX seconds, PX ms)?, field…?
//
//   list = alternative { "|" alternative }      alternative = item { item }
//   item = word | "[" list "]"                  a word in capitals is a token; "word [word ...]" repeats
//
// redis-cli shows it as hints while one types. It depends on nothing but the line itself.

import type { Reply } from "./reply.ts";

export type SyntaxNode = {
  /** A name for a value, or the token itself in lower case. */
  name: string;
  type: "string" | "pure-token" | "oneof" | "block";
  token?: string;
  optional: boolean;
  multiple: boolean;
  children: SyntaxNode[];
};

const WORDS = /[[\]|]|[^\s[\]|]+/g;
const TOKEN = /^[A-Z][A-Z0-9-]*$/;

/** Reads a syntax line. */
export function parseSyntax(line: string): SyntaxNode[] {
  const words = line.match(WORDS) ?? [];
  let at = 0;

  const list = (): SyntaxNode[] => {
    const alternatives: SyntaxNode[][] = [[]];
    for (; at < words.length && words[at] !== "]"; at++) {
      const word = words[at]!;
      const current = alternatives.at(-1)!;
      if (word === "|") alternatives.push([]);
      else if (word === "[") {
        at++;
        group(current, list());
      } else if (word === "...") for (const node of current.slice(-1)) node.multiple = true;
      else current.push(leaf(word));
    }
    if (alternatives.length === 1) return joinTokens(alternatives[0]!);
    return [
      node(
        "oneof",
        alternatives.map((nodes) => single(joinTokens(nodes))),
      ),
    ];
  };
  return list();
}

/** What stood in brackets: optional, or the repetition of what stands before it. */
function group(before: SyntaxNode[], inner: SyntaxNode[]): void {
  const last = inner.at(-1);
  const repeated = before.slice(-inner.length);
  if (last?.multiple && repeated.map(({ name }) => name).join() === inner.map(({ name }) => name).join()) {
    const unit = single(before.splice(-inner.length));
    unit.multiple = true;
    before.push(unit);
    return;
  }
  const unit = single(inner);
  unit.optional = true;
  before.push(unit);
}

/** "EX seconds" is one argument with a token. */
function joinTokens(nodes: readonly SyntaxNode[]): SyntaxNode[] {
  const joined: SyntaxNode[] = [];
  for (const next of nodes) {
    const token = joined.at(-1);
    if (token?.type === "pure-token" && next.type === "string" && !token.optional && !next.optional) {
      joined[joined.length - 1] = { ...next, token: token.token! };
    } else joined.push(next);
  }
  return joined;
}

function leaf(word: string): SyntaxNode {
  const base = { name: word.toLowerCase(), optional: false, multiple: false, children: [] };
  return TOKEN.test(word) ? { ...base, type: "pure-token", token: word } : { ...base, type: "string" };
}

function node(type: "oneof" | "block", children: SyntaxNode[]): SyntaxNode {
  const name = children.map((child) => child.name).join("-");
  return { name, type, optional: false, multiple: false, children };
}

function single(nodes: SyntaxNode[]): SyntaxNode {
  return nodes.length === 1 ? nodes[0]! : node("block", nodes);
}

/** Answers with the arguments of a syntax line. */
export function replySyntax(line: string, reply: Reply): void {
  replyNodes(parseSyntax(line), reply);
}

function replyNodes(nodes: readonly SyntaxNode[], reply: Reply): void {
  reply.array(nodes.length);
  for (const { name, type, token, optional, multiple, children } of nodes) {
    const flags = [...(optional ? ["optional"] : []), ...(multiple ? ["multiple"] : [])];
    const hasToken = token !== undefined;
    reply.map(2 + Number(hasToken) + Number(flags.length > 0) + Number(children.length > 0));
    reply.text("name");
    reply.text(name);
    reply.text("type");
    reply.text(type);
    if (hasToken) {
      reply.text("token");
      reply.text(token);
    }
    if (flags.length > 0) {
      reply.text("flags");
      reply.set(flags.length);
      for (const flag of flags) reply.status(flag);
    }
    if (children.length > 0) {
      reply.text("arguments");
      replyNodes(children, reply);
    }
  }
}
