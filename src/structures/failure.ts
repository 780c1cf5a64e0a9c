// Failure: what a caller is told of an error that a structure's code threw.

import { ERRORS, type ErrorCode, HiveError } from "../base/errors.ts";

/** The error's own code, where it is one of the hive's; else STRUCTURE_FAILED. */
export function failure(command: string, error: unknown): HiveError {
  if (error instanceof HiveError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && Object.hasOwn(ERRORS, code)) return new HiveError(code as ErrorCode, String(message));
  const text = typeof message === "string" ? message : String(error);
  const words = typeof code === "string" ? `${code}: ${text}` : text;
  return new HiveError("STRUCTURE_FAILED", `${command}: ${words.replace(/\s+/g, " ")}`, { cause: error });
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
