// XML-RPC answers, in the form of Python's xmlrpc module, line breaks and all.
//
//   value ──▶ responseXml() ──▶ <methodResponse>…        message ──▶ faultXml() ──▶ <fault>
//
// Integers of up to 32 bits are <int>, beyond <i8>. A Double is a <double>, 3.0 too. What XML-RPC has no word for is
// said with those that it has: Map as struct or array of pairs, Set and typed arrays as array, what has no
// value as <nil/>.

import { HiveError } from "../../base/errors.ts";
import { Double, Instance } from "../../wire/value.ts";

const HEAD = "<?xml version='1.0'?>\n<methodResponse>\n";
const BASE64_LINE = 76;
const NO_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** @throws {HiveError} NOT_TEXT: a text that XML cannot carry; BAD_VALUE: a cycle; OUTPUT_TOO_BIG */
export function responseXml(value: unknown, bytesMax: number): string {
  const writer = new Writer(bytesMax);
  writer.value(value);
  return `${HEAD}<params>\n<param>\n${writer.text}</param>\n</params>\n</methodResponse>\n`;
}

export function faultXml(code: number, message: string): string {
  const writer = new Writer(Number.POSITIVE_INFINITY);
  writer.value({ faultCode: code, faultString: message });
  return `${HEAD}<fault>\n${writer.text}</fault>\n</methodResponse>\n`;
}

class Writer {
  text = "";
  readonly #unitsMax: number;
  readonly #open = new Set<object>();

  constructor(unitsMax: number) {
    this.#unitsMax = unitsMax;
  }

  value(value: unknown): void {
    if (this.text.length > this.#unitsMax) {
      throw new HiveError("OUTPUT_TOO_BIG", `the answer exceeds outputBytesMax (${this.#unitsMax})`);
    }
    if (typeof value === "string") this.#scalar("string", escaped(value));
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#bigint(value);
    else if (typeof value === "boolean") this.#scalar("boolean", value ? "1" : "0");
    else if (value instanceof Double) this.#scalar("double", doubleText(value.value));
    else if (value instanceof Date && !Number.isNaN(value.getTime())) this.#date(value);
    else if (value instanceof Uint8Array) this.#base64(value);
    else if (typeof value === "object" && value !== null && !(value instanceof Date)) this.#collection(value);
    else this.text += "<value><nil/></value>\n";
  }

  #scalar(type: string, text: string): void {
    this.text += `<value><${type}>${text}</${type}></value>\n`;
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
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
    let lines = "";
    for (let at = 0; at < text.length; at += BASE64_LINE) lines += `${text.slice(at, at + BASE64_LINE)}\n`;
    this.text += `<value><base64>\n${lines}</base64></value>\n`;
  }

  #collection(value: object): void {
    if (value instanceof ArrayBuffer) return this.#base64(new Uint8Array(value));
    if (this.#open.has(value)) throw new HiveError("BAD_VALUE", "an object inside itself: XML-RPC cannot say that");
    this.#open.add(value);
    if (value instanceof Instance) this.value(value.value);
    else if (value instanceof Map) {
      if ([...value.keys()].every((key) => typeof key === "string")) this.#struct(value);
      else this.#array(value);
    } else if (Array.isArray(value) || value instanceof Set) this.#array(value);
    else if (ArrayBuffer.isView(value) && !(value instanceof DataView))
      this.#array(value as unknown as Iterable<number>);
    else if (value instanceof String) this.#scalar("string", escaped(String(value)));
    else this.#struct(Object.entries(value));
    this.#open.delete(value);
  }

  #array(elements: Iterable<unknown>): void {
    this.text += "<value><array><data>\n";
    for (const element of elements) this.value(element);
    this.text += "</data></array></value>\n";
  }

  #struct(members: Iterable<[unknown, unknown]>): void {
    this.text += "<value><struct>\n";
    for (const [name, member] of members) {
      this.text += `<member>\n<name>${escaped(String(name))}</name>\n`;
      this.value(member);
      this.text += "</member>\n";
    }
    this.text += "</struct></value>\n";
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
  if (NO_CHARACTER.test(text)) throw new HiveError("NOT_TEXT", "the text has a character that XML cannot carry");
  if (!/[&<>\r]/.test(text)) return text;
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}
