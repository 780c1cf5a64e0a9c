// ReplyTree: a reply as a tree of values, for wires whose answers are texts that are written as a whole.
//
//   row ──▶ reply.array(2) reply.bulk(…) … ──▶ ReplyTree.root ──▶ JSON, or what a page makes of it
//
// Stored bytes stay bytes (Stored): how they are shown is the page's business.

import { type ErrorCode, HiveError } from "../../base/errors.ts";
import { KIND_RAW, KIND_VALUE } from "../../engine/args.ts";
import type { Collection, Reply } from "../../engine/reply.ts";
import { ScalarReply } from "../../engine/scalar-reply.ts";

/** What was stored: raw bytes of a kind (KIND_RAW, KIND_TEXT, KIND_BYTES), or one encoded value (KIND_VALUE). */
export class Stored {
  readonly bytes: Buffer;
  readonly kind: number;

  constructor(bytes: Uint8Array, kind: number) {
    this.bytes = Buffer.from(bytes);
    this.kind = kind;
  }
}

/** `undefined` is nil; a bigint, a Stored, a HiveError for what failed inside a transaction. */
export type ReplyNode =
  | undefined
  | string
  | number
  | bigint
  | boolean
  | Stored
  | HiveError
  | ReplyNode[]
  | { pairs: ReplyNode[] };

type Open = { items: ReplyNode[]; left: number };

/** What a reply may take in memory. */
const NODE_BYTES = 32;

export class ReplyTree extends ScalarReply implements Reply {
  readonly #bytesMax: number;
  /** What was written, in order, at each level that is open; the first holds the root. */
  #open: Open[] = [{ items: [], left: Number.POSITIVE_INFINITY }];
  #bytes = 0;

  /** @param bytesMax outputBytesMax */
  constructor(bytesMax: number) {
    super();
    this.#bytesMax = bytesMax;
  }

  get root(): ReplyNode {
    return this.#open[0]!.items[0];
  }

  protected add(node: ReplyNode, bytes: number = 0): void {
    this.#bytes += bytes + NODE_BYTES;
    if (this.#bytes > this.#bytesMax) {
      throw new HiveError("OUTPUT_TOO_BIG", `the reply exceeds outputBytesMax (${this.#bytesMax})`);
    }
    const top = this.#open.at(-1)!;
    top.items.push(node);
    top.left--;
    while (this.#open.length > 1 && this.#open.at(-1)!.left === 0) this.#open.pop();
  }

  #begin(node: ReplyNode, items: ReplyNode[], left: number): void {
    this.#bytes += NODE_BYTES;
    const top = this.#open.at(-1)!;
    top.items.push(node);
    top.left--;
    this.#open.push({ items, left });
    while (this.#open.length > 1 && this.#open.at(-1)!.left === 0) this.#open.pop();
  }

  bulk(bytes: Uint8Array, start: number, end: number, kind: number = KIND_RAW): void {
    this.add(new Stored(bytes.subarray(start, end), kind), end - start);
  }

  value(bytes: Uint8Array, start: number, end: number): void {
    this.add(new Stored(bytes.subarray(start, end), KIND_VALUE), end - start);
  }

  array(count: number): void {
    const items: ReplyNode[] = [];
    this.#begin(items, items, count);
  }

  map(count: number): void {
    const pairs: ReplyNode[] = [];
    this.#begin({ pairs }, pairs, count * 2);
  }

  set(count: number): void {
    this.array(count);
  }

  push(count: number): void {
    this.array(count);
  }

  open(kind: Collection): void {
    if (kind === "map") this.map(Number.POSITIVE_INFINITY);
    else this.array(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#open.pop();
    while (this.#open.length > 1 && this.#open.at(-1)!.left === 0) this.#open.pop();
  }

  error(code: ErrorCode, message: string): void {
    this.add(new HiveError(code, message));
  }

  // A place is the shape of what is open: how much each level has, and still wants.

  readonly #marks: { levels: { open: Open; count: number; left: number }[]; bytes: number }[] = [];

  mark(): number {
    this.#marks.push({
      levels: this.#open.map((open) => ({ open, count: open.items.length, left: open.left })),
      bytes: this.#bytes,
    });
    return this.#marks.length - 1;
  }

  rewind(mark: number): void {
    const { levels, bytes } = this.#marks[mark]!;
    this.#bytes = bytes;
    this.#open = levels.map(({ open, count, left }) => {
      open.items.length = count;
      open.left = left;
      return open;
    });
  }
}
