// Health: what INFO says of parts that the engine does not know: snapshots, and the loop it runs in.
//
//   INFO ──▶ services.persistence.status()      services.loop.read()
//
// Two seams. Whoever owns the engine puts its own in their place; until then there are no snapshots, and
// nobody measures the loop.

/** How late the event loop comes to what is due, over a window that has just passed. Milliseconds. */
export type LoopFigures = {
  windowMs: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  /** The longest since the start, or since reset(). */
  peakMs: number;
  /** The part of the time in which the loop was busy, 0 to 1. */
  busy: number;
};

export interface LoopMeter {
  /** Undefined where nobody measures. */
  read(): LoopFigures | undefined;
  reset(): void;
}

export const NO_LOOP_METER: LoopMeter = { read: () => undefined, reset() {} };
