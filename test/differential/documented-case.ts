// test/differential/documented-case.ts
// Documented case: what a hive must reply where redis-server 7.0 cannot say, since it came later.
//
//   DocumentedCase ──▶ playCase(case, { send, pass }) ──▶ the first reply that is not as documented
//
// A case begins on an empty database. Time passes only at its `passMs` steps; elsewhere no expected
// reply depends on the time between two commands, but for `near`.

import { parseReply } from "./frame.ts";

/** One command, its words separated by spaces, and its exact reply; or integers near to it; or time that passes. */
export type Step =
  | { readonly send: string; readonly expect: string }
  | { readonly send: string; readonly near: readonly number[]; readonly tolerance: number }
  | { readonly passMs: number };

export type DocumentedCase = { readonly name: string; readonly steps: readonly Step[] };

/** What a case is played on: `send` returns the raw reply as a byte text, `pass` lets time go by. */
export type Stage = { send(args: readonly string[]): Promise<string>; pass(ms: number): Promise<void> };

/** Plays a case; returns what went otherwise than documented, undefined when nothing did. */
export async function playCase({ steps }: DocumentedCase, stage: Stage): Promise<string | undefined> {
  for (const step of steps) {
    if ("passMs" in step) {
      await stage.pass(step.passMs);
      continue;
    }
    const reply = await stage.send(step.send.split(" "));
    if ("expect" in step ? reply === step.expect : isNear(reply, step)) continue;
    const expected = "expect" in step ? JSON.stringify(step.expect) : `about ${step.near.join(" ")}`;
    return `${step.send}: expected ${expected}, got ${JSON.stringify(reply)}`;
  }
  return undefined;
}

function isNear(reply: string, { near, tolerance }: { near: readonly number[]; tolerance: number }): boolean {
  if (!reply.startsWith("*")) return false;
  const items = parseReply(reply).items ?? [];
  return (
    items.length === near.length &&
    items.every((item, index) => item.type === ":" && Math.abs(Number(item.text) - (near[index] ?? 0)) <= tolerance)
  );
}

// Replies as they stand on the wire.

export const ok = "+OK\r\n";
export const nothing = "$-1\r\n";

export function status(text: string): string {
  return `+${text}\r\n`;
}

export function error(text: string): string {
  return `-${text}\r\n`;
}

export function integer(value: number): string {
  return `:${value}\r\n`;
}

/** An array of integers, as all commands about the expiry of fields reply. */
export function integers(...values: number[]): string {
  return `*${values.length}\r\n${values.map(integer).join("")}`;
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

export function array(...items: string[]): string {
  return `*${items.length}\r\n${items.join("")}`;
}
