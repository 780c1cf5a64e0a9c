// A hive that does what a test says: the other end of a client's connection, without a socket and without time.
//
//   const fake = new FakeHive();
//   const { connection } = fake.client();
//   await fake.greet();                       // the handshake
//   const [call] = await fake.calls(1);       // what the client asked: its id and its words
//   fake.answer(call.id, (w) => w.text("hello"));

import { type HiveError, isHiveError } from "../../src/base/errors.ts";
import { ManualTimers } from "../../src/base/timers.ts";
import type { Receiver, Transport } from "../../src/base/transport.ts";
import { Connection } from "../../src/client/connection.ts";
import type { ConnectionState } from "../../src/client/connection-parts.ts";
import { type ClientOptions, settingsOf } from "../../src/client/options.ts";
import { CALL, FrameReader, HELLO, PREAMBLE, RESULT, WELCOME } from "../../src/wire/frame.ts";
import { FrameWriter } from "../../src/wire/frame-writer.ts";
import type { Welcome } from "../../src/wire/handshake.ts";
import { decodeItem, ItemReader } from "../../src/wire/items.ts";

export type SeenFrame = { kind: number; id: number; words: unknown[] };

const WELCOMED: Welcome = {
  version: 1,
  hive: "0.0.0",
  runId: "run",
  connectionId: 1,
  heartbeatMs: 5_000,
  limits: {
    ...{ frameBytesMax: 1_000_000, argumentsMax: 1_000, keyBytesMax: 1_000, valueBytesMax: 1_000_000 },
    ...{ valueDepthMax: 64, openCallsMax: 1_000 },
  },
  features: [],
};

/** The client's transport: what it writes is kept, and nothing comes that the test does not send. */
class FakeTransport implements Transport {
  readonly address = "fake:1";
  readonly localAddress = "fake:2";
  readonly encrypted: boolean = false;
  /** What the hive has not read: a test says it. */
  pendingBytes: number = 0;
  receiver: Receiver = { receive() {}, drained() {}, finished() {}, closed() {} };
  state: "open" | "ended" | "destroyed" = "open";
  written: Buffer = Buffer.alloc(0);
  /** How many times something was written: each is a system call. */
  writes = 0;

  write(buffer: Uint8Array, length: number): boolean {
    this.writes++;
    if (this.state === "open") this.written = Buffer.concat([this.written, buffer.subarray(0, length)]);
    return true;
  }

  writeLatin1(text: string): void {
    this.write(Buffer.from(text, "latin1"), text.length);
  }

  awaitDrained(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {
    this.state = "ended";
  }
  destroy(): void {
    this.state = "destroyed";
  }
}

export class FakeHive {
  readonly timers: ManualTimers = new ManualTimers();
  readonly states: { state: ConnectionState; code: string | undefined }[] = [];
  /** False: dialing fails. */
  reachable = true;
  dials = 0;
  transport: FakeTransport = new FakeTransport();
  #read = 0;

  /** A connection of a client to this hive. Dice always show 1. */
  client(options: ClientOptions = {}): Connection {
    return new Connection({
      dial: () => this.#dial(),
      address: "fake",
      settings: settingsOf({ spinMicroseconds: 0, ...options }),
      library: { name: "test", version: "1" },
      timers: this.timers,
      random: () => 1,
      onState: (state, cause) => void this.states.push({ state, code: cause?.code }),
    });
  }

  async #dial(): Promise<Transport> {
    this.dials++;
    if (!this.reachable) throw new Error("connect ECONNREFUSED");
    this.transport = new FakeTransport();
    this.#read = 0;
    return this.transport;
  }

  /** Lets all that is due in this turn run. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits for the client's preamble and HELLO, and welcomes it. Gives what HELLO said. */
  async greet(changes: Partial<Welcome> = {}): Promise<unknown> {
    await this.turn();
    const { written } = this.transport;
    if (!written.subarray(0, PREAMBLE.length).equals(PREAMBLE))
      throw new Error(`no preamble: ${written.toString("hex")}`);
    this.#read = PREAMBLE.length;
    const [hello] = this.frames();
    if (hello?.kind !== HELLO) throw new Error("no HELLO");
    this.send((writer) => {
      writer.begin(WELCOME, 0);
      writer.encoded({ ...WELCOMED, ...changes });
      writer.finish();
    });
    await this.turn();
    return hello.words[0];
  }

  /** The frames that came since the last look. */
  frames(): SeenFrame[] {
    const bytes = Buffer.from(this.transport.written.subarray(this.#read));
    this.#read = this.transport.written.length;
    const reader = new FrameReader(100_000_000);
    const found: SeenFrame[] = [];
    reader.feed(bytes, 0, bytes.length);
    while (reader.next()) {
      const items = new ItemReader();
      items.reset(reader.bytes, reader.start + (reader.kind === CALL ? 1 : 0), reader.end);
      const words: unknown[] = [];
      const isWords = reader.kind === CALL || reader.kind === HELLO;
      while (isWords && !items.done) words.push(decodeItem(items, "auto"));
      found.push({ kind: reader.kind, id: reader.id, words });
    }
    return found;
  }

  send(write: (writer: FrameWriter) => void): void {
    const writer = new FrameWriter(Number.POSITIVE_INFINITY);
    write(writer);
    this.sendBytes(writer.scratch.copy());
  }

  sendBytes(bytes: Uint8Array): void {
    this.transport.receiver.receive(Buffer.from(bytes), 0, bytes.length);
  }

  answer(id: number, reply: (writer: FrameWriter) => void): void {
    this.send((writer) => {
      writer.begin(RESULT, id);
      reply(writer);
      writer.finish();
    });
  }

  /** The connection goes away. */
  close(message = "the peer closed the connection"): void {
    this.transport.receiver.closed({ kind: "end", message });
  }
}

/** What a call that must fail failed with. */
export async function failure(promise: Promise<unknown>): Promise<HiveError> {
  try {
    const value = await promise;
    throw new Error(`resolved with ${String(value)}`);
  } catch (error) {
    if (isHiveError(error)) return error;
    throw error;
  }
}
