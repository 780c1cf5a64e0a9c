// Push: what a connection is sent that answers none of its calls.
//
//   Message (message-bus.ts) · Invalidation, BrokenRedirection (invalidation.ts)
//
// One object goes to all who get it: a door encodes it once a wire, and keeps that in it.

export abstract class Push {
  /** What doors made of it, each under a name of its own. */
  readonly #encodings: Map<string, unknown> = new Map();

  /** About what it takes on its way. */
  abstract readonly bytes: number;

  /** What `make` made of it the first time, for everybody. */
  encoded<T>(name: string, make: (push: this) => T): T {
    const known = this.#encodings.get(name);
    if (known !== undefined) return known as T;
    const made = make(this);
    this.#encodings.set(name, made);
    return made;
  }
}
