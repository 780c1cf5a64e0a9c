// LocalEngine: call ──▶ command ──▶ policy ──▶ run ──▶ reply.
//
// run() is the only way into the hive. Policy stands here, once, in Redis's order: is there such a command, has it the right number
// of arguments, may the caller (policy.ts), is there memory, is a transaction open, has he quota left (quota-guard.ts). Each
// command then runs alone: whatever does not await is atomic.
//
// The common call passes one test of bits and nothing else: that keeps the seam below 80 ns (bench/seam.ts). The clock is
// read once per read event, in tick().

import type { Clock } from "../base/clock.ts";
import { ERRORS, type ErrorCode, HiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../base/limits.ts";
import { type Log, SILENT_LOG } from "../base/log.ts";
import { systemTimers } from "../base/timers.ts";
import { enter, leave } from "../store/header.ts";
import type { Store } from "../store/store.ts";
import { Args } from "./args.ts";
import { Authentication } from "./authentication.ts";
import { type BlockedCall, BlockedCalls } from "./blocked-calls.ts";
import { CallPause } from "./call-pause.ts";
import { ChangeFeed } from "./change-feed.ts";
import {
  COMMAND_ENDS_MULTI,
  COMMAND_GROWS,
  COMMAND_IMMEDIATE,
  COMMAND_NO_MULTI,
  COMMAND_ORDERED,
  COMMAND_STEPS,
  COMMAND_WRITE,
  type Command,
  CommandTable,
} from "./command-table.ts";
import { ROWS } from "./commands/table.ts";
import { Context, GATE_LIMITED, GATE_MULTI, GATE_NO_TOUCH, type Peer, type Services } from "./context.ts";
import type { Runner } from "./engine.ts";
import type { EngineOptions } from "./engine-options.ts";
import { beginSteps } from "./fields.ts";
import { discarded, FirstRefusal } from "./first-refusal.ts";
import { type LoopMeter, NO_LOOP_METER } from "./health.ts";
import { IdleClients } from "./idle-clients.ts";
import { MessageBus } from "./message-bus.ts";
import { notifying } from "./notifications.ts";
import { noPersistence, type Persistence } from "./persistence.ts";
import { nameRefusal, rateRefusal, refusalOf } from "./policy.ts";
import { QuotaGuard } from "./quota-guard.ts";
import type { Reply } from "./reply.ts";
import { serveUnderPolicy } from "./serving.ts";
import { Settings } from "./settings.ts";
import { SlowLog } from "./slow-log.ts";
import { Statistics } from "./statistics.ts";
import type { StructureCatalogue } from "./structure-catalogue.ts";
import { Tracking } from "./tracking.ts";
import { Transaction, Watches } from "./transaction.ts";
import { unknownCommand } from "./unknown-command.ts";

const MANY_ARGUMENTS = 16; // calls with more are timed although their row is fast
const NO_MEMORY = "command not allowed when used memory > 'maxmemory'.";
/** Where a call's answer is written, and how much there was before. */
type Answer = { reply: Reply; mark: number };
export class LocalEngine implements Runner, Services {
  readonly store: Store;
  readonly limits: Limits;
  readonly commands: CommandTable;
  readonly settings: Settings;
  readonly slowLog: SlowLog;
  readonly watches: Watches;
  readonly blocked: BlockedCalls;
  readonly bus: MessageBus;
  readonly feed: ChangeFeed;
  readonly tracking: Tracking;
  readonly authenticator: Authentication;
  readonly clients: Map<number, Context> = new Map();
  readonly startedAtMs: number;
  readonly statistics: Statistics = new Statistics();
  readonly log: Log;
  persistence: Persistence;
  loop: LoopMeter = NO_LOOP_METER;
  structures: StructureCatalogue | undefined = undefined;
  readonly #clock: Clock;
  readonly #onShutdown: EngineOptions["onShutdown"];
  #nextId = 1;
  /** When the call before was over, where it was timed in this read event: reading the clock costs as much as a small call. */
  #timedToMs = -1;
  readonly #idle = new IdleClients(this.clients, (id) => this.blocked.isWaiting(id));
  readonly pauses: CallPause;
  readonly quotas: QuotaGuard | undefined;

  constructor(options: EngineOptions) {
    this.store = options.store;
    this.#clock = options.clock;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.commands = new CommandTable([...ROWS, ...(options.rows ?? [])]);
    this.slowLog = new SlowLog(this.limits);
    this.bus = new MessageBus(this.limits);
    this.settings = new Settings(this.store, this.slowLog, this.limits);
    this.watches = new Watches(this.store);
    const [{ store, limits, clients }, { timers = systemTimers }] = [this, options];
    this.blocked = new BlockedCalls({ store, timers, limits, attempt: (call, serve) => this.#attempt(call, serve) });
    this.feed = new ChangeFeed({ store, limits, keep: options.feed });
    this.settings.onKeyspaceEvents = notifying(this.store.memory.events, this.bus);
    this.tracking = new Tracking({ store, limits, clients, settings: this.settings, soon: setImmediate });
    this.#onShutdown = options.onShutdown;
    this.pauses = new CallPause({ nowMs: () => this.nowMs, look: () => this.tick() });
    this.log = options.log ?? SILENT_LOG;
    this.quotas = options.tokens === undefined ? undefined : new QuotaGuard(this.store, options.tokens);
    this.authenticator = new Authentication({
      tokens: options.tokens,
      limits,
      timers,
      clients,
      clock: options.clock,
      onNotice: options.onNotice ?? (() => {}),
    });
    this.startedAtMs = options.clock.nowMs();
    this.persistence = noPersistence(() => this.store.memory.entries.version);
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
    this.#timedToMs = -1;
    this.tracking.feeds.tell();
    if (nowMs === this.store.memory.nowMs) return;
    this.store.setNow(nowMs);
    this.pauses.tick(nowMs);
    this.feed.tick(nowMs);
    this.authenticator.tick(nowMs);
    if (this.settings.idleTimeoutMs !== 0) this.#idle.tick(nowMs, this.settings.idleTimeoutMs);
  }

  get looksAhead(): boolean {
    return this.store.lookahead.pays;
  }

  ran(): void {
    this.tracking.feeds.tell();
  }

  expect(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array, calls: number): void {
    this.store.lookahead.fetch(bytes, starts, lengths, calls);
  }

  open(peer: Peer): Context {
    if (this.clients.size >= this.settings.connectionsMax) {
      this.statistics.refusedConnections++;
      throw new HiveError("TOO_MANY_CONNECTIONS", "max number of clients reached");
    }
    const context = new Context(this, peer, this.#nextId++);
    this.authenticator.reset(context);
    this.clients.set(context.id, context);
    this.statistics.connections++;
    return context;
  }

  close(context: Context): void {
    if (!this.clients.delete(context.id)) return;
    this.authenticator.leave(context);
    context.endTransaction();
    context.endSubscriptions();
    this.tracking.leave(context);
    context.abort(new HiveError("CONNECTION_LOST", "the connection was closed"));
  }

  run(context: Context, args: Args, reply: Reply): void | Promise<void> {
    if (!this.tracking.on) return this.#run(context, args, reply);
    return this.tracking.around(context, () => this.#run(context, args, reply));
  }

  #run(context: Context, args: Args, reply: Reply): void | Promise<void> {
    const command = this.commands.exact(args);
    if (command === undefined) {
      const message = unknownCommand(args, this.commands.find(args)?.name);
      return this.#refuse(context, undefined, reply, "UNKNOWN_COMMAND", message);
    }
    context.lastCommand = command.name;
    context.lastCallMs = this.store.memory.nowMs;
    const count = args.count;
    if (count < command.argumentsMin || count > command.argumentsMax) {
      const message = `wrong number of arguments for '${command.wireName}' command`;
      return this.#refuse(context, command, reply, "WRONG_ARITY", message);
    }
    if ((command.flags & COMMAND_ORDERED) !== 0 && !context.ordered) {
      const message = `${command.name}: many callers share this connection; calls go as one with multi()`;
      return this.#refuse(context, command, reply, "UNSUPPORTED", message);
    }
    const named = nameRefusal(command, args);
    if (named !== undefined) return this.#refuse(context, command, reply, named.code, named.message);
    const isPlain = context.gate === 0 && this.pauses.ended === undefined;
    const later = isPlain ? this.#apply(context, command, args, reply) : this.#runGated(context, command, args, reply);
    if (this.blocked.ready) this.blocked.serve();
    return later;
  }

  #attempt({ args, reply, clientId }: BlockedCall, serve: () => boolean): boolean {
    const answer = { reply, mark: reply.mark() };
    const command = this.commands.find(args)!;
    const context = this.clients.get(clientId)!;
    const fail = (error: unknown): void => this.#fail(error, command, answer);
    return serveUnderPolicy(serve, { store: this.store, quotas: this.quotas, context, command, fail });
  }

  transact(context: Context, calls: readonly Args[], reply: Reply): void | Promise<void> {
    if (this.pauses.ended !== undefined) {
      for (const args of calls) args.keep();
      return this.pauses.ended.then(() => {
        if (this.clients.has(context.id)) return this.transact(context, calls, reply);
      });
    }
    const refusals = new FirstRefusal();
    const exec = this.commands.all.get("EXEC")!;
    context.transaction = new Transaction();
    context.gate |= GATE_MULTI;
    // RESET and QUIT would end it half-way, and what follows would run outside of it.
    for (const args of calls) {
      const command = this.commands.find(args);
      if (((command?.flags ?? 0) & COMMAND_IMMEDIATE) !== 0) {
        const message = `${args.text(0).toUpperCase()} inside a transaction`;
        this.#refuse(context, command, refusals, "UNSUPPORTED", message);
      } else void this.run(context, args, refusals);
    }
    if (refusals.code !== undefined) {
      context.endTransaction();
      exec.rejected++;
      return reply.error("EXEC_ABORT", discarded(`${ERRORS[refusals.code].resp} ${refusals.message}`));
    }
    if (!this.#refuseInMulti(context, exec, reply)) void this.#apply(context, exec, Args.of("EXEC"), reply);
    if (this.blocked.ready) this.blocked.serve();
  }

  /** What a gate or a pause asks for, then the call. */
  #runGated(context: Context, command: Command, args: Args, reply: Reply): void | Promise<void> {
    const { gate, outflow } = context;
    const { flags } = command;
    const refusal = refusalOf(context, command, args);
    if (refusal !== undefined) return this.#refuse(context, command, reply, refusal.code, refusal.message);
    if ((gate & GATE_MULTI) !== 0 && this.#refuseInMulti(context, command, reply)) return;
    const isQueued = (gate & GATE_MULTI) !== 0 && (flags & COMMAND_IMMEDIATE) === 0;
    const { ended } = this.pauses;
    if (ended !== undefined && !isQueued && this.pauses.holds(command.name, (flags & COMMAND_WRITE) !== 0)) {
      args.keep();
      return ended.then(() => {
        if (this.clients.has(context.id)) return context.lendOutflow(outflow, () => this.run(context, args, reply));
      });
    }
    const excess = rateRefusal(context, command, this.#clock);
    if (excess !== undefined) return this.#refuse(context, command, reply, excess.code, excess.message);
    if (isQueued) return this.#queue(context, command, args, reply);
    if ((gate & GATE_NO_TOUCH) === 0) return this.#applyLimited(context, command, args, reply);
    this.store.keys.touching = false;
    try {
      return this.#applyLimited(context, command, args, reply);
    } finally {
      this.store.keys.touching = true;
    }
  }

  /** The call, taken back where somebody would have more than his quota of bytes or keys. */
  #applyLimited(context: Context, command: Command, args: Args, reply: Reply): void | Promise<void> {
    const later = this.#applyQuotas(context, command, args, reply);
    if (context.tracking !== undefined) this.tracking.remember(context, command.row, args);
    return later;
  }

  #applyQuotas(context: Context, command: Command, args: Args, reply: Reply): void | Promise<void> {
    const { token } = context;
    if ((context.gate & GATE_LIMITED) === 0 || this.quotas?.watches(command) !== true) {
      return this.#apply(context, command, args, reply);
    }
    const [mark, errors] = [reply.mark(), command.errors];
    let later: Promise<void> | undefined;
    const refused = this.quotas.run(token!, command, () => {
      later = this.#apply(context, command, args, reply) as Promise<void> | undefined;
      return command.errors === errors;
    });
    if (refused !== undefined) this.#fail(refused, command, { reply, mark });
    return later;
  }

  /** What Redis refuses between MULTI and EXEC: without memory everything but the ways out. */
  #refuseInMulti(context: Context, command: Command, reply: Reply): boolean {
    if ((command.flags & COMMAND_NO_MULTI) !== 0) {
      this.#refuse(context, command, reply, "IN_TRANSACTION", "Command not allowed inside a transaction");
      return true;
    }
    const endsIt = (command.flags & COMMAND_ENDS_MULTI) !== 0;
    const needsMemory = !endsIt || (command.name === "EXEC" && context.transaction!.grows);
    if (!needsMemory || this.store.eviction.makeRoom()) return false;
    this.#refuse(context, command, reply, "OUT_OF_MEMORY", NO_MEMORY);
    return true;
  }

  /** Memory, undo and time around the command's own run. */
  #apply(context: Context, command: Command, args: Args, reply: Reply): void | Promise<void> {
    const flags = command.flags;
    if ((flags & COMMAND_GROWS) !== 0 && !this.store.eviction.makeRoom()) {
      return this.#refuse(context, command, reply, "OUT_OF_MEMORY", NO_MEMORY);
    }
    const due = ++command.calls >= command.timedAt;
    this.statistics.calls++;
    const timed = due || args.count > MANY_ARGUMENTS || this.slowLog.thresholdMicroseconds === 0;
    const mark = reply.mark();
    const armed = (flags & COMMAND_STEPS) !== 0 && beginSteps(this.store, args);
    const fromMs = timed && this.#timedToMs < 0 ? this.#clock.monotonicMs() : this.#timedToMs;
    this.#timedToMs = -1;
    try {
      const later = command.run(context, args, reply);
      if (armed) this.store.undo.commit();
      if (later !== undefined) return this.#settle(later, command, { reply, mark });
    } catch (error) {
      if (armed) this.store.undo.rollback();
      this.#fail(error, command, { reply, mark });
    }
    if (!timed) return;
    this.#timedToMs = this.#clock.monotonicMs();
    this.#time(context, command, args, this.#timedToMs - fromMs);
  }

  #settle(later: Promise<void>, command: Command, answer: Answer): Promise<void> {
    // It may have changed something since: a restore, say.
    const failed = (error: unknown): void => this.#fail(error, command, answer);
    return later.catch(failed).then(() => this.blocked.serve());
  }

  /** A HiveError becomes the reply; anything else is our own mistake and is thrown on. */
  #fail(error: unknown, command: Command, { reply, mark }: Answer): void {
    if (!(error instanceof HiveError)) throw error;
    command.errors++;
    this.statistics.countError(error.code);
    reply.rewind(mark);
    reply.error(error.code, error.message);
  }

  #time(context: Context, command: Command, args: Args, milliseconds: number): void {
    command.time(milliseconds * 1e6);
    const microseconds = milliseconds * 1000;
    const threshold = this.slowLog.thresholdMicroseconds;
    if (threshold < 0 || microseconds < threshold) return;
    this.slowLog.add(command.name, args, Math.round(microseconds), this.nowMs, context.peer.address, context.name);
  }

  /** Refuses a call before it ran. That spoils an open transaction, and a refused EXEC ends it. */
  #refuse(context: Context, command: Command | undefined, reply: Reply, code: ErrorCode, message: string): void {
    this.statistics.countError(code);
    if (command !== undefined) command.rejected++;
    if (command?.name === "EXEC" && code !== "UNSUPPORTED") {
      context.endTransaction();
      const word = ERRORS[code].resp;
      return reply.error("EXEC_ABORT", discarded(word === "ERR" ? message : `${word} ${message}`));
    }
    if ((context.gate & GATE_MULTI) !== 0) {
      context.transaction!.failed = true;
      context.transaction!.dropQueue();
    }
    reply.error(code, message);
  }

  #queue(context: Context, command: Command, args: Args, reply: Reply): void {
    const tooBig = context.transaction!.add(args, (command.flags & COMMAND_GROWS) !== 0, this.limits);
    if (tooBig !== undefined) return this.#refuse(context, command, reply, "TRANSACTION_TOO_BIG", tooBig);
    reply.status("QUEUED");
  }

  runQueued(context: Context, args: Args, reply: Reply): void {
    const command = this.commands.exact(args)!;
    const later = this.#applyLimited(context, command, args, reply);
    if (later !== undefined) throw new Error(`${command.name} waited inside a transaction`);
  }

  play(context: Context, args: Args, reply: Reply): void | Promise<void> {
    const command = this.commands.exact(args)!;
    // Within a call that can be undone its own guard counts what this one takes.
    if (this.store.undo.armed) return this.#apply(context, command, args, reply);
    return this.#applyLimited(context, command, args, reply);
  }

  resetStatistics(): void {
    this.statistics.reset(this.store, this.commands.each());
    this.loop.reset();
  }

  readonly enterBusy = (): void => enter(this.store.memory.segments.words[0]!);
  readonly leaveBusy = (): void => leave(this.store.memory.segments.words[0]!);

  shutdown(snapshot?: boolean): void {
    if (!this.#onShutdown) throw new HiveError("UNSUPPORTED", "this hive is stopped by the process that it runs in");
    this.#onShutdown(snapshot);
  }
}
