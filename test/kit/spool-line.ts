// A line between a client with a spool and hives that come and go.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Client, type ClientOptions, connect, isHiveError, type SpoolOptions } from "../../src/client/node.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { CutProxy } from "../torture/restarts.ts";

const NOWHERE = 1;

export function code(expected: string): (error: unknown) => boolean {
  return (error) => isHiveError(error) && error.code === expected;
}

export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "memhive-spool-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type Line = {
  proxy: CutProxy;
  hive(): Hive;
  start(more?: HiveOptions): Promise<void>;
  stop(): Promise<void>;
  connect(spool: SpoolOptions, more?: ClientOptions): Promise<Client>;
};

/** One address for hives that come and go: none is there at first. */
export async function line(t: TestContext, options: HiveOptions = {}): Promise<Line> {
  const state: { hive: Hive | undefined } = { hive: undefined };
  const proxy = await CutProxy.open(() => state.hive?.port ?? NOWHERE);
  t.after(async () => {
    proxy.close();
    await state.hive?.close();
  });
  return {
    proxy,
    hive: () => state.hive!,
    async start(more: HiveOptions = {}): Promise<void> {
      state.hive = await Hive.start({ port: 0, ...options, ...more });
    },
    async stop(): Promise<void> {
      const { hive } = state;
      state.hive = undefined;
      await hive!.close({ snapshot: false });
    },
    connect: (spool: SpoolOptions, more: ClientOptions = {}): Promise<Client> =>
      connect(`hive://127.0.0.1:${proxy.port}`, { spool, reconnect: { minMs: 1, maxMs: 10 }, ...more }),
  };
}
