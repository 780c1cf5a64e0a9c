// Worker memory: what one allocation alone may take, checked where it is made.
//
// The hive looks every few milliseconds at what a worker has, and ends it above the cap. It cannot interrupt
// `new Uint8Array(8e9).fill(1)`, which is one step of the engine; so what alone would exceed the cap is refused before. Shared
// buffers are in no statistic of the engine: they are counted here, and count for as long as the worker lives.

import { getHeapStatistics } from "node:v8";
import { HiveError } from "../base/errors.ts";
import { WORD_SHARED_KIB } from "./isolated-messages.ts";

/** Smaller ones are left to the hive's looking: asking the engine takes some microseconds. */
const LOOK_BYTES = 1 << 20;
const WASM_PAGE = 65_536;

type Maker = new (...args: never[]) => object;

/** Replaces what makes buffers in this thread. What Node itself makes keeps what it has: the hive's looking is for that. */
export function guardMemory(bytesMax: number, words: Int32Array): void {
  const require = (bytes: number): void => {
    if (!(bytes >= LOOK_BYTES)) return;
    const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
    if (heap + external + Atomics.load(words, WORD_SHARED_KIB) * 1024 + bytes <= bytesMax) return;
    throw new HiveError(
      "STRUCTURE_MEMORY",
      `${bytes} bytes more would exceed isolatedBytesMax (${bytesMax} bytes) of this structure's worker`,
    );
  };
  const globals = globalThis as unknown as Record<string, Maker>;
  const guard = (name: string, bytesOf: (args: readonly unknown[]) => number): void => {
    const made = globals[name];
    if (made !== undefined) globals[name] = guarded(made, (args) => require(bytesOf(args)));
  };
  guard("ArrayBuffer", largest);
  for (const made of TYPED) guard(made.name, (args) => elements(args[0]) * made.BYTES_PER_ELEMENT);
  globals["SharedArrayBuffer"] = guarded(globals["SharedArrayBuffer"]!, (args) => {
    const bytes = largest(args);
    require(Math.max(bytes, LOOK_BYTES));
    Atomics.add(words, WORD_SHARED_KIB, Math.ceil(bytes / 1024));
  });
  for (const name of ["alloc", "allocUnsafe", "allocUnsafeSlow"] as const) {
    const make = Buffer[name] as (...args: unknown[]) => Buffer;
    Buffer[name] = ((...args: unknown[]) => {
      require(Number(args[0]));
      return make(...args);
    }) as never;
  }
  const wasm = (globals as { WebAssembly?: unknown })["WebAssembly"] as { Memory: Maker } | undefined;
  if (wasm !== undefined) {
    wasm.Memory = guarded(wasm.Memory, ([options]) =>
      require(Number((options as { initial?: unknown } | undefined)?.initial) * WASM_PAGE),
    );
  }
}

const TYPED = [
  ...[Uint8Array, Uint8ClampedArray, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
];

/** Of ArrayBuffer(length, { maxByteLength }): a buffer that can grow counts in full. */
function largest([length, options]: readonly unknown[]): number {
  const max = Number((options as { maxByteLength?: unknown } | undefined)?.maxByteLength ?? 0);
  return Math.max(Number(length), max || 0);
}

/** How many elements are allocated: none for a view of a buffer. */
function elements(source: unknown): number {
  if (typeof source === "number") return source;
  const isList = typeof source === "object" && source !== null && "length" in source;
  return isList ? Number(source.length) : 0;
}

function guarded(made: Maker, check: (args: readonly unknown[]) => void): Maker {
  const proxy: Maker = new Proxy(made, {
    construct(target, args, caller) {
      check(args);
      return Reflect.construct(target, args, caller === proxy ? target : caller) as object;
    },
  });
  // Code that compares `value.constructor` with the global goes on working, and slices are counted too.
  (made.prototype as { constructor: Maker }).constructor = proxy;
  return proxy;
}
