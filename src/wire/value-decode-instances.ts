// Decoding instances and code: value-decode.ts hands in how to read what is inside.
//
//   [name, fields] ──▶ an object of the class that is named, else an Instance
//   [name, kind, source, bindings] ──▶ a ShippedCode, else what `revive` makes of it

import { badValue, EXT_REFERENCE } from "./value-format.ts";
import { type CodeKind, Instance, ShippedCode } from "./value-instances.ts";
import { define, enter, listed, type Reading, readUint16, readUint32 } from "./value-reading.ts";

/** How to read a value, and a text. */
export type Parts = { readValue(reading: Reading): unknown; readKey(reading: Reading): string };

/** Stands in the list for what is made when all that is inside has been read. */
export const UNMADE: object = Object.freeze({});

export function readInstance(reading: Reading, parts: Parts): object {
  const { readKey, readValue } = parts;
  const name = readKey(reading);
  const known = reading.types?.named(name);
  if (known === undefined) {
    const instance = listed(reading, new Instance(name, undefined));
    (instance as { value: unknown }).value = readValue(reading);
    return instance;
  }
  if (known.decode === undefined) {
    const object = listed(reading, Object.create(known.prototype) as object);
    readFields(reading, parts, {
      object,
      wrong: `${name}: what its static encode() wrote is read by its static decode()`,
    });
    return object;
  }
  const number = reading.objects!.push(UNMADE) - 1;
  const object = known.decode(readValue(reading));
  reading.objects![number] = object;
  return object;
}

/** Reads a map into an object, which has no say in it: no setter is called. `self` is not made yet, and its number stands for it here. */
function readFields(
  reading: Reading,
  { readValue, readKey }: Parts,
  into: { object: object; wrong: string; self?: { number: number; is: object } },
): void {
  const { object, wrong, self } = into;
  const tag = reading.at < reading.end ? reading.bytes[reading.at++]! : 0;
  let count = tag & 0x0f;
  if (tag === 0xde) count = readUint16(reading);
  else if (tag === 0xdf) count = readUint32(reading);
  else if (tag < 0x80 || tag > 0x8f) throw badValue(wrong);
  listed(reading, object);
  enter(reading, count * 2);
  for (; count > 0; count--) {
    const key = readKey(reading);
    const isSelf = self !== undefined && takeReference(reading, self.number);
    define(object, key, isSelf ? self.is : readValue(reading));
  }
  reading.depth--;
}

/** Passes over a reference to object `number`, where one comes next. */
function takeReference(reading: Reading, number: number): boolean {
  const { bytes, at, end } = reading;
  const size = end - at > 2 && bytes[at + 1] === EXT_REFERENCE ? [1, 2, 4][bytes[at]! - 0xd4] : undefined;
  if (size === undefined || size > end - at - 2) return false;
  let found = 0;
  for (let i = 0; i < size; i++) found = found * 256 + bytes[at + 2 + i]!;
  if (found !== number) return false;
  reading.at = at + 2 + size;
  return true;
}

export function readCode(reading: Reading, parts: Parts): unknown {
  const { readKey } = parts;
  const name = readKey(reading);
  const kind = readKey(reading) as CodeKind;
  const source = readKey(reading);
  const bindings: Record<string, unknown> = {};
  const code = new ShippedCode(name, { kind, source, bindings });
  const { objects, revive } = reading;
  const number = objects === undefined ? -1 : objects.push(revive === undefined ? code : UNMADE) - 1;
  readFields(reading, parts, {
    object: bindings,
    wrong: "the bindings of code are no map",
    self: { number, is: code },
  });
  if (revive === undefined) return code;
  const revived = revive(code);
  objects![number] = revived;
  return revived;
}
