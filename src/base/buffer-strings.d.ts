// Buffer's own string methods, which Node has and documents nowhere, and @types/node leaves out.
//
// toString("latin1") and write(text, at, "latin1") come here after they have looked up the name of the
// encoding and checked every argument; on short strings that is most of their cost. They are for
// measured hot paths. A range outside the buffer throws, where toString would shorten it.

interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  /** Writes as much as fits, in `length` bytes at most. Returns how many bytes were written. */
  latin1Write(text: string, offset?: number, length?: number): number;
  /** The same; whole characters only. */
  utf8Write(text: string, offset?: number, length?: number): number;
}
