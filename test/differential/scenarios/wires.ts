// test/differential/scenarios/wires.ts
// Wires: bytes that are not a tidy array of bulk strings, each stream on connections of its own.
//
//   inline commands · broken lengths and types · well-formed commands cut at any byte
//
// Everything that comes back up to the close is compared. A stream that breaks the protocol is short
// enough to be read at once: unread bytes at the close would turn the server's last words into a reset.

import type { Draw } from "../draw.ts";
import { encodeCommand } from "../frame.ts";
import { stringRules } from "../grammar/strings.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";

/** Lines a person might type, each answered or ignored, the connection living on. */
// biome-ignore format: one per line would fill pages
const inlineLines: readonly string[] = [
  "PING", "ping", "PiNg hello", "SET inline 1", "SET inline \"a b\"", "SET inline 'a\\'b'", "SET inline \"\\x41\\x0a\\n\\t\\\\\"", "GET inline",
  "   GET    inline   ", "\tGET\tinline\t", "", " ", "\t", "\"PING\"", "'PING'", "ECHO 'a\"b'", "ECHO \"a'b\"", "ECHO \"\"", "ECHO ''", "ECHO \"\\xzz\\x4\"",
  "ECHO \"\\a\\b\\r\\0\\q\\\"\"", "ECHO 'a\\nb'", "ECHO \xe9\xff", "nosuch a b", "NOSUCH", "SET inline", "MULTI", "EXEC",
  "DISCARD", "PING a b", "ECHO a\"b\"", "ECHO $3", "ECHO *1", "ECHO \\x41", "DEL inline", "PING \r", "INCR inline", "HELLO 4", "HELLO x", "-ERR", "+OK", ":1",
];

/** Lines after which the server closes. */
// biome-ignore format: one per line would fill pages
const fatalLines: readonly string[] = [
  "ECHO \"abc", "ECHO 'abc", "ECHO \"a\"b", "ECHO 'a'b", "\"", "'", "ECHO \"abc\\", "ECHO \"\\", "SET a \"b\" \"c", "QUIT",
];

/** Bytes that break an array of bulk strings, or nearly do. */
// biome-ignore format: one per line would fill pages
const brokenBytes: readonly string[] = [
  "*abc\r\n", "*2147483648\r\n", "*99999999999999999999\r\n", "*-99999999999999999999\r\n", "*\r\n", "*+1\r\n", "* 1\r\n", "*1 \r\n", "*01\r\n", "*-\r\n", "*1\n\r\n",
  "*1.0\r\n", "*0x1\r\n", "*1\r\nPING\r\n", "*1\r\n:4\r\n", "*1\r\n\r\n", "*1\r\n*1\r\n", "*1\r\n+PING\r\n", "*1\r\n\xff\r\n", "*2\r\n$4\r\nECHO\r\n#t\r\n",
  "*1\r\n$abc\r\n", "*1\r\n$-1\r\n", "*1\r\n$-2\r\n", "*1\r\n$536870913\r\n", "*1\r\n$99999999999999999999\r\n", "*1\r\n$\r\n", "*1\r\n$ 4\r\nPING\r\n", "*1\r\n$+4\r\nPING\r\n",
  "*1\r\n$04\r\nPING\r\n", "*1\r\n$4 \r\nPING\r\n", "*1\r\n$4.0\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n$-1\r\n", "*2\r\n$4\r\nECHO\r\n$9223372036854775807\r\n",
  "*1\r\n$4\r\nPINGXX*1\r\n$4\r\nPING\r\n", "*2\r\n$4\r\nECHO\r\n$3\r\nabcde\r\n", "*0\r\n", "*-1\r\n", "*-2\r\n", "*0\r\n*-1\r\n\r\n", "*1\r\n$0\r\n\r\n", "*2\r\n$0\r\n\r\n$0\r\n\r\n",
  "$4\r\nPING\r\n", ":1\r\n", "+PING\r\n", "%1\r\n", "~1\r\n",
  // What never ends: the client stops sending in the middle.
  "*", "*1", "*1\r", "*1\r\n", "*1\r\n$", "*1\r\n$4\r\nPIN", "*1\r\n$4\r\nPING\r", "*2\r\n$4\r\nECHO\r\n", "PING", "\"", "ECHO 'a",
  `*${"1".repeat(65_537)}`, `*1\r\n$${"1".repeat(65_537)}`, `PING ${"a".repeat(65_537)}`,
];

const ping = encodeCommand(["PING"]);

function inline(draw: Draw): Scenario {
  const random = draw.random;
  const lines = Array.from({ length: random.between(1, 12) }, () => random.pick(inlineLines));
  if (random.chance(0.4)) lines.push(random.pick(fatalLines), "PING behind the end");
  if (random.chance(0.2)) lines.splice(random.below(lines.length), 0, "#arrays and lines mix");
  const text = lines.map((line) => (line.startsWith("#") ? ping : line + random.pick(["\r\n", "\r\n", "\n"]))).join("");
  // The first line of a connection may be another door's, so every other stream begins with an array.
  const stream = random.chance(0.5) ? `PING\r\n${text}` : ping + text;
  return {
    name: "inline commands",
    run: async (pair) => (await pair.open()).exchangeBytes("(inline commands)", [stream]),
  };
}

function broken(draw: Draw): Scenario {
  const random = draw.random;
  const before = draw.random.chance(0.7)
    ? random.pick([ping, "PING\r\n", encodeCommand(["SET", "string:0", "x"]), encodeCommand(["MULTI"])])
    : "";
  const bytes = random.pick(brokenBytes);
  // Bytes other than a letter or `*` at the very start may choose another door.
  const start = before === "" && !/^[*A-Za-z]/.test(bytes) ? ping : before;
  const after = random.chance(0.5) && bytes.endsWith("\n") ? ping : "";
  return {
    name: "broken protocol",
    run: async (pair) => (await pair.open()).exchangeBytes("(broken protocol)", [start + bytes + after]),
  };
}

/**
 * The first words of an HTTP request, at which the connection is closed without an answer. Redis drops
 * what it has not written yet, so the replies to earlier commands are awaited first.
 */
function forbidden(draw: Draw): Scenario {
  const line = draw.random.pick(["POST /x HTTP/1.1", "post a", "Host: x", "host: y", "POST"]);
  return {
    name: "HTTP on a connection",
    async run(pair) {
      const other = await pair.open();
      await other.exchange([["PING"], ["SET", "string:0", "x"]]);
      await other.exchangeBytes("(forbidden line)", [`${line}\r\nPING\r\n`]);
    },
  };
}

/** Commands with exact replies, cut into pieces of a few bytes. */
function split(draw: Draw): Scenario {
  const random = draw.random;
  const commands = Array.from({ length: random.between(2, 8) }, () => random.pick(stringRules).draw(draw)).flat();
  const text = [...commands, ["ECHO", "the end"]].map(encodeCommand).join("").slice(0, 4000);
  const most = random.pick([1, 2, 7, 40]);
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const size = random.between(1, text.length > 1000 ? most + 20 : most);
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return { name: "split commands", run: async (pair) => (await pair.open()).exchangeBytes("(split commands)", pieces) };
}

export const wireScenarios: readonly ScenarioRule[] = [
  { families: ["server"], weight: 5, draw: inline },
  { families: ["server"], weight: 6, draw: broken },
  { families: ["server"], weight: 0.5, draw: forbidden },
  { families: ["server", "strings"], weight: 2, draw: split },
];
