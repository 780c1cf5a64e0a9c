// UTF-8: text to bytes, bytes to text, and whether bytes are text at all.
//
//   string ──▶ writeUtf8 ──▶ bytes ──▶ isUtf8 ──▶ readUtf8 ──▶ string
//
// Each has two forms: a loop for short input, where a call into the runtime costs more than the work
// (about 20 ns to write, 45 ns to read), and the runtime's own for long input. Node has methods that
// take an offset; elsewhere TextEncoder and TextDecoder do the same at the price of a view a call.
// This file is also the client's, in a browser, so it imports nothing.
//
// A lone surrogate has no UTF-8. It is written as U+FFFD, as TextEncoder, Buffer and WebSocket do.

type NodeBytes = {
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
};
type NodeModule = { isUtf8?(bytes: Uint8Array): boolean };
type Runtime = {
  Buffer?: { prototype: NodeBytes };
  process?: { getBuiltinModule?(name: string): NodeModule };
};

const runtime = globalThis as unknown as Runtime;
const node = runtime.Buffer?.prototype;
const native = runtime.process?.getBuiltinModule?.("node:buffer")?.isUtf8;

const encoder = new TextEncoder();
/** `ignoreBOM` keeps a leading U+FEFF: it is part of the text, not of a file. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true });

/** Above this many bytes the runtime's check is faster than the loop. */
const LOOP_BYTES_MAX = 96;

/**
 * Writes `text` as UTF-8 at `offset` and returns how many bytes that took.
 *
 * The caller has made room for 3 bytes a UTF-16 unit: what does not fit is silently left out.
 */
export const writeUtf8: (bytes: Uint8Array, text: string, offset: number) => number = node
  ? (bytes, text, offset) => node.utf8Write.call(bytes, text, offset, bytes.length - offset)
  : (bytes, text, offset) => encoder.encodeInto(text, bytes.subarray(offset)).written;

/** The text in bytes `start` to `end`. What is not UTF-8 becomes U+FFFD: ask isUtf8() first where that matters. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  const text = end - start <= 16 ? shortAscii(bytes, start, end - start) : undefined;
  return text ?? readLongUtf8(bytes, start, end);
}

const readLongUtf8: (bytes: Uint8Array, start: number, end: number) => string = node
  ? (bytes, start, end) => node.utf8Slice.call(bytes, start, end)
  : (bytes, start, end) => decoder.decode(bytes.subarray(start, end));

/**
 * The text of up to 16 bytes where they are ASCII, by one call of the right number of arguments: it is
 * the one way to make a string that is compiled without a call into the runtime (25 ns at 8 bytes
 * against 50; with spread arguments 80).
 */
// biome-ignore format: one row per length
function shortAscii(bytes: Uint8Array, at: number, size: number): string | undefined {
  const text = String.fromCharCode;
  if (size === 0) return "";
  const a = bytes[at]!; if (size === 1) return (a) < 0x80 ? text(a) : undefined;
  const b = bytes[at + 1]!; if (size === 2) return (a | b) < 0x80 ? text(a, b) : undefined;
  const c = bytes[at + 2]!; if (size === 3) return (a | b | c) < 0x80 ? text(a, b, c) : undefined;
  const d = bytes[at + 3]!; if (size === 4) return (a | b | c | d) < 0x80 ? text(a, b, c, d) : undefined;
  const e = bytes[at + 4]!; if (size === 5) return (a | b | c | d | e) < 0x80 ? text(a, b, c, d, e) : undefined;
  const f = bytes[at + 5]!; if (size === 6) return (a | b | c | d | e | f) < 0x80 ? text(a, b, c, d, e, f) : undefined;
  const g = bytes[at + 6]!; if (size === 7) return (a | b | c | d | e | f | g) < 0x80 ? text(a, b, c, d, e, f, g) : undefined;
  const h = bytes[at + 7]!; if (size === 8) return (a | b | c | d | e | f | g | h) < 0x80 ? text(a, b, c, d, e, f, g, h) : undefined;
  const i = bytes[at + 8]!; if (size === 9) return (a | b | c | d | e | f | g | h | i) < 0x80 ? text(a, b, c, d, e, f, g, h, i) : undefined;
  const j = bytes[at + 9]!; if (size === 10) return (a | b | c | d | e | f | g | h | i | j) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j) : undefined;
  const k = bytes[at + 10]!; if (size === 11) return (a | b | c | d | e | f | g | h | i | j | k) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j, k) : undefined;
  const l = bytes[at + 11]!; if (size === 12) return (a | b | c | d | e | f | g | h | i | j | k | l) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j, k, l) : undefined;
  const m = bytes[at + 12]!; if (size === 13) return (a | b | c | d | e | f | g | h | i | j | k | l | m) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j, k, l, m) : undefined;
  const n = bytes[at + 13]!; if (size === 14) return (a | b | c | d | e | f | g | h | i | j | k | l | m | n) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j, k, l, m, n) : undefined;
  const o = bytes[at + 14]!; if (size === 15) return (a | b | c | d | e | f | g | h | i | j | k | l | m | n | o) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) : undefined;
  const p = bytes[at + 15]!; if (size === 16) return (a | b | c | d | e | f | g | h | i | j | k | l | m | n | o | p) < 0x80 ? text(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) : undefined;
  return undefined;
}

const isLongUtf8: (bytes: Uint8Array) => boolean =
  native ??
  ((bytes) => {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  });

/** Whether bytes `start` to `end` are UTF-8: whole, shortest form, no surrogates. Allocates nothing that grows with them. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LOOP_BYTES_MAX) return isLongUtf8(bytes.subarray(start, end));
  let at = start;
  const fours = end - 3;
  while (at < fours && (bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) < 0x80) at += 4;
  while (at < end && bytes[at]! < 0x80) at++;
  return at === end || isMixedUtf8(bytes, at, end);
}

/** The table of well-formed byte sequences of the Unicode standard (3-7), as a loop. */
function isMixedUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at++]!;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    let following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (end - at < following) return false;
    // The first following byte also rules out what could be shorter, surrogates, and above U+10FFFF.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const next = bytes[at++]!;
    if (next < low || next > high) return false;
    for (following--; following > 0; following--) {
      if ((bytes[at++]! & 0xc0) !== 0x80) return false;
    }
  }
  return true;
}
