// A transport without a socket: a test says what arrives and how fast the peer reads, and sees each write.
//
//   const transport = new ScriptedTransport();
//   transport.receiver = door.open(transport)!;
//   transport.arrive("PING\r\n");
//   transport.writes                       // ["+PONG\r\n"]
//
// It checks the contract of base/transport.ts while it is at it: bytes that arrived are overwritten when
// receive() has returned, and nothing arrives while reading is paused or after the end.

import type { EndCause, Receiver, Transport } from "../../src/base/transport.ts";

const IDLE: Receiver = { receive() {}, drained() {}, finished() {}, closed() {} };

export class ScriptedTransport implements Transport {
  readonly address = "127.0.0.1:50000";
  readonly localAddress = "127.0.0.1:4483";
  readonly encrypted = false;
  receiver: Receiver = IDLE;
  /** Each write, one character per byte. */
  writes: string[] = [];
  /** False: what is written stays pending until read() is called. */
  reads = true;
  pendingBytes = 0;
  state: "open" | "paused" | "ended" | "destroyed" = "open";
  #wantsDrained = false;

  /** All writes in one string, which are then forgotten. */
  take(): string {
    const all = this.writes.join("");
    this.writes = [];
    return all;
  }

  /** Bytes arrive, all in one read event. Returns whether they were read. */
  arrive(bytes: string | Uint8Array): boolean {
    if (this.state !== "open") return false;
    const payload = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    const shared = Buffer.alloc(payload.length + 8, 0x23);
    shared.set(payload, 4);
    this.receiver.receive(shared, 4, 4 + payload.length);
    shared.fill(0x23);
    return true;
  }

  /** The peer reads `bytes`, or all. */
  read(bytes: number = this.pendingBytes): void {
    this.pendingBytes -= bytes;
    if (this.pendingBytes > 0 || !this.#wantsDrained) return;
    this.#wantsDrained = false;
    this.receiver.drained();
  }

  /** The connection goes away. */
  close(cause: EndCause = { kind: "end", message: "the peer closed the connection" }): void {
    this.state = "destroyed";
    this.receiver.closed(cause);
    this.receiver = IDLE;
  }

  write(buffer: Uint8Array, length: number): boolean {
    this.writeLatin1(Buffer.from(buffer.buffer, buffer.byteOffset, length).latin1Slice());
    return this.reads;
  }

  writeLatin1(text: string): void {
    if (this.state === "ended" || this.state === "destroyed") return;
    this.writes.push(text);
    if (!this.reads) this.pendingBytes += text.length;
  }

  awaitDrained(): void {
    this.#wantsDrained = true;
  }

  pause(): void {
    if (this.state === "open") this.state = "paused";
  }

  resume(): void {
    if (this.state === "paused") this.state = "open";
  }

  end(): void {
    if (this.state !== "destroyed") this.state = "ended";
  }

  destroy(): void {
    this.state = "destroyed";
  }
}
