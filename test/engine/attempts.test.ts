// Attempts: how long an address waits after wrong tokens, how long that is remembered, and what bounds it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { Attempts, senderOf } from "../../src/engine/attempts.ts";

test("each failure doubles the wait, up to a bound, and time forgives", () => {
  const attempts = new Attempts(DEFAULT_LIMITS);
  assert.equal(attempts.waitMs("a", 0), 0);
  const waits = Array.from({ length: 8 }, () => {
    attempts.failed("a", 0);
    return attempts.waitMs("a", 0);
  });
  assert.deepEqual(waits, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
  assert.equal(attempts.waitMs("a", 1999.5), 1);
  assert.equal(attempts.waitMs("a", 2000), 0);
  assert.equal(attempts.waitMs("b", 0), 0, "another address is another matter");
  assert.equal(attempts.failed("a", 60_000), 9);
  attempts.failed("b", 60_000 + DEFAULT_LIMITS.failedAddressMs);
  assert.equal(attempts.size, 1, "forgotten");
  assert.equal(attempts.failed("a", 60_001 + DEFAULT_LIMITS.failedAddressMs), 1);
});

test("a thousand failures are no more than the bound", () => {
  const attempts = new Attempts(DEFAULT_LIMITS);
  for (let i = 0; i < 2000; i++) attempts.failed("a", i);
  assert.equal(attempts.waitMs("a", 1999), 2000);
});

test("of too many addresses the one that failed longest ago is forgotten", () => {
  const attempts = new Attempts({ ...DEFAULT_LIMITS, failedAddressesMax: 2 });
  for (const address of ["a", "b", "a", "c"]) attempts.failed(address, 0);
  assert.deepEqual(
    ["a", "b", "c"].map((address) => attempts.waitMs(address, 0) > 0),
    [true, false, true],
  );
});

test("no more than so many of an address wait", () => {
  const attempts = new Attempts({ ...DEFAULT_LIMITS, waitingAuthenticationsMax: 2 });
  assert.deepEqual(
    [attempts.enter("a"), attempts.enter("a"), attempts.enter("a"), attempts.enter("b")],
    [true, true, false, true],
  );
  attempts.leave("a");
  assert.ok(attempts.enter("a"));
});

test("a sender is a host; of IPv6 its network; of a unix socket its path", () => {
  const senders: [address: string, sender: string][] = [
    ["127.0.0.1:50123", "127.0.0.1"],
    ["[::1]:50123", "0:0:0:0"],
    ["[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2"],
    ["[2001:db8:1:2::9]:1", "2001:db8:1:2"],
    ["[2001:db8::9]:1", "2001:db8:0:0"],
    ["[::ffff:10.0.0.1]:1", "10.0.0.1"],
    ["/run/hive.sock:0", "/run/hive.sock"],
    ["?:0", "?"],
  ];
  for (const [address, sender] of senders) assert.equal(senderOf(address), sender);
});
