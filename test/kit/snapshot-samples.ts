// Snapshot samples: a store with one of everything that a snapshot can hold, and its snapshot.

import { SnapshotWriting } from "../../src/snapshot/writing.ts";
import { GROUP_OWNER_MIN } from "../../src/store/accounting.ts";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_SET, TYPE_TABLE } from "../../src/store/layout.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";
import { encode } from "../../src/wire/value.ts";
import { MemorySink } from "./memory-snapshots.ts";

export const SAMPLE_MS = 1_700_000_000_000;

/** Writes a snapshot of a store at once. */
export async function takeSnapshot(store: Store): Promise<Buffer> {
  const sink = new MemorySink();
  const writing = new SnapshotWriting({
    store,
    sink,
    runId: "0123456789abcdef".repeat(2),
    backlogBytesMax: Number.MAX_SAFE_INTEGER,
    onHeld() {},
    onReleased() {},
    onWork() {},
  });
  while (writing.step(64));
  await writing.finished;
  return sink.bytes;
}

/**
 * Strings of every kind, with and without TTL and owner; tables and sets, packed and not; a value that takes
 * several blocks. About `keys` small keys beside.
 */
export function sampleStore(keys: number, options: Partial<StoreOptions> = {}): Store {
  const store = new Store({ nowMs: SAMPLE_MS, ...options });
  const put = (name: string, value: Uint8Array, kind: number, deadlineMs: number = NO_DEADLINE): number => {
    const bytes = Buffer.from(name);
    return store.keys.put(bytes, 0, bytes.length, 0, value, 0, value.length, kind, deadlineMs);
  };
  const set = (
    type: number,
    table: string,
    name: Uint8Array,
    nameKind: number,
    value: Uint8Array,
    kind: number,
    deadlineMs?: number,
  ): void => {
    const key = Buffer.from(table);
    const ref = store.keys.find(key, 0, key.length) || store.fields.create(type, key, 0, key.length, 0);
    store.fields.set(ref, name, 0, name.length, nameKind, value, 0, value.length, kind, deadlineMs);
  };
  const none = Buffer.alloc(0);
  put("raw", Buffer.from([0, 255, 13, 10]), 0);
  put("text", Buffer.from("Grüße"), 1);
  put("bytes", Buffer.from([1, 2, 3]), 2);
  put("value", encode({ born: 1815, tags: new Set(["a", 1]), seen: new Date(0) }), 3);
  put("empty", none, 0);
  put("with a TTL", Buffer.from("soon"), 0, SAMPLE_MS + 60_000);
  put("never", Buffer.from("late"), 0, 2 ** 62);
  put("large", Buffer.alloc(1_300_000, "large "), 0);
  store.keys.setOwner(put("owned", Buffer.from("mine"), 0, SAMPLE_MS + 5_000), 2 ** 31 - 1, {
    payer: GROUP_OWNER_MIN - 1,
    isOfSession: true,
  });
  for (let i = 0; i < 20; i++) set(TYPE_TABLE, "packed table", Buffer.from(`f${i}`), i % 2, encode(i), 3);
  for (let i = 0; i < 20; i++) set(TYPE_SET, "packed set", encode(i), 3, none, 0);
  for (let i = 0; i < 500; i++) {
    const deadlineMs = i % 7 === 0 ? SAMPLE_MS + 1_000 + i : undefined;
    set(
      TYPE_TABLE,
      "table",
      i % 3 === 0 ? encode(i) : Buffer.from(`field ${i}`),
      i % 3 === 0 ? 3 : 1,
      Buffer.from(`v${i}`),
      i % 3,
      deadlineMs,
    );
  }
  for (let i = 0; i < 300; i++) set(TYPE_SET, "set", Buffer.from(`member ${i}`), 0, none, 0);
  for (let i = 0; i < keys; i++) put(`key:${i}`, Buffer.from(`${Math.sin(i)}`.repeat(3)), 0);
  return store;
}
