// Nearest: the known name that a wrong one was meant to be.

/** Changes of a letter that still look like a slip. */
const DISTANCE_MAX = 3;

/** The nearest of `known`, letters' case aside; undefined where none is near. */
export function nearestName(wrong: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.min(DISTANCE_MAX, Math.ceil(wrong.length / 3)) + 1;
  for (const name of known) {
    const changes = distance(wrong.toLowerCase(), name.toLowerCase());
    if (changes >= least) continue;
    least = changes;
    nearest = name;
  }
  return nearest;
}

/** "; did you mean port?", or nothing. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const nearest = nearestName(wrong, known);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}

/** Letters to insert, delete or replace to make one of the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
