// Setting values: what CONFIG SET takes for a setting, and the form in which CONFIG GET shows it.
//
//   "512MB" ──▶ bytes().check ──▶ "536870912"          "sometimes" ──▶ HiveError INVALID_ARGUMENT
//
// Forms and error texts are Redis's.

import { parseInt64 } from "../base/decimal.ts";
import { HiveError } from "../base/errors.ts";

/** Takes what was sent, gives it in the canonical form. @throws {HiveError} INVALID_ARGUMENT */
export type Check = (value: string) => string;

export const LONG_MAX: bigint = 9223372036854775807n;
export const INT_MAX: bigint = 2147483647n;

const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000_000n,
  mb: 1n << 20n,
  g: 1000_000_000n,
  gb: 1n << 30n,
};

function refused(message: string): HiveError {
  return new HiveError("INVALID_ARGUMENT", message);
}

function inRange(value: bigint, min: bigint, max: bigint): string {
  if (value >= min && value <= max) return `${value}`;
  throw refused(`argument must be between ${min} and ${max} inclusive`);
}

export function checkYesNo(value: string): string {
  const word = value.toLowerCase();
  if (word === "yes" || word === "no") return word;
  throw refused("argument must be 'yes' or 'no'");
}

/** A whole number from `min` to `max`. */
export function wholeBetween(min: bigint, max: bigint): Check {
  return (value) => {
    const bytes = Buffer.from(value);
    const number = parseInt64(bytes, 0, bytes.length);
    if (number === undefined) throw refused("argument couldn't be parsed into an integer");
    return inRange(number, min, max);
  };
}

/** Bytes with Redis's units: 100mb, 1gb, 1k (1000) and 1kb (1024). */
export function bytesBetween(min: bigint, max: bigint): Check {
  return (value) => {
    const match = /^([0-9]+)([a-z]*)$/i.exec(value);
    const unit = match ? UNITS[match[2]!.toLowerCase()] : undefined;
    const number = unit === undefined ? LONG_MAX + 1n : BigInt(match![1]!) * unit;
    if (number > LONG_MAX) throw refused("argument must be a memory value");
    return inRange(number, min, max);
  };
}

/** The same as a number that can be counted with. @throws {HiveError} INVALID_ARGUMENT */
export function parseBytes(value: string): number {
  return Number(bytesBetween(0n, BigInt(Number.MAX_SAFE_INTEGER))(value));
}

export function oneOf(words: readonly string[]): Check {
  return (value) => {
    const word = words.find((known) => known === value.toLowerCase());
    if (word !== undefined) return word;
    throw refused(`argument(s) must be one of the following: ${words.join(", ")}`);
  };
}

export function checkText(value: string): string {
  return value;
}

/** What cannot be changed while a hive runs. */
export function checkFixed(): string {
  throw refused("can't set immutable config");
}

export function checkProtected(): string {
  throw refused("can't set protected config");
}

/** Classes of keyspace events, in the order in which Redis shows them; `A` stands for the first ten. */
const EVENTS = "g$lshzxetd";
const EVENT_EXTRAS = "KEmn";

export function checkKeyspaceEvents(value: string): string {
  if ([...value].some((letter) => letter !== "A" && !EVENTS.includes(letter) && !EVENT_EXTRAS.includes(letter))) {
    throw refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  }
  const isSet = (letter: string): boolean => value.includes(letter) || (value.includes("A") && EVENTS.includes(letter));
  const events = [...EVENTS].filter(isSet).join("");
  return (events === EVENTS ? "A" : events) + [...EVENT_EXTRAS].filter(isSet).join("");
}

/** Pairs of seconds and changes, or nothing. */
export function checkSavePoints(value: string): string {
  const numbers = value.split(" ").filter((word) => word !== "");
  const isPair = numbers.length % 2 === 0;
  if (!isPair || numbers.some((word, index) => !/^[0-9]+$/.test(word) || (index % 2 === 0 && Number(word) < 1))) {
    throw refused("Invalid save parameters");
  }
  return numbers.join(" ");
}

const OUTPUT_CLASSES = ["normal", "slave", "pubsub"];

/** Limits as class, hard limit, soft limit, seconds; classes that are not named keep theirs. */
export function checkOutputLimits(value: string, before: string): string {
  const words = value.split(" ").filter((word) => word !== "");
  if (words.length % 4 !== 0) throw refused("Wrong number of arguments in buffer limit configuration.");
  const limits = before.split(" ");
  for (let i = 0; i < words.length; i += 4) {
    const name = words[i]!.toLowerCase().replace("replica", "slave");
    const at = OUTPUT_CLASSES.indexOf(name);
    if (at < 0) throw refused("Invalid client class specified in buffer limit configuration.");
    limits.splice(at * 4 + 1, 3, ...words.slice(i + 1, i + 4).map(outputLimit));
  }
  return limits.join(" ");
}

function outputLimit(word: string): string {
  try {
    return bytesBetween(0n, LONG_MAX)(word);
  } catch {
    throw refused("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  }
}
