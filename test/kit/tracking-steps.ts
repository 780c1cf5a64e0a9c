// Steps of several clients of which some track keys, and all that comes to each of them.

import { RespClient } from "./resp-client.ts";

export type Address = Parameters<typeof RespClient.connect>[0];

/** What a client is asked last: all that came before its answer came before. */
const LAST = "the end of it";

/**
 * Runs steps "client call" (or "client call ; call", sent together) one after the other, and gives all that comes to each client, its replies and what it
 * is told. `$n` stands for the id of client n.
 */
export async function runSteps(address: Address, clients: number, steps: readonly string[]): Promise<string[][]> {
  const all = await Promise.all(Array.from({ length: clients }, () => RespClient.connect(address)));
  const ids: string[] = [];
  for (const client of all) ids.push(String((await client.call("CLIENT", "ID")).value));
  const anonymous = (text: string): string =>
    ids.reduce((shown, id, i) => shown.replace(`redirect\r\n:${id}\r\n`, `redirect\r\n:$${i}\r\n`), text);
  const seen: string[][] = all.map(() => []);
  await all[0]!.call("FLUSHALL");
  for (const step of steps) {
    const [by, ...words] = step.split(" ").map((word) => (word.startsWith("$") ? ids[Number(word.slice(1))]! : word));
    const client = all[Number(by)]!;
    client.sendAll(
      words
        .join(" ")
        .split(" ; ")
        .map((call) => call.split(" ")),
    );
    // A turn of the server's loop for each, so that what it gathers for one is gathered for one.
    await settle(client, seen[Number(by)]!, `${step}: `, anonymous);
    for (const [i, other] of all.entries()) if (other !== client) await settle(other, seen[i]!, "", anonymous);
  }
  await Promise.all(all.map((client) => client.close()));
  return seen;
}

/** Reads what has come up to the answer to a call that changes nothing. One that listens on RESP2 is asked PING. */
async function settle(
  client: RespClient,
  seen: string[],
  prefix: string,
  anonymous: (text: string) => string,
): Promise<void> {
  client.send(["PING", LAST]);
  for (;;) {
    const { bytes } = await client.readReply();
    const text = bytes.latin1Slice();
    if (text.includes(LAST)) return;
    // What is told of a broadcast may come before an answer or behind it.
    if (!prefix.includes("HELLO")) seen.push(text.startsWith(">") ? text : prefix + anonymous(text));
    if (prefix.includes("GETREDIR")) seen.pop();
    if (prefix.includes("HELLO")) prefix = "";
  }
}
