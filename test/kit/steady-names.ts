// Steady names: keys and fields that are there from a test's first moment to its last.

export const STEADY_KEYS = 300;
export const STEADY_FIELDS = 200;
/** Of a packed table. */
export const STEADY_RECORDS = 12;

export function steadyName(index: number): string {
  return `steady ${index}`;
}

/** One of `count` names, often one of the first few: there readers and the writer meet. */
export function drawSteady(count: number, random: (below: number) => number): string {
  return steadyName(random(random(2) === 0 ? 4 : count));
}
