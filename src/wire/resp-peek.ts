// Peek: where the keys of the calls in a chunk lie, before any of them is read.
//
// For nearly all commands the key is the first argument behind the name, and for those of tables and sets
// the second is a field or a member. It is a guess for the sake of the store's look-ahead: what is not
// there, or not in the usual form, ends it, and nobody relies on it.

const DOLLAR = 36;
const STAR = 42;
const CR = 13;

/**
 * Positions in one buffer, of the key and of what follows it: call i's key is number 2 × i, the argument
 * behind it number 2 × i + 1, with length 0 where there is none.
 */
export type KeySpans = { calls: number; readonly starts: Int32Array; readonly lengths: Int32Array };

/** Room for the positions of `calls` calls. */
export function keySpans(calls: number): KeySpans {
  return { calls: 0, starts: new Int32Array(calls * 2), lengths: new Int32Array(calls * 2) };
}

/** Fills `spans` from the calls in bytes `start` to `end` that have a key, as far as there is room. */
export function peekKeys(buffer: Uint8Array, start: number, end: number, spans: KeySpans): void {
  const room = spans.starts.length >> 1;
  let at = start;
  let calls = 0;
  spans.calls = 0;
  while (calls < room && at + 4 < end && buffer[at] === STAR && buffer[at + 2] === CR) {
    const count = buffer[at + 1]! - 48;
    at += 4;
    spans.lengths[calls * 2 + 1] = 0;
    for (let index = 0; index < count; index++) {
      if (at + 4 > end || buffer[at] !== DOLLAR) return;
      let length = 0;
      at++;
      for (let digit = buffer[at]! - 48; digit >= 0 && digit <= 9; digit = buffer[++at]! - 48) {
        length = length * 10 + digit;
        if (length > end) return;
      }
      at += 2;
      if (at + length + 2 > end) return;
      if (index === 1 || index === 2) {
        spans.starts[calls * 2 + index - 1] = at;
        spans.lengths[calls * 2 + index - 1] = length;
      }
      at += length + 2;
    }
    if (count > 1) spans.calls = ++calls;
  }
}
