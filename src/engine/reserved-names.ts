// Reserved names: keys that only the commands of devices and sessions write, which count and scrub what is in them, and
// those that only the methods of a structure write, since they are part of it.
//
//   device "shelf/3"             ──▶ $device:shelf%2F3
//   its session "k3Jf…"          ──▶ $session:shelf%2F3:k3Jf…
//   list "items" of structure q  ──▶ $part:q:items                     store/parts.ts
//
// Everything but letters, digits and -._~ is percent-encoded (RFC 3986, section 2), byte by byte: no id reaches the
// memory of another, a glob of a grant has nothing special in one, and the name shows whose memory it is. Reading these
// keys is for whoever has the grant: every door sees a device's memory as the table that it is.

import { HiveError } from "../base/errors.ts";
import { beginsAsPart } from "../store/parts.ts";
import type { Args } from "./args.ts";
import { placesOf, type RowFacts } from "./catalogue.ts";

const DEVICE_PREFIX = "$device:";
const SESSION_PREFIX = "$session:";

const DOLLAR = 36;
const PREFIXES: readonly Buffer[] = [Buffer.from(DEVICE_PREFIX), Buffer.from(SESSION_PREFIX)];

/** The key of a device's memory. @throws {HiveError} INVALID_ARGUMENT: the id is empty, or longer than `bytesMax`. */
export function deviceKey(id: Uint8Array, bytesMax: number): Buffer {
  return Buffer.from(DEVICE_PREFIX + escaped(id, bytesMax), "latin1");
}

/** How the keys of a device's sessions begin. @throws {HiveError} INVALID_ARGUMENT as with deviceKey() */
export function sessionKeyStart(id: Uint8Array, bytesMax: number): string {
  return `${SESSION_PREFIX}${escaped(id, bytesMax)}:`;
}

/** The device of a session, by the name of its key; undefined where that is none. */
export function deviceOfSession(key: Buffer): string | undefined {
  if (!isSessionKey(key, 0, key.length)) return undefined;
  const [escapedId = ""] = key.latin1Slice(SESSION_PREFIX.length).split(":");
  try {
    return decodeURIComponent(escapedId);
  } catch {
    return undefined;
  }
}

/** Whether the name in `bytes` from `start` on is that of a session. */
export function isSessionKey(bytes: Buffer, start: number, length: number): boolean {
  return begins(PREFIXES[1]!, bytes, start, length);
}

function escaped(id: Uint8Array, bytesMax: number): string {
  if (id.length === 0) throw new HiveError("INVALID_ARGUMENT", "a device has an id of at least one byte");
  if (id.length > bytesMax) {
    const message = `a device's id of ${id.length} bytes exceeds tokenNameBytesMax (${bytesMax})`;
    throw new HiveError("INVALID_ARGUMENT", message);
  }
  const bytes = Buffer.from(id.buffer, id.byteOffset, id.length);
  const text = bytes.latin1Slice(0, bytes.length);
  if (/^[\w.~-]*$/.test(text)) return text;
  return text.replace(/[^\w.~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** Whether a row has to be asked: it writes keys that its callers name. */
export function mayWriteReserved({ permission, keys }: RowFacts): boolean {
  return keys !== undefined && permission !== "read";
}

/** The first argument that is a reserved key which the call could change; 0 where none is. */
export function reservedKey({ keys, permission }: RowFacts, args: Args): number {
  const spec = keys!;
  // The common case, without an array.
  if ("first" in spec && spec.first === spec.last) return isReserved(args, spec.first) ? spec.first : 0;
  const places = placesOf(spec, args);
  for (let nth = 0; nth < places.length; nth++) {
    const access = typeof spec.access === "object" ? spec.access[Math.min(nth, spec.access.length - 1)] : permission;
    if (access !== "read" && isReserved(args, places[nth]!)) return places[nth]!;
  }
  return 0;
}

function isReserved({ buffer, starts, lengths }: Args, index: number): boolean {
  return isReservedName(buffer, starts[index]!, lengths[index]!);
}

/** Whether only the commands of devices and sessions, or the methods of structures, write a key of this name. */
export function isReservedName(buffer: Buffer, start: number, length: number): boolean {
  if (buffer[start] !== DOLLAR) return false;
  return PREFIXES.some((prefix) => begins(prefix, buffer, start, length)) || beginsAsPart(buffer, start, length);
}

/** Who writes the reserved key in argument `index`. */
export function reservedRefusal({ buffer, starts, lengths }: Args, index: number): string {
  return beginsAsPart(buffer, starts[index]!, lengths[index]!)
    ? `the key in argument ${index} is a part of a structure, whose methods write it`
    : `the key in argument ${index} is the memory of a device: DEVICE.PUT and SESSION.PUT write such`;
}

function begins(prefix: Buffer, bytes: Buffer, start: number, length: number): boolean {
  return length >= prefix.length && prefix.compare(bytes, start, start + prefix.length) === 0;
}
