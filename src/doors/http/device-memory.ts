// DeviceMemory: what a device has put under labels, as the door needs it.
//
//   put(device, label, value) ──▶ DEVICE.PUT device label value        fetch ──▶ DEVICE.FETCH        clear ──▶ DEVICE.CLEAR
//
// The commands of devices (src/devices) name its table, count what is in it and hold it to its caps.

import type { Limits } from "../../base/limits.ts";
import { type Args, KIND_BYTES, KIND_RAW, KIND_TEXT, KIND_VALUE } from "../../engine/args.ts";
import { isUtf8 } from "../../wire/utf8.ts";
import { decode, encode } from "../../wire/value.ts";
import { type Argument, packed } from "./json.ts";
import { type ReplyNode, Stored } from "./reply-tree.ts";

/** A label: text, or an integer, which is another one than its digits. */
export type Label = string | number;

export interface DeviceMemory {
  put(device: string, label: Label, value: unknown): Promise<void>;
  /** Undefined where there is no such label. A double is a Double. */
  fetch(device: string, label: Label): Promise<{ value: unknown } | undefined>;
  has(device: string, label: Label): Promise<boolean>;
  /** Whether there was such a label. */
  delete(device: string, label: Label): Promise<boolean>;
  labels(device: string): Promise<unknown[]>;
  /** Whether there was anything. */
  clear(device: string): Promise<boolean>;
}

type Caller = { readonly limits: Limits; call(args: Args): Promise<ReplyNode> };

export class TableDeviceMemory implements DeviceMemory {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async put(device: string, label: Label, value: unknown): Promise<void> {
    await this.#call("DEVICE.PUT", device, labelArgument(label), this.#stored(value));
  }

  async fetch(device: string, label: Label): Promise<{ value: unknown } | undefined> {
    const node = await this.#call("DEVICE.FETCH", device, labelArgument(label));
    return node instanceof Stored ? { value: valueOfStored(node) } : undefined;
  }

  async has(device: string, label: Label): Promise<boolean> {
    return (await this.#call("DEVICE.HAS", device, labelArgument(label))) === 1;
  }

  async delete(device: string, label: Label): Promise<boolean> {
    return (await this.#call("DEVICE.DELETE", device, labelArgument(label))) === 1;
  }

  async labels(device: string): Promise<unknown[]> {
    const node = await this.#call("DEVICE.LABELS", device);
    return Array.isArray(node) ? node.map((key) => (key instanceof Stored ? valueOfStored(key) : key)) : [];
  }

  async clear(device: string): Promise<boolean> {
    return (await this.#call("DEVICE.CLEAR", device)) === 1;
  }

  #call(name: string, device: string, ...more: Argument[]): Promise<ReplyNode> {
    return this.#caller.call(packed([name, device, ...more]));
  }

  #stored(value: unknown): Argument {
    if (typeof value === "string") return value;
    if (value instanceof Uint8Array) return { bytes: value, kind: KIND_BYTES };
    return { bytes: encode(value, { depthMax: this.#caller.limits.valueDepthMax }), kind: KIND_VALUE };
  }
}

function labelArgument(label: Label): Argument {
  return typeof label === "string" ? label : { bytes: encode(label), kind: KIND_VALUE };
}

function valueOfStored({ bytes, kind }: Stored): unknown {
  if (kind === KIND_VALUE) return decode(bytes, 0, bytes.length, { as: "doubles" });
  const isText = kind === KIND_TEXT || (kind === KIND_RAW && isUtf8(bytes, 0, bytes.length));
  return isText ? bytes.toString() : bytes;
}
