// Tracking: what wrappers need of the tracker that made them.

export interface Tracking {
  /** Bytes that were put in since the last encoding, at most. */
  growth: number;
  /** What a method sees of a raw value that is in `parent`. */
  wrap(raw: unknown, parent: object): unknown;
  /** A value that is put into `parent`: without wrappers, checked and counted. @throws {HiveError} BAD_VALUE */
  take(value: unknown, parent: object): unknown;
  /** Before a change: how to take it back. @throws {HiveError} the key is gone */
  note<Target, First, Second>(
    step: (target: Target, first: First, second: Second) => void,
    target: Target,
    first: First,
    second: Second,
  ): void;
}
