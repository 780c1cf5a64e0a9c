// Tracking: what wrappers need of the tracker that made them.

export interface Tracking {
  /** Bytes that were put in since the last encoding, at most. */
  growth: number;
  /** What a method sees of a raw value. */
  wrap(raw: unknown): unknown;
  /** A value that is put into the state: without wrappers, checked and counted. */
  take(value: unknown): unknown;
  /** Before a change: how to take it back. */
  note<Target, First, Second>(
    step: (target: Target, first: First, second: Second) => void,
    target: Target,
    first: First,
    second: Second,
  ): void;
}
