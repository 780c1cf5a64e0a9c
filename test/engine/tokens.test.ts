// The registry: which texts are tokens, how they end, and what stays of them.

import assert from "node:assert/strict";
import crypto, { createHash } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { mock, test } from "node:test";
import { limitsWith } from "../../src/base/limits.ts";
import { type Token, TokenRegistry } from "../../src/engine/tokens.ts";

type Watched = TokenRegistry & { events: string[] };

function registry(single?: string): Watched {
  const tokens = new TokenRegistry(single === undefined ? {} : { single }) as Watched;
  tokens.events = [];
  tokens.onGone = ({ id }, why) => tokens.events.push(`${why} ${id}`);
  tokens.onUpdated = ({ id }) => tokens.events.push(`updated ${id}`);
  return tokens;
}

function verify(tokens: TokenRegistry, text: string, nowMs: number = 1000): Token | undefined {
  return tokens.verify(Buffer.from(`##${text}`).subarray(2), nowMs);
}

test("a token is 256 random bits behind its id, and only its hash is kept", () => {
  const tokens = registry();
  const { token, info } = tokens.create({ name: "ada", grants: ["read"] }, 1000);
  assert.match(token, /^hive_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
  assert.equal(token.split("_")[1], info.id);
  assert.equal(verify(tokens, token)?.id, info.id);
  const [record] = tokens.records;
  assert.equal(record!.hash, createHash("sha256").update(token).digest("hex"));
  assert.ok(!JSON.stringify([tokens.records, tokens.list()]).includes(token.slice(18)), "no part of the secret");
  assert.ok(!("hash" in tokens.list()[0]!), "the list has no hashes");
});

test("a text that is nearly a token is none", () => {
  const tokens = registry("the-one-and-only-token");
  const { token } = tokens.create({ grants: ["all"] }, 1000);
  const { token: other } = tokens.create({ grants: ["all"] }, 1000);
  const swapped = `${token.slice(0, 18)}${other.slice(18)}`;
  const wrong = [
    "",
    token.slice(0, -1),
    `${token}x`,
    token.toUpperCase(),
    swapped,
    token.slice(0, 18),
    "hive_000000000000_".padEnd(61, "A"),
    "the-one-and-only-toke",
    "the-one-and-only-token ",
    `${token}\n`,
  ];
  for (const text of wrong) assert.equal(verify(tokens, text), undefined, text);
  assert.equal(verify(tokens, "the-one-and-only-token")?.id, "default");
  assert.equal(verify(tokens, "the-one-and-only-token")?.limited, false);
});

test("the single token has at least 16 characters", () => {
  assert.throws(() => new TokenRegistry({ single: "x".repeat(15) }), {
    code: "REFUSED_SETTING",
    message: /at least 16 characters, and this one 15/,
  });
  assert.doesNotThrow(() => new TokenRegistry({ single: "x".repeat(16) }));
});

test("a token ends at its time, once, and stays in the list", () => {
  const tokens = registry();
  const { token, info } = tokens.create({ grants: ["read"], expiresAtMs: 5000 }, 1000);
  assert.equal(tokens.nextExpiryMs, 5000);
  assert.ok(verify(tokens, token, 4999));
  assert.equal(verify(tokens, token, 5000), undefined, "even before anybody noticed");
  tokens.expire(4999);
  assert.deepEqual(tokens.events, []);
  tokens.expire(5000);
  tokens.expire(9000);
  assert.deepEqual(tokens.events, [`expired ${info.id}`]);
  assert.equal(tokens.list().length, 1);
  assert.equal(tokens.nextExpiryMs, Number.POSITIVE_INFINITY);
});

test("owner numbers are never used twice, after a restart neither", () => {
  const tokens = registry();
  const first = tokens.create({ grants: ["read"] }, 1000).info.id;
  tokens.create({ grants: ["read"] }, 1000);
  tokens.revoke(first);
  tokens.revoke(tokens.list()[0]!.id);
  const successor = registry();
  successor.replaceAll(tokens.records, tokens.nextOwner);
  successor.create({ grants: ["read"] }, 1000);
  assert.ok(successor.records[0]!.owner >= tokens.nextOwner);
});

test("replaceAll revokes what is gone, updates what changed, and leaves the rest alone", () => {
  const tokens = registry();
  const ids = Array.from({ length: 3 }, () => tokens.create({ grants: ["read:a"] }, 1000).info.id);
  const [stays, changes, goes] = tokens.records;
  tokens.replaceAll([stays!, { ...changes!, grants: ["write:b"] }], tokens.nextOwner);
  assert.deepEqual(tokens.events, [`revoked ${ids[2]}`, `updated ${ids[1]}`]);
  assert.deepEqual(tokens.list()[1]!.grants, ["write:b"]);
  assert.ok(!tokens.has(goes!.id));
});

test("a record with another secret under an old id is another token", () => {
  const tokens = registry();
  const { token, info } = tokens.create({ grants: ["read"] }, 1000);
  const hash = createHash("sha256").update("other").digest("hex");
  tokens.replaceAll([{ ...tokens.records[0]!, hash }], tokens.nextOwner);
  assert.deepEqual(tokens.events, [`revoked ${info.id}`]);
  assert.equal(verify(tokens, token), undefined);
});

test("a record that is no good changes nothing", () => {
  const tokens = registry();
  const { token } = tokens.create({ grants: ["read"] }, 1000);
  assert.throws(() => tokens.replaceAll([{ ...tokens.records[0]!, grants: ["bogus"] }], 5), {
    code: "INVALID_ARGUMENT",
  });
  assert.ok(verify(tokens, token));
  assert.deepEqual(tokens.events, []);
});

test("calls per second are a bucket of one second", () => {
  const tokens = registry();
  const { token: text } = tokens.create({ grants: ["all"], quotas: { callsPerSecond: 4 } }, 1000);
  const token = verify(tokens, text)!;
  assert.ok(token.limited);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => token.takeCall(100)),
    [0, 0, 0, 0],
  );
  assert.equal(token.takeCall(100), 250, "when the next one is there");
  assert.equal(token.takeCall(349), 1);
  assert.equal(token.takeCall(350), 0);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => token.takeCall(100_000)),
    [0, 0, 0, 0, 250],
    "no more than a second's",
  );
});

test("what a token is made of is checked", () => {
  const tokens = registry();
  const bad: [options: object, message: RegExp][] = [
    [{ grants: [] }, /grants: at least one/],
    [{ grants: ["read"], name: "with blank" }, /name: expected visible ASCII/],
    [{ grants: ["read"], name: "a\nb" }, /name: expected visible ASCII/],
    [{ grants: ["read"], device: "x".repeat(129) }, /device: longer than 128 bytes/],
    [{ grants: ["read"], quotas: { bytes: 0 } }, /quota bytes: expected a whole number above 0, got 0/],
    [{ grants: ["read"], quotas: { keys: 1.5 } }, /quota keys: .* got 1.5/],
    [{ grants: ["read"], expiresAtMs: Number.NaN }, /expiresAtMs/],
  ];
  for (const [options, message] of bad) {
    assert.throws(() => tokens.create(options as { grants: string[] }, 1000), { code: "INVALID_ARGUMENT", message });
  }
  assert.deepEqual(tokens.records, []);
});

test("there is a limit of tokens", () => {
  const tokens = new TokenRegistry({ limits: limitsWith({ tokensMax: 1 }) });
  tokens.create({ grants: ["read"] }, 1000);
  assert.throws(() => tokens.create({ grants: ["read"] }, 1000), {
    code: "REFUSED_SETTING",
    message: /tokensMax \(1\)/,
  });
});

test("every wrong token takes the same steps: one hash of it, two comparisons of 32 bytes", () => {
  const tokens = registry("the-one-and-only-token");
  const { token } = tokens.create({ grants: ["all"] }, 1000);
  const hashes = mock.method(crypto, "createHash");
  const comparisons = mock.method(crypto, "timingSafeEqual");
  syncBuiltinESMExports();
  try {
    const wrong = [
      `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
      `${token.slice(0, 18)}${"A".repeat(43)}`,
      `hive_000000000000_${token.slice(18)}`,
      "x".repeat(61),
      "x",
      "",
    ];
    for (const text of wrong) {
      hashes.mock.resetCalls();
      comparisons.mock.resetCalls();
      assert.equal(verify(tokens, text), undefined);
      assert.equal(hashes.mock.callCount(), 1, text);
      const lengths = comparisons.mock.calls.flatMap(({ arguments: [one, other] }) => [
        one.byteLength,
        other.byteLength,
      ]);
      assert.deepEqual(lengths, [32, 32, 32, 32], text);
    }
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
});
