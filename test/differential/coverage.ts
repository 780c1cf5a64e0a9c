// test/differential/coverage.ts
// Coverage: how often every command was answered, and how often refused.
//
// Counted are the replies of Redis: a command that it never answers with success is not tested,
// however often it was sent.

import { commandNames } from "./command-names.ts";
import type { Family } from "./rule.ts";

type Counts = { answered: number; refused: number };

export class Coverage {
  readonly #counts = new Map<string, Counts>();

  count(name: string, isError: boolean): void {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      counts = { answered: 0, refused: 0 };
      this.#counts.set(name, counts);
    }
    if (isError) counts.refused++;
    else counts.answered++;
  }

  /** The commands of `families` that were answered with success fewer than `answersMin` times. */
  lacking(families: readonly Family[], answersMin: number): readonly string[] {
    return families
      .flatMap((family) => commandNames[family].map((name) => name.replace("|", " ")))
      .filter((name) => (this.#counts.get(name)?.answered ?? 0) < answersMin);
  }

  /** One line a command: its name, how often answered, how often refused. */
  table(): string {
    const rows = [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const lines = rows.map(
      ([name, { answered, refused }]) =>
        `${name.padEnd(26)}${String(answered).padStart(9)}${String(refused).padStart(9)}`,
    );
    return ["command                    answered  refused", ...lines].join("\n");
  }
}
