// Invalidations: what a client that tracks keys is told (tracking.ts).

import { Push } from "./push.ts";

const PUSH_BYTES = 64;
const KEY_BYTES = 16;

/** These keys have changed, or have gone. */
export class Invalidation extends Push {
  /** Undefined: all there are. */
  readonly keys: readonly Buffer[] | undefined;
  /** The protocol of whoever tracks: its nothing stands for all keys, also where the push goes elsewhere. As in Redis. */
  readonly nothingOf: 2 | 3;
  readonly bytes: number;

  constructor(keys: readonly Buffer[] | undefined, nothingOf: 2 | 3) {
    super();
    this.keys = keys;
    this.nothingOf = nothingOf;
    this.bytes = (keys ?? []).reduce((sum, key) => sum + key.length + KEY_BYTES, PUSH_BYTES);
  }
}

/** The connection that invalidations were to go to is no more. */
export class BrokenRedirection extends Push {
  readonly clientId: number;
  readonly bytes: number = PUSH_BYTES;

  constructor(clientId: number) {
    super();
    this.clientId = clientId;
  }
}
