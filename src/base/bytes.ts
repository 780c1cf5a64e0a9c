// Bytes: memory for what is received and sent, the best kind that this runtime has.
//
// In Node it is a Buffer outside the shared pool, not zeroed first; elsewhere a Uint8Array. This file
// is also the client's, in a browser, so it imports nothing.

type NodeBuffer = {
  allocUnsafeSlow(size: number): Uint8Array;
  prototype: {
    latin1Slice(this: Uint8Array, start: number, end: number): string;
    copy(this: Uint8Array, target: Uint8Array, at: number, start: number, end: number): number;
  };
};

const node = (globalThis as unknown as { Buffer?: NodeBuffer }).Buffer;

/** `size` bytes whose content is anything. In Node they are a Buffer. */
export const allocateBytes: (size: number) => Uint8Array = node
  ? (size) => node.allocUnsafeSlow(size)
  : (size) => new Uint8Array(size);

/** Below this many bytes a loop copies quicker than a call: about 1 ns each, where the call takes 28. */
const LOOP_BYTES_MAX = 24;

/** Copies bytes `start` to `end` of `source` to `target`, from `at` on, where there is room. */
export const copyBytes: (source: Uint8Array, start: number, end: number, target: Uint8Array, at: number) => void = node
  ? (source, start, end, target, at) => {
      if (end - start <= LOOP_BYTES_MAX) for (let i = start; i < end; i++) target[at++] = source[i]!;
      else node.prototype.copy.call(source, target, at, start, end);
    }
  : (source, start, end, target, at) => {
      if (end - start <= LOOP_BYTES_MAX) for (let i = start; i < end; i++) target[at++] = source[i]!;
      else target.set(source.subarray(start, end), at);
    };

/** One character per byte; undefined where this runtime has no quick way to do that. */
export const latin1Slice: ((bytes: Uint8Array, start: number, end: number) => string) | undefined = node
  ? (bytes, start, end) => node.prototype.latin1Slice.call(bytes, start, end)
  : undefined;
