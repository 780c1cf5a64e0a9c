// What the fuzz needs of a wire: frames whole and spoilt, replies, and the client that does everything right.

import type { Row } from "../../src/engine/row.ts";
import type { Random } from "../differential/random.ts";
import { nativeWire } from "./native-frames.ts";
import { respWire } from "./resp-wire.ts";

/** What the hive sent: connections that ended for a broken frame, bytes, error replies. */
export type Seen = { broken: number; replyBytes: number; errors: number };

/** The client beside, which stops when `stopped` is set. `done` resolves with how many replies were checked. */
export type Beside = { stopped: boolean; done: Promise<number>; closed: Promise<void>; close(): void };

export type FuzzWire = {
  /** What the hive's memory may have grown to afterwards, as a part of what it was. */
  readonly growthMax: number;
  /** What a connection sends first. */
  open(random: Random): Buffer[];
  /** A call of `row`. */
  draw(random: Random, row: Row): Buffer;
  /** The frame after an accident; the frame itself where that could do harm that is no fault. */
  spoil(random: Random, frame: Buffer): Buffer;
  /** Whether what follows `frame` on the connection is read as what it is. */
  leavesInStep(frame: Buffer): boolean;
  /** Takes what the hive sends on one connection. Throws where that is nothing of this wire. */
  listen(seen: Seen): (chunk: Buffer) => void;
  /**
   * Sends numbered calls, some at a time, and checks each reply. The data may vanish between two calls
   * (FLUSHALL, eviction), never a reply.
   */
  beside(port: number): Promise<Beside>;
};

export const WIRES: Readonly<Record<string, FuzzWire>> = { resp: respWire, native: nativeWire };
