// The values of devices and sessions: what MessagePack with our extensions carries comes back as it was, an instance
// as one of its class; everything else is refused by its name before anything is sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, type ClientOptions, connect, Instance, isHiveError } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { RespClient } from "../kit/resp-client.ts";
import { assertSameGraph } from "../wire/value-graph.ts";

async function withHive(run: (db: Client, hive: Hive) => Promise<void>, options: ClientOptions = {}): Promise<void> {
  await using hive = await Hive.start({ port: 0 });
  await using db = await connect(hive, options);
  await run(db, hive);
}

function cycle(): unknown {
  const one: Record<string, unknown> = { name: "one" };
  one["self"] = one;
  one["list"] = [one, new Map([[one, one]]), new Set([one])];
  return one;
}

function sharing(): unknown {
  const shared = { n: 1 };
  const bytes = new Uint8Array([1, 2]);
  return [shared, shared, { shared }, bytes, bytes];
}

const VALUES: readonly (readonly [string, unknown])[] = [
  ["text", "ä\0 😀"],
  ["empty text", ""],
  ["a number", 21.5],
  ["minus zero", -0],
  ["no number", Number.NaN],
  ["infinity", Number.NEGATIVE_INFINITY],
  ["2^53", 2 ** 53],
  ["true", true],
  ["null", null],
  ["undefined", undefined],
  ["a small bigint", 5n],
  ["a big bigint", -(2n ** 200n)],
  [
    "a Map",
    new Map<unknown, unknown>([
      ["a", 1],
      [{ b: 1 }, new Map()],
      [1, undefined],
    ]),
  ],
  ["a Set", new Set<unknown>([1, "1", [1], null])],
  ["a Date", new Date(1_234_567_890_123)],
  ["the invalid Date", new Date(Number.NaN)],
  ["a RegExp", /a(?<b>\d+)/giu],
  ["an Error", Object.assign(new RangeError("too far", { cause: new Error("why") }), { code: "E" })],
  ["undefined inside", { a: undefined, b: [undefined], c: 1 }],
  ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
  ["names that mean something", JSON.parse('{ "__proto__": 1, "constructor": 2, "toString": 3 }')],
  ["bytes", new Uint8Array([0, 255])],
  ["bytes inside", { raw: new Uint8Array([0, 255]) }],
  ["an ArrayBuffer", new Uint8Array([1, 2, 3]).buffer],
  ["a DataView", new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)],
  ["floats", new Float64Array([1.5, Number.NaN])],
  [
    "views of every kind",
    [
      ...[new Int8Array([-1]), new Uint8ClampedArray([1]), new Int16Array([-2]), new Uint16Array([2])],
      ...[new Int32Array([-3]), new Uint32Array([3]), new Float32Array([0.5]), new BigInt64Array([-4n])],
      new BigUint64Array([4n]),
    ],
  ],
  ["a cycle", cycle()],
  ["shared objects", sharing()],
  ["a deep array", Array.from({ length: 60 }).reduce((inner: unknown) => [inner], 1)],
];

test("every value comes back as it was, from a device and from a session", async () => {
  await withHive(async (db) => {
    const device = db.device("d");
    await using session = await db.session("d");
    for (const [what, value] of VALUES) {
      for (const memory of [device, session]) {
        await memory.put(what, value);
        assert.equal(await memory.has(what), true, what);
        const back = await memory.fetch(what);
        // What had no prototype is a plain object afterwards, as in every codec.
        if (what.startsWith("an object without")) assert.deepEqual(back, { a: 1 });
        else assertSameGraph(back, value instanceof DataView ? new DataView(Uint8Array.of(2).buffer) : value, what);
      }
    }
  });
});

class Reading {
  celsius: number;
  at = new Date(0);
  before: Reading | undefined = undefined;
  constructor(celsius: number) {
    this.celsius = celsius;
  }
  get fahrenheit(): number {
    return this.celsius * 1.8 + 32;
  }
  set set(_: number) {
    throw new Error("a setter was called");
  }
}
class Precise extends Reading {
  digits = 3;
}
class Money {
  readonly #cents: bigint;
  constructor(cents: bigint) {
    this.#cents = cents;
  }
  get cents(): bigint {
    return this.#cents;
  }
  static encode(money: Money): unknown {
    return { cents: money.#cents };
  }
  static decode({ cents }: { cents: bigint }): Money {
    return new Money(cents);
  }
}

test("instances of named classes come back as such, wherever they are in a value", async () => {
  await withHive(
    async (db) => {
      const device = db.device("d", { types: [Precise] });
      const first = new Reading(20);
      const second = new Precise(21.5);
      second.before = second;
      Object.defineProperty(second, "set", { value: 1, enumerable: true });
      await using session = await db.session("d", { types: [Precise] });
      for (const memory of [device, session]) {
        await memory.put("r", [first, first, new Map([[first, { second }]]), new Money(5n)]);
        const [one, again, map, money] = (await memory.fetch("r")) as [
          Reading,
          Reading,
          Map<Reading, { second: Precise }>,
          Money,
        ];
        assert.ok(one instanceof Reading && !(one instanceof Precise));
        assert.equal(one, again);
        assert.deepEqual([one.celsius, one.fahrenheit, one.at, one.before], [20, 68, new Date(0), undefined]);
        const { second: back } = map.get(one)!;
        assert.equal(Object.getPrototypeOf(back), Precise.prototype);
        assert.deepEqual([back.digits, back.before === back, back.set], [3, true, 1]);
        assert.ok(money instanceof Money);
        assert.equal(money.cents, 5n);
      }
      await session.merge("merged", { reading: first });
      await session.merge("merged", { other: 1 });
      assert.ok((await session.fetch<{ reading: Reading }>("merged"))!.reading instanceof Reading, "a merge keeps it");
    },
    { types: [Reading, Money] },
  );
});

test("a reader that has not named the class gets an Instance, and every door its fields", async () => {
  await withHive(async (db, hive) => {
    await db.device("d", { types: [Reading] }).put("r", new Reading(20));
    const device = db.device("d");
    const inert = await device.fetch<Instance>("r");
    assert.ok(inert instanceof Instance);
    assert.deepEqual([inert.type, inert.value], ["Reading", { celsius: 20, at: new Date(0), before: undefined }]);
    await device.put("again", inert);
    assert.ok((await db.device("d", { types: [Reading] }).fetch("again")) instanceof Reading, "it can be put back");
    assert.deepEqual(await db.table("$device:d").get("r"), inert);
    await using resp = await RespClient.connect({ port: hive.port });
    const { value } = await resp.call("HGET", "$device:d", "r");
    assert.equal(value, '{"celsius":20,"at":"1970-01-01T00:00:00.000Z","before":null}');
  });
});

test("an instance of another class is refused by its name, not flattened, and nothing is sent", async () => {
  class Pixels extends Uint8Array {}
  class Tags extends Map {}
  class Trouble extends Error {}
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ["a class", new Reading(1), /an instance of Reading: name its class in types: \[Reading\]/],
    ["inside", { list: [new Map([["a", new Reading(1)]])] }, /an instance of Reading/],
    ["a subclass of one that is named", new Precise(1), /an instance of Precise/],
    ["a Map of its own", new Tags(), /an instance of Tags/],
    ["an Error of its own", new Trouble(), /an instance of Trouble/],
    ["an AggregateError", new AggregateError([]), /an instance of AggregateError/],
    ["bytes of their own", new Pixels(2), /an instance of Pixels/],
    ["a URL", new URL("http://a"), /an instance of URL/],
    ["an object made of another", Object.create({ a: 1 }), /a prototype of its own, but without a class/],
    ["a promise", Promise.resolve(), /Promise/],
    ["a function", { f: function compute() {} }, /a function \(compute\): ship\(\) of memhive\/ship/],
    ["a symbol", Symbol("a"), /symbol/],
  ];
  await withHive(async (db) => {
    const other = db.device("d", { types: [] });
    const named = db.device("d", { types: [class Reading {}] });
    await using session = await db.session("d");
    for (const [what, value, message] of refused) {
      for (const memory of [other, named, session]) {
        const error = await memory.put(what, value).then(
          () => assert.fail(what),
          (reason: unknown) => reason,
        );
        assert.ok(isHiveError(error), what);
        assert.deepEqual([error.code, error.sent], ["BAD_VALUE", false], what);
        assert.match(error.message, message, what);
      }
    }
    await assert.rejects(session.merge("m", { r: new Reading(1) }), { code: "BAD_VALUE", message: /Reading/ });
    assert.deepEqual([await other.labels(), await session.labels()], [[], []]);
    await other.put("a Buffer is bytes", { bytes: Buffer.from([1]) });
    assert.deepEqual(await other.fetch("a Buffer is bytes"), { bytes: Uint8Array.of(1) });
  });
});

test("classes that cannot be carried are refused where they are named", async () => {
  await withHive(async (db, hive) => {
    const Other = { Reading: class Reading {} }.Reading;
    const wrong: readonly (readonly [readonly never[], RegExp])[] = [
      [[Reading, Other] as never[], /two classes have the name Reading/],
      [[class extends Map {}] as never[], /without a name/],
      [[class Tags extends Map {}] as never[], /Tags extends Map, whose content is no field: give Tags static encode/],
      [[Map] as never[], /Map extends Map/],
      [
        [
          class Secret {
            #a = 1;
            get a() {
              return this.#a;
            }
          },
        ] as never[],
        /Secret has private fields/,
      ],
      [
        [
          class Half {
            half = 1;
            static encode() {}
          },
        ] as never[],
        /come together/,
      ],
      [[{}] as never[], /expected a class/],
      [[() => 1] as never[], /expected a class/],
    ];
    for (const [types, message] of wrong) {
      assert.throws(() => db.device("d", { types }), { code: "REFUSED_SETTING", message });
      await assert.rejects(connect(hive, { types }), { code: "REFUSED_SETTING", message });
    }
    db.device("d", {
      types: [
        Reading,
        Reading,
        class Tag {
          note = "#no private field"; /* #a */
        },
      ],
    });
  });
});

test("what static encode() and decode() do wrong fails one call, and no name reaches a prototype", async () => {
  await withHive(async (db) => {
    const wrong = { gives: undefined as unknown };
    class Own {
      self: unknown = this;
      static encode(own: Own): unknown {
        return wrong.gives === "itself" ? own : { own: 1 };
      }
      static decode(): Own {
        if (wrong.gives === "throws") throw new Error("no");
        return wrong.gives as Own;
      }
    }
    const device = db.device("d", { types: [Own] });
    wrong.gives = "itself";
    await assert.rejects(device.put("o", new Own()), { code: "BAD_VALUE", message: /holds itself/ });
    await device.put("plain", { a: 1 });
    wrong.gives = {};
    await device.put("o", new Own());
    await assert.rejects(device.fetch("o"), { code: "BAD_VALUE", message: /decode\(\) of Own gave no Own/ });
    wrong.gives = "throws";
    await assert.rejects(device.fetch("o"), { code: "BAD_VALUE", message: /decode\(\) of Own failed: Error: no/ });
    assert.deepEqual(await device.fetch("plain"), { a: 1 });

    const sender = db.device("d", { types: [Reading] });
    const hostile = new Instance(
      "Reading",
      JSON.parse('{ "__proto__": { "polluted": 1 }, "constructor": 1, "set": 2 }'),
    );
    await sender.put("hostile", hostile);
    const back = (await sender.fetch<Reading>("hostile"))!;
    assert.equal(Object.getPrototypeOf(back), Reading.prototype);
    assert.deepEqual(Object.keys(back), ["__proto__", "constructor", "set"]);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    for (const name of ["__proto__", "constructor", "toString"]) {
      await sender.put("name", new Instance(name, { a: 1 }));
      assert.deepEqual(await sender.fetch("name"), new Instance(name, { a: 1 }));
    }
    await sender.put("no fields", new Instance("Reading", 7));
    await assert.rejects(sender.fetch("no fields"), { code: "BAD_VALUE", message: /is read by its static decode/ });
  });
});
