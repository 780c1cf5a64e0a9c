// HeldBytes: bytes that came before their turn, in one buffer that grows.

const NOTHING: Buffer = Buffer.alloc(0);
const ROOM_MIN = 1024;

export class HeldBytes {
  /** They are those from `start` to `end`. */
  buffer: Buffer = NOTHING;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Bytes `start` to `end` of `buffer` came, and are copied. */
  add(buffer: Buffer, start: number, end: number): void {
    const bytes = end - start;
    if (this.end + bytes > this.buffer.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(ROOM_MIN, (this.length + bytes) * 2));
      this.buffer.copy(room, 0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
      this.buffer = room;
    }
    buffer.copy(this.buffer, this.end, start, end);
    this.end += bytes;
  }

  clear(): void {
    this.buffer = NOTHING;
    this.start = 0;
    this.end = 0;
  }
}
