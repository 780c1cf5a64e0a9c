// Values that prove themselves, for readers of shared memory: whose they are, which in order, until when, and a checksum.

import { crc32 } from "node:zlib";

/** Names that are there from the first moment on, whatever happens to the others. */
export const STEADY_KEYS: readonly string[] = ["steady"];
export const STEADY_FIELDS: readonly string[] = Array.from({ length: 32 }, (_, i) => `f${i}`);
/** One stays packed, one has a root. */
export const STEADY_TABLES: readonly string[] = ["steady-packed", "steady-wide"];
export const KEYS: readonly string[] = Array.from({ length: 512 }, (_, i) => `key:${i}`);
export const TABLES: readonly string[] = Array.from({ length: 16 }, (_, i) => `table:${i}`);
export const FIELDS: readonly string[] = Array.from({ length: 300 }, (_, i) => `field:${i}`);

export type Sealed = { of: string; n: number; until: number; pad: string; sum: number };

/** @param n Greater with each write. @param until When it runs out, in epoch milliseconds; 0: never. */
export function seal(of: string, n: number, until: number, padBytes: number): Sealed {
  const pad = String.fromCharCode(97 + (n % 26)).repeat(padBytes);
  return { of, n, until, pad, sum: sumOf(of, n, until, pad) };
}

function sumOf(of: string, n: number, until: number, pad: string): number {
  return crc32(`${of}|${n}|${until}|${pad}`);
}

/** What is wrong with a value that was read for `of`, which began to be read at `nowMs`; undefined: nothing. */
export function fault(value: unknown, of: string, nowMs: number): string | undefined {
  const { of: name, n, until, pad, sum } = (value ?? {}) as Partial<Sealed>;
  if (typeof pad !== "string" || n === undefined || until === undefined) return `${of}: ${JSON.stringify(value)}`;
  if (name !== of) return `${of}: what belongs to ${name}`;
  if (sumOf(of, n, until, pad) !== sum) return `${of}: number ${n} of ${pad.length} bytes has a wrong sum`;
  if (until !== 0 && until <= nowMs) return `${of}: read at ${nowMs} though it ran out at ${until}`;
  return undefined;
}
