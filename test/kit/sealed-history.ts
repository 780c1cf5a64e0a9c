// Sealed history: a store history whose values and deadlines are sealed (sealed.ts), so that a reader that
// knows nothing of it can tell whether what it read was ever there.

import type { Store } from "../../src/store/store.ts";
import { classOf, seal, sealDeadline } from "./sealed.ts";
import { drawName, drawValue } from "./store-draws.ts";
import { type HistoryOptions, StoreHistory } from "./store-history.ts";
import { CONTAINER_TYPES, type ModelKey, type Name } from "./store-model.ts";
import type { Step } from "./store-steps.ts";

export class SealedHistory extends StoreHistory {
  readonly #fillBytes: number;

  constructor(store: Store, options: HistoryOptions) {
    super(store, options);
    this.#fillBytes = options.fillBytes ?? 12;
  }

  /** Readers do not look into sorted sets. */
  override containerType(name: Name): number {
    return CONTAINER_TYPES[name.bytes.length % 2]!;
  }

  override value(number: number, name: Name): Buffer {
    return seal(name.bytes, number, drawValue(number, false).length);
  }

  override filler(number: number, name: Name): Buffer {
    return seal(name.bytes, number & ~3, this.#fillBytes);
  }

  override resized(key: ModelKey, length: number): Buffer {
    const start = Buffer.alloc(4);
    if (key.value.copy(start) === 0) start[0] = key.kind;
    return seal(key.name.bytes, start.readUInt32LE(0), length);
  }

  override deadlineFor(deadlineMs: number, name: Name): number {
    return sealDeadline(name.bytes, deadlineMs);
  }

  /** To a name of the same class only. */
  override rename([what, k, x, y]: Step): void {
    const wanted = classOf(drawName(k).bytes);
    let to = x;
    while (classOf(drawName(to).bytes) !== wanted) to++;
    super.rename([what, k, to, y]);
  }
}
