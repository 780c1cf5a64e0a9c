// Quoted bytes: what a client sent, as part of a message.
//
//   bytes ──▶ quoteBytes ──▶ text in a HiveError ──▶ encodeQuoted ──▶ the same bytes on RESP
//
// A message is text, what a client sends need not be UTF-8. A byte that belongs to no character becomes
// a lone surrogate, U+DC00 + byte, as Python does (PEP 383): RESP, which can send any byte, gives it back
// unchanged, as Redis does, and every other wire shows U+FFFD in its place.

import { isUtf8 } from "node:buffer";

/** How much of what a client sent stands in an error's text. As Redis has it for unknown commands. */
export const QUOTED_BYTES_MAX = 128;

const LONE = /[\udc80-\udcff]/u;
const NOT_ASCII = /[\x80-\xff]/g;

/** Bytes `start` to `end`, up to the first zero byte and at most `bytesMax` of them: C's idea of a text. */
export function quoteBytes(buffer: Buffer, start: number, end: number, bytesMax: number): string {
  const shown = buffer.subarray(start, Math.max(start, Math.min(end, start + bytesMax)));
  const zero = shown.indexOf(0);
  const bytes = zero < 0 ? shown : shown.subarray(0, zero);
  if (isUtf8(bytes)) return bytes.utf8Slice();
  return bytes.latin1Slice().replace(NOT_ASCII, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

/** Whether a message has bytes in it that are no text. */
export function hasQuoted(message: string): boolean {
  return LONE.test(message);
}

/** The message in UTF-8, quoted bytes as they came. Takes messages of any length. */
export function encodeQuoted(message: string): Buffer {
  // Three bytes per unit of UTF-16 are enough for any character.
  const bytes = Buffer.allocUnsafe(3 * message.length);
  let written = 0;
  let from = 0;
  for (let at = 0; at < message.length; at++) {
    const unit = message.charCodeAt(at);
    if (isHighSurrogate(unit) && isLowSurrogate(message.charCodeAt(at + 1))) at++;
    else if (unit >= 0xdc80 && unit <= 0xdcff) {
      if (from < at) written += bytes.write(message.slice(from, at), written);
      bytes[written++] = unit - 0xdc00;
      from = at + 1;
    }
  }
  if (from < message.length) written += bytes.write(message.slice(from), written);
  return bytes.subarray(0, written);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
