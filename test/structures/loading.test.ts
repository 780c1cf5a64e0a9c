// Structures from files: read at the start, and again when they have changed.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Hive } from "../../src/server/index.ts";
import { RespClient, RespError } from "../kit/resp-client.ts";

async function call(client: RespClient, ...args: string[]): Promise<unknown> {
  const { value } = await client.call(...args);
  return value instanceof RespError
    ? `-${value.message}`
    : value instanceof Uint8Array
      ? Buffer.from(value).toString()
      : value;
}

test("files are read again with what they import; a broken one leaves all as it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-structures-"));
  const base = JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../src/structures/index.ts")).href);
  const file = join(folder, "votes.ts");
  const write = (step: string): void => writeFileSync(join(folder, "step.ts"), step);
  const code = (method: string): string => `
    import { Structure, type HiveCalls } from ${base};
    import { STEP } from "./step.ts";
    export class Votes extends Structure {
      counts: Map<string, number> = new Map();
      static VOTEFOR(hive: HiveCalls, key: string, name: string): number {
        const { counts } = hive.open(Votes, key);
        counts.set(name, (counts.get(name) ?? 0) + STEP);
        return counts.get(name)!;
      }
      ${method}
    }`;
  write("export const STEP = 1;");
  writeFileSync(file, code(""));
  try {
    await using hive = await Hive.start({ port: 0, structures: [file, "fifo"] });
    await using client = await RespClient.connect({ port: hive.port });
    assert.equal(await call(client, "VOTEFOR", "v", "ada"), 1);
    write("export const STEP = 10;");
    writeFileSync(file, code("VOTES(): number { return this.counts.size; }"));
    const { value } = await client.call("STRUCTURES", "RELOAD");
    assert.deepEqual((value as unknown[]).map(String).sort(), ["Fifo", "Votes"]);
    assert.equal(await call(client, "VOTEFOR", "v", "ada"), 11);
    assert.equal(await call(client, "VOTES", "v"), 1);
    writeFileSync(file, code("VOTES(: number"));
    assert.match(String(await call(client, "STRUCTURES", "RELOAD")), /votes\.ts/);
    assert.equal(await call(client, "VOTEFOR", "v", "ada"), 21);
    writeFileSync(file, code("static GET(): void {}"));
    assert.match(String(await call(client, "STRUCTURES", "RELOAD")), /Votes\.GET/);
    assert.equal(await call(client, "VOTES", "v"), 1);
    writeFileSync(file, code(""));
    write("export const STEP = 100;");
    const calls = Array.from({ length: 200 }, (_, i) => {
      if (i === 50) void client.call("STRUCTURES", "RELOAD");
      return call(client, "VOTEFOR", "v", "bob");
    });
    for (const answer of await Promise.all(calls)) assert.equal(typeof answer, "number");
    assert.match(String(await call(client, "VOTES", "v")), /unknown command/);
    await assert.rejects(Hive.start({ port: 0, structures: ["./none.ts"] }), { code: "REFUSED_SETTING" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
