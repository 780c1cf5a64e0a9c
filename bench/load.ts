// Loading: many calls of one form over one connection, as fast as the server takes them.
//
//   await load(port, { call: ["SET", KEY, value], count: 1_000_000, reply: "+OK\r\n" });
//
// Every reply must be `reply`; another one fails the load.

import { once } from "node:events";
import { connect } from "node:net";
import { CallBlock, KEY } from "./call-block.ts";

/** Calls that may be on their way at once. */
const CALLS_OUT = 2048;

export type Load = {
  /** The call's arguments; a run of # in them is the number that counts up (call-block.ts). */
  call: readonly string[];
  count: number;
  /** What each call answers. */
  reply: string;
};

/** Resolves once every call was answered. @throws {Error} an answer was another one. */
export async function load(port: number, { call, count, reply }: Load): Promise<void> {
  const block = new CallBlock(call);
  const expected = Buffer.from(reply);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");

  let sent = 0;
  let answeredBytes = 0;
  const send = (): void => {
    while (sent < count && sent - answeredBytes / expected.length < CALLS_OUT) {
      // The block is written over while it may still wait in the socket, so what goes out is a copy.
      socket.write(Buffer.from(block.fill(sent, count - sent)));
      sent += CallBlock.sizeOf(count - sent);
    }
  };
  const done = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection while it was loaded")));
    socket.on("data", (chunk: Buffer) => {
      const wrong = firstWrong(chunk, expected, answeredBytes);
      if (wrong >= 0) {
        const got = chunk.toString("latin1", wrong, wrong + 80);
        return reject(new Error(`expected ${JSON.stringify(reply)} to ${call[0]}, got ${JSON.stringify(got)}`));
      }
      answeredBytes += chunk.length;
      if (answeredBytes === count * expected.length) resolve();
      else send();
    });
  });
  send();
  try {
    if (count > 0) await done;
  } finally {
    socket.destroy();
  }
}

/** `count` keys of 16 bytes with values of 64 bytes: what redis-benchmark reads with -r `count` -d 64. */
export function loadKeys(port: number, count: number): Promise<void> {
  return load(port, { call: ["SET", KEY, "x".repeat(64)], count, reply: "+OK\r\n" });
}

/** Where `chunk` leaves the repetition of `expected`, `offset` bytes into which it begins; -1 where it does not. */
function firstWrong(chunk: Buffer, expected: Buffer, offset: number): number {
  for (let i = 0, at = offset % expected.length; i < chunk.length; i++) {
    if (chunk[i] !== expected[at]) return i;
    if (++at === expected.length) at = 0;
  }
  return -1;
}
