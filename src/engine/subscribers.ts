// Subscribers: how messages reach who listens.
//
//   ordered wires (RESP)   the connection itself: peer.deliver(message), among its replies
//   native                 a call that is a stream: outflow.send(message), with the reader's credit
//
// A reader that is slow gets no memory without end: above subscriberBytesMax its messages are counted instead
// of kept, and when it has read what was kept it is told how many it lost. For a stream that ends the call
// (OVERLOADED); a connection of RESP is told by its door, which then closes it.

import { HiveError } from "../base/errors.ts";
import type { Context, Outflow } from "./context.ts";
import { type Message, Subscriber } from "./message-bus.ts";
import type { Push } from "./push.ts";

export class ConnectionSubscriber extends Subscriber {
  readonly #context: Context;

  constructor(context: Context) {
    super();
    this.#context = context;
  }

  receive(message: Message): void {
    this.#context.peer.deliver?.(message);
  }
}

/** The words in which a subscriber hears that it was too slow. */
export function lostMessages(lost: number, bytesMax: number): HiveError {
  const message = `${lost} message${lost === 1 ? " was" : "s were"} lost: what waited to be read exceeded subscriberBytesMax (${bytesMax})`;
  return new HiveError("OVERLOADED", message, { detail: { lost } });
}

export class StreamSubscriber extends Subscriber {
  readonly #ended: Promise<never>;
  readonly #outflow: Outflow;
  readonly #bytesMax: number;
  #waiting: Push[] = [];
  /** Of those, so many are sent. */
  #sent = 0;
  readonly #end: (error: unknown) => void;
  #waitingBytes = 0;
  /** One is on its way, and waits for credit. */
  #busy = false;
  #lost = 0;

  /** @param onEnd Called at once when it is over: it is to hear nothing more. */
  constructor(outflow: Outflow, bytesMax: number, onEnd: (subscriber: StreamSubscriber) => void) {
    super();
    this.#outflow = outflow;
    this.#bytesMax = bytesMax;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#ended = promise;
    // It may be over before anybody waits for that.
    promise.catch(() => {});
    this.#end = (error) => {
      onEnd(this);
      reject(error);
    };
  }

  /** Rejects when the stream is over: `signal` ended, the reader left it, or was too slow. */
  until(signal: AbortSignal): Promise<never> {
    signal.addEventListener("abort", () => this.#end(signal.reason), { once: true });
    return this.#ended;
  }

  receive(message: Push): void {
    if (!this.#busy) return this.#send(message);
    const { bytes } = message;
    if (this.#lost > 0 || this.#waitingBytes + bytes > this.#bytesMax) {
      this.#lost++;
      return;
    }
    this.#waiting.push(message);
    this.#waitingBytes += bytes;
  }

  #send(message: Push): void {
    try {
      const later = this.#outflow.send(message);
      if (later === undefined) return;
      this.#busy = true;
      later.then(() => this.#goOn(), this.#end);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      this.#end(error);
    }
  }

  #goOn(): void {
    this.#busy = false;
    while (this.#sent < this.#waiting.length && !this.#busy) {
      const message = this.#waiting[this.#sent++]!;
      this.#waitingBytes -= message.bytes;
      this.#send(message);
    }
    // What is sent leaves when it is half of all, so that each is moved once at most.
    if (this.#sent * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#sent);
      this.#sent = 0;
    }
    if (!this.#busy && this.#lost > 0) this.#end(lostMessages(this.#lost, this.#bytesMax));
  }
}
