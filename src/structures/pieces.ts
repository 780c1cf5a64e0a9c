// Pieces: the state of a large structure, written a slice at a time.
//
//   *encode() ──▶ piece, encoded by itself ──▶ … other calls … ──▶ piece ──▶ all of them become the key's bytes
//
// The state must stay as it is meanwhile. A call that is about to change it is taken back, waits for the end, and runs again; where
// it cannot wait (inside MULTI, within another call, behind an await) the writing is given up and begins anew later.

import { decode, encode } from "../wire/value.ts";

/** A state given by a generator is this, with its pieces behind it: each an encoded value, as bytes. */
const PIECES = "*";

export class Writing {
  readonly #generator: Iterator<unknown>;
  readonly #pieces: Uint8Array[] = [];
  /** Whoever waits goes on. */
  readonly end: () => void;
  /** Resolves when it is over, be it that all is written or that it was given up. */
  readonly over: Promise<void>;

  constructor(generator: Iterable<unknown>) {
    this.#generator = generator[Symbol.iterator]();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.end = resolve;
  }

  /** The next piece. Returns the whole state when there is none. @throws what the structure's code throws */
  step(): unknown[] | undefined {
    const { value, done } = this.#generator.next();
    if (done === true) return [PIECES, ...this.#pieces];
    this.#pieces.push(encode(value));
    return undefined;
  }
}

/** Thrown where a call is about to change a state that is being written. */
export class Interrupted extends Error {
  readonly writing: Writing;

  constructor(writing: Writing) {
    super("the state is being written: the call runs again afterwards");
    this.writing = writing;
  }
}

/** The whole state at once. */
export function allPieces(generator: Iterable<unknown>): unknown[] {
  const writing = new Writing(generator);
  for (;;) {
    const state = writing.step();
    if (state !== undefined) return state;
  }
}

/** What the generator gave, in order; undefined where `state` is no such state. */
export function piecesOf(state: unknown): unknown[] | undefined {
  if (!Array.isArray(state) || state[0] !== PIECES) return undefined;
  const pieces = state.slice(1) as unknown[];
  if (!pieces.every((piece) => piece instanceof Uint8Array)) return undefined;
  return pieces.map((piece) => decode(piece as Uint8Array, 0, (piece as Uint8Array).length));
}
