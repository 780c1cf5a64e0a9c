// A client for tests of the native door: sends any bytes, and keeps every frame that comes.
//
//   const client = await NativeClient.connect({ port });          // greeted
//   await client.call("GET", "k")                                 // the value, or a HiveError is thrown
//   client.write(frameOf(CALL, 7, Buffer.of(0, …)));  await client.frame(({ id }) => id === 7)
//
// It is no second implementation: frames are written and read with wire/, which tests of its own and the
// Python client hold to the page. Nothing sleeps: a wait ends with the frame, with the connection, or fails.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { HiveError } from "../../src/base/errors.ts";
import {
  CALL,
  FAILURE,
  FrameReader,
  GOODBYE,
  HELLO,
  PREAMBLE,
  RESULT,
  TRANSACTION,
  WELCOME,
} from "../../src/wire/frame.ts";
import { FrameWriter } from "../../src/wire/frame-writer.ts";
import { decodeFailure, decodeItem, ItemReader } from "../../src/wire/items.ts";

const WAIT_MS = 10_000;
const FRAME_BYTES_MAX = 1 << 30;

export type Frame = { kind: number; id: number; body: Buffer };
type Waiting = { wanted: (frame: Frame) => boolean; resolve: (frame: Frame) => void; reject: (error: Error) => void };

export class NativeClient {
  readonly socket: Socket;
  /** Resolves when the connection has ended. Never rejects. */
  readonly closed: Promise<void>;
  /** What has come and nobody has waited for. */
  frames: Frame[] = [];
  readonly #reader = new FrameReader(FRAME_BYTES_MAX);
  #waiting: Waiting[] = [];
  #nextId = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#reader.feed(chunk, 0, chunk.length);
      while (this.#reader.next()) this.#take();
      this.#reader.settle();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        for (const { reject } of this.#waiting) reject(new Error("the connection is closed"));
        this.#waiting = [];
        resolve();
      });
    });
  }

  /** Connects and, unless `hello` is null, greets and waits for WELCOME. */
  static async connect(
    address: { port: number } | { path: string },
    hello: object | null = { heartbeatMs: 0 },
  ): Promise<NativeClient> {
    const socket = connect("path" in address ? address : { host: "127.0.0.1", ...address });
    await once(socket, "connect");
    const client = new NativeClient(socket);
    if (hello !== null) {
      client.write(Buffer.concat([PREAMBLE, helloOf(hello)]));
      await client.frame(({ kind }) => kind === WELCOME);
    }
    return client;
  }

  /** Sends bytes; a string is hexadecimal. */
  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "hex") : bytes);
  }

  nextId(): number {
    const id = this.#nextId;
    this.#nextId += 2;
    return id;
  }

  /** Sends a call. Returns its id. */
  send(...args: unknown[]): number {
    const id = this.nextId();
    this.write(callOf(id, args));
    return id;
  }

  /** The answer to a call. @throws {HiveError} the hive said no. */
  async answer(id: number): Promise<unknown> {
    const frame = await this.frame((frame) => frame.id === id && (frame.kind === RESULT || frame.kind === FAILURE));
    return contentOf(frame);
  }

  call(...args: unknown[]): Promise<unknown> {
    return this.answer(this.send(...args));
  }

  transact(...calls: unknown[][]): Promise<unknown> {
    const id = this.nextId();
    this.write(transactionOf(id, calls));
    return this.answer(id);
  }

  /** The reason for the end that the hive gave. */
  async goodbye(): Promise<HiveError> {
    return failureOf(await this.frame(({ kind }) => kind === GOODBYE));
  }

  /** The first frame that is `wanted`, of those that came or come. It is taken out. */
  frame(wanted: (frame: Frame) => boolean): Promise<Frame> {
    const index = this.frames.findIndex(wanted);
    if (index >= 0) return Promise.resolve(this.frames.splice(index, 1)[0]!);
    if (this.socket.destroyed) return Promise.reject(new Error("the connection is closed"));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no such frame within ${WAIT_MS} ms`)), WAIT_MS);
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          done(value);
        };
      this.#waiting.push({ wanted, resolve: settle(resolve), reject: settle(reject) });
    });
  }

  #take(): void {
    const { kind, id, bytes, start, end } = this.#reader;
    const frame = { kind, id, body: Buffer.from(bytes.slice(start, end)) };
    const index = this.#waiting.findIndex(({ wanted }) => wanted(frame));
    if (index < 0) this.frames.push(frame);
    else this.#waiting.splice(index, 1)[0]!.resolve(frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

/** The value of a RESULT or ELEMENT. @throws {HiveError} it is a FAILURE. */
export function contentOf(frame: Frame): unknown {
  if (frame.kind === FAILURE) throw failureOf(frame);
  return decodeItem(itemsOf(frame.body), "auto");
}

export function failureOf({ body }: Frame): HiveError {
  return decodeFailure(itemsOf(body));
}

function itemsOf(body: Buffer): ItemReader {
  const items = new ItemReader();
  items.reset(body, 0, body.length);
  return items;
}

/** A frame with any body. */
export function frameOf(kind: number, id: number, body: Uint8Array = new Uint8Array(0)): Buffer {
  const header = Buffer.alloc(9);
  header[0] = kind;
  header.writeUInt32BE(id, 1);
  header.writeUInt32BE(body.length, 5);
  return Buffer.concat([header, body]);
}

export function helloOf(hello: unknown): Buffer {
  const writer = new FrameWriter(FRAME_BYTES_MAX);
  writer.begin(HELLO, 0);
  writer.encoded(hello);
  return finished(writer);
}

/** A CALL: the name as a word, then text, bytes and values as they are. Given a credit it is a stream. */
export function callOf(id: number, args: readonly unknown[], credit?: number): Buffer {
  const writer = new FrameWriter(FRAME_BYTES_MAX);
  writer.begin(CALL, id);
  writer.uint8(credit === undefined ? 0 : 1);
  if (credit !== undefined) writer.uint32(credit);
  writeArguments(writer, args);
  return finished(writer);
}

export function transactionOf(id: number, calls: readonly (readonly unknown[])[]): Buffer {
  const writer = new FrameWriter(FRAME_BYTES_MAX);
  writer.begin(TRANSACTION, id);
  for (const args of calls) {
    writer.array(args.length);
    writeArguments(writer, args);
  }
  return finished(writer);
}

function writeArguments(writer: FrameWriter, [name, ...args]: readonly unknown[]): void {
  writer.word(name as string);
  for (const arg of args) {
    if (arg instanceof Encoded) writer.bulk(arg.bytes, 0, arg.bytes.length, arg.kind);
    else writer.any(arg);
  }
}

/** An argument of any kind and content, right or wrong. */
export class Encoded {
  readonly kind: number;
  readonly bytes: Buffer;

  constructor(kind: number, hex: string) {
    this.kind = kind;
    this.bytes = Buffer.from(hex, "hex");
  }
}

function finished(writer: FrameWriter): Buffer {
  writer.finish();
  return Buffer.from(writer.scratch.copy());
}
