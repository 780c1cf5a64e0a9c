// What is encoded comes back, in the bytes that value-vectors.json says, whatever it is and wherever it lies.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import { Double, decode, encode, encodeInteger, encodeInto, Scratch, walk } from "../../src/wire/value.ts";
import { assertSameGraph } from "./value-graph.ts";
import { fromNotation } from "./value-notation.ts";

type Vector = { description: string; hex: string; value: unknown };

const vectors: { values: Vector[] } = JSON.parse(readFileSync(new URL("value-vectors.json", import.meta.url), "utf8"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("every vector is encoded to its bytes and decoded to its value, at any place in a buffer", () => {
  for (const { description, hex: expected, value: notation } of vectors.values) {
    assert.equal(hex(encode(fromNotation(notation))), expected, description);

    const bytes = Buffer.from(expected, "hex");
    for (const offset of [0, 1, 3, 8]) {
      const end = offset + bytes.length;
      const around = new Uint8Array(end + 5).fill(0x91);
      around.set(bytes, offset);
      walk(around, offset, end);
      for (const back of [
        decode(around, offset, end),
        decode(around.subarray(offset, end)),
        decode(Buffer.from(around), offset, end),
      ]) {
        assertSameGraph(back, fromNotation(notation, "values"), description);
      }
      const doubles = decode(around, offset, end, { as: "doubles" });
      assert.equal(hex(encode(doubles)), expected, `${description}, with doubles`);
    }
  }
});

test("decoded bytes and views share no memory with what they came from", () => {
  const bytes = encode({ raw: new Uint8Array([1, 2]), view: new Int16Array([3]) });
  const value = decode(bytes) as { raw: Uint8Array; view: Int16Array };
  bytes.fill(0);

  assert.deepEqual(value, { raw: new Uint8Array([1, 2]), view: new Int16Array([3]) });
  assert.equal(value.raw.constructor, Uint8Array, "no Buffer");
  assert.equal(value.raw.buffer.byteLength, 2);
});

test("a Float16Array comes back where the runtime has one, and is refused by name where it has not", () => {
  const bytes = Buffer.from("c703050c003e", "hex");
  walk(bytes);
  const runtime = globalThis as { Float16Array?: unknown };
  const Float16 = runtime.Float16Array as (new (elements: number[]) => object) | undefined;
  if (Float16) assert.deepStrictEqual(decode(bytes), new Float16([1.5]));
  try {
    runtime.Float16Array = undefined;
    assert.throws(() => decode(bytes), { code: "BAD_VALUE", message: "this runtime has no Float16Array" });
  } finally {
    if (Float16) runtime.Float16Array = Float16;
    else Reflect.deleteProperty(runtime, "Float16Array");
  }
});

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: false,
  withBoxedValues: false,
  withSparseArray: false,
  maxDepth: 6,
});

test("any value of JavaScript comes back, and its second encoding is the first", () => {
  fc.assert(
    fc.property(anything, (value) => {
      const bytes = encode(value);
      walk(bytes);
      const back = decode(bytes);
      assert.deepStrictEqual(back, value);
      assert.equal(hex(encode(back)), hex(bytes));
    }),
    { numRuns: 3_000 },
  );
});

test("any number and any bigint come back, doubles as Doubles where that is asked for", () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.maxSafeInteger(), fc.integer()), (number) => {
      assert.ok(Object.is(decode(encode(number)), number));
      const double = decode(encode(new Double(number)), 0, 9, { as: "doubles" }) as Double;
      assert.ok(double instanceof Double && Object.is(double.value, number));
    }),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), fc.integer({ min: 0, max: 200 }), (big, shift) => {
      const value = big >> BigInt(shift);
      const bytes = encode(value);
      walk(bytes);
      assert.equal(decode(bytes), value);
    }),
    { numRuns: 5_000 },
  );
});

test("any graph of objects keeps its shape, as structuredClone keeps it", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(60), fc.nat(60)), { minLength: 1, maxLength: 60 }), (plan) => {
      const graph = graphOf(plan);
      const bytes = encode(graph);
      walk(bytes);
      assertSameGraph(decode(bytes), structuredClone(graph), "graph");
    }),
    { numRuns: 1_000 },
  );
});

/** One node per entry, of six kinds, with up to two edges to any nodes. No path is longer than 61. */
function graphOf(plan: readonly (readonly [kind: number, to: number, also: number])[]): object[] {
  const kinds = [() => ({}), () => [], () => new Map(), () => new Set(), () => new Date(1), () => new Uint8Array(3)];
  const nodes: object[] = plan.map(([kind]) => kinds[kind]!());
  plan.forEach(([, to, also], index) => {
    const node = nodes[index]!;
    const first = nodes[to % nodes.length]!;
    const second = nodes[also % nodes.length]!;
    if (Array.isArray(node)) node.push(first, second);
    else if (node instanceof Map) node.set(first, second);
    else if (node instanceof Set) node.add(first);
    else if (!(node instanceof Date || node instanceof Uint8Array)) Object.assign(node, { first, second });
  });
  return nodes;
}

test("an object that is met twice is encoded once, beyond 16 objects too", () => {
  const shared = { text: "x".repeat(1_000) };
  const few = [shared, shared];
  assert.ok(encode(few).length < 1_050);

  const others = Array.from({ length: 40 }, (_, number) => ({ number }));
  const many = [shared, ...others, shared, others[39]];
  const back = decode(encode(many)) as object[];
  assert.equal(back[41], back[0]);
  assert.equal(back[42], back[40]);
  assert.ok(encode(many).length < 1_600);
});

test("no name of a property reaches Object.prototype", () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__"];
  const object = {};
  for (const name of names) {
    Object.defineProperty(object, name, {
      value: { polluted: name },
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  for (const value of [object, [object], new Map([["a", object]]), { inner: { ...object } }]) {
    const back = decode(encode(value));
    assert.deepStrictEqual(back, value);
    assert.equal(Object.getPrototypeOf(Array.isArray(back) ? back[0] : object), Object.prototype);
  }
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.equal(Object.hasOwn(decode(encode(object)) as object, "__proto__"), true);
});

test("a setter that a program put on Object.prototype is not called", () => {
  const calls: unknown[] = [];
  Object.defineProperty(Object.prototype, "trap", { set: (value) => calls.push(value), configurable: true });
  try {
    const bytes = Buffer.from("81a47472617001", "hex");
    for (let round = 0; round < 2; round++) assert.equal(Object.hasOwn(decode(bytes) as object, "trap"), true);
  } finally {
    Reflect.deleteProperty(Object.prototype, "trap");
  }
  assert.deepEqual(calls, []);
});

test("a name that an object inherits is not encoded", () => {
  Object.assign(Object.prototype, { inherited: 1 });
  try {
    assert.equal(hex(encode({ a: 1 })), "81a16101");
  } finally {
    Reflect.deleteProperty(Object.prototype, "inherited");
  }
});

test("what structuredClone copies of a class is encoded, and what another process cannot mean is refused", () => {
  class Point {
    x = 1;
    y = 2;
    get sum(): number {
      return this.x + this.y;
    }
  }
  class Names extends Map<string, number> {}
  assert.deepStrictEqual(decode(encode(new Point())), { x: 1, y: 2 });
  assert.deepStrictEqual(decode(encode(Object.assign(Object.create(null), { a: 1 }))), { a: 1 });
  assert.deepStrictEqual(decode(encode(new Names([["a", 1]]))), new Map([["a", 1]]));
  assert.deepStrictEqual(decode(encode(Buffer.from("ab"))), new Uint8Array([97, 98]));
  assert.deepStrictEqual(decode(encode(Object.assign([1], { 2: 3 }))), [1, undefined, 3]);
  assert.deepStrictEqual(decode(encode({ a: undefined, [Symbol("s")]: 1 })), { a: undefined });
  assert.deepStrictEqual(decode(encode("\ud800")), "\ufffd", "a lone surrogate has no UTF-8");

  const refused: [value: unknown, message: RegExp][] = [
    [() => 1, /cannot encode a function/],
    [{ a: [Symbol("s")] }, /cannot encode a symbol/],
    [Promise.resolve(1), /cannot encode a Promise/],
    [new WeakMap(), /cannot encode a WeakMap/],
    [Object(1), /cannot encode a Number/],
    [new URL("http://a"), /cannot encode a URL/],
    [new SharedArrayBuffer(1), /cannot encode a SharedArrayBuffer/],
    [1n << 16_384n, /bigint of 2049 bytes exceeds 2048/],
  ];
  for (const [value, message] of refused) assert.throws(() => encode(value), { code: "BAD_VALUE", message });
});

test("values of another realm are what they are there", () => {
  const code =
    "({ map: new Map([[1, { a: [/x/g] }]]), set: new Set([1]), date: new Date(5), error: new TypeError('t'), bytes: new Uint8Array(2), floats: new Float32Array(1) })";
  const foreign: Record<string, unknown> = vm.runInNewContext(code);
  const back = decode(encode(foreign)) as Record<string, unknown>;

  assert.deepStrictEqual(back["map"], new Map([[1, { a: [/x/g] }]]));
  assert.deepStrictEqual(back["set"], new Set([1]));
  assert.deepStrictEqual(back["date"], new Date(5));
  assert.deepStrictEqual(back["bytes"], new Uint8Array(2));
  assert.deepStrictEqual(back["floats"], new Float32Array(1));
  assert.ok(back["error"] instanceof TypeError && back["error"].message === "t");
});

test("an Error keeps its class, name, code and a few causes, and nothing of this machine", () => {
  let error: Error = new Error("the first");
  for (let i = 0; i < 20; i++)
    error = Object.assign(new RangeError(`after ${i}`, { cause: error }), { code: "E_AFTER" });
  let back = decode(encode(error)) as Error;

  assert.ok(back instanceof RangeError);
  assert.equal((back as { code?: unknown }).code, "E_AFTER");
  assert.equal(back.stack, "RangeError: after 19", "no frames, neither sent nor of the decoder");
  let causes = 0;
  for (; back.cause !== undefined; back = back.cause as Error) causes++;
  assert.equal(causes, 8);

  const odd = decode(encode(new Error("x", { cause: { socket: () => 1 } }))) as Error;
  assert.equal("cause" in odd, false, "a cause that is neither an Error nor a primitive is dropped");
  assert.ok(Error.stackTraceLimit > 0);
});

test("nesting is bounded at both ends, by the limit that is given", () => {
  const nested = (depth: number): unknown => {
    let value: unknown = [];
    for (let i = 1; i < depth; i++) value = i % 2 ? { value } : new Set([value]);
    return value;
  };
  walk(encode(nested(64)));
  assert.throws(() => encode(nested(65)), { code: "BAD_VALUE", message: "value nests deeper than 64" });
  const deep = encode(nested(100), { depthMax: 100 });
  assert.throws(() => walk(deep), { code: "BAD_VALUE", message: /nested too deep/ });
  walk(deep, 0, deep.length, 100);
  assert.deepStrictEqual(encode(decode(deep), { depthMax: 100 }), deep);
  assert.throws(() => encode(nested(1_001), { depthMax: 2_000 }), { code: "BAD_VALUE" });
  assert.throws(() => decode(new Uint8Array(1_001).fill(0x91, 0, 1_000).fill(0x90, 1_000)), { code: "BAD_VALUE" });
});

test("values are appended to a scratch that grows, and a failure takes back its own bytes only", () => {
  const scratch = new Scratch(1);
  encodeInto(1, scratch);
  encodeInto({ a: "x".repeat(10_000), b: new Uint8Array(100_000) }, scratch);
  const end = scratch.end;
  assert.throws(() => encodeInto([1, { a: () => 1 }], scratch), { code: "BAD_VALUE" });
  assert.equal(scratch.end, end);
  encodeInto([], scratch);

  assert.equal(decode(scratch.bytes, 0, 1), 1);
  assert.deepEqual(decode(scratch.bytes, 1, end), { a: "x".repeat(10_000), b: new Uint8Array(100_000) });
  assert.deepEqual(decode(scratch.bytes, end, scratch.end), []);
  assert.equal(scratch.copy(end).length, 1);

  encodeInto(new Uint8Array(2_000_000), scratch);
  scratch.reset();
  assert.equal(scratch.end, 0);
  assert.ok(scratch.bytes.length < 10_000, "one big value is not kept for ever");
});

test("a getter that encodes, throws or changes what is being encoded leaves the codec whole", () => {
  const inner = { shared: [1] };
  const nosy = {
    first: inner,
    get bytes(): Uint8Array {
      return encode([inner, inner]);
    },
    last: inner,
  };
  const back = decode(encode(nosy)) as Record<string, unknown>;
  assert.equal(back["first"], back["last"]);
  assert.deepEqual(decode(back["bytes"] as Uint8Array), [inner, inner]);

  const failing = {
    get a(): never {
      throw new RangeError("mine");
    },
  };
  assert.throws(() => encode(failing), new RangeError("mine"));

  const map = new Map<string, unknown>([["a", 1]]);
  map.set("b", {
    get grows(): number {
      map.set("c", 1);
      return 1;
    },
  });
  assert.throws(() => encode(map), { code: "BAD_VALUE", message: "a Map changed while it was encoded" });
  assert.deepEqual(decode(encode([inner, inner])), [inner, inner]);
});

test("integers are encoded as numbers of that value are, in exact 64 bits", () => {
  for (const value of [0, -0, 1, -1, 2 ** 31, -(2 ** 53) + 1, 5n, 2n ** 53n, -(2n ** 63n), 2n ** 64n - 1n]) {
    const scratch = new Scratch();
    encodeInteger(value, scratch);
    walk(scratch.bytes, 0, scratch.end);
    const back = decode(scratch.bytes, 0, scratch.end);
    assert.equal(BigInt(back as number), BigInt(value));
    assert.equal(typeof back, Number.isSafeInteger(Number(value)) ? "number" : "bigint");
  }
  for (const value of [0.5, 2 ** 53, Number.NaN, 2n ** 64n, -(2n ** 63n) - 1n]) {
    assert.throws(() => encodeInteger(value, new Scratch()), { code: "BAD_VALUE" });
  }
});
