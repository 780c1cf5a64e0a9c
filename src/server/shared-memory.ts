// SharedMemory: the memory of a hive that other processes of its host may read.
//
//   open() ──▶ a folder in a tmpfs, with room ──▶ provider of segments for the store ──▶ close() removes it

import { resolve } from "node:path";
import { Libc } from "../mapping/libc.ts";
import { MappedSegments } from "../mapping/mapped-segments.ts";
import { SHARED_PLACE, SharedFolder } from "../mapping/shared-folder.ts";
import { LAYOUT_VERSION } from "../store/layout.ts";
import type { SegmentProvider } from "../store/segments.ts";

export class SharedMemory {
  readonly provider: SegmentProvider;
  /** What clients are told. */
  readonly offer: { folder: string; layout: number };
  readonly #folder: SharedFolder;
  readonly #onExit = (): void => this.#folder.close();

  private constructor(libc: Libc, folder: SharedFolder) {
    this.#folder = folder;
    this.provider = new MappedSegments(libc, folder);
    this.offer = { folder: folder.path, layout: LAYOUT_VERSION };
    // A program that ends without closing its hive leaves nothing behind either, unless it is killed.
    process.once("exit", this.#onExit);
  }

  /**
   * @param maxMemoryBytes 0: no limit. @param place A tmpfs; /dev/shm without it.
   * @throws {HiveError} UNSUPPORTED: no koffi, or no Linux; REFUSED_SETTING: no tmpfs, or too little room in it.
   */
  static async open(maxMemoryBytes: number, place: string = SHARED_PLACE): Promise<SharedMemory> {
    const libc = await Libc.load();
    return new SharedMemory(libc, SharedFolder.open(libc, resolve(place), maxMemoryBytes));
  }

  /** Removes the folder. The store has given its segments back. */
  close(): void {
    process.off("exit", this.#onExit);
    this.#folder.close();
  }
}
