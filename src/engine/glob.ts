// Glob: Redis's patterns over bytes (its stringmatchlen), for KEYS, MATCH of the SCANs and CONFIG GET.
//
//   *  any bytes, none too      ?  one byte      [a-z] [^a-z]  one byte (not) of these      \x  x itself
//
// Every token but the star takes exactly one byte, so on a mismatch only the last star has to be tried
// again one byte further: time is at most pattern × text, never exponential as with a search that goes
// back to every star. The odd corners are Redis's: a class without its ] ends with the pattern, bounds
// of a range may stand either way round and are signed bytes, and nothing but the empty pattern (and
// the lone star, which callers leave out by isEverything) matches the empty text.

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const BACKSLASH = 92;
const CARET = 94;
const DASH = 45;

/** Whether a pattern is `*`, which matches every name without being looked at. */
export function isEverything(pattern: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && pattern[start] === STAR;
}

/** Whether bytes `start` to `end` of `text` match the pattern in bytes `patternStart` to `patternEnd`. */
export function matchesGlob(
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
  text: Uint8Array,
  start: number,
  end: number,
): boolean {
  let at = patternStart;
  let place = start;
  /** Behind the last star, and where the text goes on behind what that star has taken. */
  let retryAt = -1;
  let retryPlace = 0;
  if (start === end) return patternStart === patternEnd;
  for (;;) {
    if (at < patternEnd && pattern[at] === STAR) {
      while (at < patternEnd && pattern[at] === STAR) at++;
      if (at === patternEnd) return true;
      if (place === end) return false;
      retryAt = at;
      retryPlace = place;
      continue;
    }
    const next = place < end && at < patternEnd ? matchToken(pattern, at, patternEnd, text[place]!) : -1;
    if (next >= 0) {
      at = next;
      place++;
      if (place < end) continue;
      while (at < patternEnd && pattern[at] === STAR) at++;
      if (at === patternEnd) return true;
    }
    if (retryAt < 0) return false;
    retryPlace++;
    if (retryPlace >= end) return false;
    if (isLiteral(pattern[retryAt]!)) {
      // Nothing before the next such byte can match. Not indexOf: the text may lie in a buffer of 16 MiB.
      const literal = pattern[retryAt]!;
      while (retryPlace < end && text[retryPlace] !== literal) retryPlace++;
      if (retryPlace === end) return false;
    }
    at = retryAt;
    place = retryPlace;
  }
}

/** Whether a token's first byte stands for itself. */
function isLiteral(byte: number): boolean {
  return byte !== QUESTION && byte !== OPEN && byte !== BACKSLASH && byte !== STAR;
}

/** Where the pattern goes on behind the token at `at` when that takes `byte`; -1 when it does not. */
function matchToken(pattern: Uint8Array, at: number, end: number, byte: number): number {
  let token = pattern[at]!;
  if (token === QUESTION) return at + 1;
  if (token === OPEN) return matchClass(pattern, at + 1, end, byte);
  if (token === BACKSLASH && at + 1 < end) token = pattern[++at]!;
  return token === byte ? at + 1 : -1;
}

/** The same for a class, whose first byte behind the [ is at `at`. */
function matchClass(pattern: Uint8Array, at: number, end: number, byte: number): number {
  const negated = at < end && pattern[at] === CARET;
  if (negated) at++;
  let matched = false;
  for (; at < end && pattern[at] !== CLOSE; at++) {
    if (pattern[at] === BACKSLASH && at + 1 < end) {
      at++;
      if (pattern[at] === byte) matched = true;
    } else if (at + 2 < end && pattern[at + 1] === DASH) {
      const from = signed(pattern[at]!);
      const to = signed(pattern[at + 2]!);
      const value = signed(byte);
      if (value >= Math.min(from, to) && value <= Math.max(from, to)) matched = true;
      at += 2;
    } else if (pattern[at] === byte) matched = true;
  }
  if (matched === negated) return -1;
  return at < end ? at + 1 : end;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}
