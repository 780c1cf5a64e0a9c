// Restoring from a snapshot, and looking into one.
//
//   check(source) ──▶ every block, every record, nothing changed ──▶ restore(source) ──▶ the same again, into the store
//
// The whole of it is checked first, in bounded memory. Then it is read into an empty keyspace while what
// was there is kept aside: where the file changes under the reader, or memory ends, that is put back.

import { HiveError, isHiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { WideMap } from "../base/wide-map.ts";
import { TYPE_CHUNK, TYPE_FIELD, TYPE_LIST, TYPE_MEMBER, TYPE_SET, TYPE_SORTED, TYPE_TABLE } from "../store/layout.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import { type EntryFacts, NO_SECRETS, type RestoredSecrets, type Restoring } from "../store/restoring.ts";
import type { Store } from "../store/store.ts";
import { BlockReader } from "./block-reader.ts";
import { bad, type Counts, RECORD_HEAD_MAX, type SnapshotHeader } from "./format.ts";
import { type ContentCheck, RecordReader, type RecordTarget } from "./record-reader.ts";
import type { SnapshotSource } from "./sink.ts";

/** By the type of a key: that of what its container holds. */
const INNER_TYPES: Readonly<Record<number, number>> = {
  [TYPE_TABLE]: TYPE_FIELD,
  [TYPE_SET]: TYPE_MEMBER,
  [TYPE_SORTED]: TYPE_FIELD,
  [TYPE_LIST]: TYPE_CHUNK,
};

export type Progress = {
  /** Checking goes before restoring. */
  stage: "check" | "restore";
  /** Stored bytes read of all. */
  readBytes: number;
  bytes: number;
};

export type ReadOptions = {
  limits: Limits;
  onProgress?(progress: Progress): void;
  /** Ends it, with the signal's reason: then the memory is as it was. */
  signal?: AbortSignal;
  /** Without it names and values have to be what a hive stores. */
  content?: ContentCheck;
};

export type Checked = { header: SnapshotHeader; counts: Counts };
export type Restored = Checked & { keys: number; fields: number };

/** Reads all of a snapshot and believes nothing. @throws {HiveError} BAD_SNAPSHOT, SNAPSHOT_FAILED */
export async function checkSnapshot(source: SnapshotSource, options: ReadOptions): Promise<Checked> {
  /** By container: its type. */
  const containers = new WideMap<number>();
  const target: RecordTarget = {
    key: ({ type }, container) => {
      if (container !== 0) containers.set(container, type);
    },
    field: (facts, container) => {
      const outer = containers.get(container);
      if (outer === undefined) throw bad(`fields of container ${container}, which no key has`);
      if (outer === TYPE_SORTED && !isScored(facts)) throw bad(`a member without a score (container ${container})`);
      if (INNER_TYPES[outer] !== facts.type)
        throw bad(`a field, a member or a part of a list where it does not belong (container ${container})`);
    },
  };
  return readAll(source, { ...options, stage: "check", target });
}

/** Whether a field is what a sorted set has: its value is a score, and it stays. */
function isScored({ bytes, valueStart, valueLength, valueKind, deadlineMs }: EntryFacts): boolean {
  if (valueLength !== 8 || valueKind !== 0 || deadlineMs !== NO_DEADLINE) return false;
  return !Number.isNaN(new DataView(bytes.buffer, bytes.byteOffset).getFloat64(valueStart, true));
}

/**
 * Puts what a snapshot holds in the place of all that the store holds. Nothing else may use the store
 * meanwhile. @param secrets Which of those in it come, see Restoring.
 * @throws {HiveError} BAD_SNAPSHOT, SNAPSHOT_FAILED, OUT_OF_MEMORY; then the store is as it was.
 */
export async function restoreSnapshot(
  source: SnapshotSource,
  { store, secrets = NO_SECRETS, ...options }: ReadOptions & { store: Store; secrets?: RestoredSecrets },
): Promise<Restored> {
  const checked = await checkSnapshot(source, options);
  const restoring = beginRestoring(source, store, secrets);
  try {
    const target = store.eviction.policy === "noeviction" ? restoring : evicting(store, restoring);
    const again = await readAll(source, { ...options, stage: "restore", target });
    if (again.counts.rawBytes !== checked.counts.rawBytes) throw named(source, bad("it changed while it was read"));
    restoring.commit();
  } catch (error) {
    restoring.rollback();
    throw error;
  }
  return { ...checked, keys: restoring.keys, fields: restoring.fields };
}

function beginRestoring(source: SnapshotSource, store: Store, secrets: RestoredSecrets): Restoring {
  try {
    return store.beginRestoring(secrets);
  } catch (error) {
    throw named(source, error);
  }
}

/** Before each entry there is made room for it, as before a call. */
function evicting(store: Store, target: RecordTarget): RecordTarget {
  return {
    key(facts, container) {
      store.eviction.makeRoom();
      target.key(facts, container);
    },
    field(facts, container) {
      store.eviction.makeRoom();
      target.field(facts, container);
    },
  };
}

type Reading = ReadOptions & { stage: Progress["stage"]; target: RecordTarget };

async function readAll(source: SnapshotSource, reading: Reading): Promise<Checked> {
  const { limits, stage, target, signal } = reading;
  try {
    const blocks = await BlockReader.open(source);
    const records = new RecordReader(limits, blocks.header.version, reading.content);
    const recordBytesMax = limits.keyBytesMax + limits.valueBytesMax + RECORD_HEAD_MAX * 2;
    for (let raw = await blocks.next(recordBytesMax); raw !== undefined; raw = await blocks.next(recordBytesMax)) {
      signal?.throwIfAborted();
      records.read(raw, target);
      reading.onProgress?.({ stage, readBytes: blocks.readBytes, bytes: source.bytes });
    }
    const said = blocks.counts!;
    const found = records.counts;
    const equal = (Object.keys(found) as (keyof Counts)[]).every((name) => found[name] === said[name]);
    if (!equal)
      throw bad(
        `it says that it has ${said.keys} keys and ${said.fields} fields, and has ${found.keys} and ${found.fields}`,
      );
    return { header: blocks.header, counts: found };
  } catch (error) {
    throw named(source, error);
  }
}

/** A refusal, and that there is too little memory, with the name of the snapshot in front. */
function named(source: SnapshotSource, error: unknown): unknown {
  if (!isHiveError(error)) return error;
  const { code, message } = error;
  if (code === "BAD_SNAPSHOT") return new HiveError(code, `${source.name} is refused: ${message}`, { cause: error });
  if (code !== "OUT_OF_MEMORY") return error;
  const why = "there is too little memory for what it holds beside what is there (see --max-memory)";
  return new HiveError(code, `${source.name} is not restored: ${why}`, { cause: error });
}
