// Admission: what a connection of the RESP door may not do before it has authenticated, and how long it has for that.

import { type Context, GATE_AUTH } from "../../engine/context.ts";
import type { RespReader } from "../../wire/resp-reader.ts";
import type { RespWriter } from "../../wire/resp-writer.ts";
import type { RespShared } from "./shared.ts";

export type AdmissionParts = {
  shared: RespShared;
  context: Context;
  reader: Pick<RespReader<never>, "inline" | "limits">;
  /** Whether a call answers later. */
  isWaiting(): boolean;
  /** What it sends is not RESP. */
  onStrange(reason: string): void;
  /** Its time is up. */
  onLate(reason: string): void;
};

export class Admission {
  /** Not authenticated: smaller limits, and little time. */
  isStranger: boolean;
  readonly #parts: AdmissionParts;
  #unknownInline = 0;
  /** It has to have authenticated by then. */
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.isStranger = this.#isOutside;
    if (this.isStranger) this.#await();
  }

  get #isOutside(): boolean {
    return (this.#parts.context.gate & GATE_AUTH) !== 0;
  }

  /** Whether a call may have changed something here. */
  get watches(): boolean {
    return this.isStranger || this.#isOutside;
  }

  /** After such a call: has it authenticated, and does it speak RESP at all? */
  look(writer: RespWriter): void {
    const { shared, reader, onStrange } = this.#parts;
    const isStranger = this.#isOutside;
    if (isStranger !== this.isStranger) {
      this.isStranger = isStranger;
      reader.limits = isStranger ? shared.strangersLimits : shared.requestLimits;
      this.end();
      if (isStranger) this.#await();
    }
    if (isStranger && reader.inline && writer.lastError === "UNKNOWN_COMMAND") {
      if (++this.#unknownInline >= shared.limits.unknownInlineMax) onStrange("unknown inline commands: not RESP");
    }
    writer.lastError = undefined;
  }

  #await(): void {
    const { shared, isWaiting, onLate } = this.#parts;
    this.#timer = setTimeout(() => {
      // What others of its address did is not its fault: while a token waits for its turn no time is up.
      if (isWaiting()) this.#await();
      else onLate("no authentication in time");
    }, shared.limits.authenticationTimeoutMs).unref();
  }

  /** Nobody waits for it any more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
