// A hive with small limits, for tests that reach them over real connections.
//
//   await using hive = await limited({ keyBytesMax: 10 });   await using client = await hive.resp();

import { networkInterfaces } from "node:os";
import type { Limits } from "../../src/base/limits.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { NativeClient } from "./native-client.ts";
import { RespClient } from "./resp-client.ts";

export type LimitedHive = AsyncDisposable & {
  hive: Hive;
  notices: string[];
  resp(): Promise<RespClient>;
  native(hello?: object | null): Promise<NativeClient>;
};

export const STRANGERS_TOKEN = "what strangers do not have";

/** `strangers`: connections begin without authentication, since the hive has a token. */
export async function limited(
  limits: Partial<Limits>,
  { strangers = false, ...options }: HiveOptions & { strangers?: boolean } = {},
): Promise<LimitedHive> {
  const notices: string[] = [];
  const onNotice = (message: string): void => void notices.push(message);
  const token = strangers ? { token: STRANGERS_TOKEN } : {};
  const hive = await Hive.start({
    port: 0,
    limits: { closeTimeoutMs: 100, ...limits },
    onNotice,
    ...token,
    ...options,
  });
  return {
    hive,
    notices,
    resp: () => RespClient.connect({ port: hive.port }),
    native: (hello) => NativeClient.connect({ port: hive.port }, hello),
    [Symbol.asyncDispose]: () => hive.close(),
  };
}

/** An address of this machine that is not loopback; undefined where it has none. */
export function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ internal, family }) => !internal && family === "IPv4")?.address;
}

/** Waits for `condition` by turns of the event loop; a test's own time limit ends it. */
export async function passed(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
