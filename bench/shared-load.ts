// One way to read a small object, or a writer beside, in a process of its own: a child of bench/shared.ts.
//
//   argv: role, address        { ms } ──message──▶ reads for so long ──▶ { perSecond, retried, asked }
//
//   peek      memhive's client, hive.table().peek()          get       the same, await table.get()
//   map       a Map of packed values in this process, unpacked at each read
//   ioredis   getBuffer() over the socket, one at a time, unpacked
//   writer    SETs of 64 bytes to 10,000 keys, 100,000 a second, to either kind of server

import { connect as connectSocket, type Socket } from "node:net";
import { connect } from "../src/client/node.ts";
import { decode } from "../src/wire/value-decode.ts";
import { encode } from "../src/wire/value-encode.ts";

export type Role = "peek" | "get" | "map" | "ioredis";
export type Done = { perSecond: number; retried: number; asked: number };

const KEYS = 10_000;
const TABLE = "objects";
const WRITES_PER_MS = 100;
const keys = Array.from({ length: KEYS }, (_, i) => `user:${i}`);
/** A prime, so that keys come in no order that a processor could guess. */
const STEP = 7919;

type Reading = {
  /** Reads `count` objects. Throws where one is not what was stored. */
  read(count: number): void | Promise<void>;
  counts(): { retried: number; asked: number };
};

const objectOf = (id: number): object => ({ id, name: "Ada Lovelace", born: 1815, active: true, tags: ["a", "bb"] });
const NO_COUNTS = (): { retried: number; asked: number } => ({ retried: 0, asked: 0 });

function check(value: unknown, at: number): void {
  if ((value as { id: number } | undefined)?.id !== at) throw new Error(`${keys[at]} holds ${JSON.stringify(value)}`);
}

let next = 0;
function draw(): number {
  next = (next + STEP) % KEYS;
  return next;
}

const OPEN: Readonly<Record<Role, (address: string) => Promise<Reading>>> = {
  async peek(address) {
    const hive = await connect(`unix:${address}`);
    const table = hive.table(TABLE);
    return {
      read(count) {
        for (let i = 0; i < count; i++) {
          const at = draw();
          check(table.peek(keys[at]!), at);
        }
      },
      counts: () => hive.shared,
    };
  },
  async get(address) {
    const hive = await connect(`unix:${address}`);
    const table = hive.table(TABLE);
    return {
      async read(count) {
        for (let i = 0; i < count; i++) {
          const at = draw();
          check(await table.get(keys[at]!), at);
        }
      },
      counts: () => hive.shared,
    };
  },
  async map() {
    const map = new Map(keys.map((key, i) => [key, encode(objectOf(i))]));
    return {
      read(count) {
        for (let i = 0; i < count; i++) {
          const at = draw();
          const bytes = map.get(keys[at]!)!;
          check(decode(bytes, 0, bytes.length), at);
        }
      },
      counts: NO_COUNTS,
    };
  },
  async ioredis(address) {
    const { Redis } = await import("ioredis");
    const redis = new Redis(address);
    return {
      async read(count) {
        for (let i = 0; i < count; i++) {
          const at = draw();
          const bytes = (await redis.hgetBuffer(TABLE, keys[at]!))!;
          check(decode(bytes, 0, bytes.length), at);
        }
      },
      counts: NO_COUNTS,
    };
  },
};

/** What both kinds of server hold. */
async function fill(address: string, kind: "hive" | "redis"): Promise<void> {
  if (kind === "hive") {
    await using hive = await connect(`unix:${address}`, { shared: false });
    const table = hive.table(TABLE);
    await Promise.all(keys.map((key, i) => table.set(key, objectOf(i))));
  } else {
    const { Redis } = await import("ioredis");
    const redis = new Redis(address);
    await Promise.all(keys.map((key, i) => redis.hset(TABLE, key, Buffer.from(encode(objectOf(i))))));
    await redis.quit();
  }
}

/** Writes at a steady rate, whatever else the machine does, until it is killed. */
function write(address: string): void {
  const socket: Socket = connectSocket(address);
  const value = "x".repeat(64);
  const startMs = performance.now();
  let written = 0;
  socket.resume();
  setInterval(() => {
    const due = Math.min((performance.now() - startMs) * WRITES_PER_MS - written, WRITES_PER_MS * 50);
    let text = "";
    for (let i = 0; i < due; i++) {
      const key = `other:${(written + i) % KEYS}`;
      text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$64\r\n${value}\r\n`;
    }
    written += Math.max(0, Math.ceil(due));
    if (text !== "") socket.write(text, "latin1");
  }, 1);
}

const [role = "", address = "", kind = "hive"] = process.argv.slice(2);
if (role === "writer") write(address);
else if (role === "fill") {
  await fill(address, kind as "hive" | "redis");
} else {
  const reading = await OPEN[role as Role](address);
  process.on("message", (message: { ms: number } | "end") => {
    if (message === "end") process.exit();
    void run(reading, message.ms).then((done) => process.send!(done));
  });
}
if (role !== "fill") process.send!("ready");
else process.disconnect();

async function run({ read, counts }: Reading, ms: number): Promise<Done> {
  const before = counts();
  const startMs = performance.now();
  let reads = 0;
  let nowMs = startMs;
  // Turns of the loop, as a program has them: heartbeats and timers of the client come to their right.
  for (; nowMs - startMs < ms; nowMs = performance.now()) {
    const count = role === "ioredis" ? 200 : 2000;
    await read(count);
    reads += count;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const after = counts();
  const perSecond = (reads / (nowMs - startMs)) * 1000;
  return { perSecond, retried: after.retried - before.retried, asked: after.asked - before.asked };
}
