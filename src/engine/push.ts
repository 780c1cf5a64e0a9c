// Push: what a connection is sent that answers none of its calls.
//
//   Message (message-bus.ts) · Invalidation, BrokenRedirection (invalidation.ts)
//
// One object goes to all who get it: a door encodes it once a wire, and keeps that in it.

export abstract class Push {
  /** What doors made of it, each for its wire. */
  #resp2: unknown = undefined;
  #resp3: unknown = undefined;
  #native: unknown = undefined;

  /** About what it takes on its way. */
  abstract readonly bytes: number;

  /** What `make` made of it the first time, for everybody. */
  resp2<T>(make: (push: this) => T): T {
    return (this.#resp2 ??= make(this)) as T;
  }

  resp3<T>(make: (push: this) => T): T {
    return (this.#resp3 ??= make(this)) as T;
  }

  native<T>(make: (push: this) => T): T {
    return (this.#native ??= make(this)) as T;
  }
}
