// Fields: /v1/tables/{table}/{key}, one field of a table, and /v1/devices/{id}/{label}, one label of a device.
//
//   GET ──▶ HGET ──▶ JSON, text or bytes, as Accept says        PUT ──▶ Content-Type ──▶ HSET, HSETEX        DELETE ──▶ HDEL
//           DEVICE.FETCH                                                                 DEVICE.PUT                     DEVICE.DELETE
//
// Table and key are raw bytes, as on RESP: what is escaped in the path may be any; a device's id is text.

import { HiveError } from "../../base/errors.ts";
import type { HttpAnswer, HttpExchange } from "../../base/http-exchange.ts";
import type { Limits } from "../../base/limits.ts";
import { type Args, KIND_RAW, KIND_TEXT, KIND_VALUE } from "../../engine/args.ts";
import { isUtf8 } from "../../wire/utf8.ts";
import { valueToText } from "../../wire/value.ts";
import { type Argument, jsonOf, packed, parseJson, valueArgument } from "./json.ts";
import { type ReplyNode, Stored } from "./reply-tree.ts";
import { HttpRefusal, JSON_HEADERS, noSuchPage, textOfJson, wrongMethod } from "./status.ts";
import { partBytes, type Target } from "./target.ts";

/** What runs calls for who asks. */
type Caller = { readonly limits: Limits; call(args: Args): Promise<ReplyNode> };

const METHODS: readonly string[] = ["GET", "HEAD", "PUT", "DELETE"];

/** What is asked for in a field, and the commands that do it. */
type Place = {
  read: string;
  remove: string;
  write(field: readonly Argument[], value: Argument, how: { ttl: string | undefined; onlyNew: boolean }): Argument[];
  missing: string;
};

const TABLE: Place = {
  read: "HGET",
  remove: "HDEL",
  missing: "the table has no such key, or there is no such table",
  write([table, key], value, { ttl, onlyNew }) {
    if (ttl === undefined && !onlyNew) return ["HSET", table!, key!, value];
    const options = [...(onlyNew ? ["FNX"] : []), ...(ttl === undefined ? [] : ["PX", ttl])];
    return ["HSETEX", table!, ...options, "FIELDS", "1", key!, value];
  },
};

const DEVICE: Place = {
  read: "DEVICE.FETCH",
  remove: "DEVICE.DELETE",
  missing: "the device has no such label",
  write(field, value, { ttl, onlyNew }) {
    if (onlyNew) throw new HiveError("UNSUPPORTED", "If-None-Match: a label of a device is set whatever it holds");
    return ["DEVICE.PUT", ...field, value, ...(ttl === undefined ? [] : ["PX", ttl])];
  },
};

/** Whether a path is that of a field; the page refuses what is none all the same. */
export function isFieldPath(path: string): boolean {
  return path.startsWith("/v1/tables/") || path.startsWith("/v1/devices/");
}

export async function fieldPage(caller: Caller, exchange: HttpExchange, target: Target): Promise<HttpAnswer> {
  const [, kind, container, name, ...more] = target.parts;
  if (!container || name === undefined || more.length > 0) throw noSuchPage(target.path);
  const place = kind === "devices" ? DEVICE : TABLE;
  const field = [raw(partBytes(container)), raw(partBytes(name))];
  const { method } = exchange;
  if (method === "PUT") return put(caller, exchange, { place, field, query: target.query(["ttlMs"]) });
  if (!METHODS.includes(method)) throw wrongMethod(method, METHODS);
  target.query([]);
  if (method === "DELETE") {
    if ((await caller.call(packed([place.remove, ...field]))) !== 1) throw missing(place);
    return { status: 204 };
  }
  const form = formOf(exchange.headers["accept"]);
  const stored = await caller.call(packed([place.read, ...field]));
  if (!(stored instanceof Stored)) throw missing(place);
  return shown(stored, form, caller.limits);
}

function missing(place: Place): HiveError {
  return new HiveError("NO_KEY", place.missing);
}

function raw(bytes: Buffer): Argument {
  return { bytes, kind: KIND_RAW };
}

// Writing.

type Put = { place: Place; field: readonly Argument[]; query: Readonly<Record<string, string | undefined>> };

async function put(caller: Caller, exchange: HttpExchange, { place, field, query }: Put): Promise<HttpAnswer> {
  const { limits } = caller;
  const { headers } = exchange;
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  requireStorable(type, headers["content-encoding"]);
  const ttl = query["ttlMs"];
  if (ttl !== undefined && !/^[1-9]\d{0,14}$/.test(ttl)) {
    throw new HiveError("INVALID_ARGUMENT", "ttlMs: expected whole milliseconds above 0");
  }
  const onlyNew = onlyWhereNew(headers["if-none-match"]);
  const bytesMax = isJson(type) ? limits.httpTextBytesMax : limits.frameBytesMax;
  const value = bodyValue(type, await exchange.readBody(bytesMax), limits);
  const args = place.write(field, value, { ttl, onlyNew });
  const done = await caller.call(packed(args));
  if (onlyNew && done === 0) throw new HttpRefusal(412, new HiveError("CONFLICT", "there is such a key already"));
  return { status: 204 };
}

/** @throws {HttpRefusal} 415: what would be stored is not what the sender means. */
function requireStorable(type: string, encoding: string | undefined): void {
  if (type === "application/x-www-form-urlencoded" || type.startsWith("multipart/")) {
    const how = "say Content-Type: application/json, text/plain or application/octet-stream";
    throw new HttpRefusal(415, new HiveError("UNSUPPORTED", `a form is no value: ${how}`));
  }
  if (encoding !== undefined && encoding !== "identity") {
    throw new HttpRefusal(415, new HiveError("UNSUPPORTED", "a value is sent as it is, without Content-Encoding"));
  }
}

function onlyWhereNew(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  throw new HiveError("UNSUPPORTED", "If-None-Match: only * is known, which sets what is not there");
}

function isJson(type: string): boolean {
  return type === "application/json" || type.endsWith("+json");
}

function bodyValue(type: string, body: Buffer, limits: Limits): Argument {
  if (isJson(type)) return valueArgument(parseJson(body), limits);
  if (!type.startsWith("text/")) return raw(body);
  if (!isUtf8(body, 0, body.length)) throw new HiveError("BAD_VALUE", "the body is not UTF-8, and said to be text");
  return { bytes: body, kind: KIND_TEXT };
}

// Reading.

type Form = "json" | "text" | "bytes";

const FORMS: readonly (readonly [range: string, form: Form])[] = [
  ["application/json", "json"],
  ["application/*", "json"],
  ["*/*", "json"],
  ["text/plain", "text"],
  ["text/*", "text"],
  ["application/octet-stream", "bytes"],
];

/** The form that is wanted most. @throws {HttpRefusal} 406: none that there is */
function formOf(accept: string = "*/*"): Form {
  let best: { form: Form; weight: number } | undefined;
  for (const range of accept.split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const form = FORMS.find(([known]) => known === name)?.[1];
    const weight = Number(parameters.find((part) => part.startsWith("q="))?.slice(2) ?? 1);
    if (form !== undefined && weight > 0 && weight > (best?.weight ?? 0)) best = { form, weight };
  }
  if (best !== undefined) return best.form;
  const forms = "application/json, text/plain, application/octet-stream";
  throw new HttpRefusal(406, new HiveError("UNSUPPORTED", `Accept: a value comes as one of ${forms}`));
}

function shown(stored: Stored, form: Form, { outputBytesMax }: Limits): HttpAnswer {
  if (form === "json") return textOfJson(jsonOf(stored, outputBytesMax));
  const { bytes, kind } = stored;
  if (form === "bytes") return plain("application/octet-stream", bytes);
  if (kind === KIND_VALUE) return plain("text/plain; charset=utf-8", valueToText(bytes));
  if (isUtf8(bytes, 0, bytes.length)) return plain("text/plain; charset=utf-8", bytes);
  throw new HiveError("NOT_TEXT", "the value is not UTF-8: send Accept: application/octet-stream");
}

function plain(type: string, body: Uint8Array | string): HttpAnswer {
  return { status: 200, headers: { ...JSON_HEADERS, "Content-Type": type }, body };
}
