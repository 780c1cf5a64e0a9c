// Connections: the open connections of a hive, over all its listeners and doors.
//
// Each is in here from accept to its very end, whatever door it chose, so the count is what the limit
// is compared with, and the last one to go is what closing waits for.

import type { Transport } from "../base/transport.ts";

export class Connections {
  readonly #max: number;
  readonly #open = new Set<Transport>();
  #onEmpty: (() => void) | undefined = undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Counts one more in. Returns whether the limit allows it; it is to be delete()d in any case. */
  add(transport: Transport): boolean {
    this.#open.add(transport);
    return this.#open.size <= this.#max;
  }

  delete(transport: Transport): void {
    this.#open.delete(transport);
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  /**
   * Resolves when all are gone. Those that are still there after `timeoutMs` are destroyed: their
   * peers do not read.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const impatience = setTimeout(() => {
      for (const transport of this.#open) transport.destroy();
    }, timeoutMs);
    await empty;
    clearTimeout(impatience);
  }
}
