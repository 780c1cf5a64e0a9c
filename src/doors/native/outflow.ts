// Outflow: messages of a subscription, changes of the feed and of what a client keeps, as elements of a native stream.
//
//   how many names · then [channel, payload] or [channel, payload, pattern] …
//   1 · then [key, field], [key] or [] …
//
// Each message is written once, as the bytes of one item, for all streams that send it.

import type { Outflow } from "../../engine/context.ts";
import { Message } from "../../engine/message-bus.ts";
import type { NearChange } from "../../engine/near-feeds.ts";
import type { Push } from "../../engine/push.ts";
import { FrameWriter } from "../../wire/frame-writer.ts";
import { EncodedItem, ITEM_RAW, ITEM_VALUE } from "../../wire/items.ts";
import type { ElementSink } from "../../wire/streams.ts";
import { Scratch } from "../../wire/value.ts";

const FIRST_BYTES = 256;

export function outflowOf(sink: ElementSink): Outflow {
  return {
    begin: (count) => void sink.send(count),
    send: (push) => sink.send(push.native(encode)),
    element: (write) => sink.send(itemOf(write)),
  };
}

function encode(push: Push): EncodedItem {
  return itemOf((writer) => {
    if (push instanceof Message) writeMessage(writer, push);
    else writeChange(writer, push as NearChange);
  });
}

function itemOf(write: (writer: FrameWriter) => void): EncodedItem {
  const writer = new FrameWriter(Number.POSITIVE_INFINITY, new Scratch(FIRST_BYTES));
  write(writer);
  return new EncodedItem(writer.scratch.copy());
}

function writeChange(writer: FrameWriter, { key, field }: NearChange): void {
  writer.array(key === undefined ? 0 : field === undefined ? 1 : 2);
  if (key !== undefined) writer.bulk(key, 0, key.length, ITEM_RAW);
  if (field !== undefined) writer.bulk(field.name, 0, field.name.length, field.typed ? ITEM_VALUE : ITEM_RAW);
}

function writeMessage(writer: FrameWriter, { channel, payload, payloadKind, pattern }: Message): void {
  writer.array(pattern === undefined ? 2 : 3);
  writer.bulk(channel, 0, channel.length, ITEM_RAW);
  writer.bulk(payload, 0, payload.length, payloadKind);
  if (pattern !== undefined) writer.bulk(pattern, 0, pattern.length, ITEM_RAW);
}
