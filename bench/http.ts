// http: XML-RPC beside Python's SimpleXMLRPCServer, the class that the older system was built on.
//
//   npm run bench -- http
//
//   one client of xmlrpc.client, which puts and fetches in turn: its own speed is most of it
//   eight raw connections, each with a call under way all the time; where the server ends one it is opened again

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { comparePairs } from "./pairs.ts";
import { type Server, startHive } from "./peers.ts";
import { type BenchOptions, type Row, row } from "./row.ts";

const PEER = fileURLToPath(new URL("http-peer.py", import.meta.url));
const PEER_NAME = "Python's SimpleXMLRPCServer";
const TOKEN = "the token of the benchmark";
const PAIRS = 7;
const TURN_MS = 2_000;
const CONNECTIONS = 8;
const ONE_GOAL = 1.6;
const RAW_GOAL = 2.5;

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  await using hive = await startHive(undefined, ["--token", TOKEN]);
  await using peer = await startPeer();
  const servers = { hive, redis: peer };
  const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
  const ms = options.quick ? TURN_MS / 4 : TURN_MS;
  const one = await comparePairs(servers, pairs, async ({ port }) => {
    const { stdout } = await promisify(execFile)("python3", [PEER, "load", url(port), String(ms / 1000)]);
    options.note(`one Python client on port ${port}: ${stdout.trim()} calls/s`);
    return { perSecond: Number(stdout) };
  });
  const work = "XML-RPC put and fetch, one Python client, calls/s";
  yield row({ work, peer: PEER_NAME, ...one.perSecond, goal: { atLeast: ONE_GOAL } });
  const raw = await comparePairs(servers, pairs, async ({ port }) => {
    const untilMs = performance.now() + ms;
    const counts = await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => callRaw(port, i, untilMs)));
    const perSecond = (counts.reduce((sum, count) => sum + count, 0) * 1000) / ms;
    options.note(`${CONNECTIONS} raw connections on port ${port}: ${Math.round(perSecond)} calls/s`);
    return { perSecond };
  });
  const eight = `XML-RPC put and fetch, ${CONNECTIONS} raw connections, calls/s`;
  yield row({ work: eight, peer: PEER_NAME, ...raw.perSecond, goal: { atLeast: RAW_GOAL } });
}

function url(port: number): string {
  return `http://127.0.0.1:${port}/RPC2`;
}

async function startPeer(): Promise<Server> {
  const child = spawn("python3", [PEER, "serve"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { name: "redis", port: Number(String(line)), pid: child.pid!, close, [Symbol.asyncDispose]: close };
}

/** Calls one after the other until the time is up. Returns how many were answered, each rightly. */
async function callRaw(port: number, connection: number, untilMs: number): Promise<number> {
  let socket: Socket | undefined;
  let count = 0;
  while (performance.now() < untilMs) {
    socket ??= connect({ host: "127.0.0.1", port, noDelay: true });
    const isPut = count % 2 === 0;
    socket.write(request(isPut, `r${connection}-${(count >> 1) % 100}`));
    const answer = await answerOf(socket);
    const isRight = isPut ? answer.text.includes("SUCCESS") : answer.text.includes("temperature");
    if (!isRight) throw new Error(`a wrong answer: ${answer.text}`);
    count++;
    if (answer.isLast) {
      socket.destroy();
      socket = undefined;
    }
  }
  socket?.destroy();
  return count;
}

function request(isPut: boolean, label: string): string {
  const reading =
    "<param><value><struct><member><name>temperature</name><value><double>21.5</double></value></member>" +
    "<member><name>at</name><value><int>1764000000</int></value></member></struct></value></param>";
  const text = (value: string): string => `<param><value><string>${value}</string></value></param>`;
  const params = `${text(TOKEN)}${text("sensor")}${text(label)}${isPut ? reading : ""}`;
  const method = isPut ? "memory_put" : "memory_fetch";
  const body = `<?xml version='1.0'?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
  return `POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function answerOf(socket: Socket): Promise<{ text: string; isLast: boolean }> {
  let text = "";
  for (;;) {
    const [chunk] = await once(socket, "data");
    text += String(chunk);
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) continue;
    const length = Number(/content-length: *(\d+)/i.exec(text)?.[1]);
    if (text.length - head - 4 >= length) return { text, isLast: text.startsWith("HTTP/1.0") };
  }
}
