// Health: what INFO says of parts that the engine does not know: snapshots, and the loop it runs in.
//
//   INFO ──▶ services.persistence.status()      services.loop.read()
//
// Two seams. Whoever owns the engine puts its own in their place; until then there are no snapshots, and
// nobody measures the loop.

export type PersistenceStatus = {
  /** A snapshot is being read in: what is answered is not whole yet. */
  loading: boolean;
  /** A snapshot is being written, since when, and how far it is. Epoch milliseconds. */
  storing: boolean;
  storeBeganAtMs: number;
  keysStored: number;
  keysToStore: number;
  /** The newest snapshot that is whole, epoch milliseconds; without one when the hive started. */
  lastStoreAtMs: number;
  lastStoreOk: boolean;
  /** How long the last one took; -1 where there was none. */
  lastStoreMs: number;
  /** Changes that the newest snapshot does not have. */
  changesSinceStore: number;
  /** Snapshots written since the start. */
  stores: number;
  /** Of the snapshot that was read in last: keys taken over, and keys left out since they had run out. */
  keysRestored: number;
  keysExpired: number;
};

export interface Persistence {
  /** Now; cheap enough to be asked for ten times a second. */
  status(): PersistenceStatus;
}

/** A hive without snapshots: nothing of what was changed is stored. */
export function noPersistence(parts: { startedAtMs: number; changes(): number }): Persistence {
  return {
    status: () => ({
      loading: false,
      storing: false,
      storeBeganAtMs: 0,
      keysStored: 0,
      keysToStore: 0,
      lastStoreAtMs: parts.startedAtMs,
      lastStoreOk: true,
      lastStoreMs: -1,
      changesSinceStore: parts.changes(),
      stores: 0,
      keysRestored: 0,
      keysExpired: 0,
    }),
  };
}

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
