// Facade: the hive as a structure's methods see it, for one caller.
//
//   hive.play("GET", key) ──▶ arguments ──▶ allowed here? has the caller the grants? ──▶ the engine ──▶ JavaScript
//
// What code of a structure opens and plays, its caller has to be allowed: registering a structure gives
// nobody more than he had.

import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import { type CommandEntry, hasTypedKey, keyIndexes } from "../engine/catalogue.ts";
import { checkChannel } from "../engine/commands/messages.ts";
import { type Context, GATE_LIMITED } from "../engine/context.ts";
import { missingPermission } from "../engine/permission.ts";
import { isReservedName, mayWriteReserved, reservedKey, reservedRefusal } from "../engine/reserved-names.ts";
import { TYPE_STRUCTURE } from "../store/layout.ts";
import { abandon } from "./failure.ts";
import type { Instances, Live } from "./instances.ts";
import type { KeptClass } from "./kept-class.ts";
import { type PartCalls, partName } from "./part.ts";
import type { Played } from "./played.ts";
import { argumentsOf } from "./played-arguments.ts";
import type { HiveCalls, Structure } from "./structure.ts";
import type { Transactions } from "./transaction.ts";
import { ValueReply } from "./value-reply.ts";

/** What makes no sense inside of a call, or could not be taken back: they are about connections, the whole hive, or end it. */
const UNPLAYABLE: ReadonlySet<string> = new Set(
  "MULTI EXEC DISCARD WATCH UNWATCH AUTH HELLO RESET QUIT SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE CLIENT SHUTDOWN MONITOR SAVE BGSAVE SNAPSHOT DEBUG STRUCTURES KEYSMATCH FLUSHALL FLUSHDB".split(
    " ",
  ),
);

/** They leave when the call stands. */
export const MESSAGES: ReadonlyMap<string, "channel" | "shard"> = new Map([
  ["PUBLISH", "channel"],
  ["SPUBLISH", "shard"],
]);

/** A short name of a key, written here to be looked up: a buffer for each costs as much as the look-up. */
const NAME_UNITS = 85;
const name: Buffer = Buffer.alloc(NAME_UNITS * 3);
/** The key that stands there. */
let named = "";
let namedBytes = 0;

/** Writes a short key there. Returns its bytes. */
function write(key: string): number {
  if (key === named) return namedBytes;
  namedBytes = name.utf8Write(key, 0);
  named = key;
  return namedBytes;
}

export type FacadeParts = {
  instances: Instances;
  transactions: Transactions;
  keptOf(cls: new () => Structure): KeptClass;
};

export class Facade implements HiveCalls, PartCalls {
  readonly #parts: FacadeParts;
  readonly #context: Context;
  /** Whether its commands say that they change nothing. */
  readonly #reads: boolean;
  #hasEnded = false;
  /** For placements of instances. */
  readonly itself = (): this => this;

  constructor(parts: FacadeParts, context: Context, reads: boolean = false) {
    this.#parts = parts;
    this.#context = context;
    this.#reads = reads;
  }

  /** The call that it was made for was refused: what of its code goes on does nothing more. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Whether it is the one for this caller. */
  isFor(context: Context, reads: boolean): boolean {
    return this.#context === context && this.#reads === reads;
  }

  get nowMs(): number {
    return this.#context.nowMs;
  }

  open<S extends Structure>(cls: new () => S, key: string): S {
    const { instances, transactions } = this.#parts;
    const kept = this.#parts.keptOf(cls);
    const live = this.#live(kept, key);
    if (live !== undefined) return live.instance as S;
    if (this.#reads) throw new HiveError("UNSUPPORTED", `a command that reads may not make the key ${key}: use find()`);
    const made = this.#create(kept, Buffer.from(key));
    transactions.created(made);
    transactions.opened(made, this.itself, instances.entryOf(made));
    if (!kept.undoes) transactions.changing(made);
    return made.instance as S;
  }

  /** Behind an await no call is under way whose quotas it would count for. */
  #create(kept: KeptClass, key: Buffer): Live {
    const { instances, transactions } = this.#parts;
    const { quotas } = this.#context.services;
    if (transactions.isOpen || quotas === undefined) return instances.create(kept, key);
    let made: Live | undefined;
    quotas.conclude(this.#context, () => {
      made = instances.create(kept, key);
    });
    return made!;
  }

  find<S extends Structure>(cls: new () => S, key: string): S | undefined {
    return this.#live(this.#parts.keptOf(cls), key)?.instance as S | undefined;
  }

  #live(kept: KeptClass, key: string): Live | undefined {
    if (typeof key !== "string") throw new HiveError("INVALID_ARGUMENT", "the name of a key is text");
    const isShort = key.length <= NAME_UNITS;
    const bytes = isShort ? name : Buffer.from(key);
    const length = isShort ? write(key) : bytes.length;
    this.requireGrants(kept.name, bytes, length);
    const { store } = this.#context;
    const ref = store.keys.find(bytes, 0, length);
    if (ref === 0) return undefined;
    const live = this.#parts.instances.at(ref);
    if (live.kept !== kept) throw new HiveError("WRONG_TYPE", `the key holds a ${live.kept.name}, not a ${kept.name}`);
    this.#parts.transactions.opened(live, this.itself, ref);
    if (!kept.undoes && !this.#reads && !live.tracker.changed) this.#parts.transactions.changing(live);
    return live;
  }

  #requireOpen(): void {
    if (this.#hasEnded) throw new HiveError("UNSUPPORTED", "this call was refused: what it was given is good no more");
  }

  /** @throws {HiveError} NO_PERMISSION: the caller may not open this key, or nobody may */
  requireGrants(structure: string, key: Buffer, length: number): void {
    this.#requireOpen();
    if (isReservedName(key, 0, length)) {
      const name = key.utf8Slice(0, length);
      throw new HiveError("NO_PERMISSION", `${name} is a reserved name: no structure can be there`);
    }
    const { token, gate } = this.#context;
    if ((gate & GATE_LIMITED) === 0 || token === undefined) return;
    const wanted = this.#reads ? (["read"] as const) : (["read", "write"] as const);
    for (const permission of wanted) {
      if (token.grants.covers(permission, key, 0, length)) continue;
      throw new HiveError("NO_PERMISSION", `${structure} needs ${permission} on the key that it opens`);
    }
  }

  play<Name extends string>(command: Name, ...given: readonly unknown[]): Played<Name> {
    return this.playArguments(command, argumentsOf(command, given)) as Played<Name>;
  }

  playPart(owner: string, name: string, command: string, given: readonly unknown[], isNew: boolean): unknown {
    const key = Buffer.from(owner, "latin1");
    const { keys, memory } = this.#context.store;
    const ref = keys.find(key, 0, key.length);
    if (ref === 0 || memory.entries.type(ref) !== TYPE_STRUCTURE) throw new HiveError("NO_KEY", "no such key");
    this.requireGrants("a list or sorted set of a structure", key, key.length);
    // Whoever removes or renames the key has its bytes alone.
    if (isNew) this.#parts.instances.write(ref);
    return this.playArguments(command, argumentsOf(command, [partName(key, name), ...given]), true);
  }

  /**
   * The same with the arguments as a call has them. @param command Its name, for messages. @param isPart Whether its key is
   * that of a part of a structure whose key the caller may change.
   */
  playArguments(command: string, args: Args, isPart: boolean = false): unknown {
    const { transactions } = this.#parts;
    const context = this.#context;
    const { services, store } = context;
    const entry = this.playable(args, command, isPart);
    const reply = new ValueReply();
    const writes = !entry.row.flags.includes("read") || entry.row.flags.includes("write");
    if (this.#reads && writes) throw new HiveError("UNSUPPORTED", `a command that reads may not play ${command}`);
    const topic = transactions.isOpen ? MESSAGES.get(entry.row.name) : undefined;
    if (topic !== undefined) return this.#send(topic, args);
    if (writes) transactions.arm();
    if (transactions.isOpen) {
      transactions.playing();
      this.#settleKeys(entry, args);
    }
    const noted = store.undo.changes;
    const { executing } = context;
    // What may wait runs in the form that does not; another structure's command decides for itself.
    if (entry.row.family !== "structures") context.executing = true;
    let later: void | Promise<void>;
    try {
      later = services.play(context, args, reply);
    } finally {
      context.executing = executing;
    }
    if (later !== undefined) {
      if (transactions.isOpen) {
        transactions.doom(new HiveError("UNSUPPORTED", `${command} answers later: play it from an async command`));
      }
      const answer = later.then(() => reply.take());
      // The call fails anyway, also where its code does not look at this.
      abandon(answer);
      return answer;
    }
    try {
      return reply.take();
    } catch (error) {
      if (transactions.isOpen && store.undo.changes !== noted) transactions.doom(error);
      throw error;
    }
  }

  /** A message leaves when the call stands; until then the answer is how many would get it. */
  #send(topic: "channel" | "shard", args: Args): number {
    const { services } = this.#context;
    checkChannel(args, 1, services.limits);
    this.#parts.transactions.send(() => void services.play(this.#context, args, new ValueReply()));
    return services.bus.reach(topic, args.copy(1));
  }

  /** What is played sees what instances of its keys are now. */
  #settleKeys({ row }: CommandEntry, args: Args): void {
    const { instances } = this.#parts;
    if (instances.size === 0 || row.keys === undefined) return;
    const { keys, memory } = this.#context.store;
    for (const index of keyIndexes(row, args)) {
      const ref = keys.find(args.buffer, args.start(index), args.length(index), args.kind(index));
      if (ref !== 0 && memory.entries.type(ref) === TYPE_STRUCTURE) instances.settleChanged(ref);
    }
  }

  /** The command of a play. @throws {HiveError} UNKNOWN_COMMAND, WRONG_ARITY, UNSUPPORTED, NO_PERMISSION, BAD_VALUE */
  playable(args: Args, command: string, isPart: boolean = false): CommandEntry {
    this.#requireOpen();
    const { services, gate, token } = this.#context;
    let entry = services.commands.find(args);
    if (entry === undefined) throw new HiveError("UNKNOWN_COMMAND", `unknown command '${command}'`);
    if (UNPLAYABLE.has(entry.row.name)) {
      throw new HiveError("UNSUPPORTED", `${command} cannot be played by a structure`);
    }
    if (entry.subcommands !== undefined && args.count > 1) entry = entry.subcommand(args);
    if (entry === undefined) throw new HiveError("UNKNOWN_COMMAND", `unknown subcommand of '${command}'`);
    if (args.count < entry.argumentsMin || args.count > entry.argumentsMax) {
      throw new HiveError("WRONG_ARITY", `wrong number of arguments for '${entry.wireName}' command`);
    }
    if (args.typed && hasTypedKey(entry.row, args)) {
      throw new HiveError("BAD_VALUE", "a key is text or bytes, not a value");
    }
    if (isPart) return entry;
    const reserved = mayWriteReserved(entry.row) ? reservedKey(entry.row, args) : 0;
    if (reserved !== 0) throw new HiveError("NO_PERMISSION", reservedRefusal(args, reserved));
    if ((gate & GATE_LIMITED) !== 0 && token !== undefined) {
      const missing = missingPermission(entry.row, entry.wireName, args, {
        grants: token.grants,
        limits: services.limits,
      });
      if (missing !== undefined) throw new HiveError("NO_PERMISSION", missing);
    }
    return entry;
  }
}
