// Figures that the pages state are those of the code.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { QUOTED_BYTES_MAX } from "../../src/base/quoted.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";
import { flagsOf } from "../../src/server/settings/flags.ts";

function page(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
}

/** The number in front of `unit` where `pattern` stands on the page, without its commas. */
function figure(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  assert.ok(found, `no ${pattern} on the page`);
  return Number(found.replaceAll(",", ""));
}

test("README.md says how many commands there are", () => {
  assert.equal(figure(page("README.md"), /RESP2 and RESP3: (\d+) commands/), ROWS.length);
});

test("README.md has rows for flags of memhive serve, docs/settings.md has them all", () => {
  const options = [...page("README.md").matchAll(/^\| `--([a-z-]+)` \|/gm)].map(([, name]) => name);
  const flags = flagsOf().map(({ name }) => name);
  assert.ok(options.length > 0);
  assert.deepEqual(
    options.filter((name) => !flags.includes(name!)),
    [],
  );
  for (const name of flags) assert.ok(page("docs/settings.md").includes(`\`--${name}`), name);
});

test("docs/redis-differences.md has the limits of silence and of quoting", () => {
  const text = page("docs/redis-differences.md");
  assert.equal(figure(text, /no whole first line (\d+) seconds/), DEFAULT_LIMITS.firstBytesTimeoutMs / 1000);
  assert.equal(figure(text, /An error quotes at most (\d+) bytes/), QUOTED_BYTES_MAX);
});

test("SECURITY.md has the limits that a stranger meets", () => {
  const text = page("SECURITY.md");
  const KIB = 1024;
  const MIB = 1024 * KIB;
  assert.equal(figure(text, /to the first line \| (\d+) s/), DEFAULT_LIMITS.firstBytesTimeoutMs / 1000);
  assert.equal(figure(text, /tell HTTP from RESP \| (\d+) KiB/), DEFAULT_LIMITS.firstLineBytesMax / KIB);
  const before = /unknown inline commands \| (\d+), (\d+) KiB, (\d+) s, (\d+);/.exec(text)?.slice(1).map(Number);
  assert.deepEqual(before, [
    DEFAULT_LIMITS.unauthenticatedArgumentsMax,
    DEFAULT_LIMITS.unauthenticatedBytesMax / KIB,
    DEFAULT_LIMITS.authenticationTimeoutMs / 1000,
    DEFAULT_LIMITS.unknownInlineMax,
  ]);
  assert.equal(figure(text, /a key, field or member \| (\d+) MiB − 1 B/) * MIB - 1, DEFAULT_LIMITS.keyBytesMax);
  assert.equal(figure(text, /a value \| (\d+) MiB/) * MIB, DEFAULT_LIMITS.valueBytesMax);
  assert.equal(figure(text, /all arguments of one call; how many \| (\d+) MiB/) * MIB, DEFAULT_LIMITS.frameBytesMax);
  assert.equal(figure(text, /how many \| \d+ MiB; ([\d,]+)/), DEFAULT_LIMITS.argumentsMax);
  assert.equal(figure(text, /the inline form \| (\d+) KiB/) * KIB, DEFAULT_LIMITS.inlineBytesMax);
  assert.equal(figure(text, /connections at once \| ([\d,]+)/), DEFAULT_LIMITS.connectionsMax);
  assert.equal(figure(text, /to read them \| (\d+) MiB at once/) * MIB, DEFAULT_LIMITS.outputBytesMax);
  assert.equal(figure(text, /MULTI and EXEC \| ([\d,]+) calls/), DEFAULT_LIMITS.transactionCallsMax);
});
