// Loading: many calls of one form over one connection, as fast as the server takes them.
//
//   await load(port, { call: ["SET", KEY, value], count: 1_000_000, reply: "+OK\r\n" });
//
// One argument holds twelve digits that count up, as redis-benchmark's `__rand_int__` does, so what is
// loaded here is what redis-benchmark asks for. A block of calls is made once; for the next block only the
// digits are written anew. Every reply must be `reply`, and the call that breaks this rule fails the load.

import { once } from "node:events";
import { connect } from "node:net";

/** Where the number goes: 12 digits, in one argument of the call. */
export const NUMBER = "000000000000";
export const KEY: string = `key:${NUMBER}`;

const CALLS_PER_BLOCK = 512;
/** Blocks that may be on their way at once. */
const BLOCKS_OUT = 4;

export type Load = {
  /** The call's arguments; each may hold NUMBER once. */
  call: readonly string[];
  /** How many calls, numbered from `from` on. */
  count: number;
  from?: number;
  /** What each call answers. */
  reply: string;
};

/** Resolves once every call was answered. @throws {Error} an answer was another one. */
export async function load(port: number, { call, count, from = 0, reply }: Load): Promise<void> {
  const bytes = encode(call);
  const numbersAt = [...bytes.toString("latin1").matchAll(new RegExp(NUMBER, "g"))].map((match) => match.index);
  const block = Buffer.alloc(bytes.length * CALLS_PER_BLOCK);
  const expected = Buffer.from(reply);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");

  let sent = 0;
  let answeredBytes = 0;
  const send = (): void => {
    while (sent < count && sent - answeredBytes / expected.length < CALLS_PER_BLOCK * BLOCKS_OUT) {
      const calls = Math.min(CALLS_PER_BLOCK, count - sent);
      for (let i = 0; i < calls; i++) {
        const at = i * bytes.length;
        if (sent === 0) bytes.copy(block, at);
        for (const number of numbersAt) writeNumber(block, at + number, from + sent + i);
      }
      // The block is written over while it may still wait in the socket, so what goes out is a copy.
      socket.write(Buffer.from(block.subarray(0, calls * bytes.length)));
      sent += calls;
    }
  };
  const done = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection while it was loaded")));
    socket.on("data", (chunk: Buffer) => {
      const wrong = firstWrong(chunk, expected, answeredBytes);
      if (wrong >= 0)
        return reject(new Error(`unexpected reply to ${call[0]}: ${chunk.toString("latin1", wrong, wrong + 80)}`));
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

function encode(call: readonly string[]): Buffer {
  return Buffer.from(`*${call.length}\r\n${call.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`);
}

function writeNumber(bytes: Buffer, at: number, value: number): void {
  let rest = value;
  for (let digit = at + NUMBER.length - 1; digit >= at; digit--) {
    bytes[digit] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** Where `chunk` leaves the repetition of `expected`, `offset` bytes into which it begins; -1 where it does not. */
function firstWrong(chunk: Buffer, expected: Buffer, offset: number): number {
  for (let i = 0, at = offset % expected.length; i < chunk.length; i++) {
    if (chunk[i] !== expected[at]) return i;
    if (++at === expected.length) at = 0;
  }
  return -1;
}
