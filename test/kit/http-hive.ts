// HTTP hive: a hive, clients of its HTTP door, and what their requests and replies are made of.
//
//   await using hive = await startHttp({ token });  const client = await hive.client();

import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { HttpClient } from "./http-client.ts";

export const JSON_TYPE: Record<string, string> = { "Content-Type": "application/json" };

export async function startHttp(
  options: HiveOptions = {},
): Promise<{ hive: Hive; client: () => Promise<HttpClient> } & AsyncDisposable> {
  const hive = await Hive.start({ port: 0, ...options });
  return {
    hive,
    client: () => HttpClient.connect({ port: hive.port }),
    [Symbol.asyncDispose]: () => hive.close(),
  };
}

/** A call as the body of a request. */
export function call(...words: unknown[]): { headers: Record<string, string>; body: string } {
  return { headers: JSON_TYPE, body: JSON.stringify(words) };
}

/** The code of an error that was answered. */
export function code(reply: { json: unknown }): string {
  return (reply.json as { error: { code: string } }).error.code;
}
