// Hive: one server and the memory in it, from start to close.
//
//   Hive.start(options) ──▶ store ──▶ engine ──▶ doors ──▶ listeners            (each knows only what is left of it)
//   hive.close()        ──▶ no new connections ──▶ last replies ──▶ connections end ──▶ a snapshot ──▶ memory given back
//
// Nothing here is global: two hives in one process share nothing but the buffer that sockets are read
// into. Embedded, a hive neither writes to the console nor listens for signals; the command does that.

import { type Clock, systemClock } from "../base/clock.ts";
import { HiveError, isHiveError } from "../base/errors.ts";
import { type Limits, limitsWith } from "../base/limits.ts";
import { SILENT_LOG } from "../base/log.ts";
import type { Transport } from "../base/transport.ts";
import { transportPair } from "../base/transport-pair.ts";
import { VERSION } from "../base/version.ts";
import { WaitingBytes } from "../base/waiting-bytes.ts";
import { openDevices } from "../devices/rows.ts";
import { NativeDoor } from "../doors/native/door.ts";
import { RespDoor } from "../doors/resp/door.ts";
import { LocalEngine } from "../engine/local-engine.ts";
import { checkKeyspaceEvents } from "../engine/setting-values.ts";
import { Connections } from "../net/connections.ts";
import { Encryption } from "../net/encryption.ts";
import { type ListenAddress, Listener, type ListenerOptions } from "../net/listen.ts";
import type { Door } from "../net/sniffer.ts";
import { runId } from "../store/header.ts";
import { Store } from "../store/store.ts";
import type { StructureClass } from "../structures/structure.ts";
import { HiveEvents } from "./hive-events.ts";
import { HIVE_OPTION_NAMES, type HiveOptions } from "./hive-options.ts";
import type { Parts } from "./hive-parts.ts";
import { HiveStructures } from "./hive-structures.ts";
import type { HttpDoors } from "./http-doors.ts";
import { lateDoor } from "./late-door.ts";
import { LoopDelay } from "./loop-delay.ts";
import { Maintenance } from "./maintenance.ts";
import { Pulse } from "./pulse.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "./settings/defaults.ts";
import { checkOptions } from "./settings/hive-options.ts";
import type { SharedMemory } from "./shared-memory.ts";
import type { Snapshots } from "./snapshots.ts";
import { wantedTls } from "./tls-options.ts";
import { Tokens } from "./tokens.ts";

export { DEFAULT_HOST, DEFAULT_PORT, type HiveOptions };

export class Hive implements AsyncDisposable {
  /** Resolves when the hive is closed, by whomever. */
  readonly closed: Promise<void>;
  readonly #parts: Parts;
  readonly #resolveClosed: () => void;
  #closing: Promise<void> | undefined = undefined;
  #encryption: Encryption | undefined = undefined;
  /** From the first connection of HTTP on. */
  #http: HttpDoors | undefined = undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  /**
   * Starts a hive. Resolves when it answers.
   *
   * @throws {HiveError} REFUSED_SETTING, ADDRESS_IN_USE or CANNOT_LISTEN; UNSUPPORTED: `shared` without koffi; of the snapshot that it is to start from
   *   NO_SNAPSHOT, BAD_SNAPSHOT, SNAPSHOT_FAILED or OUT_OF_MEMORY. Then nothing is left open.
   */
  static async start(given: HiveOptions = {}): Promise<Hive> {
    const options = checkOptions(given, HIVE_OPTION_NAMES);
    const limits = limitsWith(options.limits ?? {});
    const clock = options.clock ?? systemClock;
    const log = options.log ?? SILENT_LOG;
    const events = new HiveEvents({ log, onNotice: options.onNotice });
    const notice = (message: string): void => events.notice(message);
    const tokens = Tokens.open({ single: options.token, store: options.tokens, limits, clock, onNotice: notice });
    const { memory, store } = await openMemory(options, { nowMs: clock.nowMs(), limits }).catch((error: unknown) => {
      tokens.close();
      throw error;
    });
    const devices = openDevices(options);
    // SHUTDOWN is answered by the end of the connections, so it may begin while its call runs.
    const onShutdown = (snapshot: boolean | undefined): void => void hive.close({ snapshot }).catch(() => {});
    const engine = new LocalEngine({
      store,
      clock,
      limits,
      log,
      rows: devices.rows,
      ...(tokens.registry === undefined ? {} : { tokens: tokens.registry }),
      onNotice: notice,
      onShutdown,
      ...(options.feed?.keep === undefined ? {} : { feed: options.feed.keep }),
    });
    engine.statistics.sessions = () => devices.figures(store);
    engine.settings.tell("notify-keyspace-events", checkKeyspaceEvents(options.keyspaceEvents ?? ""));
    const onNotice = (address: string, message: string): void => events.connectionEnded(address, message);
    const identity = { version: VERSION, runId: runId(store.memory.segments.words[0]!), shared: memory?.offer };
    const waiting = new WaitingBytes(limits.waitingBytesMax);
    const doors = {
      resp: new RespDoor({ runner: engine, limits, waiting, onNotice }),
      native: new NativeDoor({ runner: engine, limits, waiting, identity, onNotice }),
    };
    const pulse = new Pulse({ store, statistics: engine.statistics, events });
    const loop = new LoopDelay();
    engine.loop = loop;
    const maintenance = new Maintenance({
      workers: [store],
      beat() {
        engine.tick();
        store.beat();
        const monotonicMs = clock.monotonicMs();
        pulse.beat(monotonicMs);
        loop.beat(monotonicMs, engine.statistics.calls);
        hive.#parts.snapshots?.beat();
        devices.look(store, engine.bus);
      },
      isPressed: () => store.memory.totals.sessionKeys > 0,
      look: () => engine.tick(),
      monotonicMs: () => clock.monotonicMs(),
    });
    const connections = new Connections(limits.connectionsMax, limits.connectionsPerAddressMax);
    const watched = options.watched ?? false;
    const structures = new HiveStructures({
      ...{ engine, limits, clock, maintenance, events, watched },
      isolate: options.isolate ?? false,
    });
    const hive = new Hive({
      store,
      engine,
      doors,
      connections,
      maintenance,
      tokens,
      loop,
      listeners: [],
      limits,
      events,
      snapshots: undefined,
      ...{ waiting, memory, onSecret: (facts) => devices.learn(store, facts) },
      structures,
    });
    try {
      if (options.structures) await structures.start(options.structures);
      if (options.snapshots) await hive.#openSnapshots(options.snapshots, clock);
      await hive.#listen(options);
      events.ready(hive.addresses);
    } catch (error) {
      await hive.close({ snapshot: false });
      throw error;
    }
    return hive;
  }

  /** What is needed for snapshots is loaded where they are wanted. */
  async #openSnapshots({ folder, ...settings }: NonNullable<HiveOptions["snapshots"]>, clock: Clock): Promise<void> {
    if (folder === undefined) {
      throw new HiveError("REFUSED_SETTING", "snapshots.folder is missing: without it no snapshots are kept");
    }
    const { Snapshots } = await import("./snapshots.ts");
    const { SnapshotFolder } = await import("../snapshot/folder.ts");
    const { store, engine, maintenance, limits, events } = this.#parts;
    const place = await SnapshotFolder.open(folder);
    const { onSecret } = this.#parts;
    const snapshots = new Snapshots({ store, engine, place, clock, limits, maintenance, settings, events, onSecret });
    await snapshots.start();
    engine.persistence = snapshots;
    this.#parts.snapshots = snapshots;
  }

  async #listen(options: HiveOptions): Promise<void> {
    if (options.listen === false) return;
    const { doors, limits, connections, listeners, events } = this.#parts;
    const guarded = this.#parts.tokens.registry !== undefined;
    const tls = wantedTls(options.tls);
    if (tls !== undefined) {
      const handshakeTimeoutMs = limits.tlsHandshakeTimeoutMs;
      const onNotice = (message: string): void => events.notice(message);
      this.#encryption = await Encryption.open({ ...tls, handshakeTimeoutMs, onNotice });
    }
    const listenerOptions: ListenerOptions = {
      doors: {
        resp: (transport) => doors.resp.open(transport),
        native: (transport) => doors.native.open(transport),
        http: lateDoor(() => this.#loadHttp(options)),
      },
      refusals: { native: (transport, error) => doors.native.refuse(transport, error) },
      encryption: this.#encryption,
      encryptedOnly: tls?.only ?? false,
      // Whoever connects from elsewhere has to have a token.
      allowRemote: guarded,
      lineBytesMax: limits.firstLineBytesMax,
      // Who says nothing is a stranger too.
      timeoutMs: guarded
        ? Math.min(limits.firstBytesTimeoutMs, limits.authenticationTimeoutMs)
        : limits.firstBytesTimeoutMs,
      backlog: limits.pendingConnectionsMax,
      keepAlive: options.keepAlive ?? true,
      connections,
      onRefused: ({ address }, wire, error) => events.wireRefused(address, wire, error?.message),
      onHandshakeFailed: ({ address }, reason) => events.handshakeFailed(address, reason),
      onCrowd: (address) => events.crowded(address),
      onError: (error) => events.cannotAccept(error),
    };
    const { host = DEFAULT_HOST, port = DEFAULT_PORT, unix } = options;
    const addresses: ListenAddress[] = port === false ? [] : [{ host, port }];
    if (unix !== undefined) addresses.push({ path: unix });
    if (addresses.length === 0) {
      throw new HiveError("REFUSED_SETTING", "no TCP port and no unix socket: nobody could reach this hive");
    }
    for (const address of addresses) listeners.push(await Listener.open(address, listenerOptions));
    const { settings } = this.#parts.engine;
    settings.tell("bind", port === false ? "" : host);
    settings.tell("port", String(this.port));
    settings.tell("unixsocket", unix ?? "");
  }

  async #loadHttp({ http = {} }: HiveOptions): Promise<Door> {
    const { HttpDoors } = await import("./http-doors.ts");
    const { engine, limits, waiting, events, doors } = this.#parts;
    const opened = new HttpDoors({
      ...{ engine, limits, waiting, http, tokens: this.#parts.tokens.registry },
      openNative: (transport) => doors.native.open(transport),
      onNotice: (address, message) => events.connectionEnded(address, message),
    });
    this.#http = opened;
    if (this.#closing !== undefined) opened.close();
    return (transport) => opened.open(transport);
  }

  /** The TCP port; 0 where there is none. */
  get port(): number {
    return this.#parts.listeners[0]?.port ?? 0;
  }

  /** "127.0.0.1:4483", or the unix socket's path where there is no TCP; empty for a hive that does not listen. */
  get address(): string {
    return this.#parts.listeners[0]?.address ?? "";
  }

  /** All addresses it answers on, unix sockets as their path. */
  get addresses(): string[] {
    return this.#parts.listeners.map(({ address }) => address);
  }

  /**
   * Opens a connection of this process to the hive, without a socket: what connect(hive) does. It counts
   * as any other.
   * @throws {HiveError} HIVE_CLOSED, TOO_MANY_CONNECTIONS
   */
  async dial(): Promise<Transport> {
    const { connections, doors } = this.#parts;
    if (this.#closing !== undefined) throw new HiveError("HIVE_CLOSED", "this hive is closed");
    const [near, far] = transportPair({ near: `process:${process.pid}`, far: "hive:0" });
    if (connections.add(far).refusedBy !== undefined) {
      connections.delete(far);
      throw new HiveError("TOO_MANY_CONNECTIONS", "connectionsMax connections are open");
    }
    const receiver = doors.native.open(far, true);
    far.receiver = {
      receive: (bytes, start, end) => receiver?.receive(bytes, start, end),
      drained: () => receiver?.drained(),
      finished: () => receiver?.finished(),
      closed: (cause) => {
        receiver?.closed(cause);
        connections.delete(far);
      },
    };
    return near;
  }

  /** Stores, restores, lists; tells of it by events. Undefined for a hive without a folder for snapshots. */
  get snapshots(): Snapshots | undefined {
    return this.#parts.snapshots;
  }

  /** Who may do what. A hive that was started without token and tokens lets everybody in, and has none to give. */
  get tokens(): Pick<Tokens, "create" | "list" | "revoke"> {
    return this.#parts.tokens;
  }

  /**
   * Takes over what has changed in the files that the hive was started with: tokens and certificates. What is
   * no good is refused with a notice, and what was there stays. Open connections go on as they are, but for
   * those of tokens that are gone.
   */
  reload(): void {
    const { tokens, events, structures } = this.#parts;
    tokens.reload();
    // What is broken was told of, and what was there stays.
    structures.reload().catch(() => {});
    if (this.#encryption === undefined) return;
    try {
      this.reloadCertificates();
      events.notice("the certificates were read again: new connections get them");
    } catch (error) {
      if (!isHiveError(error)) throw error;
      events.notice(`the old certificates stay: ${error.message}`);
    }
  }

  /**
   * Reads the files of the option tls again, for connections from now on. Nothing happens without TLS.
   * @throws {HiveError} REFUSED_SETTING, naming the file that is no good: the old ones stay.
   */
  reloadCertificates(): void {
    this.#encryption?.reload();
  }

  /** Bytes that wait on all connections: what waitingBytesMax bounds. */
  get waitingBytes(): number {
    return this.#parts.waiting.total;
  }

  /**
   * Registers a structure: its commands are there from now on, for every client.
   * @throws {HiveError} INVALID_ARGUMENT: what is wrong with the class, or a name that is taken. Nothing was changed.
   */
  register(cls: StructureClass, options?: unknown): void {
    this.#parts.structures.register(cls, options);
  }

  /** What runs the calls, for doors of this process. */
  get engine(): LocalEngine {
    return this.#parts.engine;
  }

  /**
   * Closes in order: no new connections, those that have said nothing end, calls that run are answered, replies go out (for
   * closeTimeoutMs at the most), a last snapshot is stored, memory is given back. Closing twice is fine.
   *
   * @param options.snapshot Whether a snapshot is stored; without it as the settings say.
   * @throws {HiveError} SNAPSHOT_FAILED: the hive is closed all the same, and what it held is not stored.
   */
  close(options: { snapshot?: boolean | undefined } = {}): Promise<void> {
    this.#closing ??= this.#close(options.snapshot);
    return this.#closing;
  }

  async #close(snapshot: boolean | undefined): Promise<void> {
    const { listeners, doors, engine, connections, maintenance, limits, events, snapshots } = this.#parts;
    const { tokens, loop, store, memory } = this.#parts;
    events.closing(connections.count);
    for (const listener of listeners) listener.close();
    // Calls that CLIENT PAUSE holds back are in flight too.
    engine.pauses.end();
    doors.resp.close();
    doors.native.close();
    this.#http?.close();
    await connections.drain(limits.closeTimeoutMs);
    try {
      await snapshots?.close(snapshot);
    } finally {
      maintenance.close();
      await this.#parts.structures.close();
      tokens.close();
      loop.close();
      engine.feed.close();
      // A hive that never had sessions need not look for what they left.
      if (Object.values(engine.statistics.sessions()).some((count) => count > 0)) store.dropSecrets();
      store.close();
      memory?.close();
      events.closed();
      this.#resolveClosed();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

type Memory = { memory: SharedMemory | undefined; store: Store };

/** What shared memory needs is loaded where it is wanted. */
async function openMemory(options: HiveOptions, parts: { nowMs: number; limits: Limits }): Promise<Memory> {
  const { maxMemoryBytes, maxMemoryPolicy, shared, sharedFolder } = options;
  const { valueBytesMax, keyBytesMax } = parts.limits;
  const memory = shared
    ? await (await import("./shared-memory.ts")).SharedMemory.open(maxMemoryBytes ?? 0, sharedFolder)
    : undefined;
  try {
    const store = new Store({
      nowMs: parts.nowMs,
      ...(memory === undefined ? {} : { provider: memory.provider }),
      valueBytesMax,
      keyBytesMax,
      ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
      ...(maxMemoryPolicy === undefined ? {} : { maxMemoryPolicy }),
    });
    return { memory, store };
  } catch (error) {
    memory?.close();
    throw error;
  }
}
