// Many calls of one form as bytes: the same call again and again, with a number in it that counts up.
//
//   const block = new CallBlock(["SET", "key:############", value]);
//   socket.write(block.fill(0, 512));      // SET key:000000000000 …, SET key:000000000001 …, …
//
// The bytes are made once; for the next calls only the digits are written anew, so a load is as fast as the
// server that takes it.

/** Where a number of twelve digits goes, as redis-benchmark's `__rand_int__` writes it. A shorter one is fine too. */
export const NUMBER = "############";
/** The keys that redis-benchmark reads and writes. */
export const KEY: string = `key:${NUMBER}`;

const CALLS_MAX = 512;

export class CallBlock {
  readonly #bytes: Buffer;
  readonly #callBytes: number;
  /** Where the digits of each number begin in a call, and how many they are. */
  readonly #numbers: readonly { at: number; digits: number }[];

  /** @param call The call's arguments; a run of # in them is a number. */
  constructor(call: readonly string[]) {
    const text = `*${call.length}\r\n${call.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;
    this.#callBytes = text.length;
    this.#bytes = Buffer.from(text.repeat(CALLS_MAX), "latin1");
    this.#numbers = [...text.matchAll(/#+/g)].map((match) => ({ at: match.index, digits: match[0].length }));
  }

  /** The calls with the numbers `from`, `from` + 1, …, at most 512 of them: a view that the next fill() changes. */
  fill(from: number, count: number): Buffer {
    const calls = Math.min(count, CALLS_MAX);
    for (const { at, digits } of this.#numbers) {
      for (let i = 0; i < calls; i++) this.#write(i * this.#callBytes + at, digits, from + i);
    }
    return this.#bytes.subarray(0, calls * this.#callBytes);
  }

  /** How many calls fill() gives for `count`. */
  static sizeOf(count: number): number {
    return Math.min(count, CALLS_MAX);
  }

  #write(at: number, digits: number, value: number): void {
    let rest = value;
    for (let digit = at + digits - 1; digit >= at; digit--) {
      const tenth = Math.floor(rest / 10);
      this.#bytes[digit] = 48 + rest - tenth * 10;
      rest = tenth;
    }
  }
}
