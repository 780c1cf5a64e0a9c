// connections: 5,000 open at once, each answered.
//
//   npm run bench -- connections
//
// All sockets are this process's, to a hive that is started as a user starts it. They are opened in groups,
// stay open, and then each asks a question of its own and has to get its own answer, all at the same time;
// after that each one asks once more. Both ends need a file descriptor for each: Node raises the soft limit
// (`ulimit -n`) to the hard one by itself, and where that is below 5,000 the row cannot be reached.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Server, startHive } from "./peers.ts";
import { residentBytes, settled } from "./process-usage.ts";
import { type BenchOptions, LIMIT, type Row, row } from "./row.ts";

const CONNECTIONS = 5_000;
const GROUP = 250;
const ROUNDS = 2;
const ANSWER_MS_MAX = 30_000;

export async function run({ note }: BenchOptions): Promise<Row[]> {
  await using hive = await startHive();
  const before = residentBytes(hive.pid);
  const sockets = await openAll(hive);
  let answered = 0;
  let slowestMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    const answers = await Promise.all(sockets.map((socket, i) => asks(socket, `${round}-${i}`)));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    answered += answers.filter(Boolean).length;
  }
  await settled(hive.pid);
  const bytes = (residentBytes(hive.pid) - before) / CONNECTIONS;
  for (const socket of sockets) socket.destroy();
  note(
    `${Math.round(bytes / 1024)} KiB of the hive's memory for each; all were answered within ${Math.round(slowestMs)} ms`,
  );
  return [
    row({
      work: `connections open at once, each answered ${ROUNDS} times, answers`,
      peer: LIMIT,
      ours: answered,
      theirs: CONNECTIONS * ROUNDS,
      goal: { atLeast: 1 },
    }),
  ];
}

async function openAll({ port }: Server): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < CONNECTIONS) {
    const group = Array.from({ length: GROUP }, () => connect({ port, host: "127.0.0.1" }));
    await Promise.all(group.map((socket) => once(socket, "connect")));
    sockets.push(...group);
  }
  return sockets;
}

/** Whether the connection answers with what it was asked to echo. */
async function asks(socket: Socket, text: string): Promise<boolean> {
  const expected = `$${text.length}\r\n${text}\r\n`;
  let answer = "";
  return new Promise((resolve) => {
    const end = (ok: boolean): void => {
      clearTimeout(impatience);
      socket.removeAllListeners();
      socket.on("error", () => {});
      resolve(ok);
    };
    const impatience = setTimeout(() => end(false), ANSWER_MS_MAX);
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.length >= expected.length) end(answer === expected);
    });
    socket.write(`*2\r\n$4\r\nECHO\r\n${expected}`);
  });
}
