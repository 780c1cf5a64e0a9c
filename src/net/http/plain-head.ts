// The head of a plain request: one line and headers as nearly every client writes them (RFC 9112).
//
//   POST /RPC2 HTTP/1.1 ⏎ Host: hive ⏎ Content-Length: 300 ⏎ ⏎ ──▶ method, target, headers, bytes of the body
//
// What is anything else is no error here: Node's parser reads it, which knows all of HTTP and what to refuse. So only
// what there cannot be two opinions of is plain: no header twice, no folded line, no bare CR or LF, nothing but visible
// ASCII, no transfer coding, no other protocol asked for.

export type PlainHead = {
  method: string;
  target: string;
  /** By name in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  bodyBytes: number;
  /** The client wants the connection to end behind the answer. */
  isLast: boolean;
  /** How long the head itself is. */
  bytes: number;
};

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
const REQUEST_LINE = /[A-Z]{3,7} \/[!-~]* HTTP\/1\.1\r\n/y;
const VERSION_AND_END: number = " HTTP/1.1\r\n".length;
/** One header. What surrounds the value is cut off afterwards, so that nothing is tried in two ways. */
const HEADER = /[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n/y;
const LENGTH = /^\d{1,15}$/;
/** With one of these a request is Node's. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "proxy-connection",
]);
const END: Buffer = Buffer.from("\r\n\r\n");

/** The heads of a client repeat: the last two are remembered. Of more the garbage would be old before it is none. */
const late: { text: string; head: PlainHead | undefined }[] = [
  { text: "", head: undefined },
  { text: "", head: undefined },
];
const LATE_BYTES_MAX = 1024;
let turn = 0;

/**
 * The head that stands at `start`; undefined where it is not plain, or not whole. Others may have got the same object.
 * @param bytesMax It is no longer.
 */
export function plainHead(buffer: Buffer, start: number, end: number, bytesMax: number): PlainHead | undefined {
  const last = buffer.indexOf(END, start);
  if (last < 0 || last + END.length > end || last + END.length - start > bytesMax) return undefined;
  const text = buffer.latin1Slice(start, last + 2);
  for (const known of late) if (known.head !== undefined && known.text === text) return known.head;
  const head = parse(text);
  // Tokens are not kept longer than they have to be.
  if (head === undefined || text.length > LATE_BYTES_MAX || "authorization" in head.headers) return head;
  const place = late[(turn ^= 1)]!;
  place.text = text;
  place.head = head;
  return head;
}

function parse(text: string): PlainHead | undefined {
  REQUEST_LINE.lastIndex = 0;
  if (!REQUEST_LINE.test(text)) return undefined;
  const [behindLine, space] = [REQUEST_LINE.lastIndex, text.indexOf(" ")];
  const method = text.slice(0, space);
  if (!METHODS.has(method)) return undefined;
  const headers = headersOf(text, behindLine);
  if (headers?.["host"] === undefined) return undefined;
  const { connection = "keep-alive", "content-length": length = "0" } = headers;
  if (!/^(keep-alive|close)$/i.test(connection) || !LENGTH.test(length)) return undefined;
  return {
    method,
    target: text.slice(space + 1, behindLine - VERSION_AND_END),
    headers,
    bodyBytes: Number(length),
    isLast: connection.toLowerCase() === "close",
    bytes: text.length + 2,
  };
}

function headersOf(text: string, start: number): Record<string, string | undefined> | undefined {
  const headers: Record<string, string | undefined> = {};
  // Found and cut out: what a match gives is an array for each line.
  for (let at = start; at < text.length; at = HEADER.lastIndex) {
    HEADER.lastIndex = at;
    if (!HEADER.test(text)) return undefined;
    const colon = text.indexOf(":", at);
    const name = text.slice(at, colon).toLowerCase();
    // Twice, or a name that every object has.
    if (NOT_PLAIN.has(name) || headers[name] !== undefined) return undefined;
    headers[name] = text.slice(colon + 1, HEADER.lastIndex - 2).trim();
  }
  return headers;
}
