// The names that every reader has: ECMAScript's globals. What a platform adds (console, process, fetch) is not here,
// since a browser, a worker and Node differ in it: ship(fn, { globals: ["console"] }) says that the reader has it.

const NAMES =
  "undefined NaN Infinity globalThis isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI " +
  "encodeURIComponent escape unescape Object Function Boolean Symbol Number BigInt Math Date Temporal String RegExp " +
  "Array Map Set WeakMap WeakSet WeakRef FinalizationRegistry ArrayBuffer SharedArrayBuffer DataView Atomics JSON " +
  "Iterator Promise Reflect Proxy Intl DisposableStack AsyncDisposableStack " +
  "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array " +
  "BigUint64Array Float16Array Float32Array Float64Array " +
  "Error AggregateError SuppressedError EvalError RangeError ReferenceError SyntaxError TypeError URIError";

export const LANGUAGE: ReadonlySet<string> = new Set(NAMES.split(" "));

/** Names that no binding can stand for → why. */
export const NEVER: ReadonlyMap<string, string> = new Map([
  ["arguments", "arguments of the function around it"],
  ["eval", "eval, which sees names that cannot be found beforehand"],
  ["require", "require(), which looks beside the file that it was written in"],
  ["module", "module, which is that of the file that it was written in"],
  ["exports", "exports, which are those of the file that it was written in"],
  ["__filename", "__filename, which is that of the file that it was written in"],
  ["__dirname", "__dirname, which is that of the file that it was written in"],
]);
