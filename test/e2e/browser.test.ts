// A page in headless Chromium that uses the client over WebSocket, from an origin that the hive knows, and from one
// that it does not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { Hive } from "../../src/server/hive.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";

const skip = await installDebianPackages(["chromium"]);
const SRC = new URL("../../src/", import.meta.url);

/** Serves an empty page, and the client's modules with their types stripped. */
async function serveModules(): Promise<{ origin: string; server: Server }> {
  const server = createServer(({ url = "" }, response) => {
    const isModule = /^\/[a-z-]+\/[a-z0-9-]+\.ts$/.test(url);
    response.setHeader("Content-Type", isModule ? "text/javascript" : "text/html");
    if (!isModule) return void response.end("<!doctype html><title>memhive</title>");
    response.end(stripTypeScriptTypes(readFileSync(new URL(`.${url}`, SRC), "utf8")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const PROGRAM = `async (url) => {
  const { connect } = await import("/client/browser.ts");
  const hive = await connect(url, { token: "what the page was given" });
  const users = hive.table("users");
  await users.set("ada", { born: 1815, at: new Date(0) });
  const ada = await users.get("ada");
  const subscription = await hive.subscribe("news");
  await hive.publish("news", "hello");
  const { value } = await subscription.next();
  await subscription.return();
  const big = new Uint8Array(1_000_000).fill(7);
  await hive.put("big", big);
  const same = (await hive.get("big")).every((byte) => byte === 7);
  const session = await hive.session("page", { ttlMs: 60_000, sliding: true });
  const ended = session.ends();
  await session.put("cart", { items: [1] });
  await session.merge("cart", { paid: true });
  const cart = await session.fetch("cart");
  await session.close();
  const left = await session.fetch("cart");
  const how = await ended;
  await hive.close();
  return { born: ada.born, at: ada.at.getTime(), message: value.value, same, cart, left: left === undefined, how };
}`;

test("a page sets, gets, subscribes and holds a session over WebSocket; a page of another origin is refused", {
  skip,
}, async () => {
  const { origin, server } = await serveModules();
  await using hive = await Hive.start({ port: 0, token: "what the page was given", http: { origins: [origin] } });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const url = JSON.stringify(`ws://127.0.0.1:${hive.port}`);
    await page.goto(origin);
    const session = { cart: { items: [1], paid: true }, left: true, how: "closed" };
    const expected = { born: 1815, at: 0, message: "hello", same: true, ...session };
    assert.deepEqual(await page.evaluate(`(${PROGRAM})(${url})`), expected);
    // The same page by another name is another origin.
    await page.goto(origin.replace("127.0.0.1", "localhost"));
    await assert.rejects(page.evaluate(`(${PROGRAM})(${url})`), /refused, or nobody answers/);
    const read = `fetch("http://127.0.0.1:${hive.port}/v1/openapi.json").then(() => "read", () => "refused")`;
    assert.equal(await page.evaluate(read), "refused");
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
});
