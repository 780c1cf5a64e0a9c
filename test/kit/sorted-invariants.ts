// Sorted invariants: the tree of a sorted set, walked as layout.ts draws it, and compared with its container.

import assert from "node:assert/strict";
import * as layout from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";

const LEAF = { cells: 63, refs: 128 };
const INNER = { cells: 38, refs: 78, nodes: 116, counts: 154 };
const NODE_BYTES = 768;

type Cell = { score: number; ref: number };

/** Walks the tree of the container `root`, whose entries are `refs`. @param claim Told of each node. */
export function checkTree(
  store: Store,
  root: number,
  refs: ReadonlySet<number>,
  claim: (node: number, bytes: number, what: string) => void,
): void {
  const { segments, entries } = store.memory;
  const word = (ref: number, index: number): number =>
    segments.words[ref >>> layout.SEGMENT_SHIFT]![((ref & layout.SEGMENT_MASK) << 1) + index]!;
  const score = (ref: number, index: number): number =>
    segments.bytes[ref >>> layout.SEGMENT_SHIFT]!.readDoubleLE(((ref & layout.SEGMENT_MASK) << 3) + 8 + index * 8);
  const order: Cell[] = [];
  let nodes = 0;
  const walk = (node: number, height: number): void => {
    claim(node, NODE_BYTES, "node of a tree");
    nodes++;
    const count = word(node, 0);
    assert.ok(count > 0 && count <= (height === 1 ? LEAF : INNER).cells, "cells of a node");
    for (let i = 0; i < count; i++) {
      if (height === 1) {
        order.push({ score: score(node, i), ref: word(node, LEAF.refs + i) });
        continue;
      }
      const before = order.length;
      walk(word(node, INNER.nodes + i), height - 1);
      assert.equal(order.length - before, word(node, INNER.counts + i), "entries below a cell");
      const first = { score: score(node, i), ref: word(node, INNER.refs + i) };
      assert.deepEqual(first, order[before], "first entry below a cell");
    }
  };
  walk(word(root, layout.ROOT_TREE), word(root, layout.ROOT_TREE_HEIGHT));
  assert.equal(nodes, word(root, layout.ROOT_TREE_NODES), "nodes of a tree");
  assert.deepEqual(new Set(order.map(({ ref }) => ref)), refs, "a tree has the entries of its container");
  assert.equal(order.length, refs.size, "a tree has each entry once");
  for (const cell of order) assert.equal(entries.score(cell.ref), cell.score, "score in a tree and in the entry");
  checkOrder(
    order.map(({ ref, score }) => {
      const start = entries.keyStart(ref);
      const name = entries.bytesOf(ref).subarray(start, start + entries.keyLength(ref));
      return { score, name, typed: entries.keyKind(ref) === layout.KIND_VALUE };
    }),
  );
}

/** The records of a packed sorted set. */
export function checkRecords(bytes: Buffer, start: number, end: number): void {
  const sizes = [1, 2, 4, 8, 2, 4, 4];
  const members: Member[] = [];
  let at = start + 2;
  while (at < end) {
    const head = bytes[at]!;
    const code = (head >> 2) & 7;
    const long = (head & 32) !== 0;
    const length = long ? bytes.readUInt16LE(at + 1) : bytes[at + 1]!;
    at += long ? 3 : 2;
    const read: readonly (() => number)[] = [
      () => bytes.readInt8(at),
      () => bytes.readInt16LE(at),
      () => bytes.readInt32LE(at),
      () => bytes.readDoubleLE(at),
      () => bytes.readInt16LE(at) / 100,
      () => bytes.readInt32LE(at) / 100,
      () => bytes.readFloatLE(at),
    ];
    const score = read[code]!();
    at += sizes[code]!;
    members.push({ score, name: bytes.subarray(at, at + length), typed: (head & 3) === layout.KIND_VALUE });
    at += length;
  }
  assert.equal(at, end, "end of a packed sorted set");
  assert.equal(members.length, bytes.readUInt16LE(start), "records of a packed sorted set");
  assert.ok(members.length > 0 && members.length <= layout.SORTED_RECORDS_MAX, "number of packed members");
  assert.ok(end - start <= layout.SORTED_BYTES_MAX, "bytes of a packed sorted set");
  checkOrder(members);
}

type Member = { score: number; name: Buffer; typed: boolean };

function checkOrder(members: readonly Member[]): void {
  for (let i = 1; i < members.length; i++) {
    const one = members[i - 1]!;
    const other = members[i]!;
    const order =
      one.score - other.score || Buffer.compare(one.name, other.name) || Number(one.typed) - Number(other.typed);
    assert.ok(order < 0, `member ${i} is in order`);
  }
  const names = new Set(members.map(({ name, typed }) => `${typed}${name.latin1Slice()}`));
  assert.equal(names.size, members.length, "each member once");
}
