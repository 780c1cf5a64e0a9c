// The snapshot format, version 1: docs/snapshot.md draws it, byte for byte.
//
//   file    header (64) | block | block | … | end block
//   block   header (24) | stored bytes                      compressed each for itself, checksummed, numbered
//   blocks' raw bytes ──▶ records: key … container … field … field …
//
// All numbers are little endian. Nothing in here does I/O.

import { crc32 } from "node:zlib";
import { HiveError } from "../base/errors.ts";

export const FORMAT_VERSION = 1;
export const HEADER_BYTES = 64;
export const BLOCK_HEADER_BYTES = 24;
/** Raw bytes of a block that is full; a record that is larger takes blocks of its own. */
export const BLOCK_BYTES: number = 256 * 1024;
/** Raw and stored bytes of a block, at most. */
export const BLOCK_BYTES_MAX: number = 1024 * 1024;

/** Versions have 48 bits; a hive that takes some over needs others to go on with. */
const VERSION_END: number = 2 ** 48 - 2 ** 32;
/** Dates of JavaScript end here. */
const DATE_END_MS = 8.64e15;

const MAGIC: Buffer = Buffer.from([0x4d, 0x45, 0x4d, 0x48, 0x49, 0x56, 0x45, 0x1a]); // "MEMHIVE", and an end for `type`

export const BLOCK_RECORDS = 1;
export const BLOCK_END = 2;

export const STORED_PLAIN = 0;
export const STORED_DEFLATE = 1;
export const STORED_ZSTD = 2;

/** Flag of a block: its last record goes on in the next one. */
export const CONTINUES = 1;

// The first byte of a record: a type of layout.ts in the low four bits, or this, and the kinds above.
export const RECORD_CONTAINER = 15;
// The second byte of a record.
export const RECORD_TTL = 1;
export const RECORD_OWNED = 2;
export const RECORD_ROOT = 4;
/** Of a key with an owner: it is a secret, and is in the snapshot because that was asked for. */
export const RECORD_SECRET = 8;
/** Bytes of a record beside its name and value, at most: two bytes, two numbers, version, deadline, owner, payer. */
export const RECORD_HEAD_MAX: number = 2 + 5 + 5 + 6 + 8 + 8;
/** Bytes of a record that names a container. */
export const CONTAINER_RECORD_MAX = 6;
/** The end block: keys, fields, containers, raw bytes, each in eight bytes. */
export const END_BYTES = 32;

export type SnapshotHeader = {
  /** Epoch milliseconds at which the hive was as the snapshot has it. */
  createdMs: number;
  /** 32 hexadecimal digits of the hive that wrote it. */
  runId: string;
  /** The highest version of an entry in it. */
  version: number;
  /** Keys that the hive had then, those included that had run out and that are secrets: for progress bars. */
  keys: number;
};

export type BlockHeader = {
  kind: number;
  stored: number;
  flags: number;
  number: number;
  storedBytes: number;
  rawBytes: number;
  crc: number;
};

/** What a snapshot holds, as its end block says. */
export type Counts = { keys: number; fields: number; containers: number; rawBytes: number };

export function encodeHeader(header: SnapshotHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16LE(FORMAT_VERSION, 8);
  bytes.writeBigInt64LE(BigInt(Math.floor(header.createdMs)), 16);
  bytes.write(header.runId, 24, 16, "hex");
  bytes.writeBigUInt64LE(BigInt(header.version), 40);
  bytes.writeBigUInt64LE(BigInt(header.keys), 48);
  bytes.writeUInt32LE(crc32(bytes), 12);
  return bytes;
}

/** @throws {HiveError} BAD_SNAPSHOT, with what is wrong */
export function decodeHeader(bytes: Buffer): SnapshotHeader {
  if (bytes.length < HEADER_BYTES) throw bad(`it has ${bytes.length} bytes, and a snapshot begins with 64`);
  if (!bytes.subarray(0, 8).equals(MAGIC)) throw bad("it is no snapshot of a hive");
  const version = bytes.readUInt16LE(8);
  if (version !== FORMAT_VERSION) {
    throw bad(`it is of format version ${version}, and this hive reads ${FORMAT_VERSION}: use a newer memhive`);
  }
  const copy = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  copy.writeUInt32LE(0, 12);
  if (bytes.readUInt32LE(12) !== crc32(copy)) throw bad("its header is damaged");
  const createdMs = Number(bytes.readBigInt64LE(16));
  const entryVersion = Number(bytes.readBigUInt64LE(40));
  const keys = Number(bytes.readBigUInt64LE(48));
  const known = entryVersion < VERSION_END && Number.isSafeInteger(keys) && Math.abs(createdMs) <= DATE_END_MS;
  if (!known) {
    throw bad("its header has numbers that no hive writes");
  }
  return { createdMs, runId: bytes.toString("hex", 24, 40), version: entryVersion, keys };
}

export function encodeBlockHeader(block: BlockHeader): Buffer {
  const bytes = Buffer.alloc(BLOCK_HEADER_BYTES);
  bytes[0] = block.kind;
  bytes[1] = block.stored;
  bytes[2] = block.flags;
  bytes.writeUInt32LE(block.number, 4);
  bytes.writeUInt32LE(block.storedBytes, 8);
  bytes.writeUInt32LE(block.rawBytes, 12);
  bytes.writeUInt32LE(block.crc, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** @throws {HiveError} BAD_SNAPSHOT */
export function decodeBlockHeader(bytes: Buffer, number: number): BlockHeader {
  if (bytes.length < BLOCK_HEADER_BYTES) throw bad(`it is cut short: block ${number} is missing`);
  if (bytes.readUInt32LE(20) !== crc32(bytes.subarray(0, 20))) throw bad(`the header of block ${number} is damaged`);
  const block = {
    kind: bytes[0]!,
    stored: bytes[1]!,
    flags: bytes[2]!,
    number: bytes.readUInt32LE(4),
    storedBytes: bytes.readUInt32LE(8),
    rawBytes: bytes.readUInt32LE(12),
    crc: bytes.readUInt32LE(16),
  };
  if (block.number !== number) throw bad(`block ${block.number} stands where block ${number} belongs`);
  const known =
    (block.kind === BLOCK_RECORDS || block.kind === BLOCK_END) && block.stored <= STORED_ZSTD && bytes[3] === 0;
  if (!known || (block.flags & ~CONTINUES) !== 0) throw bad(`block ${number} is of an unknown kind`);
  const sized = block.storedBytes <= BLOCK_BYTES_MAX && block.rawBytes <= BLOCK_BYTES_MAX && block.rawBytes > 0;
  if (!sized || (block.stored === STORED_PLAIN && block.storedBytes !== block.rawBytes)) {
    throw bad(`block ${number} says it has ${block.storedBytes} bytes for ${block.rawBytes}`);
  }
  return block;
}

export function encodeEnd(counts: Counts): Buffer {
  const bytes = Buffer.alloc(END_BYTES);
  bytes.writeBigUInt64LE(BigInt(counts.keys), 0);
  bytes.writeBigUInt64LE(BigInt(counts.fields), 8);
  bytes.writeBigUInt64LE(BigInt(counts.containers), 16);
  bytes.writeBigUInt64LE(BigInt(counts.rawBytes), 24);
  return bytes;
}

/** @throws {HiveError} BAD_SNAPSHOT */
export function decodeEnd(bytes: Buffer): Counts {
  if (bytes.length !== END_BYTES) throw bad("its end block has a wrong size");
  const [keys, fields, containers, rawBytes] = [0, 8, 16, 24].map((at) => Number(bytes.readBigUInt64LE(at)));
  return { keys: keys!, fields: fields!, containers: containers!, rawBytes: rawBytes! };
}

/** Every refusal of a snapshot: the caller puts its name in front. */
export function bad(reason: string): HiveError {
  return new HiveError("BAD_SNAPSHOT", reason);
}
