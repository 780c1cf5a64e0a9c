// CommandTable: the rows by name, found from the bytes of a call without making a string.
//
//   args 0 ──▶ hash of its upper case letters ──▶ slot ──▶ Command (a row, compiled)
//
// A Command is a row with its flags as bits, so that policy is one test for the common call.

import type { Args } from "./args.ts";
import type { Catalogue, CommandEntry } from "./catalogue.ts";
import type { Context } from "./context.ts";
import { drawDistance, Latency } from "./latency.ts";
import type { Reply } from "./reply.ts";
import { mayWriteReserved } from "./reserved-names.ts";
import type { Flag, Row } from "./row.ts";

// Bits of Command.flags, one for each Flag of a row.
export const COMMAND_READ = 1;
export const COMMAND_WRITE = 2;
export const COMMAND_ADMIN = 4;
export const COMMAND_FAST = 8;
export const COMMAND_GROWS = 16;
export const COMMAND_STEPS = 32;
export const COMMAND_MAY_WAIT = 64;
export const COMMAND_NO_MULTI = 128;
export const COMMAND_IMMEDIATE = 256;
export const COMMAND_BEFORE_AUTH = 512;
export const COMMAND_CONNECTION = 1024;
export const COMMAND_ENDS_MULTI = 2048;
export const COMMAND_ORDERED = 4096;

const BITS: Readonly<Record<Flag, number>> = {
  read: COMMAND_READ,
  write: COMMAND_WRITE,
  admin: COMMAND_ADMIN,
  fast: COMMAND_FAST,
  grows: COMMAND_GROWS,
  steps: COMMAND_STEPS,
  mayWait: COMMAND_MAY_WAIT,
  noMulti: COMMAND_NO_MULTI,
  immediate: COMMAND_IMMEDIATE,
  beforeAuth: COMMAND_BEFORE_AUTH,
  connection: COMMAND_CONNECTION,
  endsMulti: COMMAND_ENDS_MULTI,
  ordered: COMMAND_ORDERED,
};

const SLOTS = 4096;
/** Commands at most, so that a search always meets an empty slot soon. */
export const COMMANDS_MAX = 2048;
export const NAME_BYTES_MAX = 32;

export class Command implements CommandEntry {
  readonly row: Row;
  readonly name: string;
  readonly flags: number;
  /** The fewest arguments, the name included, and the most. */
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  readonly run: (context: Context, args: Args, reply: Reply) => void | Promise<void>;
  readonly subcommands: Map<string, Command> | undefined;
  /** Whether it writes keys that its callers name: then some names are not for it. */
  readonly mayWriteReserved: boolean;
  readonly #letters: Uint8Array;
  calls = 0;
  errors = 0;
  /** Calls that policy refused before they ran. */
  rejected = 0;
  /** How long calls took; undefined before the first that was timed. */
  latency: Latency | undefined = undefined;
  /** The next call that is timed, by its number: each, unless the command is fast. */
  timedAt = 0;
  /** Calls that `latency` stands for. */
  #countedTo = 0;

  constructor(row: Row) {
    this.row = row;
    this.name = row.name;
    this.flags = row.flags.reduce((bits, flag) => bits | BITS[flag], 0);
    this.argumentsMin = Math.abs(row.arity);
    this.argumentsMax = row.arity > 0 ? row.arity : Number.MAX_SAFE_INTEGER;
    this.run = row.run;
    this.mayWriteReserved = mayWriteReserved(row);
    this.#letters = Buffer.from(row.name.split(" ").at(-1)!);
    this.subcommands = row.subcommands
      ? new Map(row.subcommands.map((inner) => [inner.name.split(" ")[1]!, new Command(inner)]))
      : undefined;
  }

  /** The subcommand that the second word of a call names. */
  subcommand(args: Args): Command | undefined {
    const start = args.starts[1]!;
    const length = args.lengths[1]!;
    for (const command of this.subcommands!.values()) {
      if (command.isNamed(args.buffer, start, length)) return command;
    }
    return undefined;
  }

  /** A call was timed. One of a fast command that was due stands for all since the one before it. */
  time(nanoseconds: number): void {
    this.latency ??= new Latency();
    if ((this.flags & COMMAND_FAST) === 0) return this.latency.add(nanoseconds, 1);
    if (this.calls >= this.timedAt) {
      this.latency.add(nanoseconds, Math.max(1, this.calls - this.#countedTo));
      this.#countedTo = this.calls;
      this.timedAt = this.calls + drawDistance();
      return;
    }
    // It was timed for a reason of its own, such as many arguments, and stands for itself alone.
    this.latency.add(nanoseconds, 1);
    this.#countedTo++;
    this.timedAt++;
  }

  /** Time of all calls: of a fast command's as far as those that were timed tell. */
  get microseconds(): number {
    if (this.latency === undefined || this.latency.calls === 0) return 0;
    const microseconds = this.latency.nanoseconds / 1000;
    return (this.flags & COMMAND_FAST) === 0 ? microseconds : (microseconds * this.calls) / this.latency.calls;
  }

  resetStatistics(): void {
    this.calls = 0;
    this.errors = 0;
    this.rejected = 0;
    this.timedAt = 0;
    this.#countedTo = 0;
    this.latency?.clear();
  }

  /** "client|list", as error messages, COMMAND and CLIENT LIST have it. */
  get wireName(): string {
    return this.name.toLowerCase().replace(" ", "|");
  }

  isNamed(buffer: Uint8Array, start: number, length: number): boolean {
    const letters = this.#letters;
    if (letters.length !== length) return false;
    for (let i = 0; i < length; i++) {
      let byte = buffer[start + i]!;
      if (byte >= 97 && byte <= 122) byte -= 32;
      if (byte !== letters[i]) return false;
    }
    return true;
  }
}

export class CommandTable implements Catalogue {
  /** Every row, by upper case name; subcommands are under their command. */
  readonly all: ReadonlyMap<string, Command>;
  readonly #all = new Map<string, Command>();
  readonly #slots: (Command | undefined)[] = new Array<Command | undefined>(SLOTS).fill(undefined);

  /** @throws {Error} two rows have one name, or a row does not say what it needs: a mistake of ours. */
  constructor(rows: readonly Row[]) {
    this.all = this.#all;
    for (const row of rows) this.#add(row);
  }

  #add(row: Row): void {
    if (this.#all.has(row.name)) throw new Error(`two commands are named ${row.name}`);
    for (const each of [row, ...(row.subcommands ?? [])]) requirePermission(each);
    const command = new Command(row);
    this.#all.set(row.name, command);
    this.#place(command);
  }

  #place(command: Command): void {
    let slot = hashOf(Buffer.from(command.name), 0, command.name.length);
    while (this.#slots[slot]) slot = (slot + 1) % SLOTS;
    this.#slots[slot] = command;
  }

  /** Takes commands of structures out and others in. @throws {Error} two rows have one name: nothing is known then */
  exchange(out: Iterable<string>, rows: readonly Row[]): void {
    for (const name of out) this.#all.delete(name);
    this.#slots.fill(undefined);
    for (const command of this.#all.values()) this.#place(command);
    for (const row of rows) this.#add(row);
  }

  /** Every command and subcommand. */
  *each(): Generator<Command> {
    for (const command of this.all.values()) {
      yield command;
      if (command.subcommands) yield* command.subcommands.values();
    }
  }

  /** The command of a call, not looking at a second word. */
  find(args: Args): Command | undefined {
    const start = args.starts[0]!;
    const length = args.lengths[0]!;
    if (length > NAME_BYTES_MAX) return undefined;
    const buffer = args.buffer;
    for (let slot = hashOf(buffer, start, length); ; slot = (slot + 1) % SLOTS) {
      const command = this.#slots[slot];
      if (command === undefined || command.isNamed(buffer, start, length)) return command;
    }
  }

  /** The same, or the subcommand that a second word names; undefined where it names none. */
  exact(args: Args): Command | undefined {
    const command = this.find(args);
    return command?.subcommands !== undefined && args.count > 1 ? command.subcommand(args) : command;
  }

  /** The command or subcommand with this name ("get", "client|list", "CLIENT LIST"). */
  named(name: string): Command | undefined {
    const [word, second] = name.toUpperCase().split(/[| ]/);
    const command = this.all.get(word!);
    return second === undefined ? command : command?.subcommands?.get(second);
  }
}

/** What a call may do has to be known before it runs. */
function requirePermission(row: Row): void {
  const { name, permission, keys, channels, keyPatterns, scope } = row;
  if (!permission) throw new Error(`${name} declares no permission`);
  const isByKey = permission === "read" || permission === "write";
  if (isByKey && (keys ?? channels ?? keyPatterns ?? scope ?? row.keyName) === undefined)
    throw new Error(`${name} declares no keys and no scope`);
  if (isByKey || keys === undefined || keys.access !== undefined) return;
  throw new Error(`${name} declares no access to its keys`);
}

function hashOf(buffer: Uint8Array, start: number, length: number): number {
  let hash = length;
  for (let i = 0; i < length; i++) hash = (hash * 31 + (buffer[start + i]! & 0xdf)) | 0;
  return (hash ^ (hash >>> 10)) & (SLOTS - 1);
}
