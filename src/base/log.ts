// Log: what happened, for operators, as an event with fields.
//
//   hive, engine ──▶ log.warn({ address }, "authentication failed") ──▶ pino, a text, or nothing
//
// The shape is pino's, so that a pino logger can be handed in as it is. Fields are plain values: never a
// secret, never a key's name or value. Nothing is logged per call.

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

type Write = (fields: LogFields, message: string) => void;

/** Any logger of this shape, such as pino's. Its methods must not throw. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

const nothing: Write = () => {};

/** Says nothing. */
export const SILENT_LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
