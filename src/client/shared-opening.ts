// openShared(): from what a hive says of its memory to a reader of it. Node only; loaded on first use.

import { HiveError } from "../base/errors.ts";
import { Libc } from "../mapping/libc.ts";
import { MappedSource } from "../mapping/mapped-source.ts";
import { HEADER_MAGIC, HEADER_RUN_ID, HEADER_VERSION, LAYOUT_MAGIC, LAYOUT_VERSION } from "../store/layout.ts";
import { SharedReader } from "../store/shared-reader.ts";
import type { SharedPlace } from "./shared-reads.ts";

/** @throws {Error} Why it cannot be done here, in words. */
export async function openShared({ folder, layout, runId }: SharedPlace): Promise<SharedReader> {
  if (layout !== LAYOUT_VERSION) throw otherLayout(layout);
  const libc = await Libc.load();
  let reader: SharedReader;
  try {
    reader = new SharedReader(new MappedSource(libc, folder), Date.now);
  } catch (cause) {
    if (cause instanceof HiveError) throw cause;
    const message = `${folder} is not there: the hive runs on another host, or in a container with a /dev/shm of its own`;
    throw new HiveError("UNSUPPORTED", message, { cause });
  }
  const { header } = reader;
  const wrong =
    header[HEADER_MAGIC] !== LAYOUT_MAGIC
      ? new HiveError("UNSUPPORTED", `what is in ${folder} is no hive's memory`)
      : header[HEADER_VERSION] !== LAYOUT_VERSION
        ? otherLayout(header[HEADER_VERSION]!)
        : runIdOf(header) !== runId
          ? new HiveError("UNSUPPORTED", `what is in ${folder} is the memory of another hive`)
          : undefined;
  if (wrong === undefined) return reader;
  reader.close();
  throw wrong;
}

function runIdOf(header: Int32Array): string {
  return Buffer.from(header.buffer, header.byteOffset + HEADER_RUN_ID * 4, 16).toString("hex");
}

function otherLayout(version: number): HiveError {
  const message = `the hive lays its memory out by version ${version}, this client reads version ${LAYOUT_VERSION}`;
  return new HiveError("UNSUPPORTED", message);
}
