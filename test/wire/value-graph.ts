// Same graph: equal values whose objects are also shared in the same places.
//
// assert.deepStrictEqual takes [x, x] and [{}, {}] for equal, and overflows on an Error that is its own
// cause. Here each object of one side has exactly one partner on the other, and pairs wait in a list.

import assert from "node:assert/strict";

/** Fails with `message` where the two differ in content, type or sharing. */
export function assertSameGraph(actual: unknown, expected: unknown, message: string): void {
  const partners = new Map<object, object>();
  const partnersBack = new Map<object, object>();
  const pairs: [unknown, unknown][] = [[actual, expected]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [one, other] = pair;
    if (!isObject(one) || !isObject(other)) {
      assert.ok(Object.is(one, other), `${message}: ${String(one)} is not ${String(other)}`);
      continue;
    }
    if (partners.has(one) || partnersBack.has(other)) {
      assert.equal(partners.get(one), other, `${message}: shared in another place`);
      assert.equal(partnersBack.get(other), one, `${message}: shared in another place`);
      continue;
    }
    partners.set(one, other);
    partnersBack.set(other, one);
    assert.equal(Object.getPrototypeOf(one), Object.getPrototypeOf(other), message);
    const parts = partsOf(one);
    const otherParts = partsOf(other);
    assert.equal(parts.length, otherParts.length, message);
    for (let index = 0; index < parts.length; index++) pairs.push([parts[index], otherParts[index]]);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What an object consists of, in order; names too. */
function partsOf(object: object): unknown[] {
  if (object instanceof Map) return [...object].flat(1);
  if (object instanceof Set) return [...object];
  if (object instanceof Date) return [object.getTime()];
  if (object instanceof RegExp) return [object.source, object.flags];
  if (object instanceof ArrayBuffer) return [Buffer.from(object).toString("hex")];
  if (ArrayBuffer.isView(object)) {
    return [Buffer.from(object.buffer, object.byteOffset, object.byteLength).toString("hex")];
  }
  const fields = Object.entries(object).flat(1);
  return object instanceof Error ? [object.name, object.message, object.cause, ...fields] : fields;
}
