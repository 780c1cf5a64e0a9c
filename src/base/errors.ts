// Errors: one class, one closed list of codes.
//
//   throw new HiveError("WRONG_TYPE", "Operation against …") ──▶ a door spells it ──▶ "-WRONGTYPE Operation against …"
//
// Everything this package throws on purpose is a HiveError. Its code crosses every door unchanged; a
// door only decides how to spell it. The RESP door writes "-" + resp + " " + message, so a message
// never repeats its prefix; where Redis has a text for the failure, the message is that text. Mistakes
// in our own code are not HiveErrors: they are assertions, and they end the process.
//
// docs/errors.md says of each code when it comes and what to do about it; a test compares the two.

/** What went wrong, for programs. A code is never renamed and never reused. */
export type ErrorCode =
  // what is stored
  | "NO_KEY"
  | "WRONG_TYPE"
  | "NOT_INTEGER"
  | "NOT_FLOAT"
  | "NOT_TEXT"
  | "OVERFLOW"
  | "BUSY_KEY"
  | "CONFLICT"
  | "BAD_PAYLOAD"
  | "BAD_SNAPSHOT"
  | "NO_SNAPSHOT"
  | "SNAPSHOT_FAILED"
  | "SESSION_GONE"
  // what was sent
  | "FRAME_TOO_BIG"
  | "BAD_FRAME"
  | "UNKNOWN_COMMAND"
  | "WRONG_ARITY"
  | "SYNTAX"
  | "INVALID_ARGUMENT"
  | "OUT_OF_RANGE"
  | "KEY_TOO_BIG"
  | "VALUE_TOO_BIG"
  | "TOO_MANY_ARGUMENTS"
  | "BAD_VALUE"
  | "NO_PROTOCOL"
  | "UNSUPPORTED"
  | "SCHEMA_MISMATCH"
  | "NOT_SHARED"
  | "CANNOT_SHIP"
  // structures
  | "STRUCTURE_FAILED"
  | "STRUCTURE_MEMORY"
  // who is asking
  | "NO_CLIENT"
  | "NO_AUTH"
  | "WRONG_PASSWORD"
  | "NO_PERMISSION"
  | "QUOTA"
  | "BAD_CERTIFICATE"
  | "NOT_ENCRYPTED"
  // transactions
  | "EXEC_ABORT"
  | "IN_TRANSACTION"
  | "NO_TRANSACTION"
  | "TRANSACTION_TOO_BIG"
  // start and settings
  | "REFUSED_SETTING"
  | "ADDRESS_IN_USE"
  | "CANNOT_LISTEN"
  // load and connections
  | "OVERLOADED"
  | "CONNECTION_LOST"
  | "UNBLOCKED"
  | "OUT_OF_MEMORY"
  | "DEADLINE"
  | "ABORTED"
  | "TOO_MANY_CONNECTIONS"
  | "OUTPUT_TOO_BIG"
  | "HIVE_CLOSED"
  | "UNKNOWN_CODE";

/**
 * How a code looks from outside.
 *
 * `fault` is its number where a wire has numbers; each code has its own. `resp` is its first word on
 * RESP. `retry` tells whether the same call may succeed later although nobody acts; it says nothing
 * about whether the failed call had an effect.
 */
export type ErrorInfo = { fault: number; resp: string; retry: boolean };

// biome-ignore format: a table reads better aligned
export const ERRORS: Readonly<Record<ErrorCode, ErrorInfo>> = {
  NO_KEY:               { fault: 101, resp: "ERR",       retry: false },
  WRONG_TYPE:           { fault: 102, resp: "WRONGTYPE", retry: false },
  NOT_INTEGER:          { fault: 103, resp: "ERR",       retry: false },
  NOT_FLOAT:            { fault: 104, resp: "ERR",       retry: false },
  NOT_TEXT:             { fault: 105, resp: "ERR",       retry: false },
  OVERFLOW:             { fault: 106, resp: "ERR",       retry: false },
  BUSY_KEY:             { fault: 107, resp: "BUSYKEY",   retry: false },
  BAD_PAYLOAD:          { fault: 108, resp: "ERR",       retry: false },
  CONFLICT:             { fault: 109, resp: "ERR",       retry: true },
  BAD_SNAPSHOT:         { fault: 110, resp: "ERR",       retry: false },
  NO_SNAPSHOT:          { fault: 111, resp: "ERR",       retry: false },
  SNAPSHOT_FAILED:      { fault: 112, resp: "ERR",       retry: true },
  SESSION_GONE:         { fault: 113, resp: "ERR",       retry: false },

  FRAME_TOO_BIG:        { fault: 201, resp: "ERR",       retry: false },
  BAD_FRAME:            { fault: 202, resp: "ERR",       retry: false },
  UNKNOWN_COMMAND:      { fault: 203, resp: "ERR",       retry: false },
  WRONG_ARITY:          { fault: 204, resp: "ERR",       retry: false },
  SYNTAX:               { fault: 205, resp: "ERR",       retry: false },
  INVALID_ARGUMENT:     { fault: 206, resp: "ERR",       retry: false },
  OUT_OF_RANGE:         { fault: 207, resp: "ERR",       retry: false },
  KEY_TOO_BIG:          { fault: 208, resp: "ERR",       retry: false },
  VALUE_TOO_BIG:        { fault: 209, resp: "ERR",       retry: false },
  TOO_MANY_ARGUMENTS:   { fault: 210, resp: "ERR",       retry: false },
  BAD_VALUE:            { fault: 211, resp: "ERR",       retry: false },
  NO_PROTOCOL:          { fault: 212, resp: "NOPROTO",   retry: false },
  UNSUPPORTED:          { fault: 213, resp: "ERR",       retry: false },
  SCHEMA_MISMATCH:      { fault: 214, resp: "ERR",       retry: false },
  NOT_SHARED:           { fault: 215, resp: "ERR",       retry: true },
  STRUCTURE_FAILED:     { fault: 216, resp: "ERR",       retry: false },
  STRUCTURE_MEMORY:     { fault: 217, resp: "ERR",       retry: false },
  CANNOT_SHIP:          { fault: 218, resp: "ERR",       retry: false },

  NO_CLIENT:            { fault: 401, resp: "ERR",       retry: false },
  NO_AUTH:              { fault: 402, resp: "NOAUTH",    retry: false },
  WRONG_PASSWORD:       { fault: 403, resp: "WRONGPASS", retry: false },
  NO_PERMISSION:        { fault: 404, resp: "NOPERM",    retry: false },
  QUOTA:                { fault: 405, resp: "QUOTA",     retry: true },
  BAD_CERTIFICATE:      { fault: 420, resp: "ERR",       retry: false },
  NOT_ENCRYPTED:        { fault: 421, resp: "ERR",       retry: false },

  EXEC_ABORT:           { fault: 501, resp: "EXECABORT", retry: false },
  IN_TRANSACTION:       { fault: 502, resp: "ERR",       retry: false },
  NO_TRANSACTION:       { fault: 503, resp: "ERR",       retry: false },
  TRANSACTION_TOO_BIG:  { fault: 504, resp: "ERR",       retry: false },

  REFUSED_SETTING:      { fault: 801, resp: "ERR",       retry: false },
  ADDRESS_IN_USE:       { fault: 802, resp: "ERR",       retry: false },
  CANNOT_LISTEN:        { fault: 803, resp: "ERR",       retry: false },

  OVERLOADED:           { fault: 901, resp: "BUSY",      retry: true },
  CONNECTION_LOST:      { fault: 902, resp: "ERR",       retry: true },
  OUT_OF_MEMORY:        { fault: 903, resp: "OOM",       retry: false },
  DEADLINE:             { fault: 904, resp: "ERR",       retry: true },
  ABORTED:              { fault: 905, resp: "ERR",       retry: false },
  TOO_MANY_CONNECTIONS: { fault: 906, resp: "ERR",       retry: true },
  OUTPUT_TOO_BIG:       { fault: 907, resp: "ERR",       retry: false },
  HIVE_CLOSED:          { fault: 908, resp: "ERR",       retry: false },
  UNKNOWN_CODE:         { fault: 909, resp: "ERR",       retry: false },
  UNBLOCKED:            { fault: 910, resp: "UNBLOCKED", retry: true },
};

/** Plain values only, so that a detail can cross the wire and be logged. */
export type ErrorDetail = Readonly<Record<string, string | number>>;

const NO_DETAIL: ErrorDetail = Object.freeze({});

/** Whether `code` is one of ours: what another version answers with may not be. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** The call that failed, as far as it may be shown: never a value. */
export type CallInfo = { readonly name: string; readonly key?: string };

export type HiveErrorOptions = { detail?: ErrorDetail; cause?: unknown; sent?: boolean; call?: CallInfo };

/**
 * A failure the caller can act on.
 *
 * `code` is stable: programs compare it. `message` is for people and may be reworded in any
 * release. Make a new one at every throw; a shared instance carries the wrong stack.
 */
export class HiveError extends Error {
  override readonly name = "HiveError";
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;
  /**
   * For a call of a client that got no answer: whether it had been handed to the connection. False: it
   * had no effect. True: it may have had one. Undefined where there is no such doubt: the hive answered.
   */
  declare readonly sent?: boolean;
  /** The client's call that failed. Not enumerable, so that a log of the error does not show keys. */
  declare readonly call?: CallInfo;

  constructor(code: ErrorCode, message: string, options: HiveErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.detail = options.detail ?? NO_DETAIL;
    if (options.sent !== undefined) this.sent = options.sent;
    if (options.call !== undefined) Object.defineProperty(this, "call", { value: options.call });
  }

  /** True when the same call may succeed later, unchanged, although nobody acts. */
  get retryable(): boolean {
    return ERRORS[this.code].retry;
  }
}

/**
 * Whether `error` is a HiveError of any copy of this module.
 *
 * `instanceof` is not enough: a program that has both packages, or two versions of one, has two
 * classes of that name.
 */
export function isHiveError(error: unknown): error is HiveError {
  return (
    error instanceof Error &&
    error.name === "HiveError" &&
    "code" in error &&
    typeof error.code === "string" &&
    isErrorCode(error.code)
  );
}

/** What exceeds a limit on bytes. */
export function tooBig(
  code: "KEY_TOO_BIG" | "VALUE_TOO_BIG",
  what: string,
  bytes: number,
  limit: string,
  max: number,
): HiveError {
  return new HiveError(code, `${what} of ${bytes} bytes exceeds ${limit} (${max} bytes)`);
}
