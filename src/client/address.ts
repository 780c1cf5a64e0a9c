// Addresses: where a hive is, as a text.
//
//   hive://[:TOKEN@]host[:port]   TCP             unix:/path   a unix socket
//   hives://[:TOKEN@]host[:port]  TCP with TLS    hive:///path, hives:///… are refused
//   ws://…, wss://…               WebSocket, alone and over TLS

import { HiveError } from "../base/errors.ts";

/** H-I-V-E on a phone. */
export const DEFAULT_PORT = 4483;
export const DEFAULT_URL: string = `hive://127.0.0.1:${DEFAULT_PORT}`;

export type Address = {
  target: { host: string; port: number } | { path: string };
  encrypted: boolean;
  /** Over WebSocket: then `shown` is its URL. */
  webSocket: boolean;
  token: string | undefined;
  /** Without the token: for messages. */
  shown: string;
};

/** @throws {HiveError} REFUSED_SETTING; the message never has what may be a token. */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (path === "") throw refused("a unix socket's path is missing: unix:/path");
    return { target: { path }, encrypted: false, webSocket: false, token: undefined, shown: `unix:${path}` };
  }
  if (!URL.canParse(text)) throw refused("it is no URL");
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const webSocket = protocol === "ws:" || protocol === "wss:";
  if (protocol !== "hive:" && protocol !== "hives:" && !webSocket)
    throw refused(`the protocol ${protocol} is not one of ours`);
  if (hostname === "") throw refused("the host is missing");
  if ((pathname !== "" && pathname !== "/") || search !== "" || hash !== "")
    throw refused("nothing may follow the port");
  const host = decoded(hostname).replace(/^\[|\]$/g, "");
  // The parser of URLs leaves out the ports that these have elsewhere: 80 and 443 have to be meant.
  const number = port === "" ? (webSocket && hasPort(text) ? USUAL_PORT[protocol]! : DEFAULT_PORT) : Number(port);
  const secret = decoded(password === "" ? username : password);
  return {
    target: { host, port: number },
    encrypted: protocol === "hives:" || protocol === "wss:",
    webSocket,
    token: secret === "" ? undefined : secret,
    shown: `${protocol}//${hostname}:${number}`,
  };
}

const USUAL_PORT: Readonly<Record<string, number>> = { "ws:": 80, "wss:": 443 };

/** Whether the address says a port, even the usual one. */
function hasPort(text: string): boolean {
  return /:\d+\/?$/.test(text);
}

/** @throws {HiveError} REFUSED_SETTING: a % that means nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("its token has a % that is no escape: write %25");
  }
}

const EXPECTED = "hive://host:port, hives://host:port, ws://host:port, wss://host:port or unix:/path";

function refused(reason: string): HiveError {
  return new HiveError("REFUSED_SETTING", `this is no address of a hive (${reason}): expected ${EXPECTED}`);
}
