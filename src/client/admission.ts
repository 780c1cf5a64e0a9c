// Admission: whether a call may be made now, before anything of it is kept.

import { HiveError } from "../base/errors.ts";
import type { CallOptions } from "./call.ts";

export type Load = {
  /** Calls without an answer. */
  calls: number;
  /** Their bytes, or what the other end has not taken yet where that is more: calls that are over may lie in there. */
  bytes: number;
};

/** Why a call of `size` bytes is refused; undefined where it is not. */
export function refusalOf(
  size: number,
  options: CallOptions | undefined,
  load: Load,
  limits: { calls: number; bytes: number },
): HiveError | undefined {
  if (options?.timeoutMs !== undefined && !(options.timeoutMs >= 0)) {
    return new HiveError("INVALID_ARGUMENT", `timeoutMs: expected a number from 0 on, got ${options.timeoutMs}`);
  }
  if (options?.signal?.aborted) {
    return new HiveError("ABORTED", "the signal had ended before the call", { cause: options.signal.reason });
  }
  if (load.calls >= limits.calls) {
    return new HiveError("OVERLOADED", `${load.calls} calls have no answer yet, as many as queue.calls allows`);
  }
  if (load.bytes + size <= limits.bytes || load.bytes === 0) return undefined;
  const what = `calls of ${load.bytes} bytes have no answer, or were not taken yet`;
  return new HiveError("OVERLOADED", `${what}, and ${size} more exceed queue.bytes (${limits.bytes})`);
}
