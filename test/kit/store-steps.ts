// Store steps: which operation of a history a number stands for, and how often each one comes.

/** An operation's number, and three for what it works on. */
export type Step = readonly [number, number, number, number];

/** Operations that may run inside undo, and with an allocation that fails. */
export type Inside =
  | "put"
  | "remove"
  | "expireKey"
  | "own"
  | "rename"
  | "resize"
  | "setField"
  | "growFields"
  | "deleteFields"
  | "expireField"
  | "pushElements"
  | "editList";
/** Operations between commands. */
export type Outside =
  | "fillKeys"
  | "drainKeys"
  | "pass"
  | "goBack"
  | "work"
  | "clear"
  | "scan"
  | "undo"
  | "fail"
  | "look";

/** By number below 100: one of the two has it; where neither has, it is "look". */
export const INSIDE: (Inside | undefined)[] = [];
export const OUTSIDE: (Outside | undefined)[] = [];

let at = 0;
// biome-ignore format: a table reads better aligned
for (const [name, weight] of [
  ["put", 9], ["remove", 3], ["expireKey", 4], ["own", 3], ["rename", 5], ["resize", 4], ["setField", 8], ["growFields", 4],
  ["deleteFields", 4], ["expireField", 4], ["pushElements", 6], ["editList", 8],
] as [Inside, number][]) for (let i = 0; i < weight; i++) INSIDE[at++] = name;
// biome-ignore format: a table reads better aligned
for (const [name, weight] of [
  ["fillKeys", 3], ["drainKeys", 3], ["pass", 8], ["goBack", 1], ["work", 4], ["clear", 1], ["scan", 5], ["undo", 4], ["fail", 9],
] as [Outside, number][]) for (let i = 0; i < weight; i++) OUTSIDE[at++] = name;
