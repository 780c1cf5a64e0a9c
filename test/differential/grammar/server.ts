// test/differential/grammar/server.ts
// Connection and server: what a client says about itself, and what it asks of the server.
//
// Nothing here is spoilt by chance where a wrong argument could stop, stall or reconfigure a server.
// QUIT, CLIENT KILL, CLIENT REPLY and SELECT need connections of their own: scenarios/sessions.ts.

import type { Args, Draw } from "../draw.ts";
import { command, outsideMulti, type Rule, sequence } from "../rule.ts";

const clientNames = ["worker", "a-b.c", "", "with space", "line\nbreak", "\x7f", "\xc3\xa9", "n".repeat(100)];

/** CONFIG names and values that are set and read back, harmless for the rest of a run. */
const settings: readonly (readonly [string, readonly string[]])[] = [
  ["maxmemory-policy", ["noeviction", "NOEVICTION", "nosuch", ""]],
  ["maxmemory", ["0", "8gb", "8000000000", "abc", "-1", "1.5gb"]],
  ["maxmemory-samples", ["5", "7", "0", "abc"]],
  ["slowlog-log-slower-than", ["10000", "100000", "abc"]],
  ["slowlog-max-len", ["128", "64", "-1"]],
  ["timeout", ["0", "100000", "-1"]],
  ["tcp-keepalive", ["300", "x"]],
  ["hash-max-listpack-value", ["64"]],
  ["hash-max-ziplist-entries", ["512"]],
  ["set-max-intset-entries", ["512"]],
  ["lfu-decay-time", ["1", "-1"]],
  ["activerehashing", ["yes", "no", "maybe"]],
  ["lazyfree-lazy-expire", ["no", "YES", "1"]],
  ["appendfsync", ["everysec", "never"]],
  ["notify-keyspace-events", ["", "xyz"]],
  ["proto-max-bulk-len", ["512mb", "1"]],
];

function helloOptions(draw: Draw): readonly string[] {
  const random = draw.random;
  const version = random.pick(["2", "3", "3", "2", "1", "4", "abc", "", "03", "9223372036854775808", "-3"]);
  const options = [
    ["SETNAME", random.pick(clientNames)],
    ["AUTH", "default", "secret"],
    ["AUTH", "nobody", "x"],
    ["AUTH", "default"],
    ["SETNAME"],
    ["NOSUCH"],
    ["setname", "x"],
    ["AUTH"],
  ];
  return random.chance(0.1)
    ? []
    : [version, ...draw.maybe(0.4, () => draw.several(2, () => random.pick(options)).flat())];
}

function clientRules(): Rule[] {
  return [
    command("CLIENT ID", 2, () => []),
    command("CLIENT GETNAME", 3, () => []),
    command("CLIENT SETNAME", 3, (draw) => [draw.random.pick(clientNames)]),
    command("CLIENT INFO", 1, () => []),
    sequence("CLIENT LIST", 2, (draw) => [
      [
        "CLIENT",
        "LIST",
        ...draw.maybe(0.7, () =>
          draw.random.pick([
            ["TYPE", "normal"],
            ["TYPE", "NORMAL"],
            ["TYPE", "pubsub"],
            ["TYPE", "replica"],
            ["TYPE", "nosuch"],
            ["TYPE"],
            ["ID"],
            ["ID", "x"],
            ["ID", "999999999"],
            ["ID", "1", "x"],
            ["NOSUCH"],
            ["TYPE", "normal", "x"],
          ]),
        ),
      ],
    ]),
    sequence("CLIENT KILL", 2, (draw) => [
      [
        "CLIENT",
        "KILL",
        ...draw.random.pick([
          [],
          ["127.0.0.1:1"],
          ["nosuch"],
          ["ID", "999999999"],
          ["ID", "0"],
          ["ID", "-1"],
          ["ID", "abc"],
          ["ID"],
          ["ADDR", "127.0.0.1:1"],
          ["TYPE", "nosuch"],
          ["TYPE", "pubsub"],
          ["USER", "nosuch"],
          ["LADDR", "1.2.3.4:5"],
          ["SKIPME", "maybe"],
          ["NOSUCH", "1"],
          ["ID", "999999999", "SKIPME", "yes"],
          ["ADDR", "127.0.0.1:1", "ID", "999999999"],
          ["ID", "999999999", "TYPE"],
          ["USER", "default", "ID", "999999999"],
        ]),
      ],
    ]),
    sequence("CLIENT NO-EVICT", 1, (draw) => [
      ["CLIENT", "NO-EVICT", ...draw.random.pick([["ON"], ["OFF"], ["on"], ["maybe"], [], ["ON", "x"]])],
    ]),
    sequence("CLIENT REPLY", 0.5, (draw) => [
      ["CLIENT", "REPLY", ...draw.random.pick([["ON"], ["on"], ["maybe"], [], ["ON", "x"]])],
    ]),
    outsideMulti(
      sequence("CLIENT PAUSE", 0.5, (draw) => [
        [
          "CLIENT",
          "PAUSE",
          ...draw.random.pick([
            ["0"],
            ["1"],
            ["1", "WRITE"],
            ["1", "all"],
            ["1", "nosuch"],
            ["abc"],
            ["-1"],
            ["1.5"],
            [],
            ["9223372036854775808"],
            ["1", "ALL", "x"],
          ]),
        ],
        // Redis drops a connection that half-closes while it is paused, replies and all.
        ["CLIENT", "UNPAUSE"],
      ]),
    ),
    command("CLIENT UNPAUSE", 0.5, () => []),
    sequence("CLIENT", 1, (draw) => [
      draw.random.pick([
        ["CLIENT"],
        ["CLIENT", "NOSUCH"],
        ["CLIENT", ""],
        ["client", "nosuch", "a", "b"],
        ["CLIENT", "GETNAME", "x"],
        ["CLIENT", "ID", "x"],
        ["CLIENT", "SETNAME"],
        ["CLIENT", "SETNAME", "a", "b"],
        ["CLIENT", "UNPAUSE", "x"],
        ["CLIENT", "\xff\r\n"],
        ["CLIENT|ID"],
      ]),
    ]),
  ];
}

function commandRules(inner: (draw: Draw) => Args): Rule[] {
  return [
    sequence("COMMAND", 0.2, () => [["COMMAND"]]),
    command("COMMAND COUNT", 1, () => []),
    sequence("COMMAND INFO", 1, (draw) => [
      [
        "COMMAND",
        "INFO",
        ...draw.several(3, () =>
          draw.random.pick([
            "get",
            "SET",
            "mset",
            "hset",
            "nosuch",
            "",
            "sinterstore",
            "del",
            "expire",
            "ping",
            "multi",
            "spop",
            "sintercard",
            "copy",
            "touch",
          ]),
        ),
      ],
    ]),
    sequence("COMMAND DOCS", 1, (draw) => [
      ["COMMAND", "DOCS", ...draw.several(2, () => draw.random.pick(["get", "SET", "nosuch", "hset", "sadd"]))],
    ]),
    sequence("COMMAND LIST", 0.2, (draw) => [
      [
        "COMMAND",
        "LIST",
        ...draw.random.pick([
          [],
          ["FILTERBY", "PATTERN", "hget*"],
          ["FILTERBY", "ACLCAT", "hash"],
          ["FILTERBY", "NOSUCH", "x"],
          ["FILTERBY"],
          ["NOSUCH"],
          ["FILTERBY", "MODULE", "nosuch"],
        ]),
      ],
    ]),
    sequence("COMMAND GETKEYS", 3, (draw) => [
      [
        "COMMAND",
        "GETKEYS",
        ...(draw.random.chance(0.8) ? inner(draw) : [draw.random.pick(["NOSUCH", "PING", "MULTI", ""])]),
      ],
    ]),
    sequence("COMMAND", 0.3, (draw) => [
      draw.random.pick([
        ["COMMAND", "NOSUCH"],
        ["COMMAND", ""],
        ["COMMAND", "COUNT", "x"],
        ["COMMAND", "GETKEYS"],
        ["COMMAND", "GETKEYS", "GET"],
        ["command", "getkeys", "set", "a"],
      ]),
    ]),
  ];
}

function settingRules(): Rule[] {
  return [
    outsideMulti(
      sequence("CONFIG SET", 3, (draw) => {
        const [name, choices] = draw.random.pick(settings);
        const commands: Args[] = [
          ["CONFIG", "SET", name, draw.random.pick(choices)],
          ["CONFIG", "SET", name, choices[0] ?? ""],
          ["CONFIG", "GET", name],
        ];
        return draw.random.chance(0.2)
          ? commands.map((args) => args.map((text, at) => (at === 2 ? text.toUpperCase() : text)))
          : commands;
      }),
    ),
    sequence("CONFIG SET", 1, (draw) => [
      [
        "CONFIG",
        "SET",
        ...draw.random.pick([
          [],
          ["timeout"],
          ["nosuch", "1"],
          ["timeout", "0", "nosuch", "1"],
          ["timeout", "0", "timeout", "0"],
          ["timeout", "0", "tcp-keepalive"],
          ["databases", "3"],
          ["", ""],
          ["timeout", "0", "tcp-keepalive", "300"],
          ["timeout", "0", "tcp-keepalive", "abc"],
        ]),
      ],
    ]),
    sequence("CONFIG GET", 1, (draw) => [
      [
        "CONFIG",
        "GET",
        ...draw.random.pick([
          ["nosuch"],
          [],
          ["nosuch*", "x"],
          ["nosuch", "nosuch"],
          [""],
          ["maxmemory-policy"],
          ["MAXMEMORY"],
          ["*"],
        ]),
      ],
    ]),
    sequence("CONFIG RESETSTAT", 0.5, (draw) => [["CONFIG", "RESETSTAT", ...draw.maybe(0.2, () => ["x"])]]),
    sequence("CONFIG", 0.3, (draw) => [
      draw.random.pick([["CONFIG"], ["CONFIG", "NOSUCH"], ["CONFIG", ""], ["config", "nosuch", "x"]]),
    ]),
  ];
}

function maintenanceRules(): Rule[] {
  return [
    sequence("SLOWLOG GET", 1, (draw) => [
      [
        "SLOWLOG",
        "GET",
        ...draw.maybe(0.7, () => draw.random.pick([["0"], ["-1"], ["-2"], ["5"], ["abc"], ["1", "2"]])),
      ],
    ]),
    sequence("SLOWLOG LEN", 1, (draw) => [["SLOWLOG", "LEN", ...draw.maybe(0.1, () => ["x"])]]),
    sequence("SLOWLOG RESET", 0.5, (draw) => [["SLOWLOG", draw.random.pick(["RESET", "reset", "NOSUCH", ""])]]),
    sequence("LATENCY RESET", 0.5, (draw) => [
      ["LATENCY", "RESET", ...draw.maybe(0.5, () => draw.several(2, () => draw.random.pick(["command", "nosuch"])))],
    ]),
    outsideMulti(
      sequence("DEBUG SLEEP", 0.5, (draw) => [["DEBUG", "SLEEP", draw.random.pick(["0", "0.001", "abc", "-1"])]]),
    ),
    sequence("DEBUG OBJECT", 0.5, (draw) => [["DEBUG", "OBJECT", draw.key()]]),
    sequence("DEBUG SET-ACTIVE-EXPIRE", 0.5, () => [
      ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
      ["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
    ]),
    sequence("SHUTDOWN", 0.3, (draw) => [
      [
        "SHUTDOWN",
        ...draw.random.pick([
          ["NOSUCH"],
          ["NOSAVE", "SAVE"],
          ["ABORT"],
          ["ABORT", "NOW"],
          ["SAVE", "NOSAVE"],
          ["", ""],
        ]),
      ],
    ]),
    command("TIME", 1, () => []),
    sequence("INFO", 1, (draw) => [
      [
        "INFO",
        ...draw.maybe(0.7, () =>
          draw.several(2, () =>
            draw.random.pick([
              "server",
              "clients",
              "keyspace",
              "memory",
              "stats",
              "ALL",
              "default",
              "everything",
              "nosuch",
            ]),
          ),
        ),
      ],
    ]),
  ];
}

/** Names that are no command, among them some that a careless table would find. */
function unknown(draw: Draw): Args {
  const random = draw.random;
  const name = random.pick([
    "NOSUCH",
    "",
    " ",
    "GET ",
    " GET",
    "GE\x00T",
    "get\r\nset",
    "\xff\xfe",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "G",
    "GETT",
    "x".repeat(127),
    "x".repeat(128),
    "x".repeat(129),
    "x".repeat(300),
    "'quoted'",
    "SET\n",
    "CONFIG GET",
    "client|id",
    "\xf0\x9f\x91\x8b",
  ]);
  return [name, ...(random.chance(0.7) ? draw.several(6, () => draw.value()) : [])];
}

/** @param inner Draws any single command, for COMMAND GETKEYS. */
export function serverRules(inner: (draw: Draw) => Args): readonly Rule[] {
  return [
    command("PING", 5, (draw) => draw.maybe(0.5, () => [draw.value()])),
    command("ECHO", 5, (draw) => [draw.value()]),
    // A HELLO that is refused for its last option has set the name in Redis 7.0: what it left is cleared.
    outsideMulti(
      sequence("HELLO", 3, (draw) => [
        ["HELLO", ...helloOptions(draw)],
        ["CLIENT", "SETNAME", ""],
      ]),
    ),
    command("AUTH", 2, (draw) =>
      draw.random.pick([["secret"], ["default", "secret"], ["default", ""], ["nobody", "x"], ["", ""], []]),
    ),
    command("SELECT", 2, (draw) => [
      draw.random.pick(["0", "0", "0", "-1", "16", "abc", "", "99999999999", "0.0", " 0"]),
    ]),
    outsideMulti(
      sequence("RESET", 1, (draw) => [["RESET"], ["CLIENT", "GETNAME"], ["HELLO", draw.random.pick(["2", "3"])]]),
    ),
    outsideMulti(sequence("RESET", 0.1, () => [["RESET", "x"]])),
    sequence("UNKNOWN", 5, (draw) => [unknown(draw)]),
    ...clientRules(),
    ...commandRules(inner),
    ...settingRules(),
    ...maintenanceRules(),
  ];
}
