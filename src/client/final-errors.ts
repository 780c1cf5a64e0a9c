// Which failures to connect are final: another attempt would only meet them again.

import { type ErrorCode, HiveError } from "../base/errors.ts";

const FINAL: readonly ErrorCode[] = [
  "NO_AUTH",
  "WRONG_PASSWORD",
  "NO_PERMISSION",
  "NO_PROTOCOL",
  "NOT_ENCRYPTED",
  "BAD_CERTIFICATE",
  "REFUSED_SETTING",
];

/** Whether a client gives up at once. A certificate that has expired may be replaced (net/tls-failure.ts). */
export function isFinal({ code, detail }: HiveError): boolean {
  return FINAL.includes(code) && detail["final"] !== 0;
}

/** Why a client that is closed makes no call. @param cause What closed it, where it was not its user. */
export function closedError(cause: HiveError | undefined): HiveError {
  if (cause === undefined) return new HiveError("HIVE_CLOSED", "this client is closed");
  return new HiveError(cause.code, `this client is closed: ${cause.message}`, { cause });
}
