// What may be put into a structure's state, what it counts, and how built-ins see it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/index.ts";
import { Fifo } from "../../src/structures/fifo.ts";
import { type HiveCalls, Structure } from "../../src/structures/index.ts";
import { Journal } from "../../src/structures/journal.ts";
import { argumentsOf } from "../../src/structures/played-arguments.ts";
import { unwrapped } from "../../src/structures/storable.ts";
import { decode, encode } from "../../src/wire/value.ts";
import { trackedInstance } from "./tracked-instance.ts";

class Kept {
  items: unknown[] = ["a", "b", "c"];
  value: unknown = undefined;
  names: Set<unknown> = new Set(["one", "two"]);
  byName: Map<unknown, unknown> = new Map();
  when: Date = new Date(1_234_567);
  bytes: Uint8Array = new Uint8Array([3, 1, 2]);
  bigs: BigInt64Array = new BigInt64Array(2);
}

/** The journal and the state are as they were. */
function assertRefused(change: (seen: Kept) => void, error: object): void {
  const { seen, state, journal } = trackedInstance(new Kept());
  assert.throws(() => change(seen), error);
  journal.rollback();
  assert.deepEqual(state, { ...new Kept() });
}

test("a step that cannot be undone keeps no other from it, and its error comes out at the end", () => {
  const journal = new Journal();
  journal.active = true;
  const undone: number[] = [];
  for (const number of [1, 2, 3, 4]) {
    journal.note(
      (target: number[]) => {
        if (number % 2 === 1) throw new Error(`step ${number}`);
        target.push(number);
      },
      undone,
      undefined,
      undefined,
    );
  }
  assert.throws(() => journal.rollback(), { message: "step 3" });
  assert.deepEqual([undone, journal.size], [[4, 2], 0]);
});

test("what could not be undone is refused, wherever it is in what is put in", () => {
  const accessor = {
    get a() {
      throw new Error("never read");
    },
  };
  const refused: readonly [unknown, RegExp][] = [
    [Object.freeze({ a: 1 }), /a frozen object cannot be kept/],
    [Object.seal([1]), /a frozen object/],
    [Object.preventExtensions(new Map()), /a frozen object/],
    [accessor, /an accessor \(a\)/],
    [Buffer.from("bytes"), /an instance of Buffer/],
    [new ArrayBuffer(3), /an instance of ArrayBuffer/],
    [new DataView(new ArrayBuffer(3)), /an instance of DataView/],
    [new URL("http://example.com"), /an instance of URL/],
    [() => 1, /a function/],
    [1n << 20_000n, /a bigint of more than 2048 bytes/],
  ];
  for (const [value, message] of refused) {
    const error = { code: "BAD_VALUE", message };
    for (const put of [value, [value], { deep: { value } }, new Map([[value, 1]]), new Map([[1, value]])]) {
      assertRefused((seen) => void (seen.value = put), error);
      assertRefused((seen) => void seen.items.push(1, put), error);
      assertRefused((seen) => void seen.byName.set("key", put), error);
    }
    assertRefused((seen) => void seen.names.add(value), error);
    const fields = {
      code: "INVALID_ARGUMENT",
      message: new RegExp(`Kept.value is ${message.source.split(" cannot")[0]}`),
    };
    if (typeof value !== "object" || ArrayBuffer.isView(value))
      assert.throws(() => trackedInstance(Object.assign(new Kept(), { value })), fields);
    const inside = { code: "INVALID_ARGUMENT", message: /Kept.value holds .*, which cannot be undone/ };
    assert.throws(() => trackedInstance(Object.assign(new Kept(), { value: [{ value }] })), inside);
  }
});

test("an array's length is checked before anything is noted", () => {
  for (const length of [-1, 1.5, 2 ** 32, "x"])
    assertRefused((seen) => void (seen.items.length = length as number), { name: "RangeError" });
});

test("more elements than a call has arguments go in, and out again", () => {
  const { seen, state, journal } = trackedInstance(new Kept());
  const many = Array.from({ length: 60_000 }, (_, index) => index);
  seen.items.unshift(...many);
  seen.items.splice(60_001, 1, ...many);
  assert.deepEqual(state["items"], [...many, "a", ...many, "c"]);
  journal.rollback();
  assert.deepEqual(state["items"], ["a", "b", "c"]);
});

test("Object.defineProperty is noted as a change of an element and of the length", () => {
  const { seen, state, journal } = trackedInstance(new Kept());
  Object.defineProperty(seen.items, 5, { value: 1, writable: true, enumerable: true, configurable: true });
  Object.defineProperty(seen.items, "length", { value: 1 });
  assert.deepEqual(state["items"], ["a"]);
  journal.rollback();
  assert.deepEqual(state["items"], ["a", "b", "c"]);
});

test("a typed array takes elements alone, and its callbacks see the one that is noted", () => {
  const { seen, state, journal } = trackedInstance(new Kept());
  seen.bigs[2] = 5n;
  assert.equal(journal.size, 0);
  assert.throws(() => Object.assign(seen.bigs, { name: "x" }), TypeError);
  assert.throws(() => Object.defineProperty(seen.bytes, 0, { value: 1 }), TypeError);
  seen.bytes.forEach((byte, index, all) => {
    all[index] = byte * 2;
  });
  assert.deepEqual(state["bytes"], new Uint8Array([6, 2, 4]));
  journal.rollback();
  assert.deepEqual(state["bytes"], new Uint8Array([3, 1, 2]));
});

test("an object without a prototype is one like any other", () => {
  const { seen, state, journal } = trackedInstance(new Kept());
  seen.value = Object.assign(Object.create(null), { inside: [1] });
  journal.clear();
  const value = seen.value as { inside: number[]; more?: string };
  value.inside.push(2);
  value.more = "x";
  journal.rollback();
  assert.deepEqual(state["value"], Object.assign(Object.create(null), { inside: [1] }));
});

test("what is in the state of one key is copied into that of another", () => {
  const one = trackedInstance(new Kept());
  const other = trackedInstance(new Kept());
  one.seen.value = { list: [1], when: new Date(5) };
  const given = { inside: [1] };
  one.seen.items.push(given, given.inside);
  other.seen.items.push(given, given.inside, one.seen.value, { deep: [one.seen.when] });
  other.seen.names.add(one.seen.bytes);
  const copied = other.seen.items.slice(3) as [{ inside: number[] }, number[], { list: number[] }, { deep: Date[] }];
  const before = structuredClone(one.state);
  copied[0].inside.push(2);
  copied[1].push(3);
  copied[2].list.push(4);
  copied[3].deep[0]!.setTime(77);
  ([...other.seen.names].at(-1) as Uint8Array).fill(9);
  assert.deepEqual(one.state, before);
  assert.deepEqual((other.state["items"] as unknown[]).slice(3), [
    { inside: [1, 2] },
    [1, 3],
    { list: [1, 4], when: new Date(5) },
    { deep: [new Date(77)] },
  ]);
  const constant = { limit: 1 };
  const made = [1, 2, 3].map(() => trackedInstance(Object.assign(new Kept(), { value: constant })));
  (made[1]!.seen.value as { limit: number }).limit = 2;
  assert.deepEqual(
    made.map(({ state }) => state["value"]),
    [{ limit: 1 }, { limit: 2 }, { limit: 1 }],
  );
});

test("members of sets and keys of maps that were taken out go in again as what they were", () => {
  const { seen, state } = trackedInstance(new Kept());
  const date = new Date(5);
  seen.names = new Set([{ id: 1 }, date, { id: 2 }]);
  for (let round = 0; round < 3; round++) seen.names = new Set([...seen.names]);
  seen.byName = new Map([...seen.names].map((name) => [name, name]));
  const [first] = seen.names;
  assert.equal(seen.names.delete(first) && seen.byName.delete(first), true);
  assert.deepEqual(state["names"], new Set([date, { id: 2 }]));
  const encoded = decode(encode(state)) as Kept;
  assert.deepEqual([...encoded.names], [date, { id: 2 }]);
  assert.deepEqual([...encoded.byName.keys()], [date, { id: 2 }]);
});

test("built-ins see a tracked Date, and a tracked Set where the runtime compares sets", () => {
  const { seen, state, journal } = trackedInstance(new Kept());
  assert.equal(new Date(seen.when).getTime(), 1_234_567);
  assert.equal(structuredClone(seen.when).getTime(), 1_234_567);
  assert.equal(seen.when.setMilliseconds(1), 1_234_001);
  assert.deepEqual([state["when"], seen.when.toISOString()], [new Date(1_234_001), "1970-01-01T00:20:34.001Z"]);
  journal.rollback();
  assert.deepEqual([state["when"], new Date(seen.when)], [new Date(1_234_567), new Date(1_234_567)]);
  const names = seen.names as unknown as Record<string, ((other: Set<unknown>) => unknown) | undefined>;
  for (const [method, expected] of [
    ["union", new Set(["one", "two", "three"])],
    ["intersection", new Set(["two"])],
    ["difference", new Set(["one"])],
    ["symmetricDifference", new Set(["one", "three"])],
    ["isSubsetOf", false],
    ["isSupersetOf", false],
    ["isDisjointFrom", false],
  ] as const) {
    if (Object.hasOwn(Set.prototype, method))
      assert.deepEqual(names[method]!(new Set(["two", "three"])), expected, method);
  }
});

test("what comes in by one call at many places is counted at each of them", () => {
  const counted = (change: (items: unknown[]) => void): number => {
    const { seen, tracker } = trackedInstance(new Kept());
    seen.items.push(...new Array(97).fill("x".repeat(1_000)));
    tracker.growth = 0;
    change(seen.items);
    return tracker.growth;
  };
  const text = "y".repeat(1_000);
  assert.ok(counted((items) => items.fill(text)) > 100_000);
  assert.ok(counted((items) => items.fill(text, 98)) < 10_000);
  assert.ok(counted((items) => items.fill(text, 50, 40)) < 10_000);
  assert.ok(counted((items) => items.copyWithin(0, 50)) > 50_000);
  assert.ok(counted((items) => void (items.length = 50_000)) > 140_000);
  assert.ok(counted((items) => void (items[50_000] = 1)) > 140_000);
  for (const far of [(items: unknown[]) => (items.length = 4e9), (items: unknown[]) => (items[4e9] = 1)])
    assertRefused((seen) => void far(seen.items), { code: "VALUE_TOO_BIG", message: /grows by .* holes/ });
});

test("a state that grows deeper than can be encoded is refused where it does", () => {
  const { seen, state } = trackedInstance({ root: {} as Record<string, unknown> });
  let at = seen.root;
  assert.throws(
    () => {
      for (;;) {
        at["next"] = {};
        at = at["next"] as Record<string, unknown>;
      }
    },
    { code: "BAD_VALUE", message: /nests deeper/ },
  );
  assert.throws(() => void (at["list"] = [1]), { code: "BAD_VALUE" });
  at["leaf"] = 1;
  assert.ok(encode(["State", 1, state]).length > 60);
});

test("an object that is in a value many times is looked at once", () => {
  let chain: unknown = [1];
  for (let level = 0; level < 40; level++) chain = { left: chain, right: chain };
  const { seen, state } = trackedInstance(new Kept());
  seen.value = chain;
  assert.ok(encode(state).length < 2_000);
  assert.ok(encode(unwrapped({ chain, value: seen.value })).length < 4_000);
  const cycle: unknown[] = [];
  cycle.push(cycle, [1], cycle);
  assertRefused((kept) => void (kept.value = cycle), { code: "BAD_VALUE", message: /or in itself/ });
  const copy = unwrapped(cycle) as unknown[];
  assert.deepEqual([copy[0] === copy, copy[2] === copy, copy === cycle], [true, true, false]);
});

test("bytes of a state can be played", () => {
  const { seen } = trackedInstance(new Kept());
  const args = argumentsOf("SET", ["key", seen.bytes, { bytes: seen.bytes }]);
  assert.deepEqual([...args.bytes(2)], [3, 1, 2]);
  assert.deepEqual(decode(args.buffer, args.start(3), args.end(3)), { bytes: new Uint8Array([3, 1, 2]) });
});

class Shelf extends Structure {
  bytes: Uint8Array = new Uint8Array([1, 2, 3]);
  things: unknown[] = [];

  static SHELF_TO(hive: HiveCalls, from: string, to: string): unknown[] {
    const source = hive.open(Shelf, from);
    const target = hive.open(Shelf, to);
    source.things.push({ at: from });
    target.things = source.things;
    (target.things[0] as { at: string }).at = to;
    return [source.things, target.things];
  }

  KEEP(): number {
    this.hive.play("SET", "kept", this.bytes);
    return this.list<Uint8Array>("pages").push(this.bytes);
  }
}

test("in a hive: two keys share nothing, bytes are played, shared values do not hold it up", async () => {
  const hive = await Hive.start({ port: 0, structures: [Shelf, Fifo] });
  const db = await connect(hive);
  try {
    assert.deepEqual(await db.send(["SHELF_TO", "a", "b"]), [[{ at: "a" }], [{ at: "b" }]]);
    assert.equal(await db.send(["KEEP", "a"]), 1);
    assert.deepEqual(await db.send(["GET", "kept"], { as: "bytes" }), new Uint8Array([1, 2, 3]));
    let chain: unknown = [1];
    for (let level = 0; level < 40; level++) chain = [chain, chain];
    assert.equal(await db.send(["FIFOADD", "q", chain]), "OK");
    await assert.rejects(db.send(["FIFOADD", "q", new DataView(new ArrayBuffer(1))]), { code: "BAD_VALUE" });
    assert.deepEqual(encode(await db.send(["POP", "q"])), encode(chain));
  } finally {
    await db.close();
    await hive.close();
  }
});
