// Compressor: blocks one after the other, each for itself, beside the main thread.
//
//   pack(raw) ──▶ zstd, one frame a block, over one context for all of them ──▶ bytes        (deflate without zstd)
//
// A context of its own for each block costs more than the compression: with a hive's allocator settings its
// memory comes fresh from the system each time and goes back at the end, on the main thread.

import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { BLOCK_BYTES, BLOCK_BYTES_MAX, STORED_DEFLATE, STORED_ZSTD } from "./format.ts";

/** The quickest: a store is meant to be over soon. */
const LEVEL = 1;
/** The window of a block, as a power of two: what lies further back is in another one. */
const WINDOW_LOG = 18;

const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);

export class Compressor {
  /** How what pack() gives is stored. */
  readonly form: number = zlib.createZstdCompress === undefined ? STORED_DEFLATE : STORED_ZSTD;
  #stream: zlib.ZstdCompress | undefined = undefined;

  /** One at a time. The bytes of `raw` may not change meanwhile. */
  pack(raw: Buffer): Promise<Buffer> {
    if (this.form === STORED_DEFLATE) return deflate(raw, { level: LEVEL, chunkSize: BLOCK_BYTES });
    this.#stream ??= open();
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      stream.once("error", reject);
      stream.write(raw);
      // The end of the frame, not of the stream.
      stream.flush(zlib.constants.ZSTD_e_end, () => {
        stream.off("error", reject);
        const chunks: Buffer[] = [];
        for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
        resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      });
    });
  }

  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
  }
}

function open(): zlib.ZstdCompress {
  const { ZSTD_c_compressionLevel, ZSTD_c_windowLog } = zlib.constants;
  const params = { [ZSTD_c_compressionLevel]: LEVEL, [ZSTD_c_windowLog]: WINDOW_LOG };
  const options = { params, chunkSize: BLOCK_BYTES, readableHighWaterMark: 2 * BLOCK_BYTES_MAX };
  return zlib.createZstdCompress(options);
}
