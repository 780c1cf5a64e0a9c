// Keeper: who still reads containers that are gone.

/** Who still reads containers that are gone: a snapshot under way. */
export interface Keeper {
  /** Whether a detached container is still read. Then it is given to `detached` again by the keeper. */
  keeps(root: number): boolean;
  /** Memory is short: reads up to so many buckets now. Returns whether there was something that it keeps. */
  hurry(buckets: number): boolean;
}
