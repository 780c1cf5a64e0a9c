// Quoted bytes: what a client sent, as part of a message.
//
//   bytes ──▶ quoteBytes ──▶ text in a HiveError ──▶ encodeQuoted ──▶ the same bytes on RESP
//
// A message is text, what a client sends need not be UTF-8. A byte that belongs to no character becomes
// a lone surrogate, U+DC00 + byte, as Python does (PEP 383): RESP, which can send any byte, gives it back
// unchanged, as Redis does, and every other wire shows U+FFFD in its place.

import { isUtf8 } from "node:buffer";

const LONE = /[\udc80-\udcff]/u;
const NOT_ASCII = /[\x80-\xff]/g;

/** Bytes `start` to `end`, up to the first zero byte and at most `bytesMax` of them: C's idea of a text. */
export function quoteBytes(buffer: Buffer, start: number, end: number, bytesMax: number): string {
  const zero = buffer.indexOf(0, start);
  const to = Math.min(zero < 0 ? end : zero, end, start + bytesMax);
  const bytes = buffer.subarray(start, Math.max(start, to));
  if (isUtf8(bytes)) return bytes.utf8Slice();
  return bytes.latin1Slice().replace(NOT_ASCII, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

/** Whether a message has bytes in it that are no text. */
export function hasQuoted(message: string): boolean {
  return LONE.test(message);
}

/** The message in UTF-8, quoted bytes as they came. */
export function encodeQuoted(message: string): Buffer {
  const parts = message.split(/([\udc80-\udcff]+)/u);
  const bytes = parts.map((part, index) =>
    index % 2 === 0 ? Buffer.from(part) : Buffer.from(part, "utf16le").filter((_, at) => at % 2 === 0),
  );
  return Buffer.concat(bytes);
}
