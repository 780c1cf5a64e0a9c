// Hive: one server and the memory in it, from start to close.
//
//   Hive.start(options) ──▶ store ──▶ engine ──▶ doors ──▶ listeners            (each knows only what is left of it)
//   hive.close()        ──▶ no new connections ──▶ last replies ──▶ connections end ──▶ memory given back
//
// Nothing here is global: two hives in one process share nothing but the buffer that sockets are read
// into. Embedded, a hive neither writes to the console nor listens for signals; the command does that.

import { type Clock, systemClock } from "../base/clock.ts";
import { HiveError, isHiveError } from "../base/errors.ts";
import { type Limits, limitsWith } from "../base/limits.ts";
import type { Transport } from "../base/transport.ts";
import { transportPair } from "../base/transport-pair.ts";
import { VERSION } from "../base/version.ts";
import { WaitingBytes } from "../base/waiting-bytes.ts";
import { NativeDoor } from "../doors/native/door.ts";
import { RespDoor } from "../doors/resp/door.ts";
import { LocalEngine } from "../engine/local-engine.ts";
import type { CertificateOptions } from "../net/certificates.ts";
import { Connections } from "../net/connections.ts";
import { Encryption } from "../net/encryption.ts";
import { type ListenAddress, Listener, type ListenerOptions } from "../net/listen.ts";
import { runId } from "../store/header.ts";
import { type EvictionPolicy, Store } from "../store/store.ts";
import { Maintenance } from "./maintenance.ts";

/** H-I-V-E on a phone. */
export const DEFAULT_PORT = 4483;
export const DEFAULT_HOST = "127.0.0.1";

export type HiveOptions = {
  /** An address of this machine's loopback. */
  host?: string;
  /** 0 for a free one: then see hive.port. False for no TCP at all: then `unix` is how to reach the hive. */
  port?: number | false;
  /** A path to listen on as well, or alone. */
  unix?: string;
  /** TLS, on the same port as everything else. */
  tls?: TlsOptions;
  /** False opens no port and no socket: the hive is there for this process alone. */
  listen?: boolean;
  /** Bytes that the data may take, rounded to pages; without it as much as the system gives. */
  maxMemoryBytes?: number;
  /** What happens when they are used up. Default: noeviction, calls that need memory fail. */
  maxMemoryPolicy?: EvictionPolicy;
  /** False: the hive does not keep the process alive, neither by listening nor by its connections. Default: it does. */
  keepAlive?: boolean;
  /** Where the hive has its time from: a ManualClock lets a test decide when a TTL has passed. */
  clock?: Clock;
  limits?: Partial<Limits>;
  /** One line for operators: a connection was cut off or refused, and why. */
  onNotice?: (message: string) => void;
};

/** PEM files by their path, or PEM itself. Files are read again by reload(). */
export type TlsOptions = CertificateOptions & {
  /** True: over TCP nothing but TLS is let in. A unix socket needs none. Default: false. */
  only?: boolean;
};

type Parts = {
  store: Store;
  engine: LocalEngine;
  doors: { resp: RespDoor; native: NativeDoor };
  connections: Connections;
  maintenance: Maintenance;
  listeners: Listener[];
  limits: Limits;
  waiting: WaitingBytes;
  notice: (message: string) => void;
};

export class Hive implements AsyncDisposable {
  /** Resolves when the hive is closed, by whomever. */
  readonly closed: Promise<void>;
  readonly #parts: Parts;
  readonly #resolveClosed: () => void;
  #closing: Promise<void> | undefined = undefined;
  #encryption: Encryption | undefined = undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  /**
   * Starts a hive. Resolves when it answers.
   *
   * @throws {HiveError} REFUSED_SETTING, ADDRESS_IN_USE or CANNOT_LISTEN; then nothing is left open.
   */
  static async start(options: HiveOptions = {}): Promise<Hive> {
    const limits = limitsWith(options.limits ?? {});
    const clock = options.clock ?? systemClock;
    const notice = options.onNotice ?? (() => {});
    const store = new Store({
      nowMs: clock.nowMs(),
      valueBytesMax: limits.valueBytesMax,
      keyBytesMax: limits.keyBytesMax,
      ...(options.maxMemoryBytes === undefined ? {} : { maxMemoryBytes: options.maxMemoryBytes }),
      ...(options.maxMemoryPolicy === undefined ? {} : { maxMemoryPolicy: options.maxMemoryPolicy }),
    });
    // SHUTDOWN is answered by the end of the connections, so it may begin while its call runs.
    const engine = new LocalEngine({ store, clock, limits, onShutdown: () => void hive.close() });
    const onNotice = (address: string, message: string): void => notice(`${address} ${message}`);
    const identity = { version: VERSION, runId: runId(store.memory.segments.words[0]!) };
    const waiting = new WaitingBytes(limits.waitingBytesMax);
    const doors = {
      resp: new RespDoor({ runner: engine, limits, waiting, onNotice }),
      native: new NativeDoor({ runner: engine, limits, waiting, identity, onNotice }),
    };
    const maintenance = new Maintenance({
      store,
      tick: () => engine.tick(),
      monotonicMs: () => clock.monotonicMs(),
    });
    const connections = new Connections(limits.connectionsMax, limits.connectionsPerAddressMax);
    const hive = new Hive({ store, engine, doors, connections, maintenance, listeners: [], limits, waiting, notice });
    try {
      await hive.#listen(options);
    } catch (error) {
      await hive.close();
      throw error;
    }
    return hive;
  }

  async #listen(options: HiveOptions): Promise<void> {
    if (options.listen === false) return;
    const { doors, limits, connections, listeners, notice } = this.#parts;
    const { tls } = options;
    if (tls !== undefined) {
      const handshakeTimeoutMs = limits.tlsHandshakeTimeoutMs;
      this.#encryption = await Encryption.open({ ...tls, handshakeTimeoutMs, onNotice: notice });
    }
    const listenerOptions: ListenerOptions = {
      doors: {
        resp: (transport) => doors.resp.open(transport),
        native: (transport) => doors.native.open(transport),
      },
      refusals: { native: (transport, error) => doors.native.refuse(transport, error) },
      encryption: this.#encryption,
      encryptedOnly: tls?.only ?? false,
      // Whoever connects from elsewhere has to have a token, and there is none yet.
      allowRemote: false,
      lineBytesMax: limits.firstLineBytesMax,
      timeoutMs: limits.firstBytesTimeoutMs,
      backlog: limits.pendingConnectionsMax,
      keepAlive: options.keepAlive ?? true,
      connections,
      onRefused: ({ address }, wire, error) =>
        notice(`${address} ${error?.message ?? `asked for ${wire}, and there is no such door`}`),
      onHandshakeFailed: ({ address }, reason) => notice(`${address} the handshake of TLS failed: ${reason}`),
      onCrowd: (address) => notice(`${address} has as many connections as connectionsPerAddressMax allows`),
      onError: (error) => notice(`cannot accept connections: ${error.message}`),
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
    const receiver = doors.native.open(far);
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

  /**
   * Takes over what has changed in the files that the hive was started with: its certificates. What is no
   * good is refused with a notice, and what was there stays. Open connections go on as they are.
   */
  reload(): void {
    const { notice } = this.#parts;
    if (this.#encryption === undefined) return notice("nothing to read again: this hive was started without files");
    try {
      this.reloadCertificates();
      notice("the certificates were read again: new connections get them");
    } catch (error) {
      if (!isHiveError(error)) throw error;
      notice(`the old certificates stay: ${error.message}`);
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

  /** What runs the calls, for doors of this process. */
  get engine(): LocalEngine {
    return this.#parts.engine;
  }

  /**
   * Closes in order: no new connections, those that have said nothing end, calls that run are answered, replies go out (for
   * closeTimeoutMs at the most), memory is given back. Closing twice is fine.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { listeners, doors, engine, connections, maintenance, store, limits } = this.#parts;
    for (const listener of listeners) listener.close();
    // Calls that CLIENT PAUSE holds back are in flight too.
    engine.unpause();
    doors.resp.close();
    doors.native.close();
    await connections.drain(limits.closeTimeoutMs);
    maintenance.close();
    store.close();
    this.#resolveClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
