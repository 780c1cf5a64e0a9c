// Cursors of SCAN count in the reversed bits of the hash (P. Noordhuis, for Redis's SCAN).
//
// A bucket is one interval of reversed hashes at every size of the index; growth and shrinking only
// split and join intervals. So what is there from the first to the last call is seen at least once.

/** The cursor behind the interval of the bucket at `cursor`, whose number has the bits of `mask`; 0 at the end. */
export function nextCursor(cursor: number, mask: number): number {
  return reverseBits((reverseBits(cursor | ~mask) + 1) | 0) >>> 0;
}

/** Whether the hash lies in front of `cursor`, in a bucket that a walk which stands there has been at. */
export function isBefore(hash: number, cursor: number): boolean {
  return reverseBits(hash) >>> 0 < reverseBits(cursor) >>> 0;
}

/** The cursor right behind a hash: a walk that stops inside a bucket. 0 at the end. */
export function cursorBehind(hash: number): number {
  return reverseBits((reverseBits(hash) + 1) | 0) >>> 0;
}

/** Compares two hashes by the order in which a walk comes to them. */
export function compareHashes(one: number, other: number): number {
  return (reverseBits(one) >>> 0) - (reverseBits(other) >>> 0);
}

/** How far a walk is that stands at `cursor`, from 0 to 1. */
export function shareOf(cursor: number): number {
  return (reverseBits(cursor) >>> 0) / 4294967296;
}

function reverseBits(value: number): number {
  let bits = value;
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4);
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8);
  return (bits >>> 16) | (bits << 16);
}
