// The structure that the demo saves, and what is put into it: an endless loop, for one name.

/** The type that the demo's callers have of it: a program of its own would import it from the file, as a type alone. */
export type Votes = {
  VOTE(hive: never, poll: string, name: string): number;
  prototype: { VOTES(): Record<string, number> };
  new (): { VOTES(): Record<string, number> };
};

/** Apart, so that nobody who looks for imports takes the text for this file's own. */
const BASE = '"memhive-server/structure"';

export const EMPTY: string = `import { Structure } from ${BASE};

export class Votes extends Structure {}
`;

export const COUNTING: string = `import { type HiveCalls, Structure } from ${BASE};

export class Votes extends Structure {
  counts: Record<string, number> = {};
  static VOTE(hive: HiveCalls, poll: string, name: string): number {
    const { counts } = hive.open(Votes, poll);
    return (counts[name] = (counts[name] ?? 0) + 1);
  }
  VOTES(): Record<string, number> { return this.counts; }
}
`;

const STEP = "    return (counts[name]";
export const LOOP = '    while (name === "eve") counts[name] = 1_000_000;\n';

export const LOOPING: string = COUNTING.replace(STEP, LOOP + STEP);
