// Noticed hive: a hive with a client in its process, and what it told operators.

import { type Client, connect } from "../../src/client/node.ts";
import { Hive, type HiveOptions } from "../../src/server/index.ts";

export type NoticedHive = { hive: Hive; db: Client; notices: string[] } & AsyncDisposable;

export async function startNoticed(options: HiveOptions): Promise<NoticedHive> {
  const notices: string[] = [];
  const hive = await Hive.start({ port: 0, onNotice: (message) => void notices.push(message), ...options });
  const db = await connect(hive);
  return {
    ...{ hive, db, notices },
    async [Symbol.asyncDispose]() {
      await db.close();
      await hive.close();
    },
  };
}
