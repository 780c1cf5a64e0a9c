// Errors of the HTTP door: our codes, and the status that says about the same to who looks no further.

import { ERRORS, type ErrorCode, HiveError } from "../../base/errors.ts";
import type { HttpAnswer } from "../../base/http-exchange.ts";

// biome-ignore format: a table reads better aligned
const STATUS: Partial<Record<ErrorCode, number>> = {
  NO_KEY:               404,
  WRONG_TYPE:           409,
  BUSY_KEY:             409,
  CONFLICT:             409,
  NOT_TEXT:             406,
  UNKNOWN_COMMAND:      404,
  FRAME_TOO_BIG:        413,
  KEY_TOO_BIG:          413,
  VALUE_TOO_BIG:        413,
  NO_AUTH:              401,
  WRONG_PASSWORD:       401,
  NO_PERMISSION:        403,
  QUOTA:                429,
  EXEC_ABORT:           409,
  OUT_OF_MEMORY:        507,
  OUTPUT_TOO_BIG:       507,
  OVERLOADED:           503,
  TOO_MANY_CONNECTIONS: 503,
  HIVE_CLOSED:          503,
  UNBLOCKED:            503,
  DEADLINE:             504,
};

/** Refused because of what was sent, unless the table says otherwise. */
const BAD_REQUEST = 400;

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? BAD_REQUEST;
}

/** What is said of an error inside an answer. */
export function described({ code, message }: { code: ErrorCode; message: string }): object {
  return { code, message, retry: ERRORS[code].retry };
}

/** @param status Where it is not the one of the code. */
export function errorAnswer(
  error: { code: ErrorCode; message: string },
  status: number = statusOf(error.code),
): HttpAnswer {
  const challenge = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
  return { ...jsonAnswer(status, { error: described(error) }), headers: { ...JSON_HEADERS, ...challenge } };
}

export const JSON_HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** @param json The text, in UTF-8 where it is bytes. */
export function textOfJson(json: string | Uint8Array): HttpAnswer {
  return { status: 200, headers: JSON_HEADERS, body: json };
}

export function jsonAnswer(status: number, body: object): HttpAnswer {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(body) };
}

/** A request that is refused with a status of HTTP that no code stands for. */
export class HttpRefusal extends Error {
  readonly error: HiveError;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: HiveError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}

export function noSuchPage(path: string): HttpRefusal {
  const pages = "/healthz, /readyz, /metrics, /v1/tables/{table}/{key}, /v1/call, /v1/openapi.json, /v1/socket, /RPC2";
  return new HttpRefusal(404, new HiveError("UNSUPPORTED", `there is no ${path.slice(0, 128)} here, only ${pages}`));
}

export function wrongMethod(method: string, allowed: readonly string[]): HttpRefusal {
  const error = new HiveError("UNSUPPORTED", `${method.slice(0, 32)}: this page takes ${allowed.join(", ")}`);
  return new HttpRefusal(405, error, { Allow: allowed.join(", ") });
}
