// JsonText: values as JSON, in one text as it grows.
//
//   value(bytes) ──▶ decode ──▶ [1,{"a":"x"}] behind what is there        add(",") ──▶ what is around it
//
// value-text.ts says what becomes of that for which JSON has no word. Shared objects are written out at each place while
// all values of the text together stay within what their bytes may come to: a reply of many small values that share has
// the bound of one.

import { GrowingText } from "../base/growing-text.ts";
import { decode } from "./value-decode.ts";
import { Instance } from "./value-instances.ts";

/** UTF-16 units from which on shared objects are not written out again, or this many times the values' bytes. */
const SHARED_UNITS_MAX = 1_048_576;
const SHARED_TIMES_MAX = 16;
/** Bytes at a time: few enough for one call's arguments, and whole groups of three. */
const BASE64_PIECE = 12_288;

export class JsonText extends GrowingText {
  /** What the values have in bytes, and in this text, so far. */
  #storedBytes = 0;
  #valueUnits = 0;
  /** The size from which on shared objects of the value at hand are not written out again. */
  #sharedFrom = 0;
  /** The objects that are being written, one inside the other, and those that have been. */
  readonly #open = new Set<object>();
  readonly #written = new Set<object>();

  /** Adds the value in bytes `start` to `end`, which have been walked. @throws {HiveError} OUTPUT_TOO_BIG */
  value(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    this.decoded(decode(bytes, start, end, { as: "plain" }), end - start);
  }

  /** The same, of what was decoded from so many bytes. */
  decoded(value: unknown, storedBytes: number): void {
    this.#storedBytes += storedBytes;
    const before = this.size;
    this.#sharedFrom = before - this.#valueUnits + Math.max(SHARED_UNITS_MAX, this.#storedBytes * SHARED_TIMES_MAX);
    this.#write(value);
    this.#valueUnits += this.size - before;
    this.#written.clear();
  }

  #write(value: unknown): void {
    if (typeof value === "bigint") this.add(String(value));
    else if (typeof value === "object" && value !== null) this.#addObject(value);
    else this.add(JSON.stringify(value) ?? "null");
  }

  #addObject(object: object): void {
    if (object instanceof Date || object instanceof String) {
      this.add(JSON.stringify(object));
    } else if (this.#open.has(object)) {
      this.add('"[cycle]"');
    } else if (this.size > this.#sharedFrom && this.#written.has(object)) {
      this.add('"[shared]"');
    } else {
      this.#open.add(object);
      this.#addCollection(object);
      this.#open.delete(object);
      this.#written.add(object);
    }
  }

  #addCollection(object: object): void {
    if (object instanceof Instance) this.#write(object.value);
    else if (object instanceof Uint8Array || object instanceof ArrayBuffer || object instanceof DataView) {
      this.#addBase64(object);
    } else if (object instanceof Map) {
      if ([...object.keys()].every((key) => typeof key === "string")) this.#addFields(object);
      else this.#addElements(object);
    } else if (object instanceof Set || Array.isArray(object) || ArrayBuffer.isView(object)) {
      this.#addElements(object as Iterable<unknown>);
    } else {
      this.#addFields(Object.entries(object));
    }
  }

  #addElements(elements: Iterable<unknown>): void {
    let separator = "[";
    for (const element of elements) {
      this.add(separator);
      this.#write(element);
      separator = ",";
    }
    this.add(separator === "[" ? "[]" : "]");
  }

  #addFields(fields: Iterable<[unknown, unknown]>): void {
    let separator = "{";
    for (const [name, value] of fields) {
      this.add(`${separator}${JSON.stringify(name)}:`);
      this.#write(value);
      separator = ",";
    }
    this.add(separator === "{" ? "{}" : "}");
  }

  #addBase64(object: Uint8Array | ArrayBuffer | DataView): void {
    const bytes = ArrayBuffer.isView(object)
      ? new Uint8Array(object.buffer, object.byteOffset, object.byteLength)
      : new Uint8Array(object);
    this.add('"');
    for (let at = 0; at < bytes.length; at += BASE64_PIECE) {
      this.add(btoa(String.fromCharCode(...bytes.subarray(at, at + BASE64_PIECE))));
    }
    this.add('"');
  }
}
