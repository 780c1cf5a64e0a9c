// Where a RESP value ends: for whoever has to step over values without decoding them.

const CR = 13;

/** Values that follow the header of a collection with `count`, by its first byte. */
function valuesBehind(type: number, count: number): number {
  if (count <= 0) return 0;
  if (type === 37 || type === 124) return 2 * count; // map, attribute
  return type === 42 || type === 126 || type === 62 ? count : 0; // array, set, push
}

/**
 * The position behind the value that begins at `at`, which must be whole and well-formed: nothing is
 * checked. Costs one step per value in it; text is skipped by its length.
 */
export function endOfValue(buffer: Uint8Array, at: number): number {
  for (let values = 1; values > 0; values--) {
    const type = buffer[at++]!;
    const negative = buffer[at] === 45;
    let number = 0;
    for (; buffer[at] !== CR; at++) number = number * 10 + (buffer[at]! - 48);
    at += 2;
    // String, verbatim string, error with a length.
    if (type === 36 || type === 61 || type === 33) {
      if (!negative) at += number + 2;
    } else if (!negative) values += valuesBehind(type, number);
  }
  return at;
}
