// test/differential/blocking.ts
// Blocking: several connections that wait for lists and sorted sets and make them, in a fixed order, on both servers.
//
//   seed ──▶ steps (connection, calls) ──▶ each server: send, ask another connection for an echo, next step
//        ──▶ at the end everybody who waits is unblocked ──▶ what each connection got, and what is left, are compared
//
// The echo shows that the step was read: bytes that were sent before lie with the server before. What is said to a
// connection that waits lies there until it is answered, on both. So what each connection gets is fixed by
// the steps, and compared as a whole.
//
//   node test/differential/blocking.ts [--count N] [--seed N]

import { parseArgs } from "node:util";
import { type Address, Connection } from "./connection.ts";
import type { Args } from "./draw.ts";
import { encodeCommand } from "./frame.ts";
import { deriveSeed, Random } from "./random.ts";

const CLIENTS = 5;
const KEYS = ["a", "b", "c", "d"];
const SIDES = ["LEFT", "RIGHT"];
const ENDS = ["MIN", "MAX"];

export type Step = { client: number; calls: readonly Args[] } | { unblocks: number; how: readonly string[] };
export type BlockingResult = { scenarios: number; served: number; mismatches: string[] };

function wait(random: Random): Args {
  const key = random.pick(KEYS);
  const several = Array.from({ length: 1 + random.below(3) }, () => random.pick(KEYS));
  const [from, to] = [random.pick(SIDES), random.pick(SIDES)];
  const kinds: readonly Args[] = [
    ["BLPOP", ...several, "0"],
    ["BRPOP", ...several, "0"],
    ["BLPOP", key, "0"],
    ["BLMOVE", key, random.pick(KEYS), from, to, "0"],
    ["BRPOPLPUSH", key, random.pick(KEYS), "0"],
    ["BLMPOP", "0", String(several.length), ...several, from, "COUNT", String(1 + random.below(3))],
    ["BZPOPMIN", ...several, "0"],
    ["BZPOPMAX", ...several, "0"],
    ["BZPOPMIN", key, "0"],
    ["BZMPOP", "0", String(several.length), ...several, random.pick(ENDS), "COUNT", String(1 + random.below(3))],
  ];
  return random.pick(kinds);
}

function change(random: Random): Args {
  const key = random.pick(KEYS);
  const elements = Array.from({ length: 1 + random.below(3) }, () => `e${random.below(100)}`);
  const kinds: readonly Args[] = [
    ["RPUSH", key, ...elements],
    ["LPUSH", key, ...elements],
    ["RPUSH", key, ...elements],
    ["LPUSHX", key, ...elements],
    ["SET", key, "in the way"],
    ["DEL", key],
    ["DEL", key, random.pick(KEYS)],
    ["RENAME", random.pick(KEYS), key],
    ["COPY", random.pick(KEYS), key, "REPLACE"],
    ["LMOVE", random.pick(KEYS), key, random.pick(SIDES), random.pick(SIDES)],
    ["LPOP", key],
    ["SADD", key, "member"],
    ["ZADD", key, ...elements.flatMap((element, i) => [String((i * 7) % 3), element])],
    ["ZADD", key, "1", "one"],
    ["ZUNIONSTORE", key, "2", random.pick(KEYS), random.pick(KEYS)],
    ["ZPOPMAX", key],
    ["SORT", random.pick(KEYS), "ALPHA", "STORE", key],
  ];
  return random.pick(kinds);
}

/** The steps of one scenario. */
export function drawSteps(seed: number): Step[] {
  const random = new Random(seed);
  return Array.from({ length: 12 + random.below(16) }, (): Step => {
    const client = random.below(CLIENTS);
    if (random.chance(0.06)) return { unblocks: client, how: random.pick([[], ["TIMEOUT"], ["ERROR"]]) };
    if (random.chance(0.45)) return { client, calls: [wait(random)] };
    if (random.chance(0.25)) {
      const inner = Array.from({ length: 1 + random.below(5) }, () =>
        random.chance(0.2) ? wait(random) : change(random),
      );
      return { client, calls: [["MULTI"], ...inner, ["EXEC"]] };
    }
    return { client, calls: Array.from({ length: 1 + random.below(2) }, () => change(random)) };
  });
}

/** One server's connections, used again by every scenario. */
class Stage {
  readonly #control: Connection;
  readonly #clients: readonly Connection[];
  readonly #ids: readonly string[];

  private constructor(control: Connection, clients: readonly Connection[], ids: readonly string[]) {
    this.#control = control;
    this.#clients = clients;
    this.#ids = ids;
  }

  static async open(address: Address): Promise<Stage> {
    const control = await Connection.open(address);
    const clients: Connection[] = [];
    const ids: string[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      const client = await Connection.open(address);
      clients.push(client);
      ids.push((await ask(client, ["CLIENT", "ID"])).slice(1, -2));
    }
    return new Stage(control, clients, ids);
  }

  /** Plays a scenario. Returns what each connection got, and what was left in the keys. */
  async play(steps: readonly Step[]): Promise<string[]> {
    await ask(this.#control, ["FLUSHALL"]);
    const told: string[] = [];
    for (const step of steps) {
      if ("unblocks" in step)
        told.push(await ask(this.#control, ["CLIENT", "UNBLOCK", this.#ids[step.unblocks]!, ...step.how]));
      else this.#clients[step.client]!.send(step.calls.map(encodeCommand).join(""));
      await ask(this.#control, ["ECHO", "read"]);
    }
    const end = "the end of a scenario";
    const echo = `$${end.length}\r\n${end}\r\n`;
    for (const client of this.#clients) client.send(encodeCommand(["ECHO", end]));
    // Calls that lie behind one that waits may wait too.
    const got = this.#clients.map((client) => client.take(Number.POSITIVE_INFINITY, echo));
    let open = CLIENTS;
    for (const each of got) void each.then(() => open--);
    while (open > 0) for (const id of this.#ids) await ask(this.#control, ["CLIENT", "UNBLOCK", id]);
    const transcripts = (await Promise.all(got)).map(({ replies }, i) => `client ${i}: ${JSON.stringify(replies)}`);
    const left: string[] = [];
    for (const key of KEYS) {
      left.push(`${key}: ${await ask(this.#control, ["LRANGE", key, "0", "-1"])}`);
      left.push(`${key}: ${await ask(this.#control, ["ZRANGE", key, "0", "-1", "WITHSCORES"])}`);
    }
    return [`control: ${JSON.stringify(told)}`, ...transcripts, ...left];
  }

  close(): void {
    for (const connection of [this.#control, ...this.#clients]) connection.close();
  }
}

async function ask(connection: Connection, args: Args): Promise<string> {
  connection.send(encodeCommand(args));
  const { replies, failure } = await connection.take(1);
  if (failure !== undefined) throw new Error(`${args.join(" ")}: the server ${failure}`);
  return replies[0]!;
}

/** Plays `count` scenarios on both servers. */
export async function runBlocking(
  { theirs, ours }: { theirs: Address; ours: Address },
  { seed, count }: { seed: number; count: number },
): Promise<BlockingResult> {
  const [redis, hive] = [await Stage.open(theirs), await Stage.open(ours)];
  const result: BlockingResult = { scenarios: 0, served: 0, mismatches: [] };
  try {
    for (; result.scenarios < count && result.mismatches.length < 5; result.scenarios++) {
      const own = deriveSeed(seed, result.scenarios);
      const steps = drawSteps(own);
      const [expected, got] = await Promise.all([redis.play(steps), hive.play(steps)]);
      result.served += expected.join("").match(/"\*[23]\\r\\n\$1\\r\\n[a-d]/g)?.length ?? 0;
      if (expected.join("\n") === got.join("\n")) continue;
      const lines = expected.flatMap((line, i) => (line === got[i] ? [] : [`  redis ${line}`, `  hive  ${got[i]}`]));
      const shown = steps.map((step, i) => `  ${i} ${JSON.stringify(step)}`);
      result.mismatches.push([`scenario ${result.scenarios} of seed ${seed}`, ...shown, ...lines].join("\n"));
    }
  } finally {
    redis.close();
    hive.close();
  }
  return result;
}

if (import.meta.main) {
  const { startHive, startReference } = await import("./servers.ts");
  const { values } = parseArgs({ options: { count: { type: "string", default: "2000" }, seed: { type: "string" } } });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(values.seed);
  await using reference = await startReference();
  await using hive = await startHive();
  const run = { seed, count: Number(values.count) };
  const { scenarios, served, mismatches } = await runBlocking({ theirs: reference.address, ours: hive.address }, run);
  console.log(
    `${mismatches.join("\n\n")}\n${scenarios} scenarios, ${served} pops, ${mismatches.length} mismatches; seed ${seed}`,
  );
  process.exitCode = mismatches.length === 0 ? 0 : 1;
}
