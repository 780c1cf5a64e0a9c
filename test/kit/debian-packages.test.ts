// Where nothing can be installed a test is skipped with its reason, and on CI it fails instead.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { installDebianPackages } from "./debian-packages.ts";

const before = { PATH: process.env["PATH"], CI: process.env["CI"] };

afterEach(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

test("what is there needs no installing", async () => {
  assert.equal(await installDebianPackages([]), false);
  assert.equal(await installDebianPackages(["sh", "ls"]), false);
});

test("on a machine without apt the reason names what is missing", async () => {
  process.env["PATH"] = "/nowhere";
  delete process.env["CI"];

  const reason = await installDebianPackages(["redis-server", "redis-tools"]);
  assert.equal(reason, "needs redis-server, redis-tools, and this is no Debian to install them on");
});

test("with CI=true a missing package fails instead", async () => {
  process.env["PATH"] = "/nowhere";
  process.env["CI"] = "true";

  await assert.rejects(installDebianPackages(["redis-server"]), /CI=true allows no skipped tests: needs redis-server/);
});
