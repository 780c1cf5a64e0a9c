// test/differential/generator.ts
// Generator: the stream of commands that a seed stands for.
//
//   seed, families ──▶ [ Generator ] ──▶ next(): a group of commands, or a scenario
//
// The stream depends on the seed and on nothing that a server answers, so a failure is repeated by
// its seed. A group is the smallest part that may be left out: its commands stand or fall together.

import { type Args, Draw } from "./draw.ts";
import { keyRules } from "./grammar/keys.ts";
import { listRules } from "./grammar/lists.ts";
import { serverRules } from "./grammar/server.ts";
import { setRules } from "./grammar/sets.ts";
import { sortedRules } from "./grammar/sorted.ts";
import { stringRules } from "./grammar/strings.ts";
import { tableRules } from "./grammar/tables.ts";
import { transactionRules } from "./grammar/transactions.ts";
import { badNumbers, fields, keyPools, members } from "./pools.ts";
import { Random } from "./random.ts";
import type { Family, Rule } from "./rule.ts";
import type { Group } from "./scenario.ts";
import { drawScenario } from "./scenarios/scenarios.ts";

/** How often each family's turn comes, and a scenario's instead of a command's. */
const familyWeights: Readonly<Record<Family, number>> = {
  keys: 20,
  strings: 22,
  tables: 20,
  sets: 20,
  sorted: 20,
  lists: 20,
  transactions: 5,
  server: 7,
};
const SCENARIO_SHARE = 0.004;
const SPOILT_SHARE = 0.05;
const ODD_CASE_SHARE = 0.08;
const SEEDING_SHARE = 0.002;

/** Commands whose arguments must not change places: a number would become an expiry that runs out. */
const timed = new Set(["SET", "GETEX", "SETEX", "PSETEX", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "RESTORE"]);

type Weighted = { readonly rules: readonly Rule[]; readonly weight: number };

export class Generator {
  readonly #draw: Draw;
  readonly #families: readonly Family[];
  readonly #turns: readonly (Weighted & { readonly family: Family })[];
  readonly #queueable: readonly Weighted[];
  readonly #plain: Weighted;
  #seeded = false;

  constructor(options: { seed: number; families: readonly Family[] }) {
    this.#draw = new Draw(new Random(options.seed));
    this.#families = options.families;
    const data: Record<"keys" | "strings" | "tables" | "sets" | "sorted" | "lists", readonly Rule[]> = {
      keys: keyRules,
      strings: stringRules,
      tables: tableRules,
      sets: setRules,
      sorted: sortedRules,
      lists: listRules,
    };
    this.#plain = weigh(
      Object.values(data)
        .flat()
        .filter((rule) => rule.spoilable),
    );
    const all: Record<Family, readonly Rule[]> = {
      ...data,
      transactions: transactionRules((draw) => this.#inner(draw)),
      server: serverRules((draw) => pickRule(this.#plain, draw).draw(draw)[0] ?? ["PING"]),
    };
    this.#turns = options.families.map((family) => ({ family, rules: all[family], weight: familyWeights[family] }));
    this.#queueable = (["keys", "strings", "tables", "sets", "sorted", "lists", "server"] as const)
      .filter((family) => options.families.length === 1 || options.families.includes(family))
      .map((family) => ({ rules: all[family].filter((rule) => rule.queueable), weight: familyWeights[family] }));
  }

  next(): Group {
    const draw = this.#draw;
    const random = draw.random;
    if (!this.#seeded || random.chance(SEEDING_SHARE)) {
      this.#seeded = true;
      return { commands: seeding(draw) };
    }
    if (random.chance(SCENARIO_SHARE)) return drawScenario(draw, this.#families);
    const rule = pickRule(pickWeighted(this.#turns, random), draw);
    return { commands: this.#finish(rule, draw) };
  }

  #inner(draw: Draw): readonly Args[] {
    return this.#finish(pickRule(pickWeighted(this.#queueable, draw.random), draw), draw);
  }

  #finish(rule: Rule, draw: Draw): readonly Args[] {
    const commands = rule
      .draw(draw)
      .map((args) => (draw.random.chance(ODD_CASE_SHARE) ? oddCase(args, draw.random) : args));
    const [only] = commands;
    if (!rule.spoilable || only === undefined || !draw.random.chance(SPOILT_SHARE)) return commands;
    return [spoil(only, { words: rule.name.split(" ").length, random: draw.random })];
  }
}

const sums = new WeakMap<readonly Rule[], Weighted>();

function weigh(rules: readonly Rule[]): Weighted {
  let known = sums.get(rules);
  if (known === undefined) {
    known = { rules, weight: rules.reduce((sum, rule) => sum + rule.weight, 0) };
    sums.set(rules, known);
  }
  return known;
}

function pickRule(from: Weighted, draw: Draw): Rule {
  const { rules, weight } = weigh(from.rules);
  let left = (draw.random.below(1_000_000) / 1_000_000) * weight;
  for (const rule of rules) if ((left -= rule.weight) < 0) return rule;
  return rules.at(-1) as Rule;
}

function pickWeighted<Choice extends Weighted>(choices: readonly Choice[], random: Random): Choice {
  let left = random.below(choices.reduce((sum, choice) => sum + choice.weight, 0));
  for (const choice of choices) if ((left -= choice.weight) < 0) return choice;
  return choices.at(-1) as Choice;
}

/** The name in lower or mixed case. */
function oddCase([name = "", ...rest]: Args, random: Random): Args {
  const lower = random.chance(0.5);
  const text = lower
    ? name.toLowerCase()
    : Array.from(name, (letter) => (random.chance(0.5) ? letter.toLowerCase() : letter)).join("");
  return [text, ...rest];
}

/** One argument missing, doubled, added, replaced or in another's place; the name (`words` long) stays. */
function spoil(args: Args, options: { words: number; random: Random }): Args {
  const { words, random } = options;
  const head = args.slice(0, words);
  const rest = args.slice(words);
  const at = random.below(Math.max(1, rest.length));
  const risky = timed.has((head[0] ?? "").toUpperCase());
  switch (random.below(risky ? 4 : 6)) {
    case 0:
      return [...head, ...rest.slice(0, -1)];
    case 1:
      return [...head, ...rest, random.pick(["extra", "", "NX", "\r\n", "COUNT"])];
    case 2:
      return rest.length > 0 ? [...head, ...rest.slice(0, at + 1), rest[at] as string, ...rest.slice(at + 1)] : head;
    case 3:
      return head;
    case 4:
      return [...head, ...rest.toSpliced(at, 1)];
    default:
      return [...head, ...rest.toSpliced(at, 1, random.pick(badNumbers))];
  }
}

/** Something of every type under the keys of every pool, so that commands meet what they expect and what not. */
function seeding(draw: Draw): readonly Args[] {
  const random = draw.random;
  const of = (pool: readonly string[], body: (key: string) => Args): Args[] =>
    pool.filter(() => random.chance(0.6)).map(body);
  return [
    ...of(keyPools.string, (key) => ["SET", key, draw.value()]),
    ...of(keyPools.number, (key) => ["SET", key, String(random.between(-100, 100))]),
    ...of(keyPools.table, (key) => [
      "HSET",
      key,
      ...fields.filter(() => random.chance(0.4)).flatMap((field) => [field, draw.value()]),
      "f0",
      "1",
    ]),
    ...of(keyPools.list, (key) => ["RPUSH", key, ...members.filter(() => random.chance(0.4)), "m0"]),
    ...of(keyPools.set, (key) => ["SADD", key, ...members.filter(() => random.chance(0.4)), "m0"]),
    ...of(keyPools.sorted, (key) => [
      "ZADD",
      key,
      ...members.filter(() => random.chance(0.4)).flatMap((member) => [String(random.between(-9, 9)), member]),
      "0",
      "m0",
    ]),
  ];
}
