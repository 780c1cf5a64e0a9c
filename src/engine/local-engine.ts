// LocalEngine: call ──▶ command ──▶ policy ──▶ run ──▶ reply.
//
// run() is the only way into the hive. Policy stands here, once, in Redis's order: is there such a
// command, has it the right number of arguments, is the caller authenticated, is there memory, is a
// transaction open. Each command then runs alone: whatever does not await is atomic.
//
// The common call passes one test of bits and nothing else; that is what keeps the seam below 80 ns
// (bench/seam.ts). The clock is read once per read event, in tick().

import type { Clock } from "../base/clock.ts";
import { HiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../base/limits.ts";
import { enter, leave } from "../store/header.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";
import {
  COMMAND_BEFORE_AUTH,
  COMMAND_FAST,
  COMMAND_GROWS,
  COMMAND_IMMEDIATE,
  COMMAND_NO_MULTI,
  COMMAND_STEPS,
  COMMAND_WRITE,
  type Command,
  CommandTable,
} from "./command-table.ts";
import { ROWS } from "./commands/table.ts";
import { Context, GATE_AUTH, GATE_MULTI, GATE_NO_TOUCH, type Peer, type Services, type Statistics } from "./context.ts";
import type { Runner } from "./engine.ts";
import type { Reply } from "./reply.ts";
import type { Row } from "./row.ts";
import { Settings } from "./settings.ts";
import { SlowLog } from "./slow-log.ts";
import { Watches } from "./transaction.ts";

export type EngineOptions = {
  store: Store;
  clock: Clock;
  limits?: Limits;
  /** Commands beside the built-in ones. */
  rows?: readonly Row[];
  /** What SHUTDOWN does; without it SHUTDOWN is refused. */
  onShutdown?: () => void;
};

/** Calls with more arguments than this are timed although their row is fast. */
const MANY_ARGUMENTS = 16;

export class LocalEngine implements Runner, Services {
  readonly store: Store;
  readonly limits: Limits;
  readonly commands: CommandTable;
  readonly settings: Settings;
  readonly slowLog: SlowLog;
  readonly watches: Watches;
  readonly clients: Map<number, Context> = new Map();
  readonly startedAtMs: number;
  readonly statistics: Statistics = { connections: 0, refusedConnections: 0, calls: 0, errors: 0 };
  readonly #clock: Clock;
  readonly #onShutdown: (() => void) | undefined;
  #nextId = 1;
  #pause: { untilMs: number; mode: "write" | "all"; ended: Promise<void>; end: () => void } | undefined = undefined;

  constructor(options: EngineOptions) {
    this.store = options.store;
    this.#clock = options.clock;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.commands = new CommandTable([...ROWS, ...(options.rows ?? [])]);
    this.slowLog = new SlowLog(this.limits);
    this.settings = new Settings(this.store, this.slowLog);
    this.watches = new Watches(this.store);
    this.#onShutdown = options.onShutdown;
    this.startedAtMs = options.clock.nowMs();
    this.tick();
  }

  get nowMs(): number {
    return this.store.memory.nowMs;
  }

  clockMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  tick(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs === this.store.memory.nowMs) return;
    this.store.setNow(nowMs);
    if (this.#pause && this.#pause.untilMs <= nowMs) this.unpause();
  }

  open(peer: Peer): Context {
    if (this.clients.size >= this.settings.connectionsMax(this.limits)) {
      this.statistics.refusedConnections++;
      throw new HiveError("TOO_MANY_CONNECTIONS", "max number of clients reached");
    }
    const context = new Context(this, peer, this.#nextId++);
    this.clients.set(context.id, context);
    this.statistics.connections++;
    return context;
  }

  close(context: Context): void {
    if (!this.clients.delete(context.id)) return;
    if (context.transaction) this.watches.unwatch(context.transaction);
    context.abort(new HiveError("CONNECTION_LOST", "the connection was closed"));
  }

  run(context: Context, args: Args, reply: Reply): void | Promise<void> {
    let command = this.commands.find(args);
    if (command?.subcommands !== undefined) command = this.#subcommand(command, args, reply);
    if (command === undefined) return this.#refuseUnknown(context, args, reply);
    context.lastCommand = command.name;
    const count = args.count;
    if (count < command.argumentsMin || count > command.argumentsMax) {
      return this.#refuse(
        context,
        reply,
        "WRONG_ARITY",
        `wrong number of arguments for '${wireName(command)}' command`,
      );
    }
    if (context.gate !== 0 || this.#pause !== undefined) return this.#runGated(context, command, args, reply);
    return this.#apply(context, command, args, reply);
  }

  /** What a gate or a pause asks for, then the call. */
  #runGated(context: Context, command: Command, args: Args, reply: Reply): void | Promise<void> {
    if ((context.gate & GATE_AUTH) !== 0 && (command.flags & COMMAND_BEFORE_AUTH) === 0) {
      return this.#refuse(context, reply, "NO_AUTH", "Authentication required.");
    }
    if ((context.gate & GATE_MULTI) !== 0 && (command.flags & COMMAND_IMMEDIATE) === 0) {
      return this.#queue(context, command, args, reply);
    }
    const pause = this.#pause;
    if (pause && (pause.mode === "all" || (command.flags & COMMAND_WRITE) !== 0 || command.name === "EXEC")) {
      if (command.name !== "CLIENT UNPAUSE" && command.name !== "CLIENT PAUSE") {
        args.keep();
        return pause.ended.then(() => this.run(context, args, reply));
      }
    }
    if ((context.gate & GATE_NO_TOUCH) === 0) return this.#apply(context, command, args, reply);
    this.store.keys.touching = false;
    try {
      return this.#apply(context, command, args, reply);
    } finally {
      this.store.keys.touching = true;
    }
  }

  /** Memory, undo and time around the command's own run. */
  #apply(context: Context, command: Command, args: Args, reply: Reply): void | Promise<void> {
    const flags = command.flags;
    command.calls++;
    this.statistics.calls++;
    context.calls++;
    if ((flags & COMMAND_GROWS) !== 0 && !this.store.eviction.makeRoom()) {
      return this.#refuse(context, reply, "OUT_OF_MEMORY", "command not allowed when used memory > 'maxmemory'.");
    }
    const timed =
      (flags & COMMAND_FAST) === 0 || args.count > MANY_ARGUMENTS || this.slowLog.thresholdMicroseconds === 0;
    const mark = reply.mark();
    const armed = (flags & COMMAND_STEPS) !== 0 && this.#mayRunOut(args) && !this.store.undo.armed;
    const fromMs = timed ? this.#clock.monotonicMs() : 0;
    try {
      if (armed) this.store.undo.begin();
      const later = command.run(context, args, reply);
      if (armed) this.store.undo.commit();
      if (later !== undefined) return this.#settle(later, context, command, reply, mark);
    } catch (error) {
      if (armed) this.store.undo.rollback();
      this.#fail(context, command, reply, mark, error);
    }
    if (timed) this.#time(context, command, args, (this.#clock.monotonicMs() - fromMs) * 1000);
  }

  /** Whether memory may run out in the middle of a call that takes several steps. */
  #mayRunOut(args: Args): boolean {
    return !this.store.memory.pages.hasRoom(args.totalBytes() + args.count * 128) || args.count < 8;
  }

  #settle(later: Promise<void>, context: Context, command: Command, reply: Reply, mark: number): Promise<void> {
    return later.catch((error: unknown) => this.#fail(context, command, reply, mark, error));
  }

  /** A HiveError becomes the reply; anything else is our own mistake and is thrown on. */
  #fail(_context: Context, command: Command, reply: Reply, mark: number, error: unknown): void {
    if (!(error instanceof HiveError)) throw error;
    command.errors++;
    this.statistics.errors++;
    reply.rewind(mark);
    reply.error(error.code, error.message);
  }

  #time(context: Context, command: Command, args: Args, microseconds: number): void {
    command.microseconds += microseconds;
    const threshold = this.slowLog.thresholdMicroseconds;
    if (threshold < 0 || microseconds < threshold) return;
    this.slowLog.add(command.name, args, Math.round(microseconds), this.nowMs, context.peer.address, context.name);
  }

  /** Refuses a call before it ran; inside MULTI that also spoils the transaction. */
  #refuse(
    context: Context,
    reply: Reply,
    code: "WRONG_ARITY" | "NO_AUTH" | "OUT_OF_MEMORY" | "UNKNOWN_COMMAND" | "IN_TRANSACTION" | "TRANSACTION_TOO_BIG",
    message: string,
  ): void {
    this.statistics.errors++;
    if ((context.gate & GATE_MULTI) !== 0) context.transaction!.failed = true;
    reply.error(code, message);
  }

  #refuseUnknown(context: Context, args: Args, reply: Reply): void {
    const command = this.commands.find(args);
    if (command) {
      const message = `unknown subcommand '${shorten(args.text(1), 128)}'. Try ${command.name} HELP.`;
      return this.#refuse(context, reply, "UNKNOWN_COMMAND", message);
    }
    let shown = "";
    for (let i = 1; i < args.count && shown.length < 128; i++)
      shown += `'${shorten(args.text(i), 128 - shown.length)}' `;
    const message = `unknown command '${shorten(args.text(0), 128)}', with args beginning with: ${shown}`;
    this.#refuse(context, reply, "UNKNOWN_COMMAND", message);
  }

  /** The subcommand that the second word names. A call without one is left to the command's own arity. */
  #subcommand(command: Command, args: Args, _reply: Reply): Command | undefined {
    if (args.count < 2) return command;
    return command.subcommands!.get(args.text(1).toUpperCase());
  }

  #queue(context: Context, command: Command, args: Args, reply: Reply): void {
    if ((command.flags & COMMAND_NO_MULTI) !== 0) {
      return this.#refuse(context, reply, "IN_TRANSACTION", "Command not allowed inside a transaction");
    }
    if ((command.flags & COMMAND_GROWS) !== 0 && !this.store.eviction.makeRoom()) {
      return this.#refuse(context, reply, "OUT_OF_MEMORY", "command not allowed when used memory > 'maxmemory'.");
    }
    const transaction = context.transaction!;
    const bytes = transaction.queuedBytes + args.totalBytes();
    if (transaction.queue.length >= this.limits.transactionCallsMax || bytes > this.limits.transactionBytesMax) {
      const message = `transaction exceeds transactionCallsMax (${this.limits.transactionCallsMax}) or transactionBytesMax (${this.limits.transactionBytesMax})`;
      return this.#refuse(context, reply, "TRANSACTION_TOO_BIG", message);
    }
    transaction.queue.push(args.clone());
    transaction.queuedBytes = bytes;
    reply.status("QUEUED");
  }

  runQueued(context: Context, args: Args, reply: Reply): void {
    let command = this.commands.find(args)!;
    if (command.subcommands !== undefined) command = this.#subcommand(command, args, reply) ?? command;
    const later = this.#apply(context, command, args, reply);
    if (later !== undefined) throw new Error(`${command.name} waited inside a transaction`);
  }

  pause(untilMs: number, mode: "write" | "all"): void {
    const current = this.#pause;
    if (current) {
      current.untilMs = Math.max(current.untilMs, untilMs);
      if (mode === "all") current.mode = "all";
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pause = { untilMs, mode, ended: promise, end: resolve };
  }

  unpause(): void {
    this.#pause?.end();
    this.#pause = undefined;
  }

  /** Readers of shared memory ask the socket between these two: what they would see is half done. */
  enterBusy(): void {
    enter(this.store.memory.segments.words[0]!);
  }

  leaveBusy(): void {
    leave(this.store.memory.segments.words[0]!);
  }

  shutdown(): void {
    if (!this.#onShutdown) throw new HiveError("UNSUPPORTED", "this hive is stopped by the process that it runs in");
    this.#onShutdown();
  }
}

function wireName(command: Command): string {
  return command.name.toLowerCase().replace(" ", "|");
}

function shorten(text: string, charactersMax: number): string {
  return text.slice(0, Math.max(0, charactersMax));
}
