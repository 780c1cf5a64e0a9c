// The inline form of RESP: one line, words between blanks, as a person types it into telnet.
//
//   set greeting "hello \x77orld"  ──▶  set · greeting · hello world
//
// The rules are those of Redis's sdssplitargs: in double quotes \n \r \t \b \a \xHH and \ before any
// other byte are escapes, in single quotes only \' is; a closing quote ends the word. A NUL ends the line.
// Words are written to a buffer of their own, since escapes make them shorter than what stands there.

/** Where the words go: the part of engine's Args that is needed here. */
export interface WordList {
  reset(buffer: Buffer): void;
  push(start: number, length: number): void;
}

const DOUBLE = 34;
const SINGLE = 39;
const BACKSLASH = 92;
const LETTER_X = 120;

/** What a letter after a backslash means; any other byte means itself. */
const ESCAPES: Readonly<Record<number, number>> = { 110: 10, 114: 13, 116: 9, 98: 8, 97: 7 };

/**
 * Whether the line is one that a browser sends when a web page makes it talk to us: then the
 * connection ends, whatever the next line is. A connection's `first` line may also be a request line
 * that is longer than what tells HTTP from RESP; later on ` HTTP/1.1` is the end of some value.
 */
export function isHostile(line: Buffer, first: boolean): boolean {
  if (first && / HTTP\/1\.\d$/i.test(line.latin1Slice(Math.max(0, line.length - 16)))) return true;
  const letter = line.length > 0 ? line[0]! | 32 : 0;
  // The first letters rule out nearly every line before a string is made of it.
  if (letter !== 112 && letter !== 104 && !isBlank(line[0] ?? 0)) return false;
  return /^\s*(post|host:)(\s|$)/i.test(line.latin1Slice(0, Math.min(line.length, 64)));
}

/** Splits `line`, which has no line end, into `words`. Returns false where quotes are not balanced. */
export function splitInline(line: Buffer, words: WordList): boolean {
  const out = Buffer.allocUnsafeSlow(line.length);
  words.reset(out);
  const nul = line.indexOf(0);
  const end = nul < 0 ? line.length : nul;
  let written = 0;
  let at = 0;
  for (;;) {
    while (at < end && isBlank(line[at]!)) at++;
    if (at === end) return true;
    const start = written;
    let quote = 0;
    while (quote === 0 && at < end && !endsWord(line[at]!)) {
      const byte = line[at++]!;
      if (byte === DOUBLE || byte === SINGLE) quote = byte;
      else out[written++] = byte;
    }
    // To the closing quote, which ends the word and must be followed by a blank.
    for (; quote !== 0 && line[at] !== quote; at++) {
      if (at >= end) return false;
      let byte = line[at]!;
      if (byte === BACKSLASH && at + 1 < end && (quote === DOUBLE || line[at + 1] === SINGLE)) {
        byte = line[++at]!;
        const code = quote === DOUBLE && byte === LETTER_X ? hexByte(line, at + 1, end) : -1;
        if (code >= 0) {
          byte = code;
          at += 2;
        } else if (quote === DOUBLE) byte = ESCAPES[byte] ?? byte;
      }
      out[written++] = byte;
    }
    if (quote !== 0 && ++at < end && !isBlank(line[at]!)) return false;
    words.push(start, written - start);
  }
}

/** The byte that the two hex digits at `at` stand for; -1 where there are none. */
function hexByte(line: Buffer, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const high = hexDigit(line[at]!);
  const low = hexDigit(line[at + 1]!);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** As isspace() in the C locale. */
function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** What ends a word that has no quotes: vertical tab and form feed do not. */
function endsWord(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13;
}
