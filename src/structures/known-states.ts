// Known states: which keys a worker has instances of, and of which version. The hive's side of its memory: what it
// sent or applied last, so that a call brings a state only where that is another one. The oldest are dropped first.

/** Instances of one worker. */
const STATES_MAX = 1_000;

type Known = { version: number; bytes: number };

export class KnownStates {
  readonly #bytesMax: number;
  /** The longest unused first. */
  readonly #states = new Map<string, Known>();
  #bytes = 0;
  #dropped: string[] = [];

  /** @param bytesMax All of them encoded: an instance takes some times of that. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The version of a key's state that it has; -1 for none. */
  versionOf(key: string): number {
    return this.#states.get(key)?.version ?? -1;
  }

  /** It has this one now. `bytes` undefined: it had it before. */
  set(key: string, { version, bytes }: { version: number; bytes: Uint8Array | undefined }): void {
    if (version < 0) return;
    const before = this.#states.get(key);
    const known = { version, bytes: bytes?.length ?? before?.bytes ?? 0 };
    this.#states.delete(key);
    this.#states.set(key, known);
    this.#bytes += known.bytes - (before?.bytes ?? 0);
    for (const [oldest, { bytes: size }] of this.#states) {
      if ((this.#states.size <= STATES_MAX && this.#bytes <= this.#bytesMax) || oldest === key) break;
      this.#states.delete(oldest);
      this.#bytes -= size;
      this.#dropped.push(oldest);
    }
  }

  /** Keys that the worker may forget. */
  takeDropped(): readonly string[] {
    if (this.#dropped.length === 0) return this.#dropped;
    const dropped = this.#dropped;
    this.#dropped = [];
    return dropped;
  }
}
