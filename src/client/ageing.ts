// Ageing: while there is no connection. How long until the next attempt, and which calls have waited for too long.

import { HiveError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import type { CallTable } from "../wire/call-table.ts";
import type { ClientCall } from "./call.ts";

/** The age of calls is looked at so many times within ageMs. */
const LOOKS = 8;

/** Looks until it is called off. @param failure Why there is no connection. */
export function ageCalls(
  calls: CallTable<ClientCall>,
  timers: Timers,
  ageMs: number,
  failure: () => HiveError | undefined,
): Cancel {
  let cancel: Cancel;
  const look = (): void => {
    const nowMs = timers.monotonicMs();
    for (const call of calls.all()) {
      if (nowMs - call.waitsSinceMs < ageMs) continue;
      calls.take(call.id);
      const cause = failure();
      const message = `no connection for queue.ageMs (${ageMs}): ${cause?.message}`;
      call.lost(new HiveError("CONNECTION_LOST", message, { cause }));
    }
    arm();
  };
  const arm = (): void => {
    cancel = timers.after(Math.max(1, ageMs / LOOKS), look);
  };
  arm();
  return () => cancel();
}

/**
 * The pause before attempt number `attempts`. Exponential, with full jitter: many clients that lost one hive do not
 * come back in one moment. @param draw From 0 to below 1.
 */
export function pauseMs(attempts: number, { minMs, maxMs }: { minMs: number; maxMs: number }, draw: number): number {
  return draw * Math.min(maxMs, minMs * 2 ** Math.min(attempts, 20));
}
