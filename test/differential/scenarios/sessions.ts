// test/differential/scenarios/sessions.ts
// Sessions: what ends a connection, silences it, names it or moves it to another database.

import type { Args, Draw } from "../draw.ts";
import { encodeCommand, parseReply } from "../frame.ts";
import type { Pair } from "../pair.ts";
import { allKeys } from "../pools.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";

async function withPair(pair: Pair, body: (other: Pair) => Promise<void>): Promise<void> {
  const other = await pair.open();
  try {
    await body(other);
  } finally {
    other.close();
  }
}

function quit(draw: Draw): Scenario {
  const commands: readonly Args[] = draw.random.pick([
    [["QUIT"], ["PING"]],
    [["quit"]],
    [["QUIT", "now"]],
    [["MULTI"], ["SET", "string:0", "x"], ["QUIT"], ["EXEC"]],
    [["HELLO", "4"], ["QUIT"]],
  ]);
  return {
    name: "QUIT",
    run: async (pair) => (await pair.open()).exchangeBytes("QUIT", [commands.map(encodeCommand).join("")]),
  };
}

/** CLIENT REPLY OFF, SKIP, ON: which commands stay without an answer. */
function reply(draw: Draw): Scenario {
  const random = draw.random;
  const words: readonly Args[] = [
    ["CLIENT", "REPLY", "OFF"],
    ["CLIENT", "REPLY", "ON"],
    ["CLIENT", "REPLY", "SKIP"],
    ["PING"],
    ["GET", "string:0"],
    ["NOSUCH"],
    ["MULTI"],
    ["EXEC"],
    ["SET", "string:0", "x"],
    ["CLIENT", "REPLY", "maybe"],
    ["INCR", "string:0"],
    ["RESET"],
  ];
  const commands = [
    ...Array.from({ length: random.between(3, 14) }, () => random.pick(words)),
    ["CLIENT", "REPLY", "ON"],
    ["PING", "end"],
  ];
  return {
    name: "CLIENT REPLY",
    run: async (pair) => (await pair.open()).exchangeBytes("CLIENT REPLY", [commands.map(encodeCommand).join("")]),
  };
}

function kill(draw: Draw): Scenario {
  const way = draw.random.pick(["id", "address", "old", "self", "skipped"]);
  return {
    name: "CLIENT KILL",
    async run(pair) {
      const victim = await pair.open();
      const ids = await victim.exchange([["CLIENT", "ID"]]);
      const [theirs, ours] = [ids.theirs, ids.ours].map((replies) => parseReply(replies[0] ?? ":0\r\n").text ?? "0");
      const target = { theirs: theirs ?? "0", ours: ours ?? "0" };
      if (way === "self" || way === "skipped") {
        const bytes = (id: string): string[] => [
          [["CLIENT", "KILL", "ID", id, "SKIPME", way === "self" ? "no" : "yes"], ["PING"]].map(encodeCommand).join(""),
        ];
        return victim.exchangeBytes("CLIENT KILL", { theirs: bytes(target.theirs), ours: bytes(target.ours) });
      }
      const command = (side: "theirs" | "ours"): Args => {
        if (way === "id") return ["CLIENT", "KILL", "ID", target[side]];
        return way === "old"
          ? ["CLIENT", "KILL", victim.addresses[side]]
          : ["CLIENT", "KILL", "ADDR", victim.addresses[side], "TYPE", "normal"];
      };
      await pair.exchangeEach([command("theirs")], [command("ours")]);
      return victim.awaitClose("(killed connection)");
    },
  };
}

/** Other databases: Redis has sixteen, a hive one. Nothing is stored there. */
function select(draw: Draw): Scenario {
  const database = String(draw.random.between(1, 15));
  const key = draw.random.pick([...allKeys]);
  return {
    name: "SELECT of another database",
    run: (pair) =>
      withPair(pair, async (other) => {
        await other.exchange([["SELECT", database], ["RESET"], ["SELECT", "0"], ["GET", "missing:0"]]);
        await other.exchange([
          ["COPY", key, "copied", "DB", database, "REPLACE"],
          ["MOVE", "nosuch key", database],
          ["SWAPDB", "0", "0"],
        ]);
      }),
  };
}

/** A connection that gives itself a protocol and a name, loses both by RESET, and leaves in the middle of something. */
function identity(draw: Draw): Scenario {
  const random = draw.random;
  const name = random.pick(["one", "two-2", "three.3"]);
  const commands: readonly Args[] = [
    ["CLIENT", "GETNAME"],
    ["HELLO", random.pick(["2", "3"]), ...draw.maybe(0.3, () => ["AUTH", "default", "any"]), "SETNAME", name],
    ["CLIENT", "GETNAME"],
    ["HGETALL", "table:0"],
    ["HELLO"],
    ["CLIENT", "SETNAME", ""],
    ["CLIENT", "GETNAME"],
    ["AUTH", "default", "x"],
    ["RESET"],
    ["CLIENT", "GETNAME"],
    ["HGETALL", "table:0"],
    ["WATCH", "string:0"],
  ];
  return {
    name: "HELLO and RESET",
    run: (pair) => withPair(pair, async (other) => void (await other.exchange(commands))),
  };
}

export const sessionScenarios: readonly ScenarioRule[] = [
  { families: ["server"], weight: 1.5, draw: quit },
  { families: ["server"], weight: 1.5, draw: reply },
  { families: ["server"], weight: 2, draw: kill },
  { families: ["server", "keys"], weight: 1, draw: select },
  { families: ["server"], weight: 1.5, draw: identity },
];
