// XML-RPC answers, in the form of Python's xmlrpc module, line breaks and all.
//
//   value ──▶ responseXml() ──▶ <methodResponse>…        message ──▶ faultXml() ──▶ <fault>
//
// Integers of up to 32 bits are <int>, beyond <i8>. A Double is a <double>, 3.0 too. What XML-RPC has no word for is
// said with those that it has: Map as struct or array of pairs, Set and typed arrays as array, what has no
// value as <nil/>. A shared object is written out at each place, and thirty objects can share their way to 2^30 places:
// where that comes to much more than the objects themselves, the answer is refused.

import { HiveError } from "../../base/errors.ts";
import { GrowingText } from "../../base/growing-text.ts";
import { Double, Instance } from "../../wire/value.ts";

const HEAD = "<?xml version='1.0'?>\n<methodResponse>\n";
/** Bytes in a line of base64, and those that are encoded in one go: both in whole groups of three. */
const BASE64_LINE = 57;
const BASE64_PIECE: number = 57 * 256;
/** What objects that were written before may come to in characters: this many, or as often what was written once. */
const SHARED_UNITS_MAX = 1_048_576;
const SHARED_TIMES_MAX = 4;
/** What is not written as it is, and what cannot be written, and what stands between them. */
const SPECIAL = /[&<>\x00-\x1f\ufffe\uffff]/;
const NO_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** @throws {HiveError} NOT_TEXT: a text that XML cannot carry; BAD_VALUE: a cycle; OUTPUT_TOO_BIG */
export function responseXml(value: unknown, bytesMax: number): string | Uint8Array {
  const writer = new Writer(bytesMax);
  writer.add(`${HEAD}<params>\n<param>\n`);
  writer.value(value);
  writer.add("</param>\n</params>\n</methodResponse>\n");
  return writer.whole();
}

export function faultXml(code: number, message: string): string | Uint8Array {
  const writer = new Writer();
  writer.add(`${HEAD}<fault>\n`);
  writer.value({ faultCode: code, faultString: message });
  writer.add("</fault>\n</methodResponse>\n");
  return writer.whole();
}

class Writer extends GrowingText {
  readonly #open = new Set<object>();
  readonly #written = new Set<object>();
  /** How much of the text is of objects that were written before; where the one at hand began. */
  #againUnits = 0;
  #againFrom: number | undefined = undefined;

  value(value: unknown): void {
    if (this.#againFrom !== undefined) this.#checkAgain(this.#againUnits + this.size - this.#againFrom);
    if (typeof value === "string") this.#scalar("string", escaped(value));
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#bigint(value);
    else if (typeof value === "boolean") this.#scalar("boolean", value ? "1" : "0");
    else if (value instanceof Double) this.#scalar("double", doubleText(value.value));
    else if (value instanceof Date && !Number.isNaN(value.getTime())) this.#date(value);
    else if (typeof value === "object" && value !== null && !(value instanceof Date)) this.#collection(value);
    else this.add("<value><nil/></value>\n");
  }

  #scalar(type: string, text: string): void {
    this.add(`<value><${type}>${text}</${type}></value>\n`);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return this.#scalar("double", doubleText(value));
    this.#scalar(value === (value | 0) ? "int" : "i8", String(value));
  }

  #bigint(value: bigint): void {
    const isLong = BigInt.asIntN(64, value) === value;
    if (isLong) this.#scalar(BigInt.asIntN(32, value) === value ? "int" : "i8", String(value));
    else this.#scalar("string", String(value));
  }

  #date(date: Date): void {
    const [day = "", time = ""] = date.toISOString().split("T");
    this.#scalar("dateTime.iso8601", `${day.replaceAll("-", "")}T${time.slice(0, 8)}`);
  }

  #base64(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.add("<value><base64>\n");
    for (let from = 0; from < buffer.length; from += BASE64_PIECE) {
      const to = Math.min(buffer.length, from + BASE64_PIECE);
      let lines = "";
      for (let at = from; at < to; at += BASE64_LINE)
        lines += `${buffer.toString("base64", at, Math.min(to, at + BASE64_LINE))}\n`;
      this.add(lines);
    }
    this.add("</base64></value>\n");
  }

  /** Each place of a shared object is written out while that comes to about what the objects are themselves. */
  #checkAgain(units: number): void {
    if (units <= SHARED_UNITS_MAX || units <= (this.size - units) * SHARED_TIMES_MAX) return;
    throw new HiveError(
      "OUTPUT_TOO_BIG",
      "the value has objects in very many places: XML-RPC cannot say that they are shared",
    );
  }

  #collection(value: object): void {
    if (this.#open.has(value)) throw new HiveError("BAD_VALUE", "an object inside itself: XML-RPC cannot say that");
    const isAgain = this.#againFrom === undefined && this.#written.has(value);
    if (isAgain) this.#againFrom = this.size;
    this.#open.add(value);
    if (value instanceof Instance) this.value(value.value);
    else if (value instanceof Uint8Array) this.#base64(value);
    else if (value instanceof ArrayBuffer) this.#base64(new Uint8Array(value));
    else if (value instanceof Map) {
      if ([...value.keys()].every((key) => typeof key === "string")) this.#struct(value);
      else this.#array(value);
    } else if (Array.isArray(value) || value instanceof Set) this.#array(value);
    else if (ArrayBuffer.isView(value) && !(value instanceof DataView))
      this.#array(value as unknown as Iterable<number>);
    else if (value instanceof String) this.#scalar("string", escaped(String(value)));
    else this.#struct(Object.entries(value));
    this.#open.delete(value);
    this.#written.add(value);
    if (!isAgain) return;
    this.#againUnits += this.size - this.#againFrom!;
    this.#againFrom = undefined;
    this.#checkAgain(this.#againUnits);
  }

  #array(elements: Iterable<unknown>): void {
    this.add("<value><array><data>\n");
    for (const element of elements) this.value(element);
    this.add("</data></array></value>\n");
  }

  #struct(members: Iterable<[unknown, unknown]>): void {
    this.add("<value><struct>\n");
    for (const [name, member] of members) {
      this.add(`<member>\n<name>${escaped(String(name))}</name>\n`);
      this.value(member);
      this.add("</member>\n");
    }
    this.add("</struct></value>\n");
  }
}

/** 3.0 as 3.0: whoever reads it has to see what it is. */
function doubleText(value: number): string {
  if (value !== value) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A carriage return is written as a number: readers of XML make a line feed of it. */
function escaped(text: string): string {
  if (!SPECIAL.test(text)) return text;
  if (NO_CHARACTER.test(text)) throw new HiveError("NOT_TEXT", "the text has a character that XML cannot carry");
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}
