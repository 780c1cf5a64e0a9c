// Addresses: where a hive is, as a text.
//
//   hive://[:TOKEN@]host[:port]   TCP             unix:/path   a unix socket
//   hives://[:TOKEN@]host[:port]  TCP with TLS    hive:///path, hives:///… are refused

import { HiveError } from "../base/errors.ts";

/** H-I-V-E on a phone. */
export const DEFAULT_PORT = 4483;
export const DEFAULT_URL: string = `hive://127.0.0.1:${DEFAULT_PORT}`;

export type Address = {
  target: { host: string; port: number } | { path: string };
  encrypted: boolean;
  token: string | undefined;
  /** Without the token: for messages. */
  shown: string;
};

/** @throws {HiveError} REFUSED_SETTING; the message never has what may be a token. */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (path === "") throw refused("a unix socket's path is missing: unix:/path");
    return { target: { path }, encrypted: false, token: undefined, shown: `unix:${path}` };
  }
  if (!URL.canParse(text)) throw refused("it is no URL");
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol === "ws:" || protocol === "wss:") {
    throw new HiveError("UNSUPPORTED", `this release does not speak WebSocket: expected ${EXPECTED}`);
  }
  if (protocol !== "hive:" && protocol !== "hives:") throw refused(`the protocol ${protocol} is not one of ours`);
  if (hostname === "") throw refused("the host is missing");
  if ((pathname !== "" && pathname !== "/") || search !== "" || hash !== "")
    throw refused("nothing may follow the port");
  const host = decoded(hostname).replace(/^\[|\]$/g, "");
  const number = port === "" ? DEFAULT_PORT : Number(port);
  const secret = decoded(password === "" ? username : password);
  return {
    target: { host, port: number },
    encrypted: protocol === "hives:",
    token: secret === "" ? undefined : secret,
    shown: `${protocol}//${hostname}:${number}`,
  };
}

/** @throws {HiveError} REFUSED_SETTING: a % that means nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("its token has a % that is no escape: write %25");
  }
}

const EXPECTED = "hive://host:port, hives://host:port or unix:/path";

function refused(reason: string): HiveError {
  return new HiveError("REFUSED_SETTING", `this is no address of a hive (${reason}): expected ${EXPECTED}`);
}
