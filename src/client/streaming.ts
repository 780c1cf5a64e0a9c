// Streaming: a call whose answer comes in parts.
//
//   connection.stream(spec, args) ──▶ ElementSource ──for await──▶ elements; credit goes back as they are read
//
// It belongs to one connection: when that is lost the source ends with CONNECTION_LOST, and whoever reads decides
// whether to ask again. What was not sent yet waits for a connection, as every call does.

import { HiveError } from "../base/errors.ts";
import { CREDIT } from "../wire/frame.ts";
import type { FrameWriter } from "../wire/frame-writer.ts";
import { ElementSource } from "../wire/streams.ts";
import type { ClientCall } from "./call.ts";

export type StreamOwner = {
  /** Frames that belong to no call. */
  readonly control: FrameWriter;
  /** Something was written there. */
  wrote(): void;
  /** Ends a call that has no answer yet, and says so to the hive. */
  leave(call: ClientCall, why: HiveError): void;
};

/** Makes `call`, which was written with a credit of `windowBytes`, a stream. `answer` is its promise. */
export function streamOf(
  call: ClientCall,
  answer: Promise<unknown>,
  windowBytes: number,
  owner: StreamOwner,
): ElementSource<unknown> {
  const source = new ElementSource<unknown>({
    windowBytes,
    granted: true,
    grant: (bytes) => {
      if (!call.batch.sent) return;
      owner.control.begin(CREDIT, call.id);
      owner.control.uint32(bytes);
      owner.control.finish();
      owner.wrote();
    },
    stop: () => owner.leave(call, new HiveError("ABORTED", "the reader of the stream left it")),
  });
  call.source = source;
  answer.then(
    () => source.finish(),
    (error: unknown) => source.finish(error),
  );
  return source;
}
