// Origin: requests that web pages make, and names that they reach us by.
//
//   Origin, Sec-Fetch-Site ──▶ ours, or of http.origins?          Host ──▶ an address, localhost, or of http.hosts?
//
// A page of anybody may make its visitor's browser send requests to 127.0.0.1, or to a name that it points there
// after it was loaded. Who has a valid token is let in whatever name he used; an Origin has to fit in any case.

import { HiveError } from "../../base/errors.ts";
import type { HttpExchange } from "../../base/http-exchange.ts";
import { HttpRefusal } from "./status.ts";

export type OriginOptions = {
  /** Other origins whose pages may call, "https://app.example". */
  origins: readonly string[];
  /** Other names that this hive is called by, without a port. */
  hosts: readonly string[];
};

/** Of how a page was asked for, those that no other site can cause. */
const OWN_SITE: readonly string[] = ["same-origin", "none"];

/**
 * Headers that let the page read the answer; none where it is our own, or no page.
 * @throws {HttpRefusal} 403: a page of somebody else.
 */
export function admitOrigin({ headers, encrypted }: HttpExchange, { origins }: OriginOptions): Record<string, string> {
  const origin = headers["origin"];
  if (origin === undefined) {
    const site = headers["sec-fetch-site"];
    if (site === undefined || OWN_SITE.includes(site)) return {};
    throw refused("a request that a page of another site makes");
  }
  if (origins.includes(origin)) return { "Access-Control-Allow-Origin": origin, Vary: "Origin" };
  const own = `${encrypted ? "https" : "http"}://${headers["host"]}`;
  if (origin.toLowerCase() === own.toLowerCase()) return {};
  throw refused(`a page of ${printable(origin)}`);
}

/** The answer to a browser that asks before it sends something. */
export function preflight(allowed: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...allowed,
    "Access-Control-Allow-Methods": "GET, HEAD, PUT, DELETE, POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "600",
  };
}

/** @throws {HttpRefusal} 403: the name is one that anybody could have made up. */
export function requireHost({ headers }: HttpExchange, { hosts }: OriginOptions): void {
  const name = hostName(headers["host"] ?? "");
  if (name === "localhost" || isAddress(name) || hosts.includes(name)) return;
  const how = "name it in the setting http.hosts, or send a token";
  throw new HttpRefusal(403, new HiveError("NO_PERMISSION", `this hive is not called ${printable(name)}: ${how}`));
}

/** "Example.org:4483" → "example.org"; "[::1]:4483" → "::1" */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1");
}

/** A name can be pointed anywhere, an address cannot. */
function isAddress(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || /^[0-9a-f:.]*:[0-9a-f:.]*$/.test(name);
}

function refused(what: string): HttpRefusal {
  const how = "the setting http.origins names those that may";
  return new HttpRefusal(403, new HiveError("NO_PERMISSION", `refused ${what}: ${how}`));
}

function printable(text: string): string {
  return text.replace(/[^!-~]/g, "_").slice(0, 128);
}
