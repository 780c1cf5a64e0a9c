// Quota guard: a call after which a token would have too much is taken back.
//
//   creator = the token's owner ──▶ undo begins ──▶ the call ──▶ who grew, and above what? ──▶ commit │ rollback
//
// A key belongs to the token that created it, as a file does to its user, and what it grows by counts for
// that one whoever writes; so the quotas of every owner that grew are looked at, the caller's or not.
// Looking afterwards is exact, and knows nothing of commands.

import { HiveError } from "../base/errors.ts";
import type { OwnerTotals } from "../store/accounting.ts";
import type { Store } from "../store/store.ts";
import { COMMAND_GROWS, COMMAND_WRITE, type Command } from "./command-table.ts";
import { type Context, GATE_LIMITED, type Quotas } from "./context.ts";
import type { Token, TokenRegistry } from "./tokens.ts";

export class QuotaGuard implements Quotas {
  readonly #store: Store;
  readonly #tokens: TokenRegistry;

  constructor(store: Store, tokens: TokenRegistry) {
    this.#store = store;
    this.#tokens = tokens;
  }

  /** Whether a call of this command could exceed a quota of bytes or keys. One that waits has changed nothing before. */
  watches({ flags }: Command): boolean {
    return this.#tokens.countsKeys && (flags & COMMAND_WRITE) !== 0;
  }

  /**
   * Runs a call for a token. Returns why it was taken back; undefined where it stands.
   * @param run Runs it, and returns whether it was done; what a call that failed has changed is taken back.
   */
  run(token: Token, { flags }: Pick<Command, "flags">, run: () => boolean): HiveError | undefined {
    const { keys, undo, eviction, memory } = this.#store;
    // What is evicted, or has run out, is gone whatever comes of the call: not part of what is noted.
    if ((flags & COMMAND_GROWS) !== 0) {
      this.#store.catchUp();
      eviction.makeRoom();
    }
    const { totals } = memory;
    let isDone = false;
    let excess: HiveError | undefined;
    keys.creator = token.ownsKeys ? token.owner : 0;
    totals.watch();
    undo.begin();
    try {
      isDone = run();
    } finally {
      keys.creator = 0;
      excess = this.#excess(token, totals.unwatch());
      if (isDone && excess === undefined) undo.commit();
      else undo.rollback();
    }
    return isDone ? excess : undefined;
  }

  conclude({ gate, token }: Context, run: () => void): void {
    if ((gate & GATE_LIMITED) === 0 || token === undefined || !this.#tokens.countsKeys) return run();
    let failure: unknown;
    const refused = this.run(token, { flags: COMMAND_GROWS | COMMAND_WRITE }, () => {
      try {
        run();
        return true;
      } catch (error) {
        failure = error;
        return false;
      }
    });
    if (failure !== undefined) throw failure;
    if (refused !== undefined) throw refused;
  }

  ofDevice(device: string, quota: "bytes" | "keys"): number {
    return this.#tokens.quotaOfDevice(device, quota);
  }

  #excess(caller: Token, before: ReadonlyMap<number, OwnerTotals>): HiveError | undefined {
    for (const [owner, had] of before) {
      const token = this.#tokens.ownedBy(owner);
      if (token === undefined) continue;
      const has = this.#store.memory.totals.of(owner);
      for (const quota of ["bytes", "keys"] as const) {
        const max = token.quotas[quota];
        if (max === undefined || has[quota] <= max || has[quota] <= had[quota]) continue;
        // How much others have is not the caller's to know.
        const message =
          token === caller
            ? `${quota}: this call would make ${has[quota]} of the ${max} that this token may have`
            : `${quota}: a key of this call belongs to a token that may not have more`;
        return new HiveError("QUOTA", message);
      }
    }
    return undefined;
  }
}
