// Decoding: canonical bytes to a JavaScript value.
//
//   bytes ──▶ readValue() by tag ──▶ array, map ──▶ readValue() …
//                               └─▶ extension   ──▶ value-extensions.ts, readValue() …
//
// Bytes of a hive have been walked (value-walk.ts), but the decoder does not rely on it: it never
// reads outside `start` to `end`, makes no array longer than the bytes that are left, and nests no
// deeper than DEPTH_CEILING. It also reads what is not in shortest form. No code is generated, and no
// name of a property reaches Object.prototype.
//
// References are rare, so nothing is kept for them: when the first one is met the value is decoded
// once more from its start, and then every object is listed by its number.
//
// The measured hot path beside @msgpack/msgpack: short text from character codes (15 ns less than
// the runtime's call), keys from a cache, a DataView only for many floats (making one takes 50 ns).

import { HiveError } from "../base/errors.ts";
import { readUtf8 } from "./utf8.ts";
import { type Parts, readCode, readInstance, UNMADE } from "./value-decode-instances.ts";
import { copyBytes, readBigint, readDate, readView } from "./value-extensions.ts";
import {
  badValue,
  EXT_BIGINT,
  EXT_CODE,
  EXT_DATE,
  EXT_ERROR,
  EXT_INSTANCE,
  EXT_MAP,
  EXT_REFERENCE,
  EXT_REGEXP,
  EXT_SET,
  EXT_UNDEFINED,
  EXT_VIEW,
} from "./value-format.ts";
import type { ShippedCode, Types } from "./value-instances.ts";
import { cachedKey, cacheKey, keySlot } from "./value-key-cache.ts";
import {
  cutShort,
  define,
  enter,
  listed,
  newView,
  type Reading,
  readFloat64,
  readInt64,
  readUint8,
  readUint16,
  readUint32,
  take,
} from "./value-reading.ts";

/**
 * What comes out.
 *
 * - "values" (default): what was encoded
 * - "doubles": the same, but each float64 as a Double, so that 3.0 can be told from 3
 * - "plain": for printing: a RegExp as a String object /source/flags, an Error as an object of its fields
 */
export type DecodeOptions = {
  as?: "values" | "doubles" | "plain";
  /** Instances of these classes become such; those of others an Instance. */
  types?: Types | undefined;
  /** Makes of code what it stands for, its bindings first. Without it, code is a ShippedCode. */
  revive?: ((code: ShippedCode) => unknown) | undefined;
};

/**
 * The value in bytes `start` to `end`, which must be exactly one. The result shares no memory with `bytes`.
 *
 * @throws {HiveError} BAD_VALUE: cut short, too deep, unknown, or something follows; a RegExp that
 *   this runtime cannot compile, a typed array that it has not.
 */
export function decode(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  options?: DecodeOptions,
): unknown {
  if (start < 0 || end > bytes.length) throw badValue(`bytes ${start} to ${end} of ${bytes.length}`);
  const as = options?.as ?? "values";
  const types = options?.types;
  const revive = options?.revive;
  const reading: Reading = {
    bytes,
    at: start,
    end,
    depth: 0,
    view: undefined,
    floats: 0,
    as,
    // What makes objects of its own is asked once for each: there is no second reading.
    objects: types === undefined && revive === undefined ? undefined : [],
    hasReferences: false,
    types,
    revive,
  };
  let value = readValue(reading);
  if (reading.hasReferences && reading.objects === undefined) {
    reading.at = start;
    reading.objects = [];
    value = readValue(reading);
  }
  if (reading.at !== end) throw badValue("something follows the value", reading.at - start);
  return value;
}

function readValue(reading: Reading): unknown {
  if (reading.at >= reading.end) throw cutShort();
  const tag = reading.bytes[reading.at++]!;
  if (tag < 0x80) return tag;
  if (tag < 0x90) return readProperties(reading, tag & 0x0f);
  if (tag < 0xa0) return readArray(reading, tag & 0x0f);
  if (tag < 0xc0) return readText(reading, tag & 0x1f);
  if (tag >= 0xe0) return tag - 0x100;
  switch (tag) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xcb:
      return readFloat64(reading);
    case 0xca:
      return newView(reading, take(reading, 4)).getFloat32(0);
    case 0xcc:
      return readUint8(reading);
    case 0xcd: {
      const at = take(reading, 2);
      return (reading.bytes[at]! << 8) | reading.bytes[at + 1]!;
    }
    case 0xce:
      return readUint32(reading);
    case 0xcf:
    case 0xd3:
      return readInt64(reading, tag === 0xd3);
    case 0xd0:
      return (readUint8(reading) << 24) >> 24;
    case 0xd1:
      return (readUint16(reading) << 16) >> 16;
    case 0xd2:
      return readUint32(reading) | 0;
    case 0xd9:
      return readText(reading, readUint8(reading));
    case 0xda:
      return readText(reading, readUint16(reading));
    case 0xdb:
      return readText(reading, readUint32(reading));
    case 0xdc:
      return readArray(reading, readUint16(reading));
    case 0xdd:
      return readArray(reading, readUint32(reading));
    case 0xde:
      return readProperties(reading, readUint16(reading));
    case 0xdf:
      return readProperties(reading, readUint32(reading));
    case 0xc4:
      return readBinary(reading, readUint8(reading));
    case 0xc5:
      return readBinary(reading, readUint16(reading));
    case 0xc6:
      return readBinary(reading, readUint32(reading));
    default:
      return readExtension(reading, extensionSize(reading, tag));
  }
}

// Text, bytes.

function readText(reading: Reading, size: number): string {
  const at = take(reading, size);
  return readUtf8(reading.bytes, at, at + size);
}

function readBinary(reading: Reading, size: number): Uint8Array {
  const at = take(reading, size);
  return listed(reading, copyBytes(reading.bytes, at, at + size));
}

// Collections.

function readArray(reading: Reading, count: number): unknown[] {
  enter(reading, count);
  const array = listed(reading, new Array<unknown>(count));
  for (let i = 0; i < count; i++) {
    i = readNumbers(reading, array, i);
    if (i < count) array[i] = readValue(reading);
  }
  reading.depth--;
  return array;
}

/** Reads elements from `index` on while they are numbers of the usual forms: 3 ns each instead of 6. Returns the index after them. */
function readNumbers(reading: Reading, array: unknown[], index: number): number {
  const { bytes, view } = reading;
  const count = array.length;
  const endOfWhole = reading.end - 8;
  let at = reading.at;
  for (; index < count && at < endOfWhole; index++) {
    const tag = bytes[at]!;
    if (tag < 0x80) {
      array[index] = tag;
      at++;
    } else if (tag === 0xcd) {
      array[index] = (bytes[at + 1]! << 8) | bytes[at + 2]!;
      at += 3;
    } else if (tag === 0xcb && view !== undefined) {
      array[index] = view.getFloat64(at + 1);
      at += 9;
    } else {
      break;
    }
  }
  reading.at = at;
  return index;
}

function readProperties(reading: Reading, count: number): object {
  enter(reading, count * 2);
  const object: Record<string, unknown> = listed(reading, {});
  for (; count > 0; count--) {
    const { bytes, at } = reading;
    const tag = bytes[at]!;
    const length = tag & 0x1f;
    const slot = tag > 0xa0 && tag < 0xc0 && length <= reading.end - at - 1 ? keySlot(bytes, at + 1, length) : -1;
    const cached = slot < 0 ? undefined : cachedKey(slot, bytes, at + 1, length);
    if (cached !== undefined) {
      reading.at = at + 1 + length;
      object[cached] = readValue(reading);
      continue;
    }
    const key = readKey(reading);
    const value = readValue(reading);
    if (key in Object.prototype) define(object, key, value);
    else {
      object[key] = value;
      if (slot >= 0) cacheKey(slot, key, bytes, at + 1, length);
    }
  }
  reading.depth--;
  return object;
}

function readKey(reading: Reading): string {
  const tag = reading.at < reading.end ? reading.bytes[reading.at]! : 0;
  if ((tag < 0xa0 || tag >= 0xc0) && (tag < 0xd9 || tag > 0xdb)) throw badValue("text must stand here, as a name");
  return readValue(reading) as string;
}

const PARTS: Parts = { readValue, readKey };

// Extensions.

function extensionSize(reading: Reading, tag: number): number {
  if (tag >= 0xd4 && tag <= 0xd8) return 1 << (tag - 0xd4);
  if (tag === 0xc7) return readUint8(reading);
  if (tag === 0xc8) return readUint16(reading);
  if (tag === 0xc9) return readUint32(reading);
  throw badValue("unknown tag c1");
}

/** What is read inside must end where the payload ends. */
function readExtension(reading: Reading, size: number): unknown {
  const type = (readUint8(reading) << 24) >> 24;
  const start = reading.at;
  const end = take(reading, size) + size;
  if (type === EXT_UNDEFINED) return undefined;
  if (type === EXT_REFERENCE) return readReference(reading, start, size);
  if (type === EXT_BIGINT) return readBigint(reading.bytes, start, size);
  if (type === EXT_DATE) return listed(reading, readDate(reading.bytes, start, size));
  if (type === EXT_VIEW) return listed(reading, readView(reading.bytes, start, size));
  const outerEnd = reading.end;
  reading.at = start;
  reading.end = end;
  const value = readNested(reading, type);
  if (reading.at !== end) throw badValue(`extension ${type} has another size than its content`);
  reading.end = outerEnd;
  return value;
}

function readReference(reading: Reading, start: number, size: number): unknown {
  reading.hasReferences = true;
  if (reading.objects === undefined) return undefined;
  let number = 0;
  for (let i = 0; i < size; i++) number = number * 256 + reading.bytes[start + i]!;
  if (number >= reading.objects.length) throw badValue(`reference to object ${number}, which is not there yet`);
  const object = reading.objects[number];
  if (object === UNMADE) throw badValue("code, or an instance that static decode() makes, holds itself");
  return object;
}

/** The extensions whose payload is an array of values. */
function readNested(reading: Reading, type: number): unknown {
  const tag = reading.at < reading.end ? reading.bytes[reading.at++]! : 0;
  let count = tag & 0x0f;
  if (tag === 0xdc) count = readUint16(reading);
  else if (tag === 0xdd) count = readUint32(reading);
  else if (tag < 0x90 || tag > 0x9f) throw badValue(`extension ${type} has no array in it`);
  enter(reading, count);
  const value = readMembers(reading, type, count);
  reading.depth--;
  return value;
}

function readMembers(reading: Reading, type: number, count: number): unknown {
  if (type === EXT_MAP && count % 2 === 0) {
    const map = listed(reading, new Map<unknown, unknown>());
    for (; count > 0; count -= 2) {
      const key = readValue(reading);
      map.set(key, readValue(reading));
    }
    return map;
  }
  if (type === EXT_SET) {
    const set = listed(reading, new Set<unknown>());
    for (; count > 0; count--) set.add(readValue(reading));
    return set;
  }
  if (type === EXT_REGEXP && count === 2) return readRegExp(reading);
  if (type === EXT_ERROR && count >= 2 && count <= 4) return readError(reading, count);
  if (type === EXT_INSTANCE && count === 2) return readInstance(reading, PARTS);
  if (type === EXT_CODE && count === 4) return readCode(reading, PARTS);
  throw badValue(`unknown extension ${type} with ${count} values`);
}

function readRegExp(reading: Reading): object {
  const source = readKey(reading);
  const flags = readKey(reading);
  if (reading.as === "plain") return listed(reading, new String(`/${source}/${flags}`));
  try {
    return listed(reading, new RegExp(source, flags));
  } catch (cause) {
    throw new HiveError("BAD_VALUE", `this runtime cannot compile /${source.slice(0, 64)}/${flags.slice(0, 16)}`, {
      cause,
    });
  }
}

/** The classes that structuredClone keeps; other names become a name on an Error. */
const ERROR_CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]),
);

function readError(reading: Reading, count: number): object {
  const name = readKey(reading);
  const message = readKey(reading);
  const error = listed(reading, reading.as === "plain" ? { name, message } : newError(name, message));
  const code = count > 2 ? readValue(reading) : undefined;
  if (code !== undefined) define(error, "code", code);
  if (count > 3) {
    const cause = readValue(reading);
    Object.defineProperty(error, "cause", {
      value: cause,
      writable: true,
      enumerable: reading.as === "plain",
      configurable: true,
    });
  }
  return error;
}

/** Its stack has no frames: they would be those of the decoder, and collecting them takes microseconds. */
function newError(name: string, message: string): Error {
  const ErrorClass = ERROR_CLASSES.get(name) ?? Error;
  const framesMax = Reflect.get(Error, "stackTraceLimit");
  Reflect.set(Error, "stackTraceLimit", 0);
  const error = new ErrorClass(message);
  Reflect.set(Error, "stackTraceLimit", framesMax);
  if (error.name !== name) {
    Object.defineProperty(error, "name", { value: name, writable: true, enumerable: false, configurable: true });
  }
  return error;
}
