// Memory snapshots: a sink and a source that are one buffer, for tests of what is in a snapshot.

import type { SnapshotSink, SnapshotSource } from "../../src/snapshot/sink.ts";

export class MemorySink implements SnapshotSink {
  committed = false;
  aborted = false;
  readonly #chunks: Buffer[] = [];

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) this.#chunks.push(Buffer.from(chunk));
  }

  async commit(): Promise<void> {
    this.committed = true;
  }

  async abort(): Promise<void> {
    this.aborted = true;
    this.#chunks.length = 0;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** A snapshot that is these bytes. */
export function memorySource(bytes: Buffer, name: string = "test"): SnapshotSource {
  return {
    name,
    bytes: bytes.length,
    read: async (at, length) => bytes.subarray(at, at + length),
    close: async () => {},
  };
}
