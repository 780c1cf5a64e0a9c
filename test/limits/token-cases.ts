// Limits of tokens and of those who guess them, and of what waits for the disk.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Limits } from "../../src/base/limits.ts";
import { type LimitedHive, limited, passed, STRANGERS_TOKEN } from "../kit/limited-hive.ts";
import type { RespReply } from "../kit/resp-client.ts";
import { RespClient, RespError } from "../kit/resp-client.ts";

type Names =
  | "authenticationDelayMs"
  | "authenticationDelayMsMax"
  | "failedAddressesMax"
  | "failedAddressMs"
  | "waitingAuthenticationsMax"
  | "tokensMax"
  | "tokenNameBytesMax"
  | "grantsMax"
  | "grantBytesMax"
  | "snapshotBacklogBytesMax";

/** Long enough to be told from what a busy machine takes. */
const DELAY_MS = 150;

export const TOKEN_CASES: Readonly<Record<Names & keyof Limits, () => Promise<void>>> = {
  async authenticationDelayMs() {
    await using hive = await limited({ authenticationDelayMs: DELAY_MS }, { strangers: true });
    await using client = await hive.resp();
    assert.match(error(await client.call("AUTH", "a wrong token, and long")), /^WRONGPASS/);
    assert.ok((await tryMs(client)) >= DELAY_MS * 0.9, "the right one waits too");
  },

  async authenticationDelayMsMax() {
    const limits = { authenticationDelayMs: 10, authenticationDelayMsMax: 20, authenticationTimeoutMs: 60_000 };
    await using hive = await limited(limits, { strangers: true });
    await using client = await hive.resp();
    const fromMs = performance.now();
    for (let i = 0; i < 12; i++) await client.call("AUTH", "a wrong token, and long");
    // Without a bound the last one alone would wait for 20 s.
    assert.ok(performance.now() - fromMs < 10_000);
  },

  async failedAddressesMax() {
    await using hive = await limited({ authenticationDelayMs: 2_000, failedAddressesMax: 1 }, { strangers: true });
    for (const address of ["127.0.0.1", "127.0.0.2"]) {
      await using client = await from(hive, address);
      await client.call("AUTH", "a wrong token, and long");
    }
    await using first = await from(hive, "127.0.0.1");
    assert.ok((await tryMs(first)) < 1_500, "the one that failed longer ago is forgotten");
  },

  async failedAddressMs() {
    const limits = { authenticationDelayMs: 50, authenticationDelayMsMax: 60_000, failedAddressMs: 60 };
    await using hive = await limited({ ...limits, authenticationTimeoutMs: 120_000 }, { strangers: true });
    await using client = await hive.resp();
    const fromMs = performance.now();
    // Each try comes when its wait is over, and then the one before is about to be forgotten.
    for (let i = 0; i < 12; i++) {
      await client.call("AUTH", "a wrong token, and long");
      await passed(() => performance.now() - fromMs > (i + 1) * 70);
    }
    assert.ok(performance.now() - fromMs < 20_000, "waits do not grow");
  },

  async waitingAuthenticationsMax() {
    await using hive = await limited(
      { authenticationDelayMs: 1_000, waitingAuthenticationsMax: 1 },
      { strangers: true },
    );
    await using wrong = await hive.resp();
    await wrong.call("AUTH", "a wrong token, and long");
    await using one = await hive.resp();
    await using other = await hive.resp();
    one.send(["AUTH", STRANGERS_TOKEN]);
    await passed(() => hive.hive.engine.clients.size === 2);
    const replies = await Promise.all([one.readReply(), other.call("AUTH", STRANGERS_TOKEN)]);
    const refused = replies.filter(({ value }) => value instanceof RespError);
    assert.equal(refused.length, 1);
    assert.match(error(refused[0]!), /^BUSY/);
  },

  async tokensMax() {
    await using hive = await limited({ tokensMax: 2 }, { tokens: true });
    const grants = ["read:*"];
    await hive.hive.tokens.create({ grants });
    await hive.hive.tokens.create({ grants });
    await assert.rejects(hive.hive.tokens.create({ grants }), { code: "REFUSED_SETTING", message: /tokensMax \(2\)/ });
  },

  async tokenNameBytesMax() {
    await using hive = await limited({ tokenNameBytesMax: 4 }, { tokens: true });
    await assert.rejects(hive.hive.tokens.create({ grants: ["all"], name: "12345" }), { code: "INVALID_ARGUMENT" });
    assert.equal((await hive.hive.tokens.create({ grants: ["all"], name: "1234" })).info.name, "1234");
  },

  async grantsMax() {
    await using hive = await limited({ grantsMax: 2 }, { tokens: true });
    const grants = ["read:a", "read:b", "read:c"];
    await assert.rejects(hive.hive.tokens.create({ grants }), { code: "INVALID_ARGUMENT", message: /grantsMax \(2\)/ });
  },

  async grantBytesMax() {
    await using hive = await limited({ grantBytesMax: 4 }, { tokens: true });
    await assert.rejects(hive.hive.tokens.create({ grants: ["read:12345"] }), {
      code: "INVALID_ARGUMENT",
      message: /grantBytesMax \(4\)/,
    });
  },

  async snapshotBacklogBytesMax() {
    const folder = mkdtempSync(join(tmpdir(), "memhive-backlog-"));
    try {
      const snapshots = { folder, atClose: false };
      await using hive = await limited({ snapshotBacklogBytesMax: 1 }, { snapshots });
      await using client = await hive.resp();
      for (let i = 0; i < 40; i++) await client.call("SET", `k${i}`, "v".repeat(100_000));
      const { pauses } = hive.hive.engine;
      const hold = pauses.hold.bind(pauses);
      let held = 0;
      pauses.hold = (mode) => {
        held++;
        return hold(mode);
      };
      assert.equal((await client.call("SAVE")).value, "OK");
      assert.ok(held > 0, "calls that write had to wait");
      assert.equal((await client.call("SET", "k", "v")).value, "OK", "and go on");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function from({ hive }: LimitedHive, localAddress: string): Promise<RespClient> {
  const socket = connect({ port: hive.port, host: "127.0.0.1", localAddress });
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return new RespClient(socket);
}

/** Milliseconds until the right token was taken. */
async function tryMs(client: RespClient): Promise<number> {
  const fromMs = performance.now();
  assert.equal((await client.call("AUTH", STRANGERS_TOKEN)).value, "OK");
  return performance.now() - fromMs;
}

function error({ value }: RespReply): string {
  assert.ok(value instanceof RespError, `expected an error, got ${String(value)}`);
  return value.message;
}
