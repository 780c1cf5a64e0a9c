// Shipping: every form of a function or class is revived and used in another process, or refused with its reason.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { revive, ShippedCode, ship } from "../../src/ship/node.ts";
import { FORMS } from "./forms.ts";
import { REFUSALS } from "./refusals.ts";

test("every form is revived and used in another process", async () => {
  assert.ok(FORMS.length + REFUSALS.length >= 70 && FORMS.length >= 40, `${FORMS.length} forms`);
  await using hive = await Hive.start({ port: 0 });
  await using db = await connect(hive);
  const device = db.device("shipping");
  for (const { what, make } of FORMS) await device.put(what, make());
  const child = fileURLToPath(new URL("other-process.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child, `hive://127.0.0.1:${hive.port}`]);
  const given: unknown[] = JSON.parse(stdout);
  assert.equal(given.length, FORMS.length);
  for (const [index, { what, gives }] of FORMS.entries()) assert.deepEqual(given[index], gives, what);
});

test("what cannot run elsewhere is refused, with the reason and before anything is sent", () => {
  for (const { what, make, reason } of REFUSALS) {
    assert.throws(make, (error: Error & { code?: string }) => {
      assert.equal(error.code, "CANNOT_SHIP", `${what}: ${error}`);
      assert.match(error.message, reason, what);
      return true;
    });
  }
});

test("without code: true what was shipped is a description, and nothing of it runs", async () => {
  await using hive = await Hive.start({ port: 0 });
  await using db = await connect(hive);
  const device = db.device("d");
  const globals = globalThis as { ran?: number };
  const code = new ShippedCode("Evil", {
    kind: "class",
    source: "class Evil { static { globalThis.ran = (globalThis.ran ?? 0) + 1; } }",
    bindings: { rate: 2 },
  });
  await device.put("evil", code);
  await device.put("inside", { list: [code], map: new Map([["code", code]]) });
  const inert = await device.fetch<ShippedCode>("evil");
  assert.deepEqual(inert, code);
  assert.ok(inert instanceof ShippedCode);
  await device.fetch("inside");
  await device.fetch("evil", { code: false });
  await device.fetch("evil", { as: "auto" });
  await db.table("$device:d").get("evil");
  await db.send(["HGETALL", "$device:d"]);
  assert.equal(globals.ran, undefined);
  const { list, map } = (await device.fetch<{ list: unknown[]; map: Map<string, unknown> }>("inside", { code: true }))!;
  assert.equal(globals.ran, 1, "code that is in a value twice is one class");
  assert.equal(list[0], map.get("code"));
  assert.equal((list[0] as { name: string }).name, "Evil");
  delete globals.ran;
});

test("sessions carry code too, and revive() takes it from anywhere", async () => {
  await using hive = await Hive.start({ port: 0 });
  await using db = await connect(hive);
  await using session = await db.session("d", { ttlMs: 60_000 });
  const rate = 4;
  await session.put(
    "f",
    ship((n: number) => n * rate, { bindings: { rate } }),
  );
  const revived = await session.fetch<(n: number) => number>("f", { code: true });
  assert.equal(revived!(2), 8);
  await db.put("f", (await session.fetch("f"))!);
  const inert = await db.get<ShippedCode>("f");
  assert.equal(revive<(n: number) => number>(inert!)(3), 12);
  assert.throws(() => revive({} as ShippedCode), { code: "BAD_VALUE" });
});

test("a class that was shipped can be named in types", async () => {
  await using hive = await Hive.start({ port: 0 });
  await using db = await connect(hive);
  class Reading {
    celsius = 21;
    warm(): boolean {
      return this.celsius > 20;
    }
  }
  const sender = db.device("d", { types: [Reading] });
  await sender.put("Reading", ship(Reading));
  await sender.put("r", new Reading());
  const Fetched = (await db.device("d").fetch<typeof Reading>("Reading", { code: true }))!;
  const reading = await db.device("d", { types: [Fetched] }).fetch<Reading>("r");
  assert.equal(Object.getPrototypeOf(reading), Fetched.prototype);
  assert.notEqual(Fetched, Reading);
  assert.equal(reading!.warm(), true);
});

test("code that is broken, too much, or names what is no name is refused where it is revived", async () => {
  const code = (source: string, bindings: Record<string, unknown> = {}): ShippedCode =>
    new ShippedCode("f", { kind: "arrow", source, bindings });
  for (const [broken, message] of [
    [code("(a) => {"), /cannot revive f: SyntaxError/],
    [code("7"), /is no arrow/],
    [code("() => 1", { "a){": 1 }), /a\)\{ is no name/],
    [code("() => 1", { __proto__x: 1, "": 1 }), / is no name/],
    [code(`() => "${"x".repeat(1_048_576)}"`), /CODE_UNITS_MAX/],
    [code("() => 1", { all: Array.from({ length: 256 }, () => code("() => 1")) }), /CODES_MAX/],
  ] as const) {
    assert.throws(() => revive(broken), { code: "BAD_VALUE", message });
  }
  const self: { code?: ShippedCode } = {};
  const deep = code("() => self", { self });
  self.code = deep;
  assert.throws(() => revive(deep), { code: "BAD_VALUE", message: /holds itself/ });
});

test("how much code goes along is limited by name", () => {
  const tower = (floors: number): (new () => object) => {
    let top = class Ground {} as new () => object;
    for (let floor = 1; floor < floors; floor++) top = new Function("Base", "return class Next extends Base {}")(top);
    return top;
  };
  assert.doesNotThrow(() => new (revive<new () => object>(ship(tower(24))))());
  assert.throws(() => ship(tower(25)), { code: "CANNOT_SHIP", message: /CODE_DEPTH_MAX \(24\)/ });
  const crowd = (count: number): ShippedCode => {
    const names = Array.from({ length: count }, (_, index) => `f${index}`);
    const bindings = Object.fromEntries(names.map((name) => [name, new Function(`return () => "${name}"`)()]));
    return ship(new Function(`return () => [${names}].length`)(), { bindings });
  };
  assert.equal(revive<() => number>(crowd(255))(), 255);
  assert.throws(() => crowd(256), { code: "CANNOT_SHIP", message: /CODES_MAX \(256\)/ });
});

test("no binding reaches Object.prototype, and none is seen that was not given", () => {
  const bindings = JSON.parse('{ "__proto__": { "polluted": true }, "rate": 1 }');
  const shipped = ship(new Function("return () => [rate, typeof polluted, typeof reviving]")(), {
    bindings,
    globals: ["polluted", "reviving"],
  });
  assert.deepEqual(Object.keys(shipped.bindings), ["rate"]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.deepEqual(revive<() => unknown>(shipped)(), [1, "undefined", "undefined"]);
});
