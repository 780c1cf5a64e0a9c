// Failure: what a caller is told of an error that a structure's code threw.

import { ERRORS, type ErrorCode, HiveError } from "../base/errors.ts";

/** The error's own code, where it is one of the hive's; else STRUCTURE_FAILED. Whatever was thrown, it throws nothing. */
export function failure(command: string, error: unknown): HiveError {
  if (error instanceof HiveError) return error;
  try {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    if (typeof code === "string" && Object.hasOwn(ERRORS, code)) {
      return new HiveError(code as ErrorCode, String(message));
    }
    const text = typeof message === "string" ? message : String(error);
    const words = typeof code === "string" ? `${code}: ${text}` : text;
    return new HiveError("STRUCTURE_FAILED", `${command}: ${words.replace(/\s+/g, " ")}`, { cause: error });
  } catch {
    return new HiveError("STRUCTURE_FAILED", `${command}: what was thrown cannot be shown`);
  }
}

/** What `body` gives; what it throws, a structure's code among it, becomes an error that a caller can be told. */
export function guarded<Result>(command: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw failure(command, error);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** Nobody waits for this any more: that it fails must not end the process. */
export function abandon(value: unknown): void {
  if (isThenable(value)) void Promise.resolve(value).catch(() => {});
}
