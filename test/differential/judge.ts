// test/differential/judge.ts
// Judge: whether two replies to one command agree, on one connection that has a past.
//
//   judge(args, theirs, ours) ──▶ equal bytes? ──▶ comparison of the command? ──▶ known difference? ──▶ verdict
//
// It follows MULTI, since EXEC's reply is compared element by element, each as the reply to the
// command that was queued. "theirs" is Redis, "ours" is the hive.

import { commandName } from "./command-names.ts";
import { comparisons, type Exchange } from "./comparisons.ts";
import type { Args } from "./draw.ts";
import { parseReply } from "./frame.ts";
import { explain, knownDifference } from "./known-differences.ts";

/** Equal; or different as `allowed` by a known difference; or a mismatch of some `kind`. */
export type Verdict = { readonly allowed?: string; readonly kind?: string; readonly name: string };

export class Judge {
  #before: readonly Exchange[] = [];
  #queue: Args[] | undefined;
  readonly #onReply: (name: string, isError: boolean) => void;

  /** @param onReply Told of every reply of Redis that is an answer: what EXEC returns one by one, QUEUED not. */
  constructor(onReply: (name: string, isError: boolean) => void) {
    this.#onReply = onReply;
  }

  /** Whether Redis has a transaction open on this connection. */
  get inTransaction(): boolean {
    return this.#queue !== undefined;
  }

  judge(exchange: Exchange): Verdict {
    const { args, theirs } = exchange;
    const name = commandName(args);
    if (this.#queue === undefined) {
      if (name === "MULTI" && theirs === "+OK\r\n") this.#queue = [];
      return this.#decide(exchange, name);
    }
    if (theirs === "+QUEUED\r\n") {
      this.#queue.push(args);
      return exchange.ours === theirs ? { name } : mismatch(exchange, name);
    }
    const queue = this.#queue;
    if (name === "EXEC" || name === "DISCARD" || name === "RESET") {
      if (!theirs.startsWith("-") || theirs.startsWith("-EXECABORT")) this.#queue = undefined;
      if (name === "EXEC" && theirs.startsWith("*")) return this.#decideAll(exchange, queue);
    }
    return this.#decide(exchange, name);
  }

  #decide(exchange: Exchange, name: string): Verdict {
    const before = this.#before;
    this.#before = [exchange, ...before.slice(0, 1)];
    this.#onReply(name, exchange.theirs.startsWith("-"));
    if (exchange.theirs === exchange.ours) return { name };
    const isError = exchange.theirs.startsWith("-") || exchange.ours.startsWith("-");
    const comparison = isError ? undefined : comparisons.get(name);
    if (comparison?.same({ ...exchange, before })) return { name, allowed: knownDifference(comparison.difference).id };
    const allowed = explain(exchange);
    return allowed === undefined ? mismatch(exchange, name) : { name, allowed };
  }

  /** EXEC: the elements of both replies, each under its own command. */
  #decideAll(exchange: Exchange, queue: readonly Args[]): Verdict {
    const own = this.#decideShallow(exchange);
    const theirs = parseReply(exchange.theirs).items;
    const ours = exchange.ours.startsWith("*") ? parseReply(exchange.ours).items : undefined;
    if (theirs === undefined) return own;
    if (theirs.length !== queue.length || ours?.length !== queue.length) return mismatch(exchange, "EXEC");
    let verdict: Verdict = { name: "EXEC" };
    for (const [index, args] of queue.entries()) {
      const inner = this.#decide(
        { args, theirs: theirs[index]?.raw ?? "", ours: ours[index]?.raw ?? "" },
        commandName(args),
      );
      if (inner.kind !== undefined) return { ...inner, kind: `in EXEC, ${inner.kind}` };
      if (inner.allowed !== undefined) verdict = inner;
    }
    return verdict;
  }

  #decideShallow(exchange: Exchange): Verdict {
    this.#onReply("EXEC", false);
    return exchange.theirs === exchange.ours ? { name: "EXEC" } : mismatch(exchange, "EXEC");
  }
}

function mismatch({ theirs, ours }: Exchange, name: string): Verdict {
  return { name, kind: kindOfDifference(theirs, ours) };
}

/** A short name of how two replies differ, the same for all mismatches that likely have one cause. */
export function kindOfDifference(theirs: string, ours: string): string {
  if (/^-ERR unknown (sub)?command/.test(ours) && !theirs.startsWith("-ERR unknown"))
    return "the hive does not know it";
  const [a, b] = [outline(theirs), outline(ours)];
  return a === b ? `other ${a}` : `${a} against ${b}`;
}

function outline(raw: string): string {
  const type = raw[0] ?? "nothing";
  if (type === "-" || type === "+") {
    const line = raw.slice(0, 90).split("\r\n", 1)[0] ?? "";
    return line.replace(/'[^']*'.*/, "'…'").replace(/\d+/g, "N");
  }
  if (/^[$*]-1\r\n|^_/.test(raw)) return `${raw.slice(0, raw.indexOf("\r\n"))} (null)`;
  return (
    {
      ":": "integer",
      $: "bulk",
      "*": "array",
      "%": "map",
      "~": "set",
      "=": "verbatim",
      ",": "double",
      "#": "boolean",
      "(": "big number",
    }[type] ?? `bytes ${JSON.stringify(raw.slice(0, 20))}`
  );
}
