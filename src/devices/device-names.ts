// Device names: the id of a device, and the names of the keys that hold what it has.
//
//   argument 1 ──▶ { id, key: $device:sensor-7, sessionStart: $session:sensor-7: }
//
// Each command needs them several times, and a device puts again and again: the last one is remembered.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Args } from "../engine/args.ts";
import { deviceKey, sessionKeyStart } from "../engine/reserved-names.ts";
import { KIND_VALUE } from "../store/layout.ts";

export type DeviceName = {
  readonly id: string;
  /** Of its memory. Nobody changes it. */
  readonly key: Buffer;
  /** What the keys of its sessions begin with. */
  readonly sessionStart: string;
};

/** The last one, and the bytes of its id, one character each. Of more than one the garbage would be old before it is none. */
let lastBytes: string | undefined;
let last: DeviceName | undefined;

/** The device that argument 1 names. @throws {HiveError} INVALID_ARGUMENT */
export function deviceName(args: Args, { tokenNameBytesMax }: Limits): DeviceName {
  const bytes = args.latin1(1);
  const isText = args.kind(1) !== KIND_VALUE;
  if (last !== undefined && bytes === lastBytes && isText && bytes.length <= tokenNameBytesMax) return last;
  const id = args.bytes(1);
  const text = id.toString();
  if (!isText || !Buffer.from(text).equals(id)) {
    throw new HiveError("INVALID_ARGUMENT", "a device's id is text in UTF-8");
  }
  last = {
    id: text,
    key: deviceKey(id, tokenNameBytesMax),
    sessionStart: sessionKeyStart(id, tokenNameBytesMax),
  };
  lastBytes = bytes;
  return last;
}

/** Of a device whose id was good before. */
export function nameOfDevice(id: string): DeviceName {
  const bytes = Buffer.from(id);
  return { id, key: deviceKey(bytes, bytes.length), sessionStart: sessionKeyStart(bytes, bytes.length) };
}
