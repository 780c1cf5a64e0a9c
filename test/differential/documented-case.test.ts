// test/differential/documented-case.test.ts
// A hive replies as the documentation of Redis 7.4 says, where redis-server 7.0 cannot be asked.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { Connection } from "./connection.ts";
import { type DocumentedCase, integer, integers, playCase } from "./documented-case.ts";
import { fieldTtlCases } from "./field-ttl-cases.ts";
import { encodeCommand } from "./frame.ts";
import { newerCases } from "./newer-cases.ts";
import { startHive } from "./servers.ts";

async function assertCases(cases: readonly DocumentedCase[], context: TestContext): Promise<void> {
  const clock = new ManualClock(Date.now());
  await using hive = await startHive(clock);
  for (const documented of cases) {
    await context.test(documented.name, async () => {
      const connection = await Connection.open(hive.address);
      const send = async (args: readonly string[]): Promise<string> => {
        connection.send(encodeCommand(args));
        const { replies, failure } = await connection.take(1);
        return replies[0] ?? `(${failure})`;
      };
      const pass = async (ms: number): Promise<void> => clock.advance(ms);
      try {
        await send(["FLUSHALL"]);
        assert.equal(await playCase(documented, { send, pass }), undefined);
      } finally {
        connection.close();
      }
    });
  }
}

test("fields of a table expire as documented", (context) => assertCases(fieldTtlCases, context));

test("what Redis got after 7.0 works as documented", (context) => assertCases(newerCases, context));

test("a case tells the first reply that is not as documented", async () => {
  const documented: DocumentedCase = {
    name: "",
    steps: [
      { send: "HLEN t", expect: integer(1) },
      { passMs: 5 },
      { send: "HTTL t FIELDS 1 a", near: [100], tolerance: 2 },
    ],
  };
  const stage = (replies: string[]): { send(): Promise<string>; pass(): Promise<void> } => ({
    send: async () => replies.shift() ?? "",
    pass: async () => {},
  });
  assert.equal(await playCase(documented, stage([integer(1), integers(99)])), undefined);
  assert.match((await playCase(documented, stage([integer(2)]))) ?? "", /^HLEN t: expected ":1/);
  assert.match((await playCase(documented, stage([integer(1), integers(97)]))) ?? "", /^HTTL .* about 100/);
  assert.match((await playCase(documented, stage([integer(1), integers(99, 99)]))) ?? "", /^HTTL/);
});
