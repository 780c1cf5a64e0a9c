// BlockReader: the raw blocks of a snapshot, in order, decompressed beside the main thread.
//
//   source ──▶ header ──▶ block headers ──▶ stored bytes, checked ──▶ decompressed, some ahead ──▶ next()
//
// Memory is bounded by the blocks ahead, whatever the file says: a size is only believed up to
// BLOCK_BYTES_MAX, and never decompressed beyond.

import { promisify } from "node:util";
import * as zlib from "node:zlib";
import {
  BLOCK_BYTES_MAX,
  BLOCK_END,
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  bad,
  CONTINUES,
  type Counts,
  decodeBlockHeader,
  decodeEnd,
  decodeHeader,
  HEADER_BYTES,
  type SnapshotHeader,
  STORED_DEFLATE,
  STORED_PLAIN,
} from "./format.ts";
import type { SnapshotSource } from "./sink.ts";

const AHEAD = 4;
/** The least that zlib takes. */
const CHUNK_BYTES_MIN = 64;
/** Bytes that are asked of the source at once. */
const READ_BYTES: number = 2 * BLOCK_BYTES_MAX;

const unzstd = zlib.zstdDecompress === undefined ? undefined : promisify(zlib.zstdDecompress);
const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);

type Coming = { header: BlockHeader; raw: Promise<Buffer> };

export class BlockReader {
  readonly header: SnapshotHeader;
  /** What the end block said; there when next() has returned undefined. */
  counts: Counts | undefined = undefined;
  /** Stored bytes that next() has given out so far, headers included. */
  readBytes: number = HEADER_BYTES;
  readonly #source: SnapshotSource;
  readonly #coming: Coming[] = [];
  /** Bytes read from the source and not yet used. */
  #window: Buffer;
  #windowAt = 0;
  #at: number = HEADER_BYTES;
  #number = 0;
  #ended = false;

  private constructor(source: SnapshotSource, header: SnapshotHeader, window: Buffer) {
    this.#source = source;
    this.header = header;
    this.#window = window;
  }

  /** @throws {HiveError} BAD_SNAPSHOT, SNAPSHOT_FAILED */
  static async open(source: SnapshotSource): Promise<BlockReader> {
    const first = await source.read(0, HEADER_BYTES);
    return new BlockReader(source, decodeHeader(first), Buffer.alloc(0));
  }

  /**
   * The raw bytes of the next block, or of all blocks that one record takes; undefined behind the last one.
   * @param bytesMax What one record may take.
   * @throws {HiveError} BAD_SNAPSHOT, SNAPSHOT_FAILED
   */
  async next(bytesMax: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      await this.#fill();
      const coming = this.#coming.shift();
      if (coming === undefined) {
        if (parts.length > 0) throw bad("it ends inside a record");
        return undefined;
      }
      const raw = await coming.raw;
      this.readBytes += BLOCK_HEADER_BYTES + coming.header.storedBytes;
      if (coming.header.kind === BLOCK_END) {
        if (parts.length > 0) throw bad("it ends inside a record");
        this.counts = decodeEnd(raw);
        return undefined;
      }
      length += raw.length;
      if (length > bytesMax) throw bad(`a record of more than ${bytesMax} bytes`);
      const goesOn = (coming.header.flags & CONTINUES) !== 0;
      if (!goesOn && parts.length === 0) return raw;
      parts.push(raw);
      if (!goesOn) return Buffer.concat(parts);
    }
  }

  /** Begins to decompress what comes next. */
  async #fill(): Promise<void> {
    while (!this.#ended && this.#coming.length < AHEAD) {
      const header = decodeBlockHeader(await this.#take(BLOCK_HEADER_BYTES), this.#number++);
      const stored = await this.#take(header.storedBytes);
      if (stored.length < header.storedBytes) throw bad(`it is cut short in block ${header.number}`);
      if (zlib.crc32(stored) !== header.crc) throw bad(`block ${header.number} is damaged`);
      if (header.kind === BLOCK_END) {
        this.#ended = true;
        if (this.#at !== this.#source.bytes) throw bad("there is something behind its end");
      }
      const raw = expand(header, stored);
      raw.catch(() => {});
      this.#coming.push({ header, raw });
    }
  }

  /** The next `length` bytes of the source; fewer at its end. */
  async #take(length: number): Promise<Buffer> {
    if (this.#windowAt + length > this.#window.length) {
      const rest = this.#window.subarray(this.#windowAt);
      const from = this.#at + rest.length;
      const more = await this.#source.read(from, Math.max(READ_BYTES, length - rest.length));
      this.#window = rest.length === 0 ? more : Buffer.concat([rest, more]);
      this.#windowAt = 0;
    }
    const bytes = this.#window.subarray(this.#windowAt, this.#windowAt + length);
    this.#windowAt += bytes.length;
    this.#at += bytes.length;
    return bytes;
  }
}

async function expand(header: BlockHeader, stored: Buffer): Promise<Buffer> {
  if (header.stored === STORED_PLAIN) return stored;
  // One step for the whole block: not one for every 16 KiB, and none more to find that it was the last.
  const options = { maxOutputLength: header.rawBytes, chunkSize: header.rawBytes + CHUNK_BYTES_MIN };
  let raw: Buffer;
  if (header.stored !== STORED_DEFLATE && unzstd === undefined) {
    throw bad("it is compressed with zstd, which this version of Node does not have: use 22.15 or later");
  }
  try {
    raw =
      header.stored === STORED_DEFLATE ? await inflate(stored, options) : ((await unzstd!(stored, options)) as Buffer);
  } catch (cause) {
    throw Object.assign(bad(`block ${header.number} cannot be decompressed`), { cause });
  }
  if (raw.length !== header.rawBytes) throw bad(`block ${header.number} has another size than it says`);
  return raw;
}
