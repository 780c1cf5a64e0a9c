// Detached: containers that wait to be freed, secrets first: their bytes have to be overwritten soon, behind whatever
// large table is being freed.

/** One that is being freed. */
export type Reaping = {
  /** 0: none. */
  root: number;
  isSecret: boolean;
  /** How many of its buckets are still to be freed; -1 before it was begun. */
  bucket: number;
  /** How many entries of the next one are. */
  entry: number;
};

export const NOTHING: Readonly<Reaping> = { root: 0, isSecret: false, bucket: 0, entry: 0 };

export class Detached {
  readonly #secrets: number[] = [];
  readonly #others: number[] = [];
  /** One that was begun, and is gone on with when no secret waits any more. */
  #begun: Reaping | undefined = undefined;

  get length(): number {
    return this.#secrets.length + this.#others.length + (this.#begun === undefined ? 0 : 1);
  }

  /** How many secrets wait. */
  get secrets(): number {
    return this.#secrets.length;
  }

  push(root: number, isSecret: boolean = false): void {
    (isSecret ? this.#secrets : this.#others).push(root);
  }

  /** What is to be freed now: `current`, unless that is none while a secret waits; NOTHING where nothing waits. */
  next(current: Reaping): Reaping {
    if (current.root !== 0 && (current.isSecret || this.#secrets.length === 0)) return current;
    if (current.root !== 0) this.#begun = current;
    const secret = this.#secrets.pop();
    if (secret !== undefined) return { root: secret, isSecret: true, bucket: -1, entry: 0 };
    const begun = this.#begun;
    this.#begun = undefined;
    if (begun !== undefined) return begun;
    const root = this.#others.pop();
    return root === undefined ? NOTHING : { root, isSecret: false, bucket: -1, entry: 0 };
  }
}
