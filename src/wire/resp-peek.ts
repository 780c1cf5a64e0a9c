// Peek: where the keys of the calls in a chunk lie, before any of them is read.
//
// For nearly all commands the key is the first argument behind the name. It is a guess for the sake of
// the store's look-ahead: what is not there, or not in the usual form, ends it, and nobody relies on it.

const DOLLAR = 36;
const STAR = 42;
const CR = 13;

/** Positions of keys in one buffer. */
export type KeySpans = { count: number; readonly starts: Int32Array; readonly lengths: Int32Array };

/** Room for `count` positions. */
export function keySpans(count: number): KeySpans {
  return { count: 0, starts: new Int32Array(count), lengths: new Int32Array(count) };
}

/** Fills `spans` with the second argument of each call in bytes `start` to `end`, as far as there is room. */
export function peekKeys(buffer: Uint8Array, start: number, end: number, spans: KeySpans): void {
  let at = start;
  let count = 0;
  while (count < spans.starts.length && at + 4 < end && buffer[at] === STAR && buffer[at + 2] === CR) {
    let missing = buffer[at + 1]! - 48;
    at += 4;
    for (let index = 0; missing > 0; index++, missing--) {
      if (at + 4 > end || buffer[at] !== DOLLAR) return finish(spans, count);
      let length = 0;
      at++;
      for (let digit = buffer[at]! - 48; digit >= 0 && digit <= 9; digit = buffer[++at]! - 48) {
        length = length * 10 + digit;
        if (length > end) return finish(spans, count);
      }
      at += 2;
      if (at + length + 2 > end) return finish(spans, count);
      if (index === 1) {
        spans.starts[count] = at;
        spans.lengths[count++] = length;
      }
      at += length + 2;
    }
  }
  finish(spans, count);
}

function finish(spans: KeySpans, count: number): void {
  spans.count = count;
}
