// RespShared: what all connections of the RESP door share.
//
// One scratch for replies and one Args serve every connection, since a read event runs from its first
// byte to its write without a pause. A call that answers later takes both with it, and new ones take
// their place here.

import type { Limits } from "../../base/limits.ts";
import { WaitingBytes } from "../../base/waiting-bytes.ts";
import { Args } from "../../engine/args.ts";
import type { Runner } from "../../engine/engine.ts";
import { keySpans, peekKeys } from "../../wire/resp-peek.ts";
import type { RequestLimits } from "../../wire/resp-reader.ts";
import { RespWriter } from "../../wire/resp-writer.ts";

export type RespDoorOptions = {
  runner: Runner;
  limits: Limits;
  /** Where what waits on all doors of the hive is counted. Default: for this door alone. */
  waiting?: WaitingBytes;
  /** One line for operators: why a connection was cut off or refused. */
  onNotice(address: string, message: string): void;
};

/** Calls of one chunk whose keys are looked ahead for: the store takes no more. */
const LOOKAHEAD_MAX = 64;

/** The session of the writer while no connection runs. */
const NOBODY: { readonly protocol: 2 | 3 } = { protocol: 2 };

export class RespShared {
  readonly runner: Runner;
  readonly limits: Limits;
  readonly waiting: WaitingBytes;
  readonly onNotice: (address: string, message: string) => void;
  /** What one call may have after authentication, and before. */
  readonly requestLimits: RequestLimits;
  readonly strangersLimits: RequestLimits;
  /** Replies of the connection that runs. Empty between read events. */
  writer: RespWriter;
  /** The next call's arguments. */
  args: Args = new Args();

  /** Connections with messages that wait for the end of this turn. */
  #pushing: { flush(): void }[] = [];

  readonly #spans = keySpans(LOOKAHEAD_MAX);

  constructor({ runner, limits, waiting, onNotice }: RespDoorOptions) {
    this.runner = runner;
    this.limits = limits;
    this.waiting = waiting ?? new WaitingBytes(limits.waitingBytesMax);
    this.onNotice = onNotice;
    this.writer = new RespWriter(NOBODY, limits.outputBytesMax);
    const lineBytesMax = limits.inlineBytesMax;
    this.requestLimits = {
      argumentsMax: limits.argumentsMax,
      argumentBytesMax: limits.frameBytesMax,
      lineBytesMax,
      unauthenticated: false,
    };
    this.strangersLimits = {
      argumentsMax: limits.unauthenticatedArgumentsMax,
      argumentBytesMax: limits.unauthenticatedBytesMax,
      // A line may wait for its end as long as a stranger has time.
      lineBytesMax: Math.min(lineBytesMax, limits.unauthenticatedBytesMax),
      unauthenticated: true,
    };
  }

  /** Flushes what was pushed to a connection at the end of this turn of the loop, with all others. */
  schedulePush(pushes: { flush(): void }): void {
    this.#pushing.push(pushes);
    if (this.#pushing.length > 1) return;
    setImmediate(() => {
      const pushing = this.#pushing;
      this.#pushing = [];
      for (const each of pushing) each.flush();
    });
  }

  /** Tells the engine the keys of the calls in bytes `start` to `end`, where there are several. */
  lookAhead(buffer: Uint8Array, start: number, end: number): void {
    const spans = this.#spans;
    peekKeys(buffer, start, end, spans);
    if (spans.calls > 1) this.runner.expect(buffer, spans.starts, spans.lengths, spans.calls);
  }
}
