// Outcomes: what a read of shared memory may say. Apart from the reader, since clients in browsers know them too.

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
