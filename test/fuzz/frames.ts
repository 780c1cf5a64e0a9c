// Frames for the fuzz: a valid call of every row of the command table, and what is left of one after
// accidents.
//
//   rows ──▶ drawFrame(random, row) ──▶ a whole call ──▶ spoil(random, frame) ──▶ perhaps a call, perhaps noise
//
// Arguments are drawn from the row's own syntax (its option words) and from small pools, so that keys
// meet and types clash. Commands that would stop the hive, hold it up or disconnect the client beside
// are sent in forms that are refused, and never spoilt: there is nothing to find in a hive that did
// what it was told.

import { Args } from "../../src/engine/args.ts";
import type { Row } from "../../src/engine/row.ts";
import { RespReader } from "../../src/wire/resp-reader.ts";
import type { Random } from "../differential/random.ts";

const KEYS = ["a", "b", "key:1", "table", "set", "counter", "\xff\x00\r\n", "", "a long key with blanks in it"];
const NUMBERS = ["0", "1", "-1", "2", "10", "100", "1000000", "-0", "007", "+1", "1.5", "-2.5e3", "nan", "inf"];
const HUGE = ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "4294967296", "1e400"];
const WORDS = ["*", "k*", "[a-", "?\\", "string", "hash", "field", "member", "value", "(1", "[b", "$-1", "*3\r\n"];
/** Rows that end, delay, disconnect, wait or change what a connection may say: how they are called here. The engine refuses each. */
const REFUSED: Readonly<Record<string, string[]>> = {
  SHUTDOWN: ["SHUTDOWN", "NEVER"],
  "CLIENT KILL": ["CLIENT", "KILL"],
  "CLIENT PAUSE": ["CLIENT", "PAUSE", "soon"],
  "DEBUG SLEEP": ["DEBUG", "SLEEP", "well"],
  "CONFIG SET": ["CONFIG", "SET", "no-such-setting", "1"],
  BLPOP: ["BLPOP", "a", "soon"],
  BRPOP: ["BRPOP", "a", "soon"],
  BLMOVE: ["BLMOVE", "a", "b", "LEFT", "LEFT", "soon"],
  BRPOPLPUSH: ["BRPOPLPUSH", "a", "b", "soon"],
  BLMPOP: ["BLMPOP", "soon", "1", "a", "LEFT"],
  BZPOPMIN: ["BZPOPMIN", "a", "soon"],
  BZPOPMAX: ["BZPOPMAX", "a", "soon"],
  BZMPOP: ["BZMPOP", "soon", "1", "a", "MIN"],
  SUBSCRIBE: ["SUBSCRIBE"],
  PSUBSCRIBE: ["PSUBSCRIBE"],
  SSUBSCRIBE: ["SSUBSCRIBE"],
  FEED: ["FEED"],
  NEAR: ["NEAR"],
};
const HARMFUL = /shutdown|kill|pause|sleep|config.{0,8}set|b[lrz]m?pop|b[lr]move|brpoplpush|subscribe|feed|near/is;
const VALUE_BYTES_MAX = 3_000;
/** Longer calls than rows are drawn with. */
const INLINE_ARGUMENTS_MAX = 100;
/** Arguments far above what an error may quote; as UTF-8 the second would be twice as long. */
const LARGE = ["x".repeat(1_500_000), "\xff".repeat(3_000_000)];
const LARGE_SHARE = 0.000_2;

/** A row and each of its subcommands. */
export function allRows(rows: readonly Row[]): Row[] {
  return rows.flatMap((row) => [row, ...(row.subcommands ?? [])]);
}

/** A call of `row` in one of the forms that its syntax allows, or close to it. */
export function drawFrame(random: Random, row: Row): Buffer {
  const call = drawCall(random, row);
  return call.length < INLINE_ARGUMENTS_MAX && random.chance(0.1) && !(row.name in REFUSED)
    ? inline(call)
    : frame(call);
}

/** The same as its arguments, one character a byte. */
export function drawCall(random: Random, row: Row): string[] {
  const refused = REFUSED[row.name];
  if (refused !== undefined) return refused;
  const words = row.name.split(" ");
  const options = row.syntax.match(/[A-Z][A-Z-]+/g) ?? [];
  const least = Math.abs(row.arity) - words.length;
  let count = row.arity > 0 ? least : least + random.below(6);
  if (random.chance(0.05)) count = random.below(12);
  const args = Array.from({ length: Math.max(0, count) }, () => drawArgument(random, options));
  if (random.chance(0.1)) args.push(...options.slice(random.below(options.length + 1)));
  if (random.chance(LARGE_SHARE)) args.push(random.pick(LARGE));
  const name = random.chance(0.3) ? words.map((word) => word.toLowerCase()) : words;
  const call = [...name, ...args];
  // DEBUG with its option SLEEP and a number would be obeyed.
  return isHarmful(call.join(" ")) ? words : call;
}

/** Whether what is in `text` might stop, delay or disconnect others. */
export function isHarmful(text: string): boolean {
  return HARMFUL.test(text);
}

function drawArgument(random: Random, options: readonly string[]): string {
  const dice = random.below(100);
  if (dice < 40) return random.pick(KEYS);
  if (dice < 60) return random.pick(NUMBERS);
  if (dice < 63) return random.pick(HUGE);
  if (dice < 80 && options.length > 0) return random.pick(options);
  if (dice < 97) return random.pick(WORDS);
  return "x".repeat(random.below(VALUE_BYTES_MAX));
}

function frame(args: readonly string[]): Buffer {
  return Buffer.from(`*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`, "latin1");
}

function inline(args: readonly string[]): Buffer {
  const quoted = args.map((arg) => {
    const bytes = Array.from(arg, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
    return /^[\w:]+$/.test(arg) ? arg : `"${bytes.join("")}"`;
  });
  return Buffer.from(`${quoted.join(" ")}\r\n`, "latin1");
}

/** What becomes of a frame. */
export type Accident = (random: Random, frame: Buffer) => Buffer;

/** Accidents of the bytes, whatever the wire. */
export const BYTE_ACCIDENTS: readonly Accident[] = [
  // A byte is another byte.
  (random, frame) => {
    const copy = Buffer.from(frame);
    for (let i = random.between(1, 4); i > 0; i--) copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  // A bit is flipped, which makes one digit another.
  (random, frame) => {
    const copy = Buffer.from(frame);
    copy[random.below(copy.length)]! ^= 1 << random.below(3);
    return copy;
  },
  // Bytes are lost.
  (random, frame) => {
    const at = random.below(frame.length);
    return Buffer.concat([frame.subarray(0, at), frame.subarray(at + random.between(1, 8))]);
  },
  // Bytes are there twice.
  (random, frame) => {
    const at = random.below(frame.length);
    const end = Math.min(frame.length, at + random.between(1, 20));
    return Buffer.concat([frame.subarray(0, end), frame.subarray(at)]);
  },
  // Noise in the middle.
  (random, frame) => {
    const at = random.below(frame.length);
    const noise = Buffer.from(Array.from({ length: random.between(1, 20) }, () => random.below(256)));
    return Buffer.concat([frame.subarray(0, at), noise, frame.subarray(at)]);
  },
  // The end is missing.
  (random, frame) => frame.subarray(0, random.below(frame.length)),
  // Nothing but noise.
  (random) => Buffer.from(Array.from({ length: random.between(1, 200) }, () => random.below(256))),
  // Another wire's first bytes.
  (random) =>
    Buffer.from(random.pick(["\x16\x03\x01\x02\x00", "\xc1\x01", "\xff\x00\x00", "GET / HTTP/1.1\r\n\r\n"]), "latin1"),
];

const ACCIDENTS: readonly Accident[] = [
  ...BYTE_ACCIDENTS,
  // A length is another number.
  (random, frame) => {
    const text = frame.toString("latin1");
    const number = random.pick([...NUMBERS, ...HUGE, "", "-", "65536", "134217729", "2147483648"]);
    return Buffer.from(text.replace(/(?<=[*$])\d+(?=\r\n)/, number), "latin1");
  },
];

/** The frame after an accident; the frame itself where that could do harm that is no fault. */
export function spoil(random: Random, frame: Buffer): Buffer {
  const spoilt = random.pick(ACCIDENTS)(random, frame);
  return HARMFUL.test(frame.latin1Slice()) || HARMFUL.test(spoilt.latin1Slice()) ? frame : spoilt;
}

/**
 * Whether what follows `frame` on the connection is read as what it is. If not, the connection ends with
 * it, or swallows what comes next.
 */
export function leavesInStep(frame: Buffer): boolean {
  const limits = { argumentsMax: 1 << 20, argumentBytesMax: 1 << 27, lineBytesMax: 1 << 16, unauthenticated: false };
  const reader = new RespReader<Args>(limits);
  const args = new Args();
  reader.feed(frame, 0, frame.length);
  while (reader.next(args) !== undefined);
  return reader.broken === undefined && reader.pendingBytes === 0;
}
