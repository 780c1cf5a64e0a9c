// Header: page 0, what a process that maps the segments reads first (layout.ts draws it).
//
// The beat tells readers that the hive lives; busy sends them to the socket while a transaction or a
// structure's command is half done. Maintained always, read only where segments are shared.

import { randomFillSync } from "node:crypto";
import {
  HEADER_BEAT_HIGH,
  HEADER_BEAT_LOW,
  HEADER_BUSY,
  HEADER_KEY0,
  HEADER_KEY1,
  HEADER_MAGIC,
  HEADER_RUN_ID,
  HEADER_SAMPLED,
  HEADER_VERSION,
  LAYOUT_MAGIC,
  LAYOUT_VERSION,
} from "./layout.ts";

/** Writes a new header: magic, version, a random run id, the key of the hash. */
export function openHeader(words: Int32Array, hashKey: Uint8Array): void {
  const key = new DataView(hashKey.buffer, hashKey.byteOffset, 8);
  words[HEADER_VERSION] = LAYOUT_VERSION;
  randomFillSync(words, HEADER_RUN_ID, 4);
  words[HEADER_KEY0] = key.getInt32(0, true);
  words[HEADER_KEY1] = key.getInt32(4, true);
  words[HEADER_MAGIC] = LAYOUT_MAGIC;
}

/** Marks the hive as alive at `nowMs`; every 100 ms. */
export function beat(words: Int32Array, nowMs: number): void {
  words[HEADER_BEAT_LOW] = nowMs | 0;
  words[HEADER_BEAT_HIGH] = Math.floor(nowMs / 4294967296);
}

/** From here to leave() readers ask the socket. Nests. */
export function enter(words: Int32Array): void {
  Atomics.add(words, HEADER_BUSY, 1);
}

export function leave(words: Int32Array): void {
  Atomics.sub(words, HEADER_BUSY, 1);
}

/** Whether readers tell the hive of a sample of what they read: an eviction policy wants to know. */
export function setSampled(words: Int32Array, sampled: boolean): void {
  words[HEADER_SAMPLED] = sampled ? 1 : 0;
}

/** The run id, 32 hexadecimal digits: a new one each time a hive starts. */
export function runId(words: Int32Array): string {
  return Buffer.from(words.buffer, words.byteOffset + HEADER_RUN_ID * 4, 16).toString("hex");
}
