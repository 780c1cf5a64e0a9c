// Messages between the hive and the worker of an isolated structure, and the words that they share.
//
//   hive ──▶ call, ping ──▶ worker          by the worker's own port, one call at a time
//   worker ──▶ play, fetch, commit ──▶ hive ──▶ answer, by a port that the worker reads without an event loop
//   worker ──▶ ready, failed, fails, waits ──▶ hive
//
// Keys are their bytes, one character each. What is stored, and results, are encoded values.

import type { ErrorCode } from "../base/errors.ts";
import type { ClassFacts } from "./class-facts.ts";

// Int32 words of the shared memory.
/** 1 when the answer to the worker's last request is on its port. */
export const WORD_ANSWERED = 0;
/** What the worker is doing. */
export const WORD_STATE = 1;
/** The number of the last message that the worker has taken. */
export const WORD_SEEN = 2;
/** Bytes of SharedArrayBuffers that its code has made, in KiB. */
export const WORD_SHARED_KIB = 3;
const WORDS = 4;

export const STATE_IDLE = 0;
export const STATE_RUNS = 1;
/** It waits for the hive: that time is not its own. */
export const STATE_ASKS = 2;

// Float64 behind them.
/** Since when it runs, on the clock of clockMs(). */
export const TIME_SINCE = 0;
/** How long it had run before, in this call. */
export const TIME_USED = 1;
const TIMES = 2;
export const WORDS_BYTES: number = WORDS * 4 + TIMES * 8;

export type SharedWords = { readonly words: Int32Array; readonly times: Float64Array };

export function sharedWords(buffer: SharedArrayBuffer): SharedWords {
  return { words: new Int32Array(buffer, 0, WORDS), times: new Float64Array(buffer, WORDS * 4, TIMES) };
}

/** Milliseconds of a clock that all threads share. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What the thread is started with. */
export type WorkerSpec = {
  /** A file, or the name of a ready structure. */
  readonly source: string;
  /** Its classes that are isolated; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly bytesMax: number;
  /** Lists and sorted sets that a structure may have. */
  readonly partsMax: number;
};

/**
 * The state of a key as the worker needs it: `bytes` only where the worker's copy is of another version. Version -1: as this
 * call would make it, and nobody else may see that.
 */
export type StateSent = { readonly version: number; readonly bytes: Uint8Array | undefined };
export type StateMade = { readonly key: string; readonly cls: string; readonly bytes: Uint8Array };

export type CallBody = {
  readonly cls: string;
  readonly command: string;
  readonly reads: boolean;
  readonly nowMs: number;
  readonly args: readonly unknown[];
  /** Of a key command. */
  readonly key: string | undefined;
  readonly state: StateSent | undefined;
};

export type ToWorker = { readonly number: number } & (
  | ({ readonly kind: "call"; readonly id: number; readonly drop: readonly string[] } & CallBody)
  | { readonly kind: "ping" }
);

/** A play as the arguments of a call. */
export type PlayedArguments = {
  readonly bytes: Uint8Array;
  readonly lengths: readonly number[];
  readonly kinds: readonly number[];
};

export type Request =
  | {
      readonly kind: "play";
      readonly id: number;
      readonly command: string;
      readonly args: PlayedArguments;
      /** The opened key that the play's own key is a part of. */
      readonly owner: string | undefined;
      /** Keys that the call has changed and not yet told. */
      readonly changed: readonly string[];
      /** Of those, what the hive asked for. */
      readonly states: readonly StateMade[];
    }
  | { readonly kind: "fetch"; readonly id: number; readonly key: string; readonly cls: string; readonly have: number }
  | {
      readonly kind: "commit";
      readonly id: number;
      readonly result: Uint8Array;
      readonly states: readonly StateMade[];
    };

export type Told =
  | { readonly kind: "ready"; readonly classes: readonly ClassFacts[] }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "fails"; readonly id: number; readonly error: SentError }
  /** What it answers is a promise: other calls may run. */
  | { readonly kind: "waits"; readonly id: number };

export type SentError = { readonly code: ErrorCode; readonly message: string };

/** The answer to a play. `states`: say these first and ask again. `gone`: opened keys that it deleted. */
export type PlayAnswer =
  | { readonly states: readonly string[] }
  | { readonly value: unknown; readonly gone: readonly string[] };
/** The answer to a fetch; undefined where there is no such key. */
export type FetchAnswer = StateSent | undefined;
/** The answer to a commit: versions of the states, in order; undefined where the call was not applied. */
export type CommitAnswer = readonly number[] | undefined;

export type Answer = { readonly error: SentError } | { readonly answer: unknown };
