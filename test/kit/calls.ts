// Calls: a store and an engine without a door, for tests of commands.
//
//   const { call } = startCalls();  call("SET", "k", "v") ──▶ "OK"      call("GET", "k") ──▶ "v"
//
// Answers come back as values: text as a string with one character a byte, a failure as "-CODE message",
// collections as arrays, pairs flat as RESP2 has them. Time stands still until advance().

import { ManualClock } from "../../src/base/clock.ts";
import { ERRORS, type ErrorCode } from "../../src/base/errors.ts";
import { Args } from "../../src/engine/args.ts";
import type { Context, Peer } from "../../src/engine/context.ts";
import type { EngineOptions } from "../../src/engine/engine-options.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import type { Reply } from "../../src/engine/reply.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";
import { valueToText } from "../../src/wire/value.ts";

export type Answer = string | number | bigint | boolean | null | Answer[];

/** An argument: text as UTF-8, bytes as they are, either with a kind of layout.ts. */
export type Argument = string | Uint8Array | { bytes: Uint8Array; kind: number };

type Open = { items: Answer[]; wanted: number };

/** Collects one answer. */
export class RecordingReply implements Reply {
  readonly typed = false;
  #answers: Answer[] = [];
  #open: Open[] = [];

  take(): Answer {
    const [answer, ...rest] = this.#answers;
    if (answer === undefined || rest.length > 0 || this.#open.length > 0)
      throw new Error(`a command writes one value, not ${this.#answers.length}, ${this.#open.length} unfinished`);
    this.#answers = [];
    return answer;
  }

  nil(): void {
    this.#add(null);
  }

  nullArray(): void {
    this.#add(null);
  }

  ok(): void {
    this.#add("OK");
  }

  status(text: string): void {
    this.#add(text);
  }

  integer(value: number): void {
    this.#add(value);
  }

  bigint(value: bigint): void {
    this.#add(value);
  }

  double(value: number): void {
    this.#add(value);
  }

  boolean(value: boolean): void {
    this.#add(value);
  }

  bulk(bytes: Uint8Array, start: number, end: number): void {
    this.#add(Buffer.from(bytes.subarray(start, end)).latin1Slice());
  }

  text(value: string): void {
    this.#add(value);
  }

  verbatim(_format: string, value: string): void {
    this.#add(value);
  }

  value(bytes: Uint8Array, start: number, end: number): void {
    this.#add(valueToText(bytes, start, end));
  }

  array(count: number): void {
    this.#begin(count);
  }

  map(count: number): void {
    this.#begin(2 * count);
  }

  set(count: number): void {
    this.#begin(count);
  }

  push(count: number): void {
    this.#begin(count);
  }

  open(): void {
    this.#open.push({ items: [], wanted: Number.POSITIVE_INFINITY });
  }

  close(): void {
    this.#add(this.#open.pop()!.items);
  }

  error(code: ErrorCode, message: string): void {
    this.#add(`-${ERRORS[code].resp} ${message}`);
  }

  mark(): number {
    return this.#answers.length;
  }

  rewind(mark: number): void {
    this.#answers.length = mark;
    this.#open = [];
  }

  #begin(wanted: number): void {
    if (wanted === 0) this.#add([]);
    else this.#open.push({ items: [], wanted });
  }

  #add(answer: Answer): void {
    const innermost = this.#open.at(-1);
    if (!innermost) {
      this.#answers.push(answer);
      return;
    }
    innermost.items.push(answer);
    if (innermost.items.length < innermost.wanted) return;
    this.#open.pop();
    this.#add(innermost.items);
  }
}

export type Calls = {
  store: Store;
  engine: LocalEngine;
  context: Context;
  /** Runs one call that answers at once. */
  call: (...values: Argument[]) => Answer;
  /** Lets time pass. */
  advance: (byMs: number) => void;
};

/** A new engine over an empty store. */
export function startCalls(
  options: Omit<StoreOptions, "nowMs"> = {},
  engineOptions: Partial<EngineOptions> = {},
): Calls {
  const clock = new ManualClock();
  const store = new Store({ ...options, nowMs: clock.nowMs() });
  const engine = new LocalEngine({ store, clock, ...engineOptions });
  const peer: Peer = {
    door: "test",
    ordered: true,
    address: "127.0.0.1:1",
    localAddress: "127.0.0.1:2",
    inputBytes: 0,
    outputBytes: 0,
    close() {},
  };
  const context = engine.open(peer);
  const reply = new RecordingReply();
  const call = (...values: Argument[]): Answer => {
    const later = engine.run(context, argumentsOf(values), reply);
    if (later !== undefined) throw new Error(`${String(values[0])} answers later`);
    return reply.take();
  };
  const advance = (byMs: number): void => {
    clock.advance(byMs);
    engine.tick();
  };
  return { store, engine, context, call, advance };
}

function argumentsOf(values: readonly Argument[]): Args {
  const parts = values.map((value) => {
    if (typeof value === "string") return { bytes: Buffer.from(value), kind: 0 };
    return "kind" in value ? value : { bytes: value, kind: 0 };
  });
  const args = new Args();
  // Not at the start of the buffer, so that a mistake about offsets shows.
  args.reset(Buffer.concat([Buffer.from("##"), ...parts.map((part) => part.bytes)]));
  let at = 2;
  for (const { bytes, kind } of parts) {
    args.push(at, bytes.length, kind);
    at += bytes.length;
  }
  return args;
}
