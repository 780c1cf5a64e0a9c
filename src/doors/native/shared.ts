// NativeShared: what all connections of the native door share.
//
// One scratch for replies and one Args serve every connection, since a read event runs from its first
// byte to its write without a pause. A call that answers later takes both with it, and new ones take
// their place here.

import type { Limits } from "../../base/limits.ts";
import { WaitingBytes } from "../../base/waiting-bytes.ts";
import { Args } from "../../engine/args.ts";
import type { Runner } from "../../engine/engine.ts";
import { FrameWriter } from "../../wire/frame-writer.ts";

/** Of the hive, for the handshake: its package's version, its run id, and where its memory can be read, if anywhere. */
export type Identity = {
  version: string;
  runId: string;
  shared?: { folder: string; layout: number } | undefined;
};

export type NativeDoorOptions = {
  runner: Runner;
  limits: Limits;
  /** Where what waits on all doors of the hive is counted. Default: for this door alone. */
  waiting?: WaitingBytes;
  identity: Identity;
  /** One line for operators: why a connection was cut off or refused. */
  onNotice(address: string, message: string): void;
};

export class NativeShared {
  readonly runner: Runner;
  readonly limits: Limits;
  readonly waiting: WaitingBytes;
  readonly identity: Identity;
  readonly onNotice: (address: string, message: string) => void;
  /** Between two looks at each connection: what is silent in one is heard of in the next, so within heartbeatMs. */
  readonly beatMs: number;
  /** Replies of the connection whose read event this is. Empty between read events. */
  writer: FrameWriter;
  /** The next call's arguments. */
  args: Args = new Args();

  constructor({ runner, limits, waiting, identity, onNotice }: NativeDoorOptions) {
    this.runner = runner;
    this.limits = limits;
    this.waiting = waiting ?? new WaitingBytes(limits.waitingBytesMax);
    this.identity = identity;
    this.onNotice = onNotice;
    this.beatMs = limits.heartbeatMs / 2;
    this.writer = new FrameWriter(limits.outputBytesMax);
  }

  /** After a mistake of our own: what was written of a reply is not to go to whoever is next. */
  dropReplies(): void {
    this.writer = new FrameWriter(this.limits.outputBytesMax);
  }
}
