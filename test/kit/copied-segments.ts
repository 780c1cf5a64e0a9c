// Copied segments: a shared hive's files as buffers, for tests that damage them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MappedSegment, SegmentSource } from "../../src/store/shared-reader-segments.ts";

export class CopiedSegments implements SegmentSource {
  /** By name: "<segment>.<generation>". */
  readonly files: ReadonlyMap<string, Buffer>;

  private constructor(files: ReadonlyMap<string, Buffer>) {
    this.files = files;
  }

  static of(folder: string): CopiedSegments {
    const names = readdirSync(folder).filter((name) => /^\d/.test(name));
    return new CopiedSegments(new Map(names.map((name) => [name, readFileSync(join(folder, name))])));
  }

  copy(): CopiedSegments {
    return new CopiedSegments(new Map([...this.files].map(([name, bytes]) => [name, Buffer.from(bytes)])));
  }

  map(segment: number, generation: number, bytesMin: number): MappedSegment | undefined {
    const bytes = this.files.get(`${segment}.${generation}`);
    if (bytes === undefined || bytes.length < bytesMin) return undefined;
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    return { buffer, close: () => void buffer.transfer(0) };
  }
}
