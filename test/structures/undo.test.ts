// The state of a structure as its methods see it: it changes as plain objects do, and the journal takes all of it back.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rawOf } from "../../src/structures/stamp.ts";
import { freshSeed } from "../kit/store-checks.ts";
import { trackedInstance } from "./tracked-instance.ts";

type Row = { id: number; tags: unknown[]; when: Date; note?: string };
type Node = { name: string; cells: Uint8Array; inside: Record<string, Node> };

class State {
  count = 0;
  text = "";
  big = 5n;
  any: unknown = undefined;
  plain: unknown[] = [3, 1, "two"];
  rows: Row[] = [row(1), row(2), row(3)];
  root: Node = node("root");
  byName: Map<string, unknown> = new Map();
  byRow: Map<Row, number> = new Map();
  names: Set<unknown> = new Set(["one"]);
  members: Set<Row> = new Set();
  when: Date = new Date(1_234_567);
  floats: Float64Array = new Float64Array([4, 3, 2, 1]);
  bigs: BigInt64Array = new BigInt64Array([9n, -8n, 7n]);
}

function row(id: number): Row {
  return { id, tags: [id], when: new Date(id * 1_001) };
}

function node(name: string): Node {
  return { name, cells: new Uint8Array([3, 1, 2]), inside: {} };
}

/** One change, with numbers to choose by; the same for what is tracked and what is not. */
type Change = (state: State, one: number, two: number, three: number) => unknown;

function rowOf({ rows, members, byRow }: State, choice: number): Row | undefined {
  const all = [...rows, ...members, ...byRow.keys()].filter((at) => at !== undefined);
  return all[choice % Math.max(1, all.length)];
}

function nodeOf(state: State, choice: number): Node {
  let at = state.root;
  for (let left = choice; left > 0; left--) {
    const next = Object.values(at.inside)[left % 2];
    if (next === undefined) break;
    at = next;
  }
  return at;
}

function value(one: number): unknown {
  return [one, `text ${one}`, undefined, null, BigInt(one), row(one), [one, [one]], new Date(one), { deep: { one } }][
    one % 9
  ];
}

const CHANGES: Readonly<Record<string, Change>> = {
  field: (s, one) => (s.count += one),
  text: (s, one) => (s.text += one),
  bigint: (s, one) => (s.big *= BigInt(one)),
  any: (s, one) => {
    s.any = value(one);
  },
  anyMoved: (s, one) => {
    s.any = [s.rows, s.names, s.byName, s.floats, s.when, rowOf(s, one)][one % 6];
  },
  anyFiltered: (s, one) => {
    s.rows = s.rows.filter((at) => at === undefined || at.id % 3 !== one % 3);
  },
  push: (s, one, two) => s.plain.push(value(one), value(two)),
  pushRow: (s, one) => s.rows.push(row(one)),
  pop: (s) => typeof s.plain.pop(),
  popRow: (s) => s.rows.pop()?.id,
  shift: (s) => typeof s.plain.shift(),
  shiftRow: (s) => s.rows.shift()?.id,
  unshift: (s, one, two) => s.plain.unshift(value(one), value(two)),
  splice: (s, one, two, three) => s.plain.splice(one - 10, two - 3, value(three), value(two)).length,
  spliceAll: (s, one) => s.plain.splice(one - 5).length,
  spliceRows: (s, one, two) => s.rows.splice(one % 5, two % 3, row(one), row(two)).length,
  moveInArray: (s, one, two) => {
    const [taken] = s.rows.splice(one % 4, 1);
    if (taken !== undefined) s.rows.splice(two % 4, 0, taken);
  },
  length: (s, one) => {
    s.plain.length = one;
  },
  wrongLength: (s, one) => {
    s.plain.length -= one + 30;
  },
  far: (s, one, two) => {
    s.plain[one] = value(two);
  },
  hole: (s, one) => delete s.plain[one % 6],
  fill: (s, one, two, three) => s.plain.fill(value(one), two - 6, three - 6).length,
  copyWithin: (s, one, two, three) => s.plain.copyWithin(one - 6, two - 6, three - 6).length,
  reverse: (s) => s.plain.reverse().length,
  sort: (s) => s.plain.sort().length,
  sortBy: (s, one) => s.rows.sort((a, b) => (one % 2 === 0 ? a.id - b.id : b.tags.length - a.tags.length)).length,
  sortThrows: (s) =>
    s.rows.sort((a, b) => {
      if (a.id === 2) throw new Error("no order");
      a.tags.push(b.id);
      return b.id - a.id;
    }).length,
  element: (s, one, two) => {
    const at = rowOf(s, one);
    if (at !== undefined) at.id = two;
  },
  tags: (s, one, two) => rowOf(s, one)?.tags.push({ two }),
  note: (s, one, two) => {
    const at = rowOf(s, one);
    if (at !== undefined) at.note = `${two}`;
  },
  dropNote: (s, one) => {
    const at = rowOf(s, one);
    return at === undefined || delete at.note;
  },
  rowDate: (s, one, two) => rowOf(s, one)?.when.setMinutes(two, one, two),
  date: (s, one) => s.when.setFullYear(2_000 + one),
  noDate: (s) => s.when.setTime(Number.NaN),
  grow: (s, one, two) => {
    nodeOf(s, one).inside[`n${two % 4}`] = node(`${one}`);
  },
  prune: (s, one, two) => delete nodeOf(s, one).inside[`n${two % 4}`],
  hoist: (s, one) => {
    s.root = nodeOf(s, one);
  },
  graft: (s, one) => {
    const { inside } = s.root;
    const [first, second] = Object.values(inside);
    if (first === undefined || second === undefined) return;
    for (const [name, at] of Object.entries(inside)) if (at === second) delete inside[name];
    first.inside[`g${one}`] = second;
  },
  nodeCells: (s, one, two) => {
    nodeOf(s, one).cells[two % 4] = two;
  },
  mapSet: (s, one, two) => s.byName.set(`k${one % 5}`, value(two)).size,
  mapMove: (s, one, two) => s.byName.set(`k${one % 5}`, rowOf(s, two)).size,
  mapDelete: (s, one) => s.byName.delete(`k${one % 5}`),
  mapClear: (s) => s.byName.clear(),
  mapByRow: (s, one, two) => {
    const at = rowOf(s, one);
    if (at !== undefined) s.byRow.set(at, two);
  },
  mapByRowDelete: (s, one) => {
    const at = rowOf(s, one);
    return at !== undefined && s.byRow.delete(at);
  },
  mapAnew: (s) => {
    s.byRow = new Map([...s.byRow].reverse());
  },
  setAdd: (s, one) => s.names.add(value(one)).size,
  setDelete: (s, one) => s.names.delete(value(one)),
  setClear: (s, one) => one === 7 && s.names.clear(),
  setMove: (s) => {
    const taken = s.rows.shift();
    if (taken !== undefined) s.members.add(taken);
  },
  setBack: (s) => {
    const [first] = s.members;
    if (first !== undefined && s.members.delete(first)) s.rows.push(first);
  },
  setAnew: (s, one) => {
    s.members = new Set([...s.members, ...s.rows].filter((at) => at !== undefined && at.id !== one));
  },
  setUnion: (s) => {
    const { members } = s as unknown as { members: Set<Row> & { union?(other: Set<Row>): Set<Row> } };
    if (members.union !== undefined) s.members = members.union(new Set([row(77)]));
  },
  floats: (s, one, two) => {
    s.floats[one] = two;
  },
  floatsAll: (s, one) => [s.floats.fill(one, one % 3), s.floats.sort(), s.floats.reverse()].length,
  floatsSet: (s, one) => s.floats.set([one, one + 1], one % 4),
  bigs: (s, one, two) => {
    s.bigs[one] = BigInt(two);
  },
  bigsWrong: (s, one) => {
    (s.bigs as unknown as number[])[one % 3] = 5;
  },
  bigsCopy: (s, one) => s.bigs.copyWithin(one % 3, 1).length,
};

const NAMES = Object.keys(CHANGES);
type Step = readonly [name: string, one: number, two: number, three: number];

/** What it answers, or that it fails. */
function apply(state: State, [name, one, two, three]: Step): unknown {
  try {
    return CHANGES[name]!(state, one, two, three);
  } catch (error) {
    return (error as Error).name;
  }
}

const VIEWS = [Uint8Array, Float64Array, BigInt64Array];

/** All that can be read of a state, as plain objects. */
function read(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(read);
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [read(key), read(inner)]));
  if (value instanceof Set) return new Set([...value].map(read));
  if (value instanceof Date) return new Date(value.getTime());
  // Not isView(), which looks past a wrapper.
  if (VIEWS.some((View) => value instanceof View)) return (value as Uint8Array).slice();
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner)]));
}

function fieldsRead(state: object): unknown {
  return Object.fromEntries(
    Object.keys(new State()).map((name) => [name, read((state as Record<string, unknown>)[name])]),
  );
}

function assertUnwrapped(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert.equal(rawOf(value), value, "a wrapper is in the raw state");
  if (value instanceof Map) for (const pair of value) pair.forEach(assertUnwrapped);
  else if (value instanceof Set) for (const inner of value) assertUnwrapped(inner);
  else if (!ArrayBuffer.isView(value)) Object.values(value).forEach(assertUnwrapped);
}

test("a tracked state changes as plain objects do, and comes back as it was", (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  const steps = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.nat(20), fc.nat(20), fc.nat(20)), { maxLength: 25 });
  fc.assert(
    fc.property(steps, steps, steps, (kept, first, second) => {
      const { state, seen, journal } = trackedInstance(new State());
      const plain = new State();
      const both = (step: Step): void => assert.deepEqual(apply(seen, step), apply(plain, step), step.join(" "));
      const check = (expected: object): void => {
        assert.deepEqual(state, { ...expected });
        assert.deepEqual(fieldsRead(seen), fieldsRead(expected));
        assertUnwrapped(state);
      };
      kept.forEach(both);
      check(plain);
      journal.clear();
      const begun = structuredClone({ ...plain });
      first.forEach(both);
      check(plain);
      const mark = journal.size;
      const between = structuredClone({ ...plain });
      second.forEach(both);
      check(plain);
      journal.rollback(mark);
      check(between);
      journal.rollback();
      check(begun);
    }),
    { numRuns: 400, seed, interruptAfterTimeLimit: 4_000 },
  );
});
