// BlockPipe: raw blocks, compressed beside the main thread, into a sink, in order.
//
//   push(raw) ──▶ compressed in the thread pool, one ahead ──▶ header with checksums ──▶ sink.write()
//
// What was handed in and is not with the sink yet is pendingBytes: whoever pushes looks at it. Blocks that
// do not get smaller are stored plain, and then most of the next ones are not tried.

import * as zlib from "node:zlib";
import { Compressor } from "./compressor.ts";
import {
  BLOCK_BYTES,
  BLOCK_END,
  BLOCK_RECORDS,
  CONTINUES,
  type Counts,
  encodeBlockHeader,
  encodeEnd,
  STORED_PLAIN,
} from "./format.ts";
import type { SnapshotSink } from "./sink.ts";

/** A block is worth compressing when that saves this part of it. */
const WORTH = 1 / 16;
/** Blocks that are not tried after one that was not worth it. */
const PLAIN_RUN = 15;
const BUFFERS_KEPT = 8;

type Block = { raw: Buffer; continues: boolean; kind: number; stored: Promise<Stored> | undefined };
type Stored = { bytes: Buffer; form: number };

export class BlockPipe {
  /** Raw bytes that are not with the sink yet. */
  pendingBytes = 0;
  /** Bytes that the sink has taken. */
  writtenBytes = 0;
  /** The first failure; from then on nothing is written. */
  failure: unknown = undefined;
  readonly #sink: SnapshotSink;
  readonly #onProgress: () => void;
  readonly #compressor = new Compressor();
  readonly #queue: Block[] = [];
  readonly #spare: Buffer[] = [];
  #header: Buffer | undefined = undefined;
  #number = 0;
  #plain = 0;
  #running: Promise<void> | undefined = undefined;

  /** @param onProgress Something was written, or it failed. */
  constructor(sink: SnapshotSink, onProgress: () => void) {
    this.#sink = sink;
    this.#onProgress = onProgress;
  }

  /** Writes what stands in front of all blocks. Once, and first. */
  begin(header: Buffer): void {
    this.#header = header;
  }

  /** A buffer of BLOCK_BYTES, used before where there is one. */
  buffer(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  /** Takes a block of records over. */
  push(raw: Buffer, continues: boolean): void {
    this.#add(raw, continues, BLOCK_RECORDS);
  }

  /** Writes the end block. Resolves when all is with the sink. @throws what failed first */
  async finish(counts: Counts): Promise<void> {
    this.#add(encodeEnd(counts), false, BLOCK_END);
    await this.settled();
    this.close();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Gives the compressor's memory back. */
  close(): void {
    this.#compressor.close();
  }

  /** Resolves when nothing is under way any more, whether or not it failed. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #add(raw: Buffer, continues: boolean, kind: number): void {
    if (this.failure !== undefined) return;
    this.pendingBytes += raw.length;
    this.#queue.push({ raw, continues, kind, stored: undefined });
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (let block = this.#queue[0]; block !== undefined; block = this.#queue[0]) {
        const stored = await (block.stored ?? this.#compress(block));
        // The next one is compressed while this one is written.
        const next = this.#queue[1];
        if (next !== undefined) {
          next.stored = this.#compress(next);
          // It may fail after the writing has: nobody looks at it then.
          next.stored.catch(() => {});
        }
        await this.#write(block, stored);
        this.#queue.shift();
      }
    } catch (error) {
      this.failure = error;
      this.#queue.length = 0;
      this.pendingBytes = 0;
    } finally {
      this.#running = undefined;
      if (this.failure !== undefined) this.close();
      this.#onProgress();
    }
  }

  async #write(block: Block, { bytes, form }: Stored): Promise<void> {
    const header = encodeBlockHeader({
      kind: block.kind,
      stored: form,
      flags: block.continues ? CONTINUES : 0,
      number: this.#number++,
      storedBytes: bytes.length,
      rawBytes: block.raw.length,
      crc: zlib.crc32(bytes),
    });
    const chunks = this.#header === undefined ? [header, bytes] : [this.#header, header, bytes];
    this.#header = undefined;
    await this.#sink.write(chunks);
    for (const chunk of chunks) this.writtenBytes += chunk.length;
    this.pendingBytes -= block.raw.length;
    const whole = block.raw.buffer.byteLength === BLOCK_BYTES && block.raw.byteOffset === 0;
    if (whole && this.#spare.length < BUFFERS_KEPT) this.#spare.push(Buffer.from(block.raw.buffer));
    this.#onProgress();
  }

  async #compress({ raw, kind }: Block): Promise<Stored> {
    if (kind === BLOCK_END || this.#plain > 0) {
      this.#plain--;
      return { bytes: raw, form: STORED_PLAIN };
    }
    const bytes = await this.#compressor.pack(raw);
    if (bytes.length <= raw.length * (1 - WORTH)) return { bytes, form: this.#compressor.form };
    this.#plain = PLAIN_RUN;
    return { bytes: raw, form: STORED_PLAIN };
  }
}
