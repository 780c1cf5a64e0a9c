// First bytes: which wire a connection speaks, told from what it sends first.
//
//   0x16 ──▶ tls    0xC1 ──▶ native    0xFF ──▶ zmtp    * ──▶ resp
//   a letter ──▶ http where its first line ends in HTTP/1.x, else resp (its inline form)
//   any other byte ──▶ resp, which says what is wrong with it
//
// 0xC1 is the one byte that MessagePack never uses. It must not know what a door is.

export type Wire = "tls" | "native" | "zmtp" | "http" | "resp";

const FIRST_BYTES: Readonly<Record<number, Wire>> = { 22: "tls", 193: "native", 255: "zmtp" };
const LF = 10;

/**
 * The wire of a connection that began with `bytes`; undefined while that cannot be told yet. A first
 * line that is longer than `lineBytesMax` is no HTTP.
 */
export function tryWire(bytes: Buffer, lineBytesMax: number): Wire | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  const known = FIRST_BYTES[first];
  if (known !== undefined) return known;
  if (!isLetter(first)) return "resp";
  const line = bytes.subarray(0, lineBytesMax + 1).indexOf(LF);
  if (line < 0) return bytes.length > lineBytesMax ? "resp" : undefined;
  return /HTTP\/1\.\d\r?$/.test(bytes.latin1Slice(Math.max(0, line - 16), line)) ? "http" : "resp";
}

function isLetter(byte: number): boolean {
  const lower = byte | 32;
  return lower >= 97 && lower <= 122;
}

/** Of an HTTP answer to somebody who is not let in, or who asks for what there is not. */
const HTTP_STATUS = { forbidden: "403 Forbidden", missing: "501 Not Implemented" } as const;

/** What a hive without a door for `wire` answers, in that wire's own form where it has one for strangers. */
export function refusalOf(wire: Wire): string {
  const advice = `This hive has no ${wire} door. It answers Redis clients: redis-cli -p PORT`;
  return sayNo(wire, advice, "missing");
}

/** `message` in the form of `wire`; empty where that form has no place for it. */
export function sayNo(wire: Wire, message: string, why: keyof typeof HTTP_STATUS): string {
  if (wire === "http") {
    return (
      `HTTP/1.1 ${HTTP_STATUS[why]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${message.length + 1}\r\nConnection: close\r\n\r\n${message}\n`
    );
  }
  // An alert record of TLS 1.2: fatal, handshake failure.
  if (wire === "tls") return "\x15\x03\x03\x00\x02\x02\x28";
  // A frame that answers nothing is no use to a ZMTP peer; a native one is answered by its door.
  return wire === "resp" ? `-ERR ${message}\r\n` : "";
}
