// A native door over an engine, on a port, for the conformance suite: with what a test of it needs.
//
//   await using hive = await serve(makeRunner, { limits });   await using client = await dial(hive);

import assert from "node:assert/strict";
import { type ErrorCode, type HiveError, isHiveError } from "../../src/base/errors.ts";
import { type Limits, limitsWith } from "../../src/base/limits.ts";
import { NativeDoor } from "../../src/doors/native/door.ts";
import { GATE_AUTH } from "../../src/engine/context.ts";
import type { Runner } from "../../src/engine/engine.ts";
import type { Row } from "../../src/engine/row.ts";
import { Connections } from "../../src/net/connections.ts";
import { Listener } from "../../src/net/listen.ts";
import { NativeClient } from "./native-client.ts";

export type Served = AsyncDisposable & { listener: Listener; connections: Connections; notices: string[] };
type Options = { limits?: Partial<Limits>; strangers?: boolean };

/** A command that waits until nobody wants its answer. */
export const WAITING_ROWS: readonly Row[] = [
  {
    name: "TEST.WAIT",
    family: "connection",
    arity: -1,
    flags: ["mayWait"],
    permission: "none",
    summary: "Waits until nobody wants the answer",
    syntax: "",
    run: async ({ signal }, args, reply) => {
      args.keep();
      ended.begun++;
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      ended.reasons.push((signal.reason as HiveError).code);
      reply.ok();
    },
  },
];
/** What became of calls of TEST.WAIT since serve(). */
export const ended: { begun: number; reasons: string[] } = { begun: 0, reasons: [] };

export async function serve(makeRunner: () => Runner, options: Options = {}): Promise<Served> {
  const limits = limitsWith(options.limits ?? {});
  const runner = options.strangers ? withStrangers(makeRunner()) : makeRunner();
  const notices: string[] = [];
  const identity = { version: "0.0.0", runId: "run" };
  const door = new NativeDoor({ runner, limits, identity, onNotice: (_, message) => notices.push(message) });
  const connections = new Connections(limits.connectionsMax);
  const listener = await Listener.open(
    { host: "127.0.0.1", port: 0 },
    {
      doors: { native: (transport) => door.open(transport) },
      lineBytesMax: limits.firstLineBytesMax,
      timeoutMs: limits.firstBytesTimeoutMs,
      backlog: 64,
      connections,
      onRefused: (_, wire) => notices.push(`refused ${wire}`),
      onError: (error) => assert.fail(error),
    },
  );
  const dispose = async (): Promise<void> => {
    listener.close();
    door.close();
    await connections.drain(2000);
  };
  ended.begun = 0;
  ended.reasons = [];
  return { listener, connections, notices, [Symbol.asyncDispose]: dispose };
}

/** An engine whose connections begin without authentication. */
function withStrangers(runner: Runner): Runner {
  const open = runner.open.bind(runner);
  runner.open = (peer) => {
    const context = open(peer);
    context.gate |= GATE_AUTH;
    return context;
  };
  return runner;
}

export function dial({ listener }: Served, hello?: object | null): Promise<NativeClient> {
  return NativeClient.connect({ port: listener.port }, hello);
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

export async function until(done: () => boolean): Promise<void> {
  for (const fromMs = performance.now(); !done(); await turns(1)) {
    if (performance.now() - fromMs > 10_000) assert.fail(`not within 10 s: ${done}`);
  }
}

export async function codeOf(answer: Promise<unknown>): Promise<ErrorCode> {
  try {
    assert.fail(`answered with ${await answer}`);
  } catch (error) {
    if (isHiveError(error)) return error.code;
    throw error;
  }
}
