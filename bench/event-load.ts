// The load of bench/events.ts, in a process of its own: raw sockets, so that no library is measured.
//
//   node bench/event-load.ts '{"kind":"messages","port":6379,"subscribers":100,"messages":20000}' ──message──▶ { perSecond }

import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import { connect } from "../src/client/node.ts";

export type EventTask =
  | { kind: "messages"; port: number; subscribers: number; messages: number }
  | { kind: "near" | "ioredis"; port: number; reads: number };
export type EventDone = { perSecond: number };

const PAYLOAD = "x".repeat(64);
/** PUBLISH calls in one write, and how many may be without an answer. */
const BATCH = 64;
const OPEN_MAX = 1_024;
const CALL = `*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$${PAYLOAD.length}\r\n${PAYLOAD}\r\n`;
const MESSAGE_BYTES = Buffer.byteLength(`*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$${PAYLOAD.length}\r\n${PAYLOAD}\r\n`);
const FIELDS = 1_000;

async function open(port: number): Promise<Socket> {
  const socket = dial({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

async function messages(port: number, subscribers: number, count: number): Promise<number> {
  const listeners = await Promise.all(Array.from({ length: subscribers }, () => open(port)));
  const publisher = await open(port);
  await Promise.all(
    listeners.map(async (socket) => {
      socket.write("*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n");
      await once(socket, "data");
    }),
  );
  const heard = listeners.map(
    (socket) =>
      new Promise<void>((resolve) => {
        let left = count * MESSAGE_BYTES;
        socket.on("data", (chunk: Buffer) => {
          left -= chunk.length;
          if (left <= 0) resolve();
        });
      }),
  );
  const batch = CALL.repeat(BATCH);
  let sent = 0;
  let answered = 0;
  const fromMs = performance.now();
  const send = (): void => {
    while (sent < count && sent - answered < OPEN_MAX) {
      publisher.write(batch);
      sent += BATCH;
    }
  };
  publisher.on("data", (chunk: Buffer) => {
    // One answer a line.
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) answered++;
    send();
  });
  send();
  await Promise.all(heard);
  const perSecond = (count * subscribers) / ((performance.now() - fromMs) / 1000);
  for (const socket of [publisher, ...listeners]) socket.destroy();
  return perSecond;
}

async function near(port: number, reads: number): Promise<number> {
  await using hive = await connect(`hive://127.0.0.1:${port}`, { shared: false });
  const table = hive.table<string>("near", { near: {} });
  await table.setMany(Array.from({ length: FIELDS }, (_, i) => [`f${i}`, PAYLOAD] as const));
  while (!table.near!.on) await table.get("f0");
  for (let i = 0; i < FIELDS; i++) await table.get(`f${i}`);
  return await timed(reads, (i) => table.get(`f${i % FIELDS}`));
}

async function ioredis(port: number, reads: number): Promise<number> {
  const { Redis } = await import("ioredis");
  const redis = new Redis(port);
  for (let i = 0; i < FIELDS; i++) await redis.hset("near", `f${i}`, PAYLOAD);
  const perSecond = await timed(reads, (i) => redis.hget("near", `f${i % FIELDS}`));
  redis.disconnect();
  return perSecond;
}

async function timed(reads: number, read: (i: number) => Promise<unknown>): Promise<number> {
  for (let i = 0; i < reads / 10; i++) await read(i);
  const fromMs = performance.now();
  for (let i = 0; i < reads; i++) {
    if ((await read(i)) === undefined) throw new Error("a read found nothing");
  }
  return reads / ((performance.now() - fromMs) / 1000);
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2]!) as EventTask;
  const perSecond =
    task.kind === "messages"
      ? await messages(task.port, task.subscribers, task.messages)
      : await (task.kind === "near" ? near : ioredis)(task.port, task.reads);
  process.send!({ perSecond } satisfies EventDone);
  process.disconnect();
}
