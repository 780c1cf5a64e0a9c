// Store invariants: walks everything that a store refers to, and says what does not fit together.
//
//   checkStore(store) ──▶ keyspace ──▶ buckets, chains, entries ──▶ containers ──▶ … ──▶ pages, wheel, totals
//
// It reads the words as layout.ts draws them and shares no code with what it checks, but for the layout
// and the accessors of entries. While the reaper has work, blocks that only it knows are in use too:
// then pages and wheel are checked as far as possible only.

import assert from "node:assert/strict";
import { GROUP_OWNER_MIN } from "../../src/store/accounting.ts";
import { blockOf } from "../../src/store/index-growth.ts";
import * as layout from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import { eachEntry } from "../../src/store/walk.ts";
import { checkRecords, checkTree } from "./sorted-invariants.ts";

const { SEGMENT_MASK, SEGMENT_SHIFT, PAGE_SHIFT, PAGE_BYTES, KEYSPACE_ROOT } = layout;

type Linked = { ref: number; next: number; previous: number; slot: number };

class Walk {
  readonly store: Store;
  /** Blocks that something refers to, by ref: what it is. */
  readonly blocks = new Map<number, string>();
  readonly linked = new Map<number, Linked>();
  readonly owners = new Map<number, number>();
  readonly ownedKeys = new Map<number, number>();
  readonly groupFields = new Map<number, number>();
  groupBytes = 0;
  sessionKeys = 0;
  entryBytes = 0;
  containers = 0;

  constructor(store: Store) {
    this.store = store;
  }

  word(ref: number, index: number): number {
    const words = this.store.memory.segments.words[ref >>> SEGMENT_SHIFT];
    assert.ok(words && words.length > 0, `ref ${ref} lies in a closed segment`);
    return words[((ref & SEGMENT_MASK) << 1) + index]!;
  }

  /** Notes that something refers to a block of at least `bytes` bytes, and that nothing else does. */
  claim(ref: number, bytes: number, what: string): void {
    assert.ok(this.store.memory.segments.isOpen(ref >>> SEGMENT_SHIFT), `${what} ${ref} lies in a closed segment`);
    assert.ok(!this.blocks.has(ref), `block ${ref} is ${this.blocks.get(ref)} and ${what}`);
    assert.ok(this.store.memory.pages.sizeOf(ref) >= bytes, `${what} of ${bytes} bytes in too small a block`);
    this.blocks.set(ref, what);
  }

  container(root: number, id: number): void {
    const { memory } = this.store;
    const get = (word: number): number => this.word(root, word);
    this.containers++;
    const bytes = root === KEYSPACE_ROOT ? layout.ROOT_BYTES : memory.pages.sizeOf(root);
    const sorted = bytes === layout.SORTED_ROOT_BYTES;
    const isList = bytes === layout.LIST_ROOT_BYTES;
    if (root !== KEYSPACE_ROOT) this.claim(root, bytes, "root");
    if (isList) this.#list(root);
    assert.equal(get(layout.ROOT_ID), id, "id of a root");
    assert.equal(memory.containers.rootOf(id), root, `root of container ${id}`);
    assert.equal(get(layout.ROOT_FLAGS), sorted ? layout.ROOT_SORTED : 0, "flags of a root in use");
    assert.equal(get(layout.ROOT_SEQUENCE) & 1, 0, "sequence of a root");
    const buckets = (1 << get(layout.ROOT_LEVEL)) + get(layout.ROOT_SPLIT);
    assert.ok(get(layout.ROOT_SPLIT) < 1 << get(layout.ROOT_LEVEL), "split is below 2^level");
    const directory = get(layout.ROOT_DIRECTORY);
    const capacity = get(layout.ROOT_CAPACITY);
    this.claim(directory, capacity * 4, "directory");
    const blocks = blockOf(buckets - 1) + 1;
    let indexBytes = capacity * 4;
    for (let block = 0; block < capacity; block++) {
      const ref = this.word(directory, block);
      assert.equal(ref !== 0, block < blocks, `block ${block} of ${blocks} in the directory`);
      if (ref === 0) continue;
      const bytes = (block === 0 ? 1 : Math.min(1 << (block - 1), 1024)) * layout.BUCKET_BYTES;
      this.claim(ref, bytes, "block of buckets");
      indexBytes += bytes;
    }
    const sums = { count: 0, bytes: 0, ttls: 0, typed: 0, overflows: 0, refs: new Set<number>() };
    for (let bucket = 0; bucket < buckets; bucket++) this.#bucket(root, bucket, sums);
    assert.equal(get(layout.ROOT_COUNT), sums.count, "count of a root");
    assert.equal(memory.containers.bytesOf(root), sums.bytes, "bytes of a root");
    assert.equal(get(layout.ROOT_TTLS), sums.ttls, "entries with a TTL of a root");
    assert.equal(get(layout.ROOT_TYPED), sums.typed, "typed entries of a root");
    assert.equal(get(layout.ROOT_OVERFLOWS), sums.overflows, "overflow nodes of a root");
    assert.equal(get(layout.ROOT_INDEX_BYTES), indexBytes + sums.overflows * layout.OVERFLOW_BYTES, "bytes of index");
    this.entryBytes += sums.bytes;
    if (sorted) checkTree(this.store, root, sums.refs, (node, bytes, what) => this.claim(node, bytes, what));
    if (root === KEYSPACE_ROOT) return;
    const key = memory.containers.keyOf(root);
    this.own(key, sums.bytes, sums.count);
  }

  /** Counts what belongs to a key for its owner and its payer. */
  own(key: number, bytes: number, fields: number): void {
    const { entries } = this.store.memory;
    const owner = entries.ownerOf(key);
    for (const one of this.ownersOf(key)) this.owners.set(one, (this.owners.get(one) ?? 0) + bytes);
    if (owner >= GROUP_OWNER_MIN) this.groupBytes += bytes;
    if (owner < GROUP_OWNER_MIN || fields === 0) return;
    this.groupFields.set(owner, (this.groupFields.get(owner) ?? 0) + fields);
  }

  ownersOf(key: number): Set<number> {
    const { entries } = this.store.memory;
    return new Set([entries.ownerOf(key), entries.payerOf(key)].filter((owner) => owner !== 0));
  }

  #bucket(
    root: number,
    bucket: number,
    sums: { count: number; bytes: number; ttls: number; typed: number; overflows: number; refs: Set<number> },
  ): void {
    const block = blockOf(bucket);
    const first = bucket < 1024 ? bucket - ((1 << block) >> 1) : bucket & 1023;
    const at = (this.word(this.word(root, layout.ROOT_DIRECTORY), block) + first * 8) | 0;
    assert.equal(this.word(at, 0) & 1, 0, `sequence of bucket ${bucket}`);
    let next = this.word(at, 1);
    let node = at;
    let slots = layout.BUCKET_SLOTS;
    for (let hole = false; ; ) {
      for (let slot = 0; slot < slots; slot++) {
        const hash = this.word(node, 2 + slot * 2);
        const ref = this.word(node, 3 + slot * 2);
        if (ref === 0) {
          assert.equal(hash, 0, "hash in an empty slot");
          assert.ok(node === at || slot > 0, "an overflow node without entries");
          hole = true;
          continue;
        }
        assert.ok(!hole, "an entry behind an empty slot");
        sums.count++;
        this.#entry(root, bucket, hash, ref, sums);
      }
      if (next === 0) return;
      assert.ok(!hole, "an overflow node behind an empty slot");
      this.claim(next, layout.OVERFLOW_BYTES, "overflow node");
      sums.overflows++;
      node = next;
      next = this.word(node, 0);
      slots = layout.OVERFLOW_SLOTS;
    }
  }

  #entry(
    root: number,
    bucket: number,
    hash: number,
    ref: number,
    sums: { bytes: number; ttls: number; typed: number; refs: Set<number> },
  ): void {
    const { entries, containers, keys } = this.store.memory;
    const id = containers.idOf(root);
    const type = entries.type(ref);
    const inKeyspace = root === KEYSPACE_ROOT;
    assert.ok(inKeyspace ? type >= 1 && type <= 6 : type >= 7 && type <= 9, `type ${type} in container ${id}`);
    this.claim(ref, entries.size(ref), "entry");
    sums.bytes += entries.size(ref);
    if (!inKeyspace) sums.refs.add(ref);
    const typed = entries.keyKind(ref) === layout.KIND_VALUE ? 1 : 0;
    sums.typed += typed;
    const name = entries.keyStart(ref);
    assert.equal(keys.hash(entries.bytesOf(ref), name, entries.keyLength(ref), typed), hash, "hash in a slot");
    const low = 1 << this.word(root, layout.ROOT_LEVEL);
    const wide = hash & (low * 2 - 1);
    assert.equal(wide < low + this.word(root, layout.ROOT_SPLIT) ? wide : hash & (low - 1), bucket, "bucket of a hash");
    if (entries.hasTtl(ref)) {
      sums.ttls++;
      assert.equal(entries.containerOf(ref), id, "container of an entry with a TTL");
      this.linked.set(ref, {
        ref,
        next: this.word(ref, layout.TTL_NEXT),
        previous: this.word(ref, layout.TTL_PREVIOUS),
        slot: this.word(ref, layout.TTL_SLOT),
      });
    }
    if (!inKeyspace) return;
    const inner = entries.rootOf(ref);
    const start = entries.valueStart(ref);
    for (const one of this.ownersOf(ref)) this.ownedKeys.set(one, (this.ownedKeys.get(one) ?? 0) + 1);
    if (entries.isOfSession(ref)) this.sessionKeys++;
    const isPackedTable = inner === 0 && type === layout.TYPE_TABLE;
    this.own(ref, entries.size(ref), isPackedTable ? entries.bytesOf(ref).readUInt16LE(start) : 0);
    if (inner !== 0) {
      assert.equal(containers.keyOf(inner), ref, "key of a container");
      assert.equal(
        containers.accountOf(inner),
        this.store.memory.accountOf(ref),
        "account of a container and of its key",
      );
      assert.ok(this.word(inner, layout.ROOT_COUNT) > 0, "a container without entries");
      this.container(inner, containers.idOf(inner));
    } else if (type === layout.TYPE_TABLE || type === layout.TYPE_SET) this.#packed(ref);
    else if (type === layout.TYPE_SORTED) {
      checkRecords(entries.bytesOf(ref), start, start + entries.valueLength(ref));
    }
  }

  /** The chain of a list's chunks, from the first to the last, and its skips. */
  #list(root: number): void {
    const { containers, entries } = this.store.memory;
    const get = (word: number): number => this.word(root, word);
    assert.equal(entries.type(containers.keyOf(root)), layout.TYPE_LIST, "type of a list's key");
    const chunks = new Map<number, number>();
    eachEntry(this.store.memory, root, (ref) => {
      assert.equal(entries.type(ref), layout.TYPE_CHUNK, "type of what a list holds");
      chunks.set(this.word(ref, 4), ref);
    });
    const order: [number, number][] = [];
    let previous = 0;
    let elements = 0;
    for (let id = get(layout.LIST_FIRST); id !== 0; ) {
      const ref = chunks.get(id);
      assert.ok(ref !== undefined && order.length < chunks.size, `chunk ${id} of a list`);
      assert.equal(this.word(ref, 5), previous, "previous of a chunk");
      const count = this.word(ref, 7) & 0xffff;
      assert.ok(count > 0, "a chunk without elements");
      order.push([id, count]);
      elements += count;
      previous = id;
      id = this.word(ref, 6);
    }
    assert.equal(order.length, chunks.size, "chunks of a list that are linked");
    assert.equal(get(layout.LIST_LAST), previous, "last chunk");
    assert.equal(get(layout.LIST_COUNT_LOW), elements, "elements of a list");
    const skips = get(layout.LIST_SKIPS);
    if (skips === 0) return;
    this.claim(skips, get(layout.LIST_SKIPS_CAPACITY) * 8, "skips");
    assert.equal(get(layout.LIST_SKIPS_COUNT), order.length, "pairs of skips");
    const start = get(layout.LIST_SKIPS_START);
    for (const [slot, [id, count]] of order.entries()) {
      assert.equal(this.word(skips, (start + slot) * 2), id, `chunk ${slot} in the skips`);
      assert.equal(this.word(skips, (start + slot) * 2 + 1), count, `elements of chunk ${slot} in the skips`);
    }
  }

  #packed(ref: number): void {
    const { entries } = this.store.memory;
    const bytes = entries.bytesOf(ref);
    const start = entries.valueStart(ref);
    const end = start + entries.valueLength(ref);
    assert.ok(entries.valueLength(ref) <= layout.PACKED_BYTES_MAX, "bytes of a packed container");
    const names = new Set<string>();
    let at = start + 2;
    while (at < end) {
      const keyBytes = bytes.readUInt16LE(at + 1);
      const typed = (bytes[at]! & 3) === layout.KIND_VALUE;
      names.add(`${typed}${bytes.latin1Slice(at + 5, at + 5 + keyBytes)}`);
      at += 5 + keyBytes + bytes.readUInt16LE(at + 3);
    }
    assert.equal(at, end, "end of a packed container");
    assert.equal(names.size, bytes.readUInt16LE(start), "records of a packed container, each name once");
    assert.ok(names.size > 0 && names.size <= layout.PACKED_RECORDS_MAX, "number of packed records");
  }
}

/**
 * Checks that everything in the store fits together.
 * @param foreign Blocks that a test has allocated beside the store.
 * @throws {AssertionError} that says what does not.
 */
export function checkStore(store: Store, foreign: readonly number[] = []): void {
  const { memory } = store;
  const { containers, reaper, totals, wheel } = memory;
  const walk = new Walk(store);
  for (const ref of foreign) walk.claim(ref, 0, "block of the test");
  walk.container(KEYSPACE_ROOT, containers.keyspaceId);
  assert.equal(totals.entryBytes, walk.entryBytes, "bytes of all entries");
  assert.deepEqual(new Map(totals.ownerBytes), walk.owners, "bytes by owner");
  assert.deepEqual(new Map(totals.ownerKeys), walk.ownedKeys, "keys by owner");
  assert.deepEqual(new Map(totals.groupFields), walk.groupFields, "fields by device");
  assert.deepEqual(
    [totals.groupBytes, totals.sessionKeys],
    [walk.groupBytes, walk.sessionKeys],
    "all devices, sessions",
  );
  const settled = reaper.idle;
  checkWheel(walk, wheel.count, settled);
  checkPages(walk, settled);
}

function checkWheel(walk: Walk, count: number, settled: boolean): void {
  const heads = new Map<number, number>();
  for (const { ref, next, previous, slot } of walk.linked.values()) {
    assert.ok(slot >= 0 && slot < 1024, `slot ${slot} of an entry with a TTL`);
    if (previous === 0) {
      assert.ok(!heads.has(slot), `two lists in slot ${slot} of the wheel`);
      heads.set(slot, ref);
    } else if (walk.linked.has(previous)) {
      assert.equal(walk.linked.get(previous)!.next, ref, "next of the previous one in the wheel");
      assert.equal(walk.linked.get(previous)!.slot, slot, "slot of neighbours in the wheel");
    } else assert.ok(!settled, "a previous one in the wheel that is nowhere");
    if (next !== 0 && walk.linked.has(next)) assert.equal(walk.linked.get(next)!.previous, ref, "previous of the next");
    else assert.ok(next === 0 || !settled, "a next one in the wheel that is nowhere");
  }
  if (settled) assert.equal(count, walk.linked.size, "entries in the wheel");
  else assert.ok(count >= walk.linked.size, "entries in the wheel");
}

function checkPages(walk: Walk, settled: boolean): void {
  const { pages, segments } = walk.store.memory;
  const spans = new Map<number, { used: number; ranges: [number, number][] }>();
  const first = new Map<number, number>();
  let pagesInUse = 1; // the header
  pages.eachSpan((page, count, used) => {
    spans.set(page, { used, ranges: [] });
    for (let i = 0; i < count; i++) {
      assert.ok(!first.has(page + i), `page ${page + i} in two spans`);
      first.set(page + i, page);
    }
    pagesInUse += count;
  });
  let blockBytes = 0;
  for (const [ref, what] of walk.blocks) {
    const size = pages.sizeOf(ref);
    blockBytes += size;
    const span = spans.get(first.get(ref >>> PAGE_SHIFT) ?? -1);
    if (!span) {
      assert.ok(size > layout.SEGMENT_BYTES, `${what} ${ref} in a page that is not in use`);
      pagesInUse += size / PAGE_BYTES;
      continue;
    }
    span.ranges.push([ref >>> 0, (ref >>> 0) + size / 8]);
  }
  for (const [page, { used, ranges }] of spans) {
    ranges.sort((a, b) => a[0] - b[0]);
    for (let i = 1; i < ranges.length; i++) assert.ok(ranges[i - 1]![1] <= ranges[i]![0], "two blocks overlap");
    if (settled) assert.equal(used, ranges.length, `blocks in use in page ${page}, and those that are reachable`);
    else assert.ok(used >= ranges.length, `blocks in use in page ${page}`);
  }
  if (settled) {
    assert.equal(pages.blockBytes, blockBytes, "bytes of all blocks");
    assert.equal(pages.inUse, pagesInUse, "pages in use");
  }
  let open = 0;
  for (let index = 0; index < segments.bytes.length; index++)
    if (segments.isOpen(index)) open += segments.bytes[index]!.length;
  assert.equal(pages.openBytes, open, "bytes of the open segments");
}
