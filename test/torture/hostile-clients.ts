// Hostile clients, in a process of their own: each pushes one limit, and comes back when it is cut off.
//
//   node test/torture/hostile-clients.ts '{"port":…,"connections":1000,…}' ──▶ counts in JSON when its standard input ends
//
// What a kind of attack does is one row below. None of them waits for anything but the hive.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Limits } from "../../src/base/limits.ts";
import { CALL, PREAMBLE } from "../../src/wire/frame.ts";
import { frameOf, helloOf } from "../kit/native-client.ts";
import { encodeCall } from "../kit/resp-client.ts";

export type HostileTask = { port: number; connections: number; bigKey: string; limits: Limits };

const { port, connections, bigKey, limits } = JSON.parse(process.argv[2]!) as HostileTask;

const CHUNK = Buffer.alloc(64 * 1024, 120);
/** What may wait on this side. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** Then it is another attacker's turn. */
const WRITES_A_TURN = 8;
/** The pause before an attacker comes back. */
const BACK_MS = 20;

type Attack = (socket: Socket, number: number) => void;

/** Writes what `next` gives, as fast as the hive takes it, until that is undefined. */
function pour(socket: Socket, next: (turn: number) => Uint8Array | undefined): void {
  let turn = 0;
  const more = (): void => {
    for (let i = 0; i < WRITES_A_TURN; i++) {
      if (socket.destroyed) return;
      if (socket.writableLength >= UNSENT_BYTES_MAX) return void socket.once("drain", more);
      const bytes = next(turn++);
      if (bytes === undefined) return;
      socket.write(bytes);
    }
    setImmediate(more);
  };
  more();
}

/** A first part, then so many bytes, and the last one never comes. */
function unfinished(socket: Socket, first: Uint8Array, bytes: number): void {
  socket.write(first);
  const chunks = Math.floor((bytes - 1) / CHUNK.length);
  pour(socket, (turn) => (turn < chunks ? CHUNK : undefined));
}

function text(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}

function greeting(): Buffer {
  return Buffer.concat([PREAMBLE, helloOf({ heartbeatMs: 0 })]);
}

const MOST = Math.min(limits.frameBytesMax, limits.valueBytesMax * 2) - 1000;

// biome-ignore format: a table reads better aligned
const ATTACKS: Readonly<Record<string, Attack>> = {
  // Calls that never end.
  bulk:      (socket) => unfinished(socket, text(`*2\r\n$4\r\nECHO\r\n$${MOST}\r\n`), MOST),
  frame:     (socket) => unfinished(socket, Buffer.concat([greeting(), frameOf(CALL, 1).subarray(0, 5), sizeOf(MOST)]), MOST),
  arguments: (socket) => { socket.write(`*${limits.argumentsMax}\r\n`); pour(socket, (turn) => (turn < limits.argumentsMax / 8000 - 1 ? EMPTY_ARGUMENTS : undefined)); },
  line:      (socket) => pour(socket, () => CHUNK),
  // Replies that nobody reads: large ones, the largest, and very small ones in writes of their own.
  reader:    (socket) => { socket.pause(); pour(socket, () => encodeCall(["GET", bigKey])); },
  largest:   (socket) => { socket.pause(); pour(socket, (turn) => encodeCall(["MGET", ...new Array<string>(2 + (turn % 8)).fill(bigKey)])); },
  tiny:      (socket) => { socket.pause(); socket.setNoDelay(true); const tick = (): void => { if (socket.destroyed) return; if (socket.writableLength < 1000) for (let i = 0; i < 4; i++) socket.write("PING\r\n"); setImmediate(tick); }; tick(); },
  left:      (socket) => { socket.pause(); socket.write(Buffer.concat([encodeCall(["GET", bigKey]), encodeCall(["QUIT"])])); },
  // What waits on the heap.
  queue:     (socket) => { socket.resume(); socket.write("MULTI\r\n"); pour(socket, () => encodeCall(["SET", "q", CHUNK])); },
  watch:     (socket, number) => { socket.resume(); pour(socket, (turn) => encodeCall(["WATCH", ...Array.from({ length: 200 }, (_, i) => `${number}:${turn}:${i}:${"k".repeat(200)}`)])); },
  // Places and time.
  silent:    () => {},
  half:      (socket) => void socket.write("GET / HT"),
  handshake: (socket) => void socket.write(text("\x16\x03\x01")),
  garbage:   (socket) => void socket.write(text("\x16\x03\x01\x02\x00".padEnd(5000, "z"))),
  churn:     (socket) => { socket.write("PING\r\n"); socket.once("data", () => socket.destroy()); },
  // Wrong in every other way.
  wrong:     (socket, number) => { socket.resume(); pour(socket, (turn) => WRONG[(turn + number) % WRONG.length]); },
};

const EMPTY_ARGUMENTS = Buffer.from("$0\r\n\r\n".repeat(8000));
const WRONG: readonly Buffer[] = [
  encodeCall(["SET", "k".repeat(limits.keyBytesMax + 1), "v"]),
  encodeCall(["CLIENT", "SETNAME", "n".repeat(limits.connectionNameBytesMax + 1)]),
  encodeCall(["KEYS", "*a".repeat(limits.patternBytesMax)]),
  encodeCall(["RESTORE", "x", "0", CHUNK]),
  encodeCall(["SETRANGE", "r", String(limits.valueBytesMax), "x"]),
  encodeCall(["NOTHING", CHUNK]),
];

function sizeOf(bytes: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes);
  return size;
}

/** Over TLS too, every fifth of those that send anything. */
function isEncrypted(number: number, kind: string): boolean {
  return number % 5 === 4 && !["silent", "half", "handshake", "garbage"].includes(kind);
}

const KINDS = Object.keys(ATTACKS);
const attempts: Record<string, number> = {};
let stopped = false;
const open = new Set<Socket>();

async function attack(number: number): Promise<void> {
  const kind = KINDS[number % KINDS.length]!;
  while (!stopped) {
    attempts[kind] = (attempts[kind] ?? 0) + 1;
    const encrypted = isEncrypted(Math.floor(number / KINDS.length), kind);
    const options = { port, host: "127.0.0.1" };
    const socket = encrypted ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
    open.add(socket);
    socket.on("error", () => {});
    socket.once(encrypted ? "secureConnect" : "connect", () => ATTACKS[kind]!(socket, number));
    await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    open.delete(socket);
    await new Promise((resolve) => setTimeout(resolve, BACK_MS));
  }
}

const all = Array.from({ length: connections }, (_, number) => attack(number));
process.stdin.resume();
await once(process.stdin, "end");
stopped = true;
for (const socket of open) socket.destroy();
await Promise.all(all);
process.stdout.write(`${JSON.stringify(attempts)}\n`);
