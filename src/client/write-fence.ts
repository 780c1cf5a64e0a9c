// A fence behind a write that was given up: it may run all the same, and reads of memory are not to overtake it.

import type { CallOptions, CallSpec, ClientCall } from "./call.ts";
import { PING } from "./specs.ts";

type Connection = {
  /** Calls that may write and have no answer: while there are some, nothing is read from memory. */
  writes: number;
  call<Result>(spec: CallSpec<Result>, args: readonly unknown[], options: CallOptions | undefined): Promise<Result>;
};

/** The hive runs calls in order: when it has answered a later one, what was given up has run or never will. */
export function fence(connection: Connection, { spec, batch }: ClientCall): void {
  if (spec.repeats || !batch.sent) return;
  connection.writes++;
  const passed = (): void => void connection.writes--;
  connection.call(PING, [], undefined).then(passed, passed);
}
