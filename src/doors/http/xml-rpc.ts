// XML-RPC at /RPC2 and /: named methods, with a token as their first parameter.
//
//   POST ──▶ gunzip ──▶ readCall() ──▶ METHODS ──▶ token ──▶ DeviceMemory ──▶ responseXml() ──▶ gzip ──▶ answer
//
// The wire is that of an older system (musys), to the letter of its replies. Since the token is in the body, of a
// stranger's no more is read than strangers may send; what is longer has to have a good one in it by then.

import { promisify } from "node:util";
import { constants, createGunzip, gunzip, gzip } from "node:zlib";
import { ERRORS, HiveError, isHiveError } from "../../base/errors.ts";
import type { HttpAnswer, HttpExchange } from "../../base/http-exchange.ts";
import type { Limits } from "../../base/limits.ts";
import type { DeviceMemory, Label } from "./device-memory.ts";
import { HttpRefusal, wrongMethod } from "./status.ts";
import { readCall } from "./xml-rpc-reader.ts";
import { faultXml, responseXml } from "./xml-rpc-writer.ts";

const unzip = promisify(gunzip);
const zip = promisify(gzip);

/** Unknown method, wrong arity, malformed XML. */
const FAULT_CODE = 1;
/** As Python's server has it: shorter answers are not worth the work. */
const GZIP_BYTES_MIN = 1_400;
const PARAMETERS_MAX = 16;

const SUCCESS = [true, "RETURN_STATUS:SUCCESS"];
const WRONG_TOKEN = [false, "RETURN_STATUS:INVALID_AUTH_TOKEN"];
const CAP_REACHED = [false, "RETURN_STATUS:MEMORY_CAP_REACHED"];
const NOT_FOUND = [false, "RETURN_STATUS:MEMORY KEY NOT FOUND"];
const NOTHING_TO_CLEAR = [true, "RETURN_STATUS:MEMORY KEY NOT FOUND"];

export type XmlRpcCaller = {
  readonly limits: Limits;
  readonly isStranger: boolean;
  readonly memory: DeviceMemory;
  /** @throws {HiveError} WRONG_PASSWORD, QUOTA, OVERLOADED */
  authenticate(token: Uint8Array): Promise<void>;
};

type Given = { memory: DeviceMemory; device: string; rest: readonly unknown[] };
type Method = { parameters: readonly string[]; run(given: Given): Promise<unknown> };

/** By name; each takes token and device first. */
const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  [
    "memory_put",
    {
      parameters: ["label", "data"],
      async run({ memory, device, rest }) {
        await memory.put(device, labelOf(rest[0]), rest[1]);
        return SUCCESS;
      },
    },
  ],
  [
    "memory_fetch",
    {
      parameters: ["label"],
      async run({ memory, device, rest }) {
        const found = await memory.fetch(device, labelOf(rest[0]));
        return found === undefined ? NOT_FOUND : [true, found.value];
      },
    },
  ],
  [
    "memory_clear",
    {
      parameters: [],
      run: async ({ memory, device }) => ((await memory.clear(device)) ? SUCCESS : NOTHING_TO_CLEAR),
    },
  ],
  [
    "memory_has",
    {
      parameters: ["label"],
      run: async ({ memory, device, rest }) => [true, await memory.has(device, labelOf(rest[0]))],
    },
  ],
  [
    "memory_delete",
    {
      parameters: ["label"],
      run: async ({ memory, device, rest }) => ((await memory.delete(device, labelOf(rest[0]))) ? SUCCESS : NOT_FOUND),
    },
  ],
  ["memory_labels", { parameters: [], run: async ({ memory, device }) => [true, await memory.labels(device)] }],
]);

export function isXmlRpc(path: string): boolean {
  return path === "/RPC2" || path === "/";
}

export async function xmlRpcPage(caller: XmlRpcCaller, exchange: HttpExchange): Promise<HttpAnswer> {
  const { method, headers } = exchange;
  if (method !== "POST") throw wrongMethod(method, ["POST"]);
  if (!/^(text|application)\/xml\b/i.test(headers["content-type"] ?? "")) {
    throw new HttpRefusal(415, new HiveError("UNSUPPORTED", "XML-RPC has Content-Type: text/xml"));
  }
  const isZipped = zippedOf(headers["content-encoding"]);
  let xml: string | Uint8Array;
  try {
    const body = await received(caller, exchange, isZipped);
    xml = responseXml(await called(caller, body), caller.limits.outputBytesMax);
  } catch (error) {
    xml = failureXml(error);
  }
  return answered(xml, headers["accept-encoding"]);
}

function zippedOf(encoding: string = "identity"): boolean {
  if (encoding === "identity") return false;
  if (encoding === "gzip" || encoding === "x-gzip") return true;
  throw new HttpRefusal(415, new HiveError("UNSUPPORTED", "Content-Encoding: only gzip is known"));
}

/** The whole request, unzipped. */
async function received(caller: XmlRpcCaller, exchange: HttpExchange, isZipped: boolean): Promise<Buffer> {
  const { limits, isStranger } = caller;
  const afterBytes = limits.unauthenticatedBytesMax;
  const gate = { afterBytes, check: (begun: Buffer) => requireToken(caller, begun, isZipped) };
  const body = await exchange.readBody(limits.httpTextBytesMax, isStranger ? gate : undefined);
  if (!isZipped) return body;
  // A few bytes may stand for very many.
  if (caller.isStranger) await requireToken(caller, body.subarray(0, afterBytes), isZipped);
  try {
    return await unzip(body, { maxOutputLength: limits.httpTextBytesMax });
  } catch (error) {
    const isTooBig = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    if (isTooBig)
      throw new HiveError("FRAME_TOO_BIG", `the request exceeds httpTextBytesMax (${limits.httpTextBytesMax})`);
    throw new HiveError("BAD_VALUE", "malformed request: this is no gzip", { cause: error });
  }
}

/** Whether what has come of a request has a good token in it. @throws {HiveError} */
async function requireToken(caller: XmlRpcCaller, begun: Buffer, isZipped: boolean): Promise<void> {
  const text = (isZipped ? await unzippedStart(begun, caller.limits) : begun).toString();
  const [, typed, bare] =
    /<params>\s*<param>\s*<value>(?:\s*<string>([^<]*)<\/string>|([^<]*)<\/value>)/.exec(text) ?? [];
  const token = typed ?? bare;
  if (token === undefined) {
    throw new HiveError("NO_AUTH", "malformed request: no token at its beginning");
  }
  await caller.authenticate(Buffer.from(unescaped(token)));
}

/** No more of it than strangers may send, however much it stands for. */
async function unzippedStart(begun: Buffer, { unauthenticatedBytesMax }: Limits): Promise<Buffer> {
  const unzipping = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  unzipping.end(begun);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of unzipping) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= unauthenticatedBytesMax) break;
    }
  } catch (error) {
    throw new HiveError("BAD_VALUE", "malformed request: this is no gzip", { cause: error });
  }
  return Buffer.concat(chunks);
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

async function called(caller: XmlRpcCaller, body: Buffer): Promise<unknown> {
  const { limits } = caller;
  const { method: name, params } = readCall(body, { depthMax: limits.valueDepthMax, paramsMax: PARAMETERS_MAX });
  const method = METHODS.get(name);
  if (method === undefined) throw new HiveError("UNKNOWN_COMMAND", `method "${name.slice(0, 128)}" is not supported`);
  const [token, device, ...rest] = params;
  const expected = ["token", "device", ...method.parameters];
  if (params.length !== expected.length) {
    const count = `${params.length} parameter${params.length === 1 ? "" : "s"}`;
    throw new HiveError("WRONG_ARITY", `${name}() takes ${expected.join(", ")}: ${count} came`);
  }
  if (typeof token !== "string") return WRONG_TOKEN;
  await caller.authenticate(Buffer.from(token));
  return method.run({ memory: caller.memory, device: deviceOf(device), rest });
}

function deviceOf(device: unknown): string {
  if (typeof device === "string") return device;
  if (typeof device === "number") return String(device);
  throw new HiveError("INVALID_ARGUMENT", "the device is a string or an integer");
}

function labelOf(label: unknown): Label {
  if (typeof label === "string" || typeof label === "number") return label;
  throw new HiveError("INVALID_ARGUMENT", "the label is a string or an integer");
}

/** What failed, in the words of the older system where it has some. @throws what is our own mistake */
function failureXml(error: unknown): string | Uint8Array {
  if (!isHiveError(error)) throw error;
  const { code, message } = error;
  if (code === "CONNECTION_LOST" || code === "HIVE_CLOSED") throw error;
  if (code === "WRONG_PASSWORD" || code === "NO_PERMISSION") return responseXml(WRONG_TOKEN, Number.POSITIVE_INFINITY);
  const isFull =
    code === "OUT_OF_MEMORY" || code === "VALUE_TOO_BIG" || (code === "QUOTA" && /^(bytes|keys):/.test(message));
  if (isFull) return responseXml(CAP_REACHED, Number.POSITIVE_INFINITY);
  return faultXml(CALLERS_MISTAKES.has(code) ? FAULT_CODE : ERRORS[code].fault, message);
}

const CALLERS_MISTAKES: ReadonlySet<string> = new Set([
  ...["BAD_VALUE", "UNKNOWN_COMMAND", "WRONG_ARITY", "INVALID_ARGUMENT", "FRAME_TOO_BIG", "NO_AUTH"],
]);

async function answered(body: string | Uint8Array, accepted: string = ""): Promise<HttpAnswer> {
  const headers = { "Content-Type": "text/xml", "Cache-Control": "no-store" };
  const isZipped = body.length > GZIP_BYTES_MIN && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted);
  if (!isZipped) return { status: 200, headers, body };
  return { status: 200, headers: { ...headers, "Content-Encoding": "gzip" }, body: await zip(body) };
}
