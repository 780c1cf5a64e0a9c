// Words: a typed line as the arguments of a call.
//
//   HSET users "ada l." ='{"born":1815}'   ──▶   ["HSET", "users", "ada l.", { born: 1815 }]
//
// Quotes are those of redis-cli: in "…" \n \r \t \b \a \xHH \" \\ mean what they do in C, in '…' only \'
// does. A word that begins with = is a value in JSON notation (notation.ts), so that numbers and objects
// can be typed; == begins a text with =.

import { HiveError } from "../base/errors.ts";
import { parseNotation } from "./notation.ts";

/** A word as it was typed: its text, and whether it began with = outside of quotes. */
type Word = { text: string; bytes: boolean; value: boolean };

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/**
 * The arguments in `line`: strings, Uint8Arrays where \x was used, and values.
 * @throws {HiveError} SYNTAX: a quote is not closed; BAD_VALUE: what follows = is no JSON.
 */
export function parseWords(line: string): unknown[] {
  return splitWords(line).map(({ text, bytes, value }) => {
    if (value) return parseNotation(text);
    return bytes ? Uint8Array.from(Buffer.from(text, "latin1")) : text;
  });
}

function splitWords(line: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && /\s/.test(line[at]!)) at++;
    if (at >= line.length) return words;
    const word: Word = { text: "", bytes: false, value: false };
    if (line[at] === "=" && line[at + 1] === "=") at++;
    else if (line[at] === "=") {
      word.value = true;
      at++;
    }
    at = readWord(line, at, word);
    words.push(word);
  }
}

/** Reads one word from `at`. Returns where it ends. */
function readWord(line: string, from: number, word: Word): number {
  let at = from;
  // JSON has its own quotes: a value goes to the end of its brackets, or to the next space.
  if (word.value && line[at] !== "'") return readJson(line, at, word);
  while (at < line.length && !/\s/.test(line[at]!)) {
    const quote = line[at]!;
    if (quote !== '"' && quote !== "'") {
      word.text += word.bytes ? latin1(quote) : quote;
      at++;
    } else at = readQuoted(line, at, word);
  }
  return at;
}

function readQuoted(line: string, from: number, word: Word): number {
  const quote = line[from]!;
  for (let at = from + 1; at < line.length; at++) {
    const letter = String.fromCodePoint(line.codePointAt(at)!);
    if (letter === quote) return at + 1;
    // A character of two units is taken whole.
    if (letter.length === 2) at++;
    if (letter !== "\\" || (quote === "'" && line[at + 1] !== "'")) {
      word.text += word.bytes ? latin1(letter) : letter;
      continue;
    }
    at++;
    const hex = quote === '"' ? /^x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 3))?.[1] : undefined;
    if (hex !== undefined) {
      word.text = (word.bytes ? word.text : latin1(word.text)) + String.fromCharCode(Number.parseInt(hex, 16));
      word.bytes = true;
      at += 2;
    } else word.text += ESCAPES[line[at] ?? ""] ?? line[at] ?? "";
  }
  throw new HiveError("SYNTAX", `a quote is not closed: ${line.slice(from)}`);
}

/** From here on the word is bytes: what was text becomes its UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function readJson(line: string, from: number, word: Word): number {
  let depth = 0;
  let inText = false;
  let at = from;
  for (; at < line.length; at++) {
    const letter = line[at]!;
    if (inText) {
      if (letter === "\\") at++;
      else if (letter === '"') inText = false;
      continue;
    }
    if (letter === '"') inText = true;
    else if (letter === "{" || letter === "[") depth++;
    else if (letter === "}" || letter === "]") depth--;
    else if (/\s/.test(letter) && depth <= 0) break;
  }
  word.text = line.slice(from, at);
  return at;
}
