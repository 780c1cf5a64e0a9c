// Journal: what has to be done to take changes of raw state back, in order.
//
//   note(undoSet, items, "3", old) … ──▶ rollback(mark): the last first
//
// Four places of one array for a change: an object for each would be garbage.

/** Takes one change of `target` back. */
export type UndoStep = (target: never, first: never, second: never) => void;

/** Places that are kept from one call to the next. */
const KEPT_PLACES = 64;

export class Journal {
  #log: unknown[] = [];
  #size = 0;
  /** Whether changes are noted: inside of a call that can be undone. */
  active = false;

  get size(): number {
    return this.#size;
  }

  note<Target, First, Second>(
    step: (target: Target, first: First, second: Second) => void,
    target: Target,
    first: First,
    second: Second,
  ): void {
    if (!this.active) return;
    const log = this.#log;
    const size = this.#size;
    log[size] = step;
    log[size + 1] = target;
    log[size + 2] = first;
    log[size + 3] = second;
    this.#size = size + 4;
  }

  /**
   * Takes back what was noted since the journal had the size `mark`, all of it, whatever fails.
   *
   * @throws what the first step that failed has thrown, when the others are done
   */
  rollback(mark: number = 0): void {
    const log = this.#log;
    let failure: { error: unknown } | undefined;
    while (this.#size > mark) {
      this.#size -= 4;
      const size = this.#size;
      const step = log[size] as (target: unknown, first: unknown, second: unknown) => void;
      try {
        step(log[size + 1], log[size + 2], log[size + 3]);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  clear(): void {
    // The places are used again: a new array for each call would be garbage. What a few of them hold goes with the next changes.
    if (this.#log.length > KEPT_PLACES) this.#log = [];
    this.#size = 0;
  }
}

// The steps.

export type Bag = Record<PropertyKey, unknown>;

export function undoSet(target: Bag, key: PropertyKey, before: unknown): void {
  target[key] = before;
}

export function undoAdd(target: Bag, key: PropertyKey): void {
  delete target[key];
}

export function undoLength(target: unknown[], length: number): void {
  target.length = length;
}

export function undoPop(target: unknown[], value: unknown): void {
  target.push(value);
}

export function undoShift(target: unknown[], value: unknown): void {
  target.unshift(value);
}

/**
 * Elements from `start` on become those that were removed there.
 *
 * @param kept How many others the array had: so it does not matter whether all, some or none of the new ones came in.
 */
export function undoSplice(target: unknown[], [start, kept]: readonly [number, number], removed: unknown[]): void {
  target.splice(start, target.length - kept);
  // In parts: a call takes only so many arguments.
  for (let i = 0; i < removed.length; i += SPREAD_MAX) target.splice(start + i, 0, ...removed.slice(i, i + SPREAD_MAX));
  // Holes are none when they are spread.
  for (let i = 0; i < removed.length; i++) if (!(i in removed)) delete target[start + i];
}

/** Arguments of one call, of some 50,000 that the stack has room for. */
export const SPREAD_MAX = 10_000;

export function undoAll(target: unknown[], before: unknown[]): void {
  target.length = before.length;
  for (let i = 0; i < before.length; i++) {
    if (i in before) target[i] = before[i];
    else delete target[i];
  }
}

export function undoBytes(target: { set(source: unknown): void }, before: unknown): void {
  target.set(before);
}

export function undoMapSet(target: Map<unknown, unknown>, key: unknown, before: unknown): void {
  target.set(key, before);
}

export function undoMapAdd(target: Map<unknown, unknown>, key: unknown): void {
  target.delete(key);
}

export function undoMapClear(target: Map<unknown, unknown>, before: Map<unknown, unknown>): void {
  target.clear();
  for (const [key, value] of before) target.set(key, value);
}

export function undoSetAdd(target: Set<unknown>, value: unknown): void {
  target.delete(value);
}

export function undoSetDelete(target: Set<unknown>, value: unknown): void {
  target.add(value);
}

export function undoSetClear(target: Set<unknown>, before: Set<unknown>): void {
  target.clear();
  for (const value of before) target.add(value);
}
