// Sequences: how the writer tells readers in other processes that something is being written (layout.ts: Shared readers).
//
//   writer   open() ──▶ odd ──▶ writes ──▶ close() ──▶ even
//   reader   load ──▶ reads ──▶ settle() ──▶ load again          the same, and even: what was read was there at one moment
//
// x64 keeps stores in the order of the program, and loads too, so that counting is enough. ARM does not: an
// atomic store there lets later plain stores go first, which an atomic load behind it forbids, and a plain
// load may come after a later atomic one, which an atomic store between them forbids.

/** Whether the processor may exchange stores with stores, or loads with loads. */
const WEAK_ORDER: boolean = process.arch !== "x64" && process.arch !== "ia32";

const barrier = new Int32Array(1);

/** What the sequence at `words[at]` guards is about to be written: it is odd from here on. */
export function open(words: Int32Array, at: number): void {
  if (WEAK_ORDER) {
    Atomics.store(words, at, words[at]! + 1);
    Atomics.load(words, at);
  } else words[at]!++;
}

/** It is written: even again. */
export function close(words: Int32Array, at: number): void {
  if (WEAK_ORDER) Atomics.store(words, at, words[at]! + 1);
  else words[at]!++;
}

/** What a reader has loaded so far was loaded before what it loads atomically from here on. */
export function settle(): void {
  if (WEAK_ORDER) Atomics.store(barrier, 0, 0);
}
