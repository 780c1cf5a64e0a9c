// Replies of RESP2 and RESP3, found in a stream and decoded.
//
//   chunks ──▶ [ ReplyBuffer: scans for the end of a reply, once ] ──▶ tryTake() ──▶ RespReply
//
// The scan remembers where it stopped, so that a reply of many megabytes in many chunks costs no more
// than its length. It takes no limits from the other side: a test's server may send what it likes.

/** What a reply holds. A status and a bulk string are both a string: `type` tells them apart. */
export type RespValue =
  | null
  | string
  | number
  | bigint
  | boolean
  | RespError
  | RespValue[]
  | Map<RespValue, RespValue>
  | Set<RespValue>;

/** One reply. Its bytes are decoded only when somebody asks, since most comparisons are of bytes. */
export class RespReply {
  /** All of it, attributes included. */
  readonly bytes: Buffer;
  #decoded: { type: string; value: RespValue } | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Its first byte on the wire, e.g. "+"; that of the value behind an attribute. */
  get type(): string {
    return this.#decode().type;
  }

  /** What it holds; strings are read as UTF-8. */
  get value(): RespValue {
    return this.#decode().value;
  }

  #decode(): { type: string; value: RespValue } {
    if (!this.#decoded) {
      const decoder = new Decoder(this.bytes);
      const value = decoder.value();
      this.#decoded = { type: decoder.type, value };
    }
    return this.#decoded;
  }
}

/** An error as a value, so that a pipeline's other replies can be read. */
export class RespError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const CR = 13;
const LF = 10;

export class ReplyBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0; // the first byte of the reply being scanned
  #end = 0; // behind the last byte received
  #scanned = 0; // everything before it belongs to complete parts of the reply
  #open = 1; // parts still missing

  add(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** What was received and not taken. */
  rest(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#start, this.#end));
  }

  /** Takes out the next reply when all of it is there. @throws {Error} it is no RESP. */
  tryTake(): RespReply | undefined {
    while (this.#open > 0) {
      const lineEnd = this.#lineEnd(this.#scanned);
      if (lineEnd < 0) return undefined;
      const type = String.fromCharCode(this.#bytes[this.#scanned]!);
      const count = "$=!*%~>|".includes(type) ? countIn(this.#bytes, this.#scanned + 1, lineEnd) : 0;
      const next = "$=!".includes(type) && count >= 0 ? lineEnd + 2 + count + 2 : lineEnd + 2;
      if (next > this.#end) return undefined;
      this.#open += partsBehind(type, count);
      this.#scanned = next;
    }
    const bytes = Buffer.from(this.#bytes.subarray(this.#start, this.#scanned));
    this.#start = this.#scanned;
    this.#open = 1;
    return new RespReply(bytes);
  }

  /** Where the line that starts at `from` ends, or -1. */
  #lineEnd(from: number): number {
    const at = this.#bytes.indexOf(CR, from);
    return at >= 0 && at + 1 < this.#end && this.#bytes[at + 1] === LF ? at : -1;
  }

  #makeRoom(more: number): void {
    const used = this.#end - this.#start;
    const bytes = Buffer.allocUnsafe(Math.max(2 * used, used + more, 65_536));
    this.#bytes.copy(bytes, 0, this.#start, this.#end);
    this.#scanned -= this.#start;
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = used;
  }
}

/** How many parts more are missing once a header of `type` was read: itself off, its contents on. */
function partsBehind(type: string, count: number): number {
  if (type === "*" || type === "~" || type === ">") return Math.max(count, 0) - 1;
  if (type === "%") return 2 * count - 1;
  if (type === "|") return 2 * count; // an attribute stands before the reply that it belongs to
  if ("+-:_#,($=!".includes(type)) return -1;
  throw new Error(`no RESP: a reply starts with ${JSON.stringify(type)}`);
}

function countIn(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString("latin1", start, end);
  if (!/^(-1|\d+)$/.test(text)) throw new Error(`no RESP: ${JSON.stringify(text)} is no length`);
  return Number(text);
}

/** Decodes one complete reply. `type` is that of the outermost value, attributes aside. */
class Decoder {
  type = "";
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(): RespValue {
    const lineEnd = this.#bytes.indexOf(CR, this.#at);
    const type = String.fromCharCode(this.#bytes[this.#at]!);
    const line = this.#bytes.toString("utf8", this.#at + 1, lineEnd);
    this.#at = lineEnd + 2;
    if (type === "|") {
      this.#list(2 * Number(line));
      return this.value();
    }
    this.type ||= type;
    switch (type) {
      case "+":
        return line;
      case "-":
        return new RespError(line);
      case ":":
        return Number.isSafeInteger(Number(line)) ? Number(line) : BigInt(line);
      case "(":
        return BigInt(line);
      case ",":
        return line === "inf" ? Number.POSITIVE_INFINITY : line === "-inf" ? Number.NEGATIVE_INFINITY : Number(line);
      case "#":
        return line === "t";
      case "_":
        return null;
      case "$":
        return line === "-1" ? null : this.#text(Number(line));
      case "=":
        return this.#text(Number(line)).slice(4);
      case "!":
        return new RespError(this.#text(Number(line)));
      case "%":
        return new Map(Array.from({ length: Number(line) }, () => [this.value(), this.value()]));
      case "~":
        return new Set(this.#list(Number(line)));
      default:
        return line === "-1" ? null : this.#list(Number(line));
    }
  }

  #text(length: number): string {
    const text = this.#bytes.toString("utf8", this.#at, this.#at + length);
    this.#at += length + 2;
    return text;
  }

  #list(count: number): RespValue[] {
    return Array.from({ length: count }, () => this.value());
  }
}
