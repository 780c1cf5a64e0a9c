// Surroundings: what code takes from where it was written without naming a variable: this, super, new.target,
// await, a private field, import.
//
//   () => this.rate ──▶ "this of the code around it"
//
// A function has its own this, an arrow function that of what is around it; fields, methods and static blocks of a
// class have their own, its base and its computed names that of what is around the class.

import type { CodeKind } from "../wire/value.ts";
import { childrenOf, type Form, type Node } from "./parsing.ts";

type Place = {
  /** Whether this, new.target and arguments are of the code itself. */
  ownThis: boolean;
  ownSuper: boolean;
  ownAwait: boolean;
  privates: ReadonlySet<string>;
};

const OUTSIDE: Place = { ownThis: false, ownSuper: false, ownAwait: false, privates: new Set() };

/** Why the code cannot stand alone, in words that follow "it uses"; undefined where it can. */
export function surroundingsUsed({ kind, node }: Form): string | undefined {
  return visit(node, OUTSIDE, kind);
}

function visit(node: Node, place: Place, root?: CodeKind): string | undefined {
  switch (node.type) {
    case "ThisExpression":
      return place.ownThis ? undefined : "this of the code around it: write a function, or a parameter instead";
    case "Super":
      return place.ownSuper ? undefined : "super of the class or object that it is written in: ship that class";
    case "AwaitExpression":
    case "YieldExpression":
      if (!place.ownAwait) return "await or yield of the function around it";
      break;
    case "ImportExpression":
      return "import(), which looks beside the file that it was written in: bind what it gives";
    case "MetaProperty":
      if ((node["meta"] as Node)["name"] === "import") return "import.meta of the file that it was written in";
      return place.ownThis ? undefined : "new.target of the function around it";
    case "PrivateIdentifier": {
      const name = String(node["name"]);
      return place.privates.has(name) ? undefined : `the private #${name} of its class: ship that class`;
    }
    case "ClassExpression":
    case "ClassDeclaration":
      return visitClass(node, place);
    case "Property":
      return visitMember(node, place, { ...place, ownSuper: root === undefined });
    case "FunctionExpression":
    case "FunctionDeclaration":
      return visitAll(childrenOf(node), { ...place, ownThis: true, ownAwait: true, ownSuper: false });
    case "ArrowFunctionExpression":
      return visitAll(childrenOf(node), { ...place, ownAwait: true });
  }
  return visitAll(childrenOf(node), place);
}

function visitAll(nodes: Iterable<Node>, place: Place): string | undefined {
  for (const node of nodes) {
    const used = visit(node, place);
    if (used !== undefined) return used;
  }
  return undefined;
}

/** A method's name is of what is around it, its function has what `inside` says. */
function visitMember(node: Node, around: Place, inside: Place): string | undefined {
  const key = node["key"] as Node;
  const used = node["computed"] === true ? visit(key, around) : undefined;
  const value = node["value"] as Node | null;
  if (used !== undefined || value === null) return used;
  const isMethod = node.type === "MethodDefinition" || node["method"] === true || node["kind"] !== "init";
  if (node.type === "Property" && !isMethod) return visit(value, around);
  if (node.type === "PropertyDefinition") return visit(value, { ...inside, ownThis: true });
  return visitAll(childrenOf(value), { ...inside, ownThis: true, ownAwait: true });
}

function visitClass(node: Node, place: Place): string | undefined {
  const members = (node["body"] as Node)["body"] as Node[];
  const privates = new Set(place.privates);
  for (const { key } of members as { key?: Node }[]) {
    if (key?.type === "PrivateIdentifier") privates.add(String(key["name"]));
  }
  const around = { ...place, privates };
  const base = node["superClass"] as Node | null;
  const used = base === null ? undefined : visit(base, around);
  if (used !== undefined) return used;
  const inside: Place = { ownThis: true, ownSuper: true, ownAwait: false, privates };
  for (const member of members) {
    const found =
      member.type === "StaticBlock" ? visitAll(childrenOf(member), inside) : visitMember(member, around, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}
