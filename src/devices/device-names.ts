// Device names: the id of a device, and the names of the keys that hold what it has.
//
//   argument 1 ──▶ { id, key: $device:sensor-7, sessionStart: $session:sensor-7: }
//
// Each command needs them several times, and a device puts again and again: those of late are remembered.

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

/** What the keys of those that are remembered may take. */
const ROOM_BYTES = 32 * 1024;
/** By the bytes of the id, one character each. */
const known = new Map<string, DeviceName>();
/** Their keys: small buffers of their own, which stay, would keep all memory around them from going back. */
let room: Buffer = Buffer.alloc(0);
let used = 0;

/** The device that argument 1 names. @throws {HiveError} INVALID_ARGUMENT */
export function deviceName(args: Args, { tokenNameBytesMax }: Limits): DeviceName {
  const bytes = args.latin1(1);
  const isLate = bytes.length <= tokenNameBytesMax && args.kind(1) !== KIND_VALUE;
  const found = isLate ? known.get(bytes) : undefined;
  if (found !== undefined) return found;
  const id = args.bytes(1);
  const text = id.toString();
  if (args.kind(1) === KIND_VALUE || !Buffer.from(text).equals(id)) {
    throw new HiveError("INVALID_ARGUMENT", "a device's id is text in UTF-8");
  }
  const sessionStart = sessionKeyStart(id, tokenNameBytesMax);
  const name = { id: text, key: kept(deviceKey(id, tokenNameBytesMax)), sessionStart };
  known.set(bytes, name);
  return name;
}

/** Where there is no room for it, those before are forgotten; who still has a key of theirs keeps its room. */
function kept(key: Buffer): Buffer {
  if (used + key.length > room.length) {
    known.clear();
    room = Buffer.allocUnsafeSlow(Math.max(ROOM_BYTES, key.length));
    used = 0;
  }
  key.copy(room, used);
  used += key.length;
  return room.subarray(used - key.length, used);
}

/** Of a device whose id was good before. */
export function nameOfDevice(id: string): DeviceName {
  const bytes = Buffer.from(id);
  return { id, key: deviceKey(bytes, bytes.length), sessionStart: sessionKeyStart(bytes, bytes.length) };
}
