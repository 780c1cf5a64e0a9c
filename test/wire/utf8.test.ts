// UTF-8 both ways in both forms: with Node's own methods, and with what a browser has.

import assert from "node:assert/strict";
import { isUtf8 as judge } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import * as withNode from "../../src/wire/utf8.ts";

/** The same module as it is where there is no Buffer: loaded once more without it. */
async function withoutNode(): Promise<typeof withNode> {
  const hidden = { Buffer: globalThis.Buffer, process: globalThis.process };
  const address = new URL("../../src/wire/utf8.ts?portable", import.meta.url).href;
  try {
    Object.assign(globalThis, { Buffer: undefined, process: undefined });
    return (await import(address)) as typeof withNode;
  } finally {
    Object.assign(globalThis, hidden);
  }
}

const forms: [name: string, form: typeof withNode][] = [
  ["node", withNode],
  ["portable", await withoutNode()],
];

for (const [name, { isUtf8, readUtf8, writeUtf8 }] of forms) {
  test(`${name}: text of any length is written and read at any place`, () => {
    const unit = fc.constantFrom("a", "Z", "\0", "é", "€", "𝄞", "\ufeff", "日");
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 150 }), fc.nat(9), (units, offset) => {
        const text = units.join("");
        const bytes = new Uint8Array(offset + text.length * 3 + 4).fill(0xff);
        const size = writeUtf8(bytes, text, offset);

        assert.deepEqual(bytes.slice(offset, offset + size), new TextEncoder().encode(text));
        assert.equal(readUtf8(bytes, offset, offset + size), text);
        assert.ok(isUtf8(bytes, offset, offset + size));
        assert.equal(bytes[offset + size], 0xff, "nothing is written behind the text");
      }),
      { numRuns: 2_000 },
    );
  });

  test(`${name}: bytes are UTF-8 exactly where Node's own check says so`, () => {
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xa0, 0x9f, 0x90, 0x8f),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), fc.constantFrom(0, 1, 14, 93, 200), (tail, before) => {
        const bytes = Uint8Array.from([...new Array(before).fill(0x61), ...tail]);
        assert.equal(isUtf8(bytes, 0, bytes.length), judge(bytes), Buffer.from(tail).toString("hex"));
      }),
      { numRuns: 20_000 },
    );
  });

  test(`${name}: what is not UTF-8 reads as U+FFFD, and a lone surrogate is written as it`, () => {
    assert.equal(readUtf8(Uint8Array.of(0x61, 0xff, 0x62), 0, 3), "a\ufffdb");
    const bytes = new Uint8Array(9);
    assert.equal(writeUtf8(bytes, "\ud800", 0), 3);
    assert.equal(readUtf8(bytes, 0, 3), "\ufffd");
  });
}

test("every sequence of two bytes, and every lead of three and four, is judged as Node's own check judges it", () => {
  for (let lead = 0x80; lead < 0x100; lead++) {
    for (let next = 0; next < 0x100; next++) {
      for (const rest of [[], [0x80], [0x80, 0xbf], [0xbf, 0x7f]]) {
        const bytes = Uint8Array.of(lead, next, ...rest);
        assert.equal(withNode.isUtf8(bytes, 0, bytes.length), judge(bytes), Buffer.from(bytes).toString("hex"));
      }
    }
  }
});
