// FirstRefusal: the reply of calls that are only queued: what is wrong with the first that is refused.

import type { ErrorCode } from "../base/errors.ts";
import type { Reply } from "./reply.ts";

export class FirstRefusal implements Reply {
  readonly typed = true;
  code: ErrorCode | undefined = undefined;
  message = "";

  error(code: ErrorCode, message: string): void {
    if (this.code !== undefined) return;
    this.code = code;
    this.message = message;
  }

  nil(): void {}
  nullArray(): void {}
  ok(): void {}
  status(): void {}
  integer(): void {}
  bigint(): void {}
  double(): void {}
  boolean(): void {}
  bulk(): void {}
  text(): void {}
  verbatim(): void {}
  value(): void {}
  array(): void {}
  map(): void {}
  set(): void {}
  push(): void {}
  open(): void {}
  close(): void {}

  mark(): number {
    return 0;
  }

  rewind(): void {}
}

/** What EXEC says of a transaction of which no call ran. */
export function discarded(why: string): string {
  return `Transaction discarded because of: ${why}`;
}
