// test/differential/scenarios/memory.ts
// Memory: what is refused when memory is full, and values larger than any buffer on the way.

import type { Args, Draw } from "../draw.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";

/** With maxmemory far below what is used, every command that may grow is refused, every other one works. */
function full(draw: Draw): Scenario {
  const random = draw.random;
  const [text, number, table, set] = ["string:0", "number:0", "table:0", "set:0"] as const;
  const commands: readonly Args[] = [
    ["SET", text, "v"],
    ["GET", text],
    ["SETNX", text, "v"],
    ["SETEX", text, "1000000", "v"],
    ["GETSET", text, "v"],
    ["GETDEL", text],
    ["GETEX", text, "PERSIST"],
    ["MSET", text, "v"],
    ["MSETNX", text, "v"],
    ["APPEND", text, "v"],
    ["SETRANGE", text, "1", "v"],
    ["INCR", number],
    ["DECRBY", number, "2"],
    ["INCRBYFLOAT", number, "1"],
    ["HSET", table, "f", "v"],
    ["HSETNX", table, "f", "v"],
    ["HDEL", table, "f"],
    ["HINCRBY", table, "n", "1"],
    ["HINCRBYFLOAT", table, "n", "1"],
    ["HGETALL", table],
    ["SADD", set, "m"],
    ["SREM", set, "m"],
    ["SMOVE", set, "set:1", "m"],
    ["SUNIONSTORE", set, set],
    ["SINTERSTORE", set, set],
    ["SDIFFSTORE", set, set],
    ["SMEMBERS", set],
    ["COPY", text, "string:1"],
    ["RENAME", text, "string:1"],
    ["DEL", text],
    ["EXPIRE", text, "1000000"],
    ["PERSIST", text],
    ["SPOP", set, "100000"],
    ["TYPE", text],
    ["DUMP", text],
    ["PING"],
    ["NOSUCH"],
    ["SET", text],
    ["ECHO", "x"],
    ["RESTORE", text, "0", "x"],
    ["UNLINK", table],
    ["TOUCH", text],
    ["CONFIG", "GET", "maxmemory-policy"],
    ["HMSET", table, "f", "v"],
    ["PSETEX", text, "100000000", "v"],
  ];
  const body = Array.from({ length: random.between(5, 25) }, () => random.pick(commands));
  const isTransaction = random.chance(0.3);
  return {
    name: "memory full",
    async run(pair) {
      await pair.exchange([
        ["SET", "string:2", "x".repeat(1000)],
        ["CONFIG", "SET", "maxmemory", "1"],
      ]);
      await pair.exchange(isTransaction ? [["MULTI"], ...body, ["EXEC"]] : body);
      await pair.exchange([
        ["CONFIG", "SET", "maxmemory", "0"],
        ["CONFIG", "GET", "maxmemory"],
      ]);
    },
  };
}

/** Values of 100 KiB to 4 MiB and commands of thousands of arguments. */
function large(draw: Draw): Scenario {
  const random = draw.random;
  const size = random.pick([65_535, 65_536, 100_000, 1_048_576, 4_000_000]);
  const value = String.fromCharCode(random.between(0, 255)).repeat(size);
  const count = random.pick([1000, 5000]);
  const numbers = Array.from({ length: count }, (_, index) => `n${index}`);
  const commands: readonly Args[] = [
    ["SET", "large", value],
    ["STRLEN", "large"],
    ["GETRANGE", "large", "-10", "-1"],
    ["GET", "large"],
    ["APPEND", "large", value.slice(0, 1000)],
    ["SETRANGE", "large", String(size), value.slice(0, 70_000)],
    ["STRLEN", "large"],
    ["SET", "large", value, "GET"],
    ["GETDEL", "large"],
    ["HSET", "large", "f", value, "g", "small"],
    ["HSTRLEN", "large", "f"],
    ["HGETALL", "large"],
    ["DEL", "large"],
    ["SADD", "large", ...numbers],
    ["SMISMEMBER", "large", ...numbers.slice(0, 500), "no"],
    ["SCARD", "large"],
    ["SREM", "large", ...numbers.slice(1)],
    ["SMEMBERS", "large"],
    ["DEL", "large"],
    ["MSET", ...numbers.flatMap((number) => [`large${number}`, number])],
    ["MGET", ...numbers.map((number) => `large${number}`)],
    ["DEL", ...numbers.map((number) => `large${number}`)],
    ["ECHO", value],
    ["PING", value.slice(0, 70_000)],
  ];
  return { name: "large values", run: async (pair) => void (await pair.exchange(commands)) };
}

export const memoryScenarios: readonly ScenarioRule[] = [
  { families: ["strings", "tables", "sets", "keys"], weight: 1, draw: full },
  { families: ["strings", "tables", "sets"], weight: 0.3, draw: large },
];
