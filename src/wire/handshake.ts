// The handshake of the native protocol: what the two ends tell each other before the first call.
//
//   dialing end ──HELLO { token, name, … }──▶ hive          hive ──WELCOME { version, limits, … }──▶ dialing end
//
// Both bodies are maps, so that a later version can add to them: what is not known is passed over, what
// is of the wrong type is refused.

import { HiveError } from "../base/errors.ts";
import { PROTOCOL_VERSION } from "./frame.ts";

/** Who dials. */
export type Hello = {
  /** The token that it has, where it has one. */
  token?: string;
  /** What the connection calls itself: visible ASCII, for CLIENT LIST. */
  name?: string;
  library?: string;
  libraryVersion?: string;
  /** It sends something at least this often, and expects the same. 0: it does not, and expects nothing. */
  heartbeatMs: number;
  /** What it can do beside the first version of the protocol. */
  features: readonly string[];
};

/** Who answers. */
export type Welcome = {
  /** Of the protocol: the highest that both speak. */
  version: number;
  /** Of the hive: its package's version, its run id, and this connection's number in CLIENT LIST. */
  hive: string;
  runId: string;
  connectionId: number;
  heartbeatMs: number;
  limits: WelcomeLimits;
  features: readonly string[];
  /** Given by a hive whose memory can be read by processes of its host: where it lies, or why not by this end. */
  shared?: SharedOffer;
};

/** Where segments lie, and the version of their layout (store/layout.ts); or why this connection may not read them. */
export type SharedOffer = { folder: string; layout: number } | { why: string };

/** What the hive takes: see base/limits.ts. */
export type WelcomeLimits = {
  frameBytesMax: number;
  argumentsMax: number;
  keyBytesMax: number;
  valueBytesMax: number;
  valueDepthMax: number;
  /** Calls of one connection that wait for their answer. */
  openCallsMax: number;
};

/** @throws {HiveError} BAD_FRAME */
export function readHello(body: unknown): Hello {
  const fields = fieldsOf(body, "HELLO");
  return {
    ...optionalText(fields, "token"),
    ...optionalText(fields, "name"),
    ...optionalText(fields, "library"),
    ...optionalText(fields, "libraryVersion"),
    heartbeatMs: count(fields, "heartbeatMs"),
    features: features(fields),
  };
}

/** @throws {HiveError} BAD_FRAME; NO_PROTOCOL: the hive goes on with a version that this end did not offer. */
export function readWelcome(body: unknown): Welcome {
  const fields = fieldsOf(body, "WELCOME");
  const version = count(fields, "version");
  if (version < 1 || version > PROTOCOL_VERSION) {
    throw new HiveError("NO_PROTOCOL", `the hive speaks version ${version}, this end up to ${PROTOCOL_VERSION}`);
  }
  const limits = fieldsOf(fields["limits"], "the limits of WELCOME");
  return {
    version,
    hive: text(fields, "hive"),
    runId: text(fields, "runId"),
    connectionId: count(fields, "connectionId"),
    heartbeatMs: count(fields, "heartbeatMs"),
    limits: {
      frameBytesMax: count(limits, "frameBytesMax"),
      argumentsMax: count(limits, "argumentsMax"),
      keyBytesMax: count(limits, "keyBytesMax"),
      valueBytesMax: count(limits, "valueBytesMax"),
      valueDepthMax: count(limits, "valueDepthMax"),
      openCallsMax: count(limits, "openCallsMax"),
    },
    features: features(fields),
    ...sharedOffer(fields),
  };
}

function sharedOffer(fields: Fields): { shared?: SharedOffer } {
  if (fields["shared"] === undefined) return {};
  const offer = fieldsOf(fields["shared"], "shared in WELCOME");
  if (offer["why"] !== undefined) return { shared: { why: text(offer, "why") } };
  return { shared: { folder: text(offer, "folder"), layout: count(offer, "layout") } };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(body: unknown, what: string): Fields {
  const prototype: unknown = typeof body === "object" && body !== null ? Object.getPrototypeOf(body) : undefined;
  if (prototype !== Object.prototype) throw new HiveError("BAD_FRAME", `${what} is a map`);
  return body as Fields;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw new HiveError("BAD_FRAME", `${name} in the handshake is a text`);
}

function optionalText<Name extends string>(fields: Fields, name: Name): { [Key in Name]?: string } {
  if (fields[name] === undefined) return {};
  return { [name]: text(fields, name) } as { [Key in Name]?: string };
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new HiveError("BAD_FRAME", `${name} in the handshake is a whole number from 0 on`);
}

function features(fields: Fields): readonly string[] {
  const value = fields["features"];
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((feature) => typeof feature === "string")) return value;
  throw new HiveError("BAD_FRAME", "features in the handshake is an array of texts");
}
