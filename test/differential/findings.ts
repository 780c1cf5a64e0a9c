// test/differential/findings.ts
// Findings: the mismatches of a run, one for each way in which a command differs.
//
//   mismatch ──▶ class = command + kind of difference ──▶ first example kept, further ones counted
//
// A run goes on after a mismatch, so that one run shows all classes.

import type { Exchange } from "./comparisons.ts";
import type { Args } from "./draw.ts";
import { allKeys } from "./pools.ts";

export type Finding = {
  readonly name: string;
  readonly kind: string;
  readonly exchange: Exchange;
  /** Where in the run: what its seed is repeated with, and the number of the command in it. */
  readonly seed: number;
  readonly index: number;
  /** Earlier commands on the same keys, oldest first. */
  readonly history: readonly Args[];
  count: number;
  /** The shortest stream found that still shows it. */
  minimal?: readonly string[];
};

const HISTORY_MAX = 20;
const REPLY_CHARACTERS_MAX = 400;
const ARGUMENT_CHARACTERS_MAX = 70;

export class Findings {
  readonly #byClass = new Map<string, Finding>();
  readonly #allowed = new Map<string, number>();
  /** How often two servers fell out of step, so that both connections had to be given up. */
  losses = 0;

  /** Takes a mismatch in; returns what `make` gives when it is the first of its class. */
  add(finding: { name: string; kind: string }, make: () => Finding): Finding | undefined {
    const key = `${finding.name}: ${finding.kind}`;
    const known = this.#byClass.get(key);
    if (known !== undefined) {
      known.count++;
      return undefined;
    }
    const first = make();
    this.#byClass.set(key, first);
    return first;
  }

  /** Counts a difference that known-differences.ts allows. */
  allow(id: string): void {
    this.#allowed.set(id, (this.#allowed.get(id) ?? 0) + 1);
  }

  get all(): readonly Finding[] {
    return [...this.#byClass.values()];
  }

  /** Differences that were allowed, by id, with how often each occurred. */
  get allowed(): ReadonlyMap<string, number> {
    return this.#allowed;
  }
}

/** The last commands of `sent` that share a key with `args`. */
export function historyOf(args: Args, sent: readonly Args[]): readonly Args[] {
  const keys = new Set(args.filter((arg, index) => index > 0 && allKeys.has(arg)));
  const history: Args[] = [];
  for (let index = sent.length - 1; index >= 0 && history.length < HISTORY_MAX; index--) {
    const other = sent[index] as Args;
    if (other.some((arg, at) => at > 0 && keys.has(arg))) history.push(other);
  }
  return history.reverse();
}

/** A finding as a paragraph for people, everything escaped. */
export function describe(finding: Finding): string {
  const { exchange, history, minimal } = finding;
  return [
    `MISMATCH ${finding.name}: ${finding.kind} (${finding.count} times)`,
    `  seed ${finding.seed}, command ${finding.index}`,
    `  command: ${showCommand(exchange.args)}`,
    `  redis:   ${shorten(JSON.stringify(exchange.theirs))}`,
    `  hive:    ${shorten(JSON.stringify(exchange.ours))}`,
    ...(minimal === undefined
      ? ["  before, on the same keys:", ...history.map((args) => `    ${showCommand(args)}`)]
      : ["  shortest stream:", ...minimal.map((line) => `    ${line}`)]),
  ].join("\n");
}

/** A command as one can paste it into redis-cli, but for arguments too long to read. */
export function showCommand(args: Args): string {
  return shorten(args.map(showArgument).join(" "));
}

function showArgument(arg: string): string {
  if (arg.length > ARGUMENT_CHARACTERS_MAX) return `<${arg.length} bytes ${quote(arg.slice(0, 20))}…>`;
  return /^[\w:.+*-]+$/.test(arg) ? arg : quote(arg);
}

function quote(arg: string): string {
  const escaped = arg
    .replace(/["\\]/g, "\\$&")
    .replace(/[^\x20-\x7e]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}

function shorten(text: string): string {
  if (text.length <= REPLY_CHARACTERS_MAX) return text;
  return `${text.slice(0, REPLY_CHARACTERS_MAX)}… (${text.length} characters)`;
}
