// Watched words: the memory that the hive's thread and the watchdog's share.
//
//   hive: BEGUN + 1, COMMAND ──▶ thread: the same for too long? ──▶ since when, then BLOCKED = BEGUN ──▶ hive, when it ends

/** Number of the command that runs; 0 for none. */
export const WATCHED_COMMAND = 0;
/** Which call it is: how many have begun, modulo 2^32. */
export const WATCHED_BEGUN = 1;
/** The last call that took too long. */
export const WATCHED_BLOCKED = 2;

const WORDS = 4;
export const WATCHED_BYTES: number = WORDS * 4 + 8;

/** `times[0]`: since when the call in BLOCKED has run, on the clock of clockMs(). */
export function watchedWords(buffer: SharedArrayBuffer): { readonly words: Int32Array; readonly times: Float64Array } {
  return { words: new Int32Array(buffer, 0, WORDS), times: new Float64Array(buffer, WORDS * 4, 1) };
}
