// test/differential/connection.ts
// Connection: one raw socket to a server, whose replies are taken one by one as they came.
//
//   send(bytes) ──▶ server ──▶ [ bytes not yet taken ] ──▶ take(count): raw replies
//
// It knows where replies end (frame.ts) and nothing of what they mean. Nothing waits for ever.

import { connect, type Socket } from "node:net";
import { BrokenFrame, replyEnd } from "./frame.ts";

export type Address = { readonly host: string; readonly port: number };

/** How long a server may take for the replies of one batch. */
const REPLY_TIMEOUT_MS = 10_000;

/** What came of a request for replies: fewer than asked for when `failure` is set. */
export type Taken = { readonly replies: string[]; readonly failure: string | undefined };

export class Connection {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #held: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#received.push(chunk);
      this.#wake?.();
    });
    const end = (): void => {
      this.#closed = true;
      this.#wake?.();
    };
    socket.on("end", end).on("close", end).on("error", end);
  }

  static async open(address: Address): Promise<Connection> {
    const socket = connect({ host: address.host, port: address.port });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new Connection(socket);
  }

  /** Whether the server has closed it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** This end as the server sees it: 127.0.0.1:PORT. */
  get localAddress(): string {
    return `${this.#socket.localAddress}:${this.#socket.localPort}`;
  }

  /** Sends bytes, each character of `text` one byte. */
  send(text: string): void {
    if (!this.#closed) this.#socket.write(Buffer.from(text, "latin1"));
  }

  /** Says that nothing more will be sent. */
  finish(): void {
    this.#socket.end();
  }

  /**
   * The next `count` replies; fewer where the connection closed, the time ran out or the bytes are no RESP.
   *
   * @param last A reply behind which nothing more is awaited, even when it comes too early.
   */
  async take(count: number, last?: string): Promise<Taken> {
    const replies: string[] = [];
    const deadlineMs = Date.now() + REPLY_TIMEOUT_MS;
    for (;;) {
      try {
        this.#split(replies, count);
      } catch (error) {
        if (error instanceof BrokenFrame) return { replies, failure: `broken frame: ${error.message}` };
        throw error;
      }
      if (replies.length === count) return { replies, failure: undefined };
      if (last !== undefined && replies.at(-1) === last)
        return { replies, failure: `sent ${replies.length} replies for ${count}` };
      if (this.#closed && this.#received.length === 0) return { replies, failure: "closed the connection" };
      if (!(await this.#more(deadlineMs - Date.now()))) return { replies, failure: "sent no reply in time" };
    }
  }

  /** Every byte up to the close of the connection, or what came in `timeoutMs`, with a note that it is still open. */
  async rest(timeoutMs: number = REPLY_TIMEOUT_MS): Promise<string> {
    const deadlineMs = Date.now() + timeoutMs;
    let text = "";
    do {
      text += Buffer.concat([this.#held, ...this.#received]).toString("latin1");
      this.#held = Buffer.alloc(0);
      this.#received = [];
      if (this.#closed) return text;
    } while (await this.#more(deadlineMs - Date.now()));
    return `${text}(still open)`;
  }

  close(): void {
    this.#socket.destroy();
  }

  #split(replies: string[], count: number): void {
    if (this.#received.length > 0) {
      this.#held =
        this.#held.length === 0 && this.#received.length === 1
          ? (this.#received[0] as Buffer)
          : Buffer.concat([this.#held, ...this.#received]);
      this.#received = [];
    }
    let at = 0;
    try {
      while (replies.length < count) {
        const end = replyEnd(this.#held, at);
        if (end < 0) break;
        replies.push(this.#held.latin1Slice(at, end));
        at = end;
      }
    } finally {
      this.#held = this.#held.subarray(at);
    }
  }

  /** Waits for bytes or the close; false when neither came within `ms`. */
  #more(ms: number): Promise<boolean> {
    if (this.#received.length > 0 || this.#closed) return Promise.resolve(true);
    if (ms <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        resolve(false);
      }, ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(true);
      };
    });
  }
}
