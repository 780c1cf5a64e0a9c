// What lies under deploy/ fits the hive that it starts: settings, allocator, health check; and systemd takes the unit.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ALLOCATOR_SETTINGS, NODE_FLAGS } from "../../src/cli/launch.ts";
import { tryFlags } from "../../src/server/settings/flags.ts";
import { resolveSettings } from "../../src/server/settings/resolve.ts";
import { SETTINGS } from "../../src/server/settings/table.ts";

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));
}

function read(name: string): string {
  return readFileSync(pathOf(name), "utf8");
}

test("the example of a settings file is one that serve takes", () => {
  const flags = tryFlags(["--config", pathOf("memhive.json")])!.texts;
  const settings = resolveSettings({ flags });
  assert.equal(settings.get("maxMemoryBytes")!.value, 2 ** 30);
  assert.equal(settings.get("unix")!.value, "/run/memhive/memhive.sock");
  const set = [...settings.values()].filter(({ source }) => source.kind === "file");
  assert.ok(set.length >= 6);
});

test("unit and container give the process what it would otherwise start over for", () => {
  for (const name of ["memhive.service", "Containerfile"]) {
    const text = read(name);
    for (const [variable, value] of Object.entries(ALLOCATOR_SETTINGS)) {
      assert.ok(text.includes(`${variable}=${value}`), `${variable} in ${name}`);
    }
    assert.ok(text.includes(`NODE_OPTIONS=${NODE_FLAGS.join(" ")}`), name);
  }
});

test("variables of the unit and the container are settings", () => {
  const known = SETTINGS.map(({ environment }) => environment);
  for (const [, variable] of read("Containerfile").matchAll(/^\s+(MEMHIVE_\w+)=/gm)) {
    assert.ok(known.includes(variable!), variable);
  }
});

test("systemd takes the unit without a word", (t) => {
  const verified = spawnSync("systemd-analyze", ["verify", "--man=no", pathOf("memhive.service")], {
    encoding: "utf8",
  });
  if (verified.error !== undefined) return t.skip("systemd is not here");
  assert.equal(verified.stderr, "");
  assert.equal(verified.status, 0);
});

test("the unit confines the hive", () => {
  const unit = read("memhive.service");
  for (const line of ["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="]) {
    assert.match(unit, new RegExp(`^${line}$`, "m"));
  }
  // A descriptor for each connection that the example allows.
  const descriptors = Number(/^LimitNOFILE=(\d+)$/m.exec(unit)![1]);
  assert.ok(descriptors > JSON.parse(read("memhive.json")).limits.connectionsMax);
});

test("the container is nobody's root, keeps its data in a volume and asks the hive how it is", () => {
  const text = read("Containerfile");
  assert.match(text, /^USER node$/m);
  assert.match(text, /^VOLUME \["\/data"\]$/m);
  assert.match(text, /^HEALTHCHECK [\s\S]*CMD \["memhive", "send", "PING"/m);
  assert.match(text, /^FROM docker\.io\/library\/node:24-slim$/m);
});
