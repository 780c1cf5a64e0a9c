// Others read what we write and we read what they write: @msgpack/msgpack, and Python's msgpack of Debian.
//
// Both are told about our extensions in a few lines, which is also what a second implementation needs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import * as msgpack from "@msgpack/msgpack";
import fc from "fast-check";
import { decode, encode, walk } from "../../src/wire/value.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";
import { fromNotation } from "./value-notation.ts";

const vectors: { values: { description: string; hex: string; value: unknown }[] } = JSON.parse(
  readFileSync(new URL("value-vectors.json", import.meta.url), "utf8"),
);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

// What JSON has, with integers of every width, and bytes and dates, which MessagePack has itself.
const common = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom(null, true, false, 0, -1, 127, 128, -32, -33, 65_535, 65_536, 2 ** 32, 2 ** 53 - 1),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double().filter((number) => !Object.is(number, -0)),
    fc.string({ unit: "binary", maxLength: 40 }).filter((text) => text.isWellFormed()),
    fc.uint8Array({ maxLength: 300 }),
    fc.date({ noInvalidDate: true, min: new Date(-(2 ** 52)), max: new Date(2 ** 52) }),
    fc.array(tie("value"), { maxLength: 20 }),
    // @msgpack/msgpack refuses the name __proto__; null prototypes do not cross any wire.
    fc.dictionary(
      fc.string({ maxLength: 12 }).filter((name) => name !== "__proto__"),
      tie("value"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value;

test("@msgpack/msgpack reads what we write and writes the same bytes", () => {
  fc.assert(
    fc.property(common, (value) => {
      const ours = encode(value);
      assert.deepStrictEqual(msgpack.decode(ours), value);
      assert.equal(hex(msgpack.encode(value)), hex(ours));
    }),
    { numRuns: 2_000 },
  );
});

test("we read what @msgpack/msgpack writes", () => {
  fc.assert(
    fc.property(common, (value) => {
      const theirs = msgpack.encode(value);
      walk(theirs);
      assert.deepStrictEqual(decode(theirs), value);
    }),
    { numRuns: 2_000 },
  );
});

test("an extension codec of ten lines gives @msgpack/msgpack our Map, Set, undefined and RegExp", () => {
  const extensionCodec = new msgpack.ExtensionCodec();
  const options = { extensionCodec };
  const inside = (data: Uint8Array): unknown[] => msgpack.decode(data, options) as unknown[];
  const pairs = (flat: unknown[]): [unknown, unknown][] =>
    flat.flatMap((key, index) => (index % 2 === 0 ? [[key, flat[index + 1]] as [unknown, unknown]] : []));
  const register = (type: number, decodeIt: (data: Uint8Array) => unknown): void =>
    extensionCodec.register({ type, encode: () => null, decode: decodeIt });
  register(0, () => undefined);
  register(2, (data) => new Map(pairs(inside(data))));
  register(3, (data) => new Set(inside(data)));
  register(6, (data) => new RegExp(...(inside(data) as [string, string])));

  const value = {
    map: new Map<unknown, unknown>([
      [1, new Set(["a"])],
      ["b", undefined],
    ]),
    pattern: /a+/gi,
  };
  assert.deepStrictEqual(msgpack.decode(encode(value), options), value);
});

// Unpacks and packs again with the library's own defaults. Timestamps and other extensions stay what
// they are, so what comes back shows that each was a whole, well-formed object of MessagePack.
const REPACK = `
import json, msgpack, sys
hexes = json.load(sys.stdin)
print(json.dumps([msgpack.packb(msgpack.unpackb(bytes.fromhex(each))).hex() for each in hexes]))
`;

// Values of Python's own making, and what they are in the notation of JSON.
const INVENT = `
import datetime, json, msgpack, random, sys
random.seed(int(sys.argv[1]))
def number():
    return random.choice([random.randint(-2**random.randint(0, 52), 2**random.randint(0, 52)), random.uniform(-1e9, 1e9)])
def value(depth):
    kind = random.randint(0, 8 if depth < 4 else 5)
    if kind < 2: return number()
    if kind < 4: return ''.join(chr(random.choice([random.randint(32, 126), random.randint(160, 55295), random.randint(65536, 70000)])) for _ in range(random.randint(0, 40)))
    if kind == 4: return random.choice([None, True, False])
    if kind == 5: return random.uniform(-1, 1)
    if kind == 6: return [value(depth + 1) for _ in range(random.randint(0, 20))]
    return {'k%d' % n: value(depth + 1) for n in range(random.randint(0, 20))}
made = [value(0) for _ in range(300)]
special = [b'\\x00' * 300, datetime.datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=datetime.timezone.utc), 2**64 - 1, -2**63, float('nan')]
print(json.dumps({
  'made': [{'hex': msgpack.packb(each).hex(), 'json': json.dumps(each)} for each in made],
  'special': [msgpack.packb(each, datetime=True).hex() for each in special],
}))
`;

const skip = await installDebianPackages(["python3-msgpack"]);

async function python(program: string, input: string, args: string[] = []): Promise<unknown> {
  const running = promisify(execFile)("/usr/bin/python3", ["-c", program, ...args], { maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end(input);
  return JSON.parse((await running).stdout);
}

test("Python's msgpack unpacks everything that we write and packs the same bytes again", { skip }, async () => {
  const written = vectors.values.map(({ value }) => hex(encode(fromNotation(value))));
  const random = fc.sample(common, { numRuns: 500 }).map((value) => hex(encode(value)));
  const hexes = [...written, ...random];
  const repacked = (await python(REPACK, JSON.stringify(hexes))) as string[];

  for (const [index, each] of hexes.entries()) {
    assert.equal(repacked[index], each, vectors.values[index]?.description ?? each);
  }
});

test("we read what Python's msgpack writes, and write the same bytes again", { skip }, async (context) => {
  const seed = String(Date.now() % 1_000_000);
  context.diagnostic(`seed ${seed}`);
  const { made, special } = (await python(INVENT, "", [seed])) as {
    made: { hex: string; json: string }[];
    special: string[];
  };
  for (const each of made) {
    const bytes = Buffer.from(each.hex, "hex");
    walk(bytes);
    assert.deepStrictEqual(decode(bytes), JSON.parse(each.json), each.hex);
    const doubles = decode(bytes, 0, bytes.length, { as: "doubles" });
    assert.equal(hex(encode(doubles)), each.hex);
  }
  const values = special.map((each) => {
    walk(Buffer.from(each, "hex"));
    return decode(Buffer.from(each, "hex"));
  });
  assert.deepStrictEqual(values, [
    new Uint8Array(300),
    new Date("2024-02-29T12:30:15.250Z"),
    2n ** 64n - 1n,
    -(2n ** 63n),
    Number.NaN,
  ]);
});
