// Calls by id and by deadline. Time is an argument; a plain list checks the table.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CallTable, OpenCall } from "../../src/wire/call-table.ts";
import { ID_MAX } from "../../src/wire/frame.ts";

const NEVER = Number.POSITIVE_INFINITY;

function add<Call extends OpenCall>(table: CallTable<Call>, call: Call, deadlineMs = NEVER): Call {
  table.add(call, deadlineMs);
  return call;
}

test("ids are odd at the dialing end and even, not 0, at the other", () => {
  for (const [dialing, ids] of [
    [true, [1, 3, 5]],
    [false, [2, 4, 6]],
  ] as const) {
    const table = new CallTable<OpenCall>(dialing);
    assert.deepEqual(
      ids.map(() => add(table, new OpenCall()).id),
      ids,
    );
    assert.equal(table.size, 3);
  }
});

test("a call is taken once, and by its own id only", () => {
  const table = new CallTable<OpenCall>(true);
  const call = add(table, new OpenCall());
  assert.equal(table.get(1), call);
  // The same place of the ring.
  for (const id of [0, 513, 1025, ID_MAX]) assert.equal(table.take(id), undefined);
  assert.equal(table.take(1), call);
  assert.equal(table.take(1), undefined);
  assert.equal(table.get(1), undefined);
  assert.equal(table.size, 0);
});

test("thousands are open at once, and one that stays open is in nobody's way", () => {
  const table = new CallTable<OpenCall>(false);
  const first = add(table, new OpenCall());
  for (let i = 0; i < 5000; i++) table.take(add(table, new OpenCall()).id);
  const many = Array.from({ length: 5000 }, () => add(table, new OpenCall()));
  assert.equal(new Set(many.map(({ id }) => id)).size, 5000);
  assert.deepEqual(table.all(), [first, ...many]);
  for (const call of many) assert.equal(table.take(call.id), call);
  assert.deepEqual(table.all(), [first]);
});

test("deadlines near and far fall due, none early, and one that was called off never", () => {
  const table = new CallTable<OpenCall>(true);
  assert.equal(table.nextMs(), undefined);
  const near = add(table, new OpenCall(), 100);
  const far = add(table, new OpenCall(), 30_000);
  const off = add(table, new OpenCall(), 100);
  table.take(off.id);
  add(table, new OpenCall());
  assert.deepEqual(table.advance(99), []);
  assert.ok(table.nextMs()! >= 100 && table.nextMs()! <= 108);
  assert.deepEqual(table.advance(108), [near]);
  for (let atMs = 108; atMs < 30_000; atMs = table.nextMs()!) assert.deepEqual(table.advance(atMs), []);
  assert.deepEqual(table.advance(30_000), [far]);
  assert.equal(table.nextMs(), undefined);
  assert.equal(table.size, 1);
});

test("after a pause of minutes everything that fell due comes at once", () => {
  const table = new CallTable<OpenCall>(true);
  table.advance(1_000_000);
  const calls = Array.from({ length: 3000 }, (_, i) => add(table, new OpenCall(), 1_000_000 + i * 7));
  // One whose deadline has passed already.
  calls.push(add(table, new OpenCall(), 5));
  const due = table.advance(2_000_000);
  assert.deepEqual(new Set(due), new Set(calls));
  assert.equal(table.size, 0);
});

test("any order of calls, answers and time agrees with a list", () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: 20_000 }) }),
    fc.record({ take: fc.nat(50) }),
    fc.record({ pass: fc.integer({ min: 0, max: 9_000 }) }),
  );
  const run = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const table = new CallTable<OpenCall>(true);
    let open: OpenCall[] = [];
    let nowMs = 0;
    for (const step of steps) {
      if ("add" in step) open.push(add(table, new OpenCall(), nowMs + step.add));
      else if ("take" in step) {
        const call = open[step.take % Math.max(1, open.length)];
        if (call !== undefined) assert.equal(table.take(call.id), call);
        open = open.filter((other) => other !== call);
      } else {
        nowMs += step.pass;
        const due = open.filter(({ deadlineMs }) => deadlineMs <= nowMs);
        assert.deepEqual(new Set(table.advance(nowMs)), new Set(due));
        open = open.filter((call) => !due.includes(call));
      }
      assert.deepEqual(table.all(), open);
      const soonest = Math.min(...open.map(({ deadlineMs }) => deadlineMs));
      if (open.length > 0) assert.ok(table.nextMs()! <= Math.max(soonest, nowMs) + 8);
    }
  });
  fc.assert(run, { numRuns: 200 });
});
