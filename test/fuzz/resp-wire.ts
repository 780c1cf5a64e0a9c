// The fuzz over Redis's protocol, of its version 2 or 3.

import assert from "node:assert/strict";
import { RespClient } from "../kit/resp-client.ts";
import { drawFrame, leavesInStep, spoil } from "./frames.ts";
import type { Beside, FuzzWire, Seen } from "./wires.ts";

const HELLO_3: Buffer = Buffer.from("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
const MINUS = 0x2d;
const ERROR_LINE = "\r\n-";
const REPLY_TIMEOUT_MS = 30_000;

export const respWire: FuzzWire = {
  growthMax: 1.1,
  open: (random) => (random.chance(0.5) ? [HELLO_3] : []),
  draw: drawFrame,
  spoil,
  leavesInStep,
  listen: (seen: Seen) => (chunk) => {
    if (chunk.includes("-ERR Protocol error")) seen.broken++;
    if (chunk[0] === MINUS) seen.errors++;
    for (let at = chunk.indexOf(ERROR_LINE); at >= 0; at = chunk.indexOf(ERROR_LINE, at + 1)) seen.errors++;
  },
  async beside(port: number): Promise<Beside> {
    const client = await RespClient.connect({ port });
    const beside = { stopped: false, closed: client.closed, close: () => void client.socket.destroy() };
    const done = callsBeside(client, beside);
    // A failure is reported where it is awaited; until then it is not unhandled.
    done.catch(() => {});
    return Object.assign(beside, { done });
  },
};

async function callsBeside(client: RespClient, beside: { readonly stopped: boolean }): Promise<number> {
  const next = async (): Promise<string> => (await client.readReply(REPLY_TIMEOUT_MS)).bytes.toString("latin1");
  let count = 0;
  for (let round = 0; !beside.stopped; round++) {
    const text = `${round}`;
    const bulk = `$${text.length}\r\n${text}\r\n`;
    client.sendAll([
      ["ECHO", text],
      ["SET", "beside:value", text],
      ["GET", "beside:value"],
      ["INCR", "beside:count"],
      ["ECHO", text],
    ]);
    assert.equal(await next(), bulk, "the client beside lost a reply");
    assert.equal(await next(), "+OK\r\n");
    const got = await next();
    assert.ok(got === bulk || got === "$-1\r\n", `GET was answered ${got}`);
    assert.match(await next(), /^:[1-9]\d*\r\n$/);
    assert.equal(await next(), bulk, "the client beside got a reply too many");
    count += 5;
  }
  return count;
}
