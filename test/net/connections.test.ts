// How many connections there may be, in all and from one address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Connections, hostOf } from "../../src/net/connections.ts";
import { ScriptedTransport } from "../kit/scripted-transport.ts";

test("an address counts as itself, IPv6 by its network, loopback not at all", () => {
  // biome-ignore format: a table reads better aligned
  const cases: [address: string, host: string | undefined][] = [
    ["192.0.2.7",                    "192.0.2.7"],
    ["::ffff:192.0.2.7",             "192.0.2.7"],
    ["127.0.0.1",                    undefined],
    ["127.9.9.9",                    undefined],
    ["::ffff:127.0.0.1",             undefined],
    ["::1",                          undefined],
    ["2001:db8:1:2:3:4:5:6",         "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6",              "2001:db8:1:2::/64"],
    ["2001:db8::6",                  "2001:db8:0:0::/64"],
    ["fe80::fc:ff:fe00:1%eth0",      "fe80:0:0:0::/64"],
    ["::2",                          "0:0:0:0::/64"],
  ];
  for (const [address, host] of cases) assert.equal(hostOf(address), host, address);
});

test("one address above its limit is refused, others are not; it is told once, until half of them have gone", () => {
  const connections = new Connections(100, 4);
  const open = Array.from({ length: 4 }, () => new ScriptedTransport());
  for (const transport of open) assert.equal(connections.add(transport, "192.0.2.1").refusedBy, undefined);
  const refuse = (): { first: boolean; crowded: boolean } => {
    const transport = new ScriptedTransport();
    const { refusedBy, first, crowded } = connections.add(transport, "192.0.2.1");
    assert.equal(refusedBy, "connectionsPerAddressMax");
    connections.delete(transport);
    return { first, crowded };
  };
  assert.deepEqual(refuse(), { first: true, crowded: false });
  assert.deepEqual(refuse(), { first: false, crowded: false });
  assert.equal(connections.add(new ScriptedTransport(), "192.0.2.2").refusedBy, undefined);
  for (let i = 0; i < 10; i++) assert.equal(connections.add(new ScriptedTransport(), "127.0.0.1").refusedBy, undefined);
  assert.equal(connections.add(new ScriptedTransport()).refusedBy, undefined);
  for (const transport of open.slice(0, 2)) connections.delete(transport);
  for (let i = 0; i < 2; i++) connections.add(new ScriptedTransport(), "192.0.2.1");
  assert.equal(refuse().first, true);
});

test("where as many are refused as are let in, the next one is not even told", () => {
  const connections = new Connections(2);
  const seen = Array.from({ length: 6 }, () => connections.add(new ScriptedTransport()));
  assert.deepEqual(
    seen.map(({ refusedBy }) => refusedBy),
    [undefined, undefined, ...new Array<string>(4).fill("connectionsMax")],
  );
  assert.deepEqual(
    seen.map(({ crowded }) => crowded),
    [false, false, false, false, true, true],
  );
});
