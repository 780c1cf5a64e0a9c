// Wire calls: a hive without sockets. Several connections of the RESP door, in one process, at one clock.
//
//   const { connect, advance } = startWire();  connect().call("GET", "k") ──▶ "$1\r\nv\r\n"
//
// What is written during a call comes back at once, as the exact bytes. A call that answers later
// leaves them for read() after the promise has settled.

import { ManualClock } from "../../src/base/clock.ts";
import { type Limits, limitsWith } from "../../src/base/limits.ts";
import { ManualTimers } from "../../src/base/timers.ts";
import type { Receiver, Transport } from "../../src/base/transport.ts";
import { RespDoor } from "../../src/doors/resp/door.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import type { Row } from "../../src/engine/row.ts";
import type { TokenRegistry } from "../../src/engine/tokens.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";
import { encodeCall } from "./resp-client.ts";

/** The other end of a connection. */
export class WireClient implements Transport {
  readonly address: string;
  readonly localAddress = "127.0.0.1:4483";
  readonly encrypted = false;
  readonly pendingBytes = 0;
  receiver!: Receiver;
  /** Whether the hive has closed the connection. */
  isClosed = false;
  #written = "";

  constructor(port: number) {
    this.address = `127.0.0.1:${port}`;
  }

  /** Sends one call and returns what the hive has written since. */
  call(...args: (string | Uint8Array)[]): string {
    this.send(encodeCall(args));
    return this.read();
  }

  send(bytes: Buffer): void {
    this.receiver.receive(bytes, 0, bytes.length);
  }

  read(): string {
    const written = this.#written;
    this.#written = "";
    return written;
  }

  /** Ends the connection from this side. */
  leave(): void {
    this.receiver.closed({ kind: "end", message: "" });
  }

  write(buffer: Buffer, length: number): boolean {
    this.#written += buffer.latin1Slice(0, length);
    return true;
  }

  writeLatin1(text: string): void {
    this.#written += text;
  }

  end(): void {
    this.isClosed = true;
  }

  destroy(): void {
    this.isClosed = true;
  }

  awaitDrained(): void {}
  pause(): void {}
  resume(): void {}
}

export type Wire = {
  store: Store;
  engine: LocalEngine;
  connect: () => WireClient;
  /** Lets time pass. */
  advance: (byMs: number) => void;
  /** The same for those who wait with a wrong token: their answers come. */
  wait: (byMs: number) => Promise<void>;
  /** What operators were told. */
  notices: string[];
  /** How often SHUTDOWN stopped the hive. */
  stops: () => number;
};

type WireOptions = {
  limits?: Partial<Limits>;
  store?: Partial<StoreOptions>;
  tokens?: TokenRegistry;
  /** Commands beside the built-in ones. */
  rows?: readonly Row[];
};

export function startWire(options: WireOptions = {}): Wire {
  const timers = new ManualTimers();
  const notices: string[] = [];
  const clock = new ManualClock();
  const limits = limitsWith(options.limits ?? {});
  const store = new Store({ ...options.store, nowMs: clock.nowMs() });
  let stops = 0;
  const engine = new LocalEngine({
    store,
    clock,
    limits,
    timers,
    onNotice: (message) => notices.push(message),
    ...(options.tokens === undefined ? {} : { tokens: options.tokens }),
    ...(options.rows === undefined ? {} : { rows: options.rows }),
    onShutdown: () => void stops++,
  });
  const door = new RespDoor({ runner: engine, limits, onNotice: () => {} });
  let port = 50_000;
  const connect = (): WireClient => {
    const client = new WireClient(++port);
    const receiver = door.open(client);
    if (receiver) client.receiver = receiver;
    return client;
  };
  const advance = (byMs: number): void => {
    clock.advance(byMs);
    engine.tick();
  };
  const wait = async (byMs: number): Promise<void> => {
    advance(byMs);
    timers.advance(byMs);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { store, engine, connect, advance, wait, notices, stops: () => stops };
}
