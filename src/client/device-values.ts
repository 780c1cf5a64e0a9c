// DeviceValues: how the values of a device's memory are written and read: its classes, and code.
//
//   put("r", new Reading(21.5)) ──types: [Reading]──▶ StoredItem ──▶ DEVICE.PUT          fetch("f", { code: true }) ──▶ f
//
// A table takes what structuredClone takes, and an instance becomes a plain object there. A device keeps what an
// object is: an instance goes as one of its class or is refused by name, before anything is sent.

import { reviving } from "../ship/revive.ts";
import { type As, decodeStoredItem, ITEM_VALUE, type ItemReader } from "../wire/items.ts";
import { encode, type TypeClass, Types } from "../wire/value.ts";
import type { Bound, ReadOptions } from "./bound.ts";
import { type CallOptions, type CallSpec, rejected, type StoredItem } from "./call.ts";
import { storedItem } from "./spool-call.ts";

export type FetchOptions = ReadOptions & {
  /**
   * Makes functions and classes of what ship() put: code of whoever can write the device's memory, which may do all
   * that this process may. Without it, it is a ShippedCode, which does nothing.
   */
  code?: boolean | undefined;
};

/** A call in two forms: its value as it is (text, bytes, numbers), or encoded already. */
export type ValueSpecs<Result> = { plain: CallSpec<Result>; stored: CallSpec<Result> };

export class DeviceValues {
  readonly #bound: Bound;
  readonly #types: Types;

  /** @param classes Beside those of connect(). @throws {HiveError} REFUSED_SETTING */
  constructor(bound: Bound, classes: readonly TypeClass[] | undefined) {
    this.#bound = bound;
    this.#types = classes === undefined ? bound.types : new Types([...bound.types.classes, ...classes]);
  }

  /** Makes a call whose argument `at` is a value. */
  call<Result>(
    { plain, stored }: ValueSpecs<Result>,
    args: readonly unknown[],
    { at, options }: { at: number; options: CallOptions | undefined },
  ): Promise<Result> {
    const value = args[at];
    if (!isObject(value)) return this.#bound.call(plain, args, options);
    let item: StoredItem;
    try {
      item = this.item(value);
    } catch (error) {
      return rejected(stored, args, error);
    }
    return this.#bound.call(stored, args.with(at, item), options);
  }

  /** A value as it is stored. @throws {HiveError} BAD_VALUE */
  item(value: unknown): StoredItem {
    if (!isObject(value)) return storedItem(value);
    const depthMax = this.#bound.connection.welcome?.limits.valueDepthMax;
    const bytes = encode(value, { types: this.#types, ...(depthMax === undefined ? {} : { depthMax }) });
    return { kind: ITEM_VALUE, bytes };
  }

  /** Makes a call that answers with a value, or nothing. */
  read(spec: CallSpec<unknown>, args: readonly unknown[], options: FetchOptions | undefined): Promise<unknown> {
    const types = this.#types;
    const withCode = options?.code === true;
    const decode = (items: ItemReader, as: As): unknown =>
      decodeStoredItem(items, as, { types, revive: withCode ? reviving() : undefined });
    return this.#bound.read({ ...spec, decode }, args, options);
  }
}

/** What an encoder has to look at; text and bytes of the platform's own classes are stored as they are. */
function isObject(value: unknown): value is object {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  const { Buffer: NodeBuffer } = globalThis as { Buffer?: { prototype: object } };
  const prototype = Object.getPrototypeOf(value);
  return prototype !== Uint8Array.prototype && prototype !== NodeBuffer?.prototype;
}
