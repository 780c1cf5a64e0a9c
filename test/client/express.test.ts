// HiveStore: the contract of express-session's stores, and a real express server with parallel requests.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import express, { type Request, type Response } from "express";
import session, { Cookie, type SessionData } from "express-session";
import { ManualClock } from "../../src/base/clock.ts";
import { HiveStore } from "../../src/client/express.ts";
import { type Client, connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";

type Data = SessionData & Record<string, unknown>;

async function withHive(run: (client: Client, hive: Hive, clock: ManualClock) => Promise<void>): Promise<void> {
  const clock = new ManualClock(Date.now());
  await using hive = await Hive.start({ listen: false, clock });
  await using client = await connect(hive);
  await run(client, hive, clock);
}

/** The methods with promises. */
function promised(store: HiveStore) {
  return {
    get: promisify(store.get.bind(store)) as (sid: string) => Promise<Data | null>,
    set: promisify(store.set.bind(store)) as (sid: string, data: unknown) => Promise<void>,
    touch: promisify(store.touch.bind(store)) as unknown as (sid: string, data: unknown) => Promise<void>,
    destroy: promisify(store.destroy.bind(store)) as (sid: string) => Promise<void>,
    all: promisify(store.all.bind(store)) as () => Promise<Record<string, Data>>,
    length: promisify(store.length.bind(store)) as () => Promise<number>,
    clear: promisify(store.clear.bind(store)) as () => Promise<void>,
  };
}

function data(fields: Record<string, unknown>, maxAge = 60_000): unknown {
  const cookie = new Cookie();
  cookie.maxAge = maxAge;
  return { cookie, ...fields };
}

test("the contract of a store: get, set, destroy, all, length, clear", async () => {
  await withHive(async (client) => {
    const store = promised(new HiveStore({ client, device: "web/1" }));
    assert.equal(await store.get("none"), null);
    assert.deepEqual([await store.length(), await store.all()], [0, {}]);
    await store.set("a", data({ name: "ada", nested: { list: [1, { x: null }] } }));
    const a = (await store.get("a"))!;
    assert.deepEqual(
      { ...a, cookie: undefined },
      { cookie: undefined, name: "ada", nested: { list: [1, { x: null }] } },
    );
    assert.equal(typeof a.cookie.expires, "string");
    await store.set("a", data({ other: true }));
    assert.deepEqual(
      Object.keys((await store.get("a"))!).sort(),
      ["cookie", "other"],
      "what is set takes the place of all",
    );
    await store.set("b *?[", data({ n: 1 }));
    await promised(new HiveStore({ client })).set("c", data({ n: 1 }));
    assert.equal(await store.length(), 2);
    const all = await store.all();
    assert.deepEqual([Object.keys(all).sort(), all["b *?["]!["n"]], [["a", "b *?["], 1]);
    await store.destroy("a");
    await store.destroy("a");
    assert.equal(await store.get("a"), null);
    await store.clear();
    assert.equal(await store.length(), 0);
    assert.equal(await promised(new HiveStore({ client })).length(), 1, "those of another device stay");
  });
});

test("a session ends when its cookie does, and touch slides that", async () => {
  await withHive(async (client, hive, clock) => {
    const pass = (ms: number): void => {
      clock.advance(ms);
      hive.engine.tick();
    };
    const store = promised(new HiveStore({ client, ttlMs: 5000 }));
    await store.set("cookie", data({ n: 1 }, 10_000));
    await store.set("none", { cookie: {}, n: 1 });
    pass(5000);
    assert.equal(await store.get("none"), null);
    await store.touch("cookie", data({ n: 2 }, 10_000));
    pass(9000);
    assert.equal((await store.get("cookie"))!["n"], 1, "touch writes nothing but the time");
    pass(1100);
    assert.equal(await store.get("cookie"), null);
    await store.touch("cookie", data({ n: 2 }, 10_000));
    assert.equal(await store.get("cookie"), null, "what has ended stays so");
    await store.set("past", data({ n: 1 }, 10_000));
    await store.set("past", data({ n: 1 }, -1));
    assert.equal(await store.get("past"), null);
  });
});

test("what a callback throws is an uncaught exception, and what fails is its first argument", async () => {
  const hive = await Hive.start({ listen: false });
  const client = await connect(hive);
  const store = promised(new HiveStore({ client }));
  await assert.rejects(store.set("big", data({ text: "x".repeat(70 * 1024 * 1024) })));
  await client.close();
  for (const call of [() => store.get("a"), () => store.set("a", data({})), () => store.all(), () => store.clear()]) {
    await assert.rejects(call, { code: "HIVE_CLOSED" });
  }
  await hive.close();
});

/** A web server with sessions in a hive, and a browser that keeps its cookie. */
async function site(
  t: TestContext,
  client: Client,
  routes: Record<string, (request: Request, response: Response) => void>,
) {
  const app = express();
  const store = new HiveStore({ client });
  const options = { secret: "s", store, resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } };
  app.use(session(options));
  for (const [path, handler] of Object.entries(routes)) app.get(path, handler);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let cookie = "";
  return {
    store: promised(store),
    async get(path: string): Promise<string> {
      const response = await fetch(`${url}${path}`, { headers: { cookie, connection: "close" } });
      const [set] = response.headers.getSetCookie();
      if (set !== undefined) cookie = set.split(";")[0]!;
      return `${response.status} ${await response.text()}`;
    },
  };
}

type Loose = Record<string, unknown>;

test("a real express server: login, use, regenerate and logout", async (t) => {
  await using hive = await Hive.start({ port: 0 });
  await using client = await connect(`hive://127.0.0.1:${hive.port}`);
  const web = await site(t, client, {
    "/views": ({ session }, response) => {
      const fields = session as unknown as Loose;
      fields["views"] = ((fields["views"] as number) ?? 0) + 1;
      response.send(String(fields["views"]));
    },
    "/forget": ({ session }, response) => {
      delete (session as unknown as Loose)["views"];
      response.send("forgotten");
    },
    "/look": ({ session }, response) => void response.send(Object.keys(session).sort().join()),
    "/login": (request, response) => {
      request.session.regenerate(() => {
        (request.session as unknown as Loose)["user"] = { name: "ada" };
        request.session.save(() => void response.send("hello"));
      });
    },
    "/logout": ({ session }, response) => void session.destroy(() => void response.send("bye")),
  });
  assert.equal(await web.get("/look"), "200 cookie");
  assert.equal(await web.store.length(), 0, "a session without content is not stored");
  for (const views of [1, 2, 3]) assert.equal(await web.get("/views"), `200 ${views}`);
  assert.equal(await web.get("/forget"), "200 forgotten");
  assert.equal(await web.get("/look"), "200 cookie");
  assert.equal(await web.get("/login"), "200 hello");
  assert.equal(await web.store.length(), 1, "the session before the login is gone");
  assert.equal(await web.get("/look"), "200 cookie,user");
  const [[sid, stored]] = Object.entries(await web.store.all()) as [[string, Data]];
  assert.deepEqual(stored["user"], { name: "ada" });
  assert.deepEqual(await client.table(`$session:express:${sid}`).get("user"), { name: "ada" }, "every door reads it");
  assert.equal(await web.get("/logout"), "200 bye");
  assert.equal(await web.store.length(), 0);
  assert.equal(await web.get("/look"), "200 cookie");
});

test("parallel requests of one session do not undo each other, and a logout wins", async (t) => {
  await using hive = await Hive.start({ port: 0 });
  await using client = await connect(`hive://127.0.0.1:${hive.port}`);
  const gates = new Map<string, () => void>();
  const here: (() => void)[] = [];
  /** Holds a request, which has read its session, until the test lets it go. */
  const gate = (name: string): Promise<void> =>
    new Promise((resolve) => {
      gates.set(name, resolve);
      for (const tell of here.splice(0)) tell();
    });
  const arrived = async (count: number): Promise<void> => {
    while (gates.size < count) await new Promise<void>((resolve) => here.push(resolve));
  };
  const web = await site(t, client, {
    "/set": async ({ session, query }, response) => {
      const name = String(query["name"]);
      if (query["wait"]) await gate(name);
      (session as unknown as Loose)[name] = 1;
      response.send("set");
    },
    "/touch": async (_, response) => {
      await gate("touch");
      response.send("touched");
    },
    "/logout": ({ session }, response) => void session.destroy(() => void response.send("bye")),
  });
  await web.get("/set?name=first");
  const names = Array.from({ length: 20 }, (_, i) => `field${i}`);
  const requests = names.map((name) => web.get(`/set?wait=1&name=${name}`));
  await arrived(20);
  for (const open of gates.values()) open();
  assert.deepEqual(new Set(await Promise.all(requests)), new Set(["200 set"]));
  const [stored] = Object.values(await web.store.all());
  assert.deepEqual(Object.keys(stored!).sort(), ["cookie", "first", ...names].sort());

  gates.clear();
  const late = [web.get("/set?wait=1&name=late"), web.get("/touch")];
  await arrived(2);
  assert.equal(await web.get("/logout"), "200 bye");
  for (const open of gates.values()) open();
  assert.deepEqual(await Promise.all(late), ["200 set", "200 touched"]);
  assert.equal(await web.store.length(), 0, "what was in hand when the session was closed does not bring it back");
});
