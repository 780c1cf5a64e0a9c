// The HTTP door over an engine that answers at once, and over one that answers every call later.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { rowsOfDevices } from "../../src/devices/rows.ts";
import { HttpDoor } from "../../src/doors/http/door.ts";
import { DelayedEngine } from "../../src/engine/delayed-engine.ts";
import type { Runner } from "../../src/engine/engine.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import { Store } from "../../src/store/store.ts";
import { ScriptedExchange, ScriptedLine } from "../kit/scripted-exchange.ts";

function localEngine(): LocalEngine {
  return new LocalEngine({ rows: rowsOfDevices(), store: new Store({ nowMs: 1 }), clock: new ManualClock() });
}

const ENGINES: Readonly<Record<string, () => Runner>> = {
  LocalEngine: localEngine,
  DelayedEngine: () => new DelayedEngine(localEngine()),
};
const JSON_TYPE = { "content-type": "application/json" };
const XML_TYPE = { "content-type": "text/xml" };

for (const [name, engine] of Object.entries(ENGINES)) {
  test(`HttpDoor over ${name}: tables, calls, transactions, XML-RPC, errors, the end`, async () => {
    const door = new HttpDoor({
      runner: engine(),
      limits: DEFAULT_LIMITS,
      version: "0.0.0",
      origins: [],
      hosts: [],
      notReady: () => undefined,
      openSocket: () => undefined,
      quotas: () => [],
      onNotice() {},
    });
    const handler = door.open(new ScriptedLine());
    const ask = async (method: string, target: string, more?: object): Promise<[status: number, body: string]> => {
      const exchange = new ScriptedExchange(method, target, more);
      await handler.handle(exchange);
      const { status, body = "" } = exchange.answered!;
      return [status, Buffer.from(body as string).toString()];
    };
    const call = (...words: unknown[]) => ask("POST", "/v1/call", { headers: JSON_TYPE, body: JSON.stringify(words) });
    assert.deepEqual(await ask("PUT", "/v1/tables/t/k", { headers: JSON_TYPE, body: '{"a":[1]}' }), [204, ""]);
    assert.deepEqual(await ask("GET", "/v1/tables/t/k"), [200, '{"a":[1]}']);
    assert.deepEqual(await call("HGETALL", "t"), [200, '{"result":{"k":{"a":[1]}}}']);
    assert.deepEqual(await call(["INCR", "n"], ["GET", "no"]), [200, '{"result":[1,null]}']);
    assert.equal((await call("INCR", "t"))[0], 409);
    assert.deepEqual(await ask("DELETE", "/v1/tables/t/k"), [204, ""]);
    assert.equal((await ask("GET", "/v1/tables/t/k"))[0], 404);
    const xml =
      "<methodCall><methodName>memory_labels</methodName><params><param><value/></param><param><value>d</value></param></params></methodCall>";
    assert.match((await ask("POST", "/", { headers: XML_TYPE, body: xml }))[1], /<boolean>1<\/boolean>/);
    assert.equal((await ask("GET", "/v1/tables/t/k", { headers: { host: "evil.example" } }))[0], 403);
    door.close();
    assert.equal((await call("PING"))[0], 503);
    assert.equal((await ask("GET", "/readyz"))[0], 503);
    assert.equal((await ask("GET", "/healthz"))[0], 200);
    handler.closed();
  });
}
