// Outflow: messages of a subscription, or changes of the feed, as elements of a native stream.
//
//   how many names · then [channel, payload] or [channel, payload, pattern] …
//
// Each message is written once, as the bytes of one item, for all streams that send it.

import type { Outflow } from "../../engine/context.ts";
import type { Message } from "../../engine/message-bus.ts";
import { FrameWriter } from "../../wire/frame-writer.ts";
import { EncodedItem, ITEM_RAW } from "../../wire/items.ts";
import type { ElementSink } from "../../wire/streams.ts";
import { Scratch } from "../../wire/value.ts";

const FIRST_BYTES = 256;

export function outflowOf(sink: ElementSink): Outflow {
  return {
    begin: (count) => void sink.send(count),
    send: (message) => sink.send(message.encoded("native", encode)),
    element: (write) => sink.send(itemOf(write)),
  };
}

function encode({ channel, payload, payloadKind, pattern }: Message): EncodedItem {
  return itemOf((writer) => {
    writer.array(pattern === undefined ? 2 : 3);
    writer.bulk(channel, 0, channel.length, ITEM_RAW);
    writer.bulk(payload, 0, payload.length, payloadKind);
    if (pattern !== undefined) writer.bulk(pattern, 0, pattern.length, ITEM_RAW);
  });
}

function itemOf(write: (writer: FrameWriter) => void): EncodedItem {
  const writer = new FrameWriter(Number.POSITIVE_INFINITY, new Scratch(FIRST_BYTES));
  write(writer);
  return new EncodedItem(writer.scratch.copy());
}
