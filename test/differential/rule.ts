// test/differential/rule.ts
// Rule: how one command, or a short sequence that belongs together, is drawn.
//
//   grammar/<family>.ts: rules ──▶ generator.ts picks by weight, draws, and now and then spoils one
//
// A grammar says what a command may look like, right and wrong. How replies are compared is not
// its business: that follows from the command's name (comparisons.ts).

import type { Args, Draw } from "./draw.ts";

export type Family = "keys" | "strings" | "tables" | "sets" | "sorted" | "lists" | "transactions" | "server";

export const families: readonly Family[] = [
  "keys",
  "strings",
  "tables",
  "sets",
  "sorted",
  "lists",
  "transactions",
  "server",
];

export type Rule = {
  readonly name: string;
  /** How often it is picked, relative to the other rules of its family. */
  readonly weight: number;
  /** Whether a single command may be spoilt: an argument too many, too few, doubled, swapped. */
  readonly spoilable: boolean;
  /** Whether it may stand between MULTI and EXEC. */
  readonly queueable: boolean;
  readonly draw: (draw: Draw) => readonly Args[];
};

/** A rule for one command: `draw` gives its arguments, a name of two words counts as two arguments. */
export function command(name: string, weight: number, draw: (draw: Draw) => readonly string[]): Rule {
  const words = name.split(" ");
  return { name, weight, spoilable: true, queueable: true, draw: (from) => [[...words, ...draw(from)]] };
}

/** A rule whose commands are sent as drawn, none spoilt: for what is only safe or comparable so. */
export function sequence(name: string, weight: number, draw: (draw: Draw) => readonly Args[]): Rule {
  return { name, weight, spoilable: false, queueable: true, draw };
}

/** The same rule, kept out of transactions. */
export function outsideMulti(rule: Rule): Rule {
  return { ...rule, queueable: false };
}
