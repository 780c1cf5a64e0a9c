// Device: the labelled memory of one device, from one client.
//
//   hive.device("sensor-7").put("temperature", 21.5) ──▶ DEVICE.PUT sensor-7 temperature 21.5

import { decodeItem } from "../wire/items.ts";
import type { TypeClass } from "../wire/value.ts";
import type { Bound } from "./bound.ts";
import type { CallOptions, CallSpec } from "./call.ts";
import { DeviceValues, type FetchOptions, type ValueSpecs } from "./device-values.ts";
import * as spec from "./specs.ts";
import { milliseconds } from "./table.ts";

export type PutLabelOptions = CallOptions & {
  /** The label runs out after so many milliseconds. Without it, a TTL that it had is gone. */
  ttlMs?: number | undefined;
};

export type DeviceOptions = {
  /**
   * Classes whose instances are kept as such, beside those of connect(): own fields by value, or what static encode()
   * and decode() of the class say. Where a reader has not named the class it gets an Instance. Instances of others
   * are refused.
   */
  types?: readonly TypeClass[] | undefined;
};

/** Bytes as the hive counts them: labels and values with the header of each. */
export type DeviceUsage = {
  /** What the device has, its sessions included, and may have; undefined: as much as there is. */
  bytes: number;
  bytesMax: number | undefined;
  /** Of this memory alone. */
  labels: number;
  /** Of the device, its sessions included; how many it may have, and sessions too, where its token bounds them. */
  deviceLabels: number;
  labelsMax: number | undefined;
  /** How many are open. */
  sessions: number;
  /** The same for all devices together. */
  allBytes: number;
  allBytesMax: number | undefined;
};

const PUT: ValueSpecs<void> = {
  plain: spec.write("DEVICE.PUT", "nnv(w)", spec.nothing),
  stored: spec.write("DEVICE.PUT", "nns(w)", spec.nothing),
};
const FETCH: CallSpec<unknown> = spec.read("DEVICE.FETCH", "nn", spec.anything);
const HAS: CallSpec<boolean> = spec.read("DEVICE.HAS", "nn", spec.flag);
const DELETE: CallSpec<number> = spec.write("DEVICE.DELETE", "n(n)", spec.integer);
const LABELS: CallSpec<unknown[]> = spec.read("DEVICE.LABELS", "n", spec.list);
const CLEAR: CallSpec<boolean> = spec.write("DEVICE.CLEAR", "n", spec.flag);
const USAGE: CallSpec<DeviceUsage> = spec.read("DEVICE.USAGE", "n", usage);

/** The answer of DEVICE.USAGE and SESSION.USAGE. */
export function usage(items: Parameters<typeof decodeItem>[0]): DeviceUsage {
  const facts = decodeItem(items) as Map<string, number | undefined>;
  return {
    bytes: facts.get("bytes")!,
    bytesMax: facts.get("bytes-max"),
    labels: facts.get("labels")!,
    deviceLabels: facts.get("device-labels")!,
    labelsMax: facts.get("labels-max"),
    sessions: facts.get("sessions")!,
    allBytes: facts.get("all-bytes")!,
    allBytesMax: facts.get("all-bytes-max"),
  };
}

function ttlOf(options: PutLabelOptions | undefined): number | undefined {
  return options?.ttlMs === undefined ? undefined : milliseconds(options.ttlMs);
}

/** `PX milliseconds`, where there is such. */
export function ttlWords({ ttlMs }: PutLabelOptions = {}): (string | number)[] {
  return ttlMs === undefined ? [] : ["PX", milliseconds(ttlMs)];
}

/**
 * What a device keeps in the hive, under labels: values as in a Table. Its bytes are counted, and capped where the hive
 * (--device-bytes-max, --devices-bytes-max) or its token says so. Every door reads it as the table `$device:` and its id.
 *
 * All methods reject with INVALID_ARGUMENT for an id that is empty or longer than tokenNameBytesMax, NO_PERMISSION for
 * the memory of a device that is not the token's, and what every call may (Client).
 */
export class Device {
  readonly id: string;
  readonly #bound: Bound;
  readonly #values: DeviceValues;

  /** Made by client.device(). */
  constructor(bound: Bound, id: string, options: DeviceOptions = {}) {
    this.#bound = bound;
    this.#values = new DeviceValues(bound, options.types);
    this.id = id;
  }

  /**
   * Sets a label, whatever it held. @throws {HiveError} QUOTA: it would exceed a cap, which the message names, and
   * nothing was changed; BAD_VALUE: it holds what cannot be carried, an instance of a class that is not named among
   * it, and nothing was sent; VALUE_TOO_BIG, KEY_TOO_BIG, OUT_OF_MEMORY. With a spool it resolves when the reading is
   * kept there, and rejects with BAD_VALUE or OVERLOADED alone: what becomes of it client.spool tells.
   */
  put(label: string, value: unknown, options?: PutLabelOptions): Promise<void> {
    const { spool } = this.#bound;
    if (spool !== undefined) return spool.put(this.id, label, value, ttlOf(options), (it) => this.#values.item(it));
    return this.#values.call(PUT, [this.id, label, value, ...ttlWords(options)], { at: 2, options });
  }

  /**
   * The value of a label; undefined where there is none, or where undefined is what is stored: has() tells. What
   * ship() put does nothing, unless `code` asks for functions and classes.
   */
  fetch<Value = unknown>(label: string, options?: FetchOptions): Promise<Value | undefined> {
    return this.#values.read(FETCH, [this.id, label], options) as Promise<Value | undefined>;
  }

  has(label: string, options?: CallOptions): Promise<boolean> {
    return this.#bound.call(HAS, [this.id, label], options);
  }

  /** Deletes labels. Resolves with how many were there. */
  delete(...labels: string[]): Promise<number> {
    if (labels.length === 0) return Promise.resolve(0);
    return this.#bound.call(DELETE, [this.id, ...labels], undefined);
  }

  /** All labels, in no order. */
  labels(options?: CallOptions): Promise<string[]> {
    return this.#bound.call(LABELS, [this.id], options) as Promise<string[]>;
  }

  /** Deletes all labels. Sessions go on. Resolves with whether there were any. */
  clear(options?: CallOptions): Promise<boolean> {
    return this.#bound.call(CLEAR, [this.id], options);
  }

  /** What the device has, and may have. */
  usage(options?: CallOptions): Promise<DeviceUsage> {
    return this.#bound.call(USAGE, [this.id], options);
  }
}
