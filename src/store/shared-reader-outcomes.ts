// Outcomes: what a read of shared memory may say, and the reader as its user sees it. Apart from the reader itself,
// since clients in browsers have this file too.

/** There is none; it was read; the key holds something else. From here up it is an answer. */
export const ABSENT = 0;
export const FOUND = 1;
export const OTHER_TYPE = 2;
/** Below 0 the hive has to be asked: writers got in the way, a transaction is under way, it is silent, the value is large. */
export const TORN = -1;
export const BUSY = -2;
export const SILENT = -3;
export const LARGE = -4;
export type Outcome = -4 | -3 | -2 | -1 | 0 | 1 | 2;

/** A larger value is not copied out: while that takes, a writer changes it too often. */
export const SHARED_VALUE_BYTES_MAX: number = 1024 * 1024;

/** SharedReader, see there. */
export interface MemoryReader {
  readonly reads: number;
  readonly retried: number;
  readonly asked: number;
  /** For the caller to fill in: room for so many bytes, then how many there are, and 1 where they encode a value. */
  readonly name: { room(length: number): Uint8Array; taken(length: number, typed: number): void };
  readonly found: { readonly kind: number; readonly scratch: Uint8Array; readonly start: number; readonly end: number };
  readonly sampled: boolean;
  key(copies: boolean): Outcome;
  field(table: string, type: number, copies: boolean): Outcome;
  catchUp(): void;
  close(): void;
}
