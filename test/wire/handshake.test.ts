// What the two ends read of each other's handshake.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readHello, readWelcome } from "../../src/wire/handshake.ts";

const HELLO = { heartbeatMs: 0 };
const LIMITS = {
  frameBytesMax: 1,
  argumentsMax: 2,
  keyBytesMax: 3,
  valueBytesMax: 4,
  valueDepthMax: 5,
  openCallsMax: 6,
};
const WELCOME = { version: 1, hive: "1", runId: "r", connectionId: 9, heartbeatMs: 0, limits: LIMITS };

test("what may be absent is absent, and what is not known is passed over", () => {
  assert.deepEqual(readHello({ ...HELLO, later: [1] }), { heartbeatMs: 0, features: [] });
  assert.deepEqual(readWelcome({ ...WELCOME, limits: { ...LIMITS, later: 1 }, later: 1 }), {
    ...WELCOME,
    features: [],
  });
});

test("what is of the wrong type is refused, and so is what must be there", () => {
  for (const wrong of [
    undefined,
    null,
    "text",
    [],
    new Map([["heartbeatMs", 0]]),
    {},
    { ...HELLO, heartbeatMs: -1 },
    { ...HELLO, heartbeatMs: 0.5 },
    { ...HELLO, heartbeatMs: 5n },
    { ...HELLO, heartbeatMs: Number.NaN },
    { ...HELLO, token: 1 },
    { ...HELLO, name: null },
    { ...HELLO, library: new Uint8Array(1) },
    { ...HELLO, features: "x" },
    { ...HELLO, features: [1] },
  ]) {
    assert.throws(() => readHello(wrong), { code: "BAD_FRAME" }, String(wrong));
  }
  for (const name of Object.keys(WELCOME)) {
    assert.throws(() => readWelcome({ ...WELCOME, [name]: undefined }), { code: "BAD_FRAME" }, name);
  }
  for (const name of Object.keys(LIMITS)) {
    assert.throws(() => readWelcome({ ...WELCOME, limits: { ...LIMITS, [name]: "1" } }), { code: "BAD_FRAME" }, name);
  }
});

test("a hive that goes on with a version that was not offered is not spoken to", () => {
  for (const version of [0, 2, 255]) assert.throws(() => readWelcome({ ...WELCOME, version }), { code: "NO_PROTOCOL" });
});
