// Arrays by a number that counts up: by container id, say. They grow by doubling.

/** `array` where it has a place `index`, else a copy with room for it and more. */
export function roomFor<T extends Uint8Array | Int32Array>(array: T, index: number): T {
  if (index < array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(array.length * 2, index + 1));
  larger.set(array);
  return larger;
}
