// test/differential/frame.ts
// Frame: where one reply ends and the next begins, in RESP2 and RESP3 alike.
//
//   bytes ──▶ replyEnd(bytes, at) ──▶ raw reply (compared as it is) ──▶ parseReply ──▶ tree
//
// The tester has a reader of its own, since the hive's codec is what it tests. Nearly all replies
// are equal byte for byte and never become a tree.

const CR = 13;

/** One reply taken apart. `raw` is the whole of it; `text` is set for leaves, `items` for the others. */
export type Reply = {
  readonly type: string;
  readonly raw: string;
  readonly text: string | undefined;
  readonly items: readonly Reply[] | undefined;
};

/** A byte that begins no reply, where one should. */
export class BrokenFrame extends Error {}

/**
 * The index just behind the reply that begins at `start`, or -1 when its end has not arrived.
 *
 * @throws {BrokenFrame} The bytes are no RESP.
 */
export function replyEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  let pending = 1;
  while (pending > 0) {
    const type = bytes[at];
    if (type === undefined) return -1;
    const lineEnd = bytes.indexOf(CR, at + 1);
    if (lineEnd < 0 || lineEnd + 1 >= bytes.length) return -1;
    if (bytes[lineEnd + 1] !== 10) throw new BrokenFrame(`CR without LF at byte ${lineEnd}`);
    const next = lineEnd + 2;
    pending--;
    switch (type) {
      case 0x2b:
      case 0x2d:
      case 0x3a:
      case 0x23:
      case 0x2c:
      case 0x28:
      case 0x5f: // + - : # , ( _
        at = next;
        break;
      case 0x24:
      case 0x3d:
      case 0x21: {
        // $ = !
        const length = lengthIn(bytes, at + 1, lineEnd);
        at = length < 0 ? next : next + length + 2;
        if (at > bytes.length) return -1;
        if (length >= 0 && bytes[at - 2] !== CR) throw new BrokenFrame(`no CR behind ${length} bytes`);
        break;
      }
      case 0x2a:
      case 0x7e:
      case 0x3e: // * ~ >
        pending += Math.max(0, lengthIn(bytes, at + 1, lineEnd));
        at = next;
        break;
      case 0x25: // %
        pending += 2 * lengthIn(bytes, at + 1, lineEnd);
        at = next;
        break;
      case 0x7c: // |, attributes of the reply that follows
        pending += 2 * lengthIn(bytes, at + 1, lineEnd) + 1;
        at = next;
        break;
      default:
        throw new BrokenFrame(`reply begins with byte 0x${type.toString(16)}`);
    }
  }
  return at;
}

function lengthIn(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  let at = start;
  if (bytes[at] === 0x2d) at++;
  if (at === end) throw new BrokenFrame("a length without digits");
  const negative = at > start;
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) throw new BrokenFrame("a length that is no number");
    length = length * 10 + digit;
  }
  return negative ? -1 : length;
}

/** Takes one whole raw reply apart. */
export function parseReply(raw: string): Reply {
  return parseAt(raw, 0).reply;
}

function parseAt(raw: string, start: number): { reply: Reply; end: number } {
  const type = raw[start] ?? "";
  const lineEnd = raw.indexOf("\r\n", start);
  const line = raw.slice(start + 1, lineEnd);
  const next = lineEnd + 2;
  if ("$=!".includes(type)) {
    const length = Number(line);
    const end = length < 0 ? next : next + length + 2;
    return {
      reply: {
        type,
        raw: raw.slice(start, end),
        text: length < 0 ? undefined : raw.slice(next, end - 2),
        items: undefined,
      },
      end,
    };
  }
  if (!"*~>%".includes(type))
    return { reply: { type, raw: raw.slice(start, next), text: line, items: undefined }, end: next };
  const count = Number(line) * (type === "%" ? 2 : 1);
  if (count < 0) return { reply: { type, raw: raw.slice(start, next), text: undefined, items: undefined }, end: next };
  const items: Reply[] = [];
  let end = next;
  for (let index = 0; index < count; index++) {
    const item = parseAt(raw, end);
    items.push(item.reply);
    end = item.end;
  }
  return { reply: { type, raw: raw.slice(start, end), text: undefined, items }, end };
}

/** One command as a client sends it: an array of bulk strings. */
export function encodeCommand(args: readonly string[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${arg.length}\r\n${arg}\r\n`;
  return text;
}
