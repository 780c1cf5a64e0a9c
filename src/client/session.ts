// Session: one transport of a client, from dialing to its end.
//
//   dial ──▶ preamble, HELLO ──▶ WELCOME ──▶ frames both ways, heartbeat ──▶ lost, once
//
// What is lost with it, and whether there is a next one, is its owner's business.

import { type ErrorCode, HiveError, isHiveError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import type { Transport } from "../base/transport.ts";
import type { CallTable } from "../wire/call-table.ts";
import { FAILURE, HELLO, PING, PREAMBLE } from "../wire/frame.ts";
import type { FrameWriter } from "../wire/frame-writer.ts";
import { type Hello, readWelcome, type Welcome } from "../wire/handshake.ts";
import { Link, type LinkCall, type LinkEnd, type LinkOwner } from "../wire/link.ts";

/** Opens a connection to the hive. Rejects where it cannot. Ends the attempt when `signal` does. */
export type Dial = (signal: AbortSignal) => Promise<Transport>;

export type SessionParts = {
  dial: Dial;
  /** What is dialed, for messages: never with a token in it. */
  address: string;
  hello: Hello;
  connectTimeoutMs: number;
  timers: Timers;
  calls: CallTable<LinkCall>;
  /** Frames that belong to no call of this end. */
  control: FrameWriter;
  onReady(welcome: Welcome): void;
  /** Frames were handled. */
  onReceived(): void;
  /** Frames of `control` are to go out soon. */
  onWrote(): void;
  /** It is over, once. `transport` is closed already. */
  onLost(error: HiveError): void;
};

/** A frame until the hive has said who it is. */
const HANDSHAKE_BYTES_MAX = 64 * 1024;
/** What a reply may have: more than any hive sends unless it is told to. */
const REPLY_BYTES_MAX: number = 512 * 1024 * 1024;
const SILENT_BEATS_MAX = 3;
/** Why dialing failed, where that is no matter of the connection. */
const OWN_CODES: readonly ErrorCode[] = ["BAD_CERTIFICATE", "REFUSED_SETTING"];

export class Session implements LinkOwner {
  readonly #parts: SessionParts;
  readonly #dialing = new AbortController();
  #transport: Transport | undefined = undefined;
  readonly #link: Link;
  #handshake: Cancel | undefined;
  #beat: Cancel | undefined = undefined;
  #silentBeats = 0;
  #over = false;

  constructor(parts: SessionParts) {
    const { timers, connectTimeoutMs, address, calls, dial } = parts;
    this.#parts = parts;
    this.#link = new Link({ dialing: true, owner: this, calls, bodyBytesMax: HANDSHAKE_BYTES_MAX });
    this.#handshake = timers.after(connectTimeoutMs, () => {
      const message = `no handshake with ${address} within connectTimeoutMs (${connectTimeoutMs})`;
      this.#lost(new HiveError("CONNECTION_LOST", message));
    });
    dial(this.#dialing.signal).then(
      (transport) => this.#greet(transport),
      (error: unknown) => {
        if (isHiveError(error) && OWN_CODES.includes(error.code)) {
          const options = { detail: error.detail, cause: error.cause ?? error };
          return this.#lost(new HiveError(error.code, `cannot connect to ${address}: ${error.message}`, options));
        }
        const message = error instanceof Error ? error.message : String(error);
        this.#lost(new HiveError("CONNECTION_LOST", `cannot connect to ${address}: ${message}`, { cause: error }));
      },
    );
  }

  /** Where to write once it is ready. */
  get transport(): Transport | undefined {
    return this.#link.greeted && !this.#over ? this.#transport : undefined;
  }

  get link(): Link {
    return this.#link;
  }

  /** Ends it: what is written goes out. onLost is not called. */
  end(): void {
    this.#transport?.end();
    this.#stop();
  }

  #greet(transport: Transport): void {
    if (this.#over) return transport.destroy();
    this.#transport = transport;
    transport.receiver = this.#link;
    const { control, hello } = this.#parts;
    control.clear();
    for (const byte of PREAMBLE) control.uint8(byte);
    control.begin(HELLO, 0);
    control.encoded(hello);
    control.finish();
    transport.write(control.scratch.copy(), control.length);
    control.clear();
  }

  greeted(body: unknown): void {
    const welcome = readWelcome(body);
    this.#handshake?.();
    this.#handshake = undefined;
    this.#link.bodyBytesMax = REPLY_BYTES_MAX;
    this.#armBeat();
    this.#parts.onReady(welcome);
  }

  writer(): FrameWriter {
    return this.#parts.control;
  }

  wrote(): void {
    this.#parts.onWrote();
  }

  received(): void {
    this.#silentBeats = 0;
    this.#parts.onReceived();
  }

  drained(): void {}

  ended({ how, error }: LinkEnd): void {
    if (how !== "goodbye") return this.#lost(error);
    this.#lost(new HiveError(error.code, `${this.#parts.address} ended the connection: ${error.message}`));
  }

  // Calls of the hive: this client offers nothing that could be called.

  call(id: number): void {
    this.#refuse(id);
  }

  transact(id: number): void {
    this.#refuse(id);
  }

  #refuse(id: number): void {
    const writer = this.#parts.control;
    writer.begin(FAILURE, id);
    writer.text("UNKNOWN_COMMAND");
    writer.text("this client offers nothing that could be called");
    writer.finish();
    this.#link.closeIncoming(id);
    this.wrote();
  }

  cancelled(): void {}

  // Heartbeat.

  #armBeat(): void {
    const { heartbeatMs } = this.#parts.hello;
    if (heartbeatMs > 0) this.#beat = this.#parts.timers.after(heartbeatMs, () => this.#onBeat(heartbeatMs));
  }

  #onBeat(heartbeatMs: number): void {
    if (++this.#silentBeats > SILENT_BEATS_MAX) {
      const ms = heartbeatMs * SILENT_BEATS_MAX;
      this.#lost(new HiveError("CONNECTION_LOST", `${this.#parts.address} has been silent for ${ms} ms`));
      return;
    }
    this.#parts.control.bare(PING, 0);
    this.wrote();
    this.#armBeat();
  }

  #lost(error: HiveError): void {
    if (this.#over) return;
    this.#transport?.destroy();
    this.#stop();
    this.#parts.onLost(error);
  }

  #stop(): void {
    this.#over = true;
    this.#handshake?.();
    this.#beat?.();
    this.#dialing.abort();
    this.#link.abandon();
  }
}
