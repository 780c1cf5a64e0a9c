// docs/redis-differences.md names every setting that has no effect, and no other.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { REDIS_SETTINGS, SETTING_ALIASES } from "../../src/engine/redis-settings.ts";
import { startCalls } from "../kit/calls.ts";

const page = readFileSync(new URL("../../docs/redis-differences.md", import.meta.url), "utf8");
const section = page.split("### `settings-without-effect`")[1]!.split("### `")[0]!;
const [, acting = "", inert = "", fixed = "", aliases = ""] =
  /Settings that act are(.*)Without effect are:(.*)These can only be read[^:]*:(.*)Older names(.*)/s.exec(section) ??
  [];

function names(text: string): string[] {
  return [...text.matchAll(/`([a-z_-]+)`/g)].map((match) => match[1]!).toSorted();
}

test("settings without effect, and those that can only be read, are on the page, and no others", () => {
  const expected = (canChange: boolean): string[] =>
    REDIS_SETTINGS.filter((setting) => setting.canChange === canChange).map(({ name }) => name);
  assert.deepEqual(names(inert), expected(true).toSorted());
  assert.deepEqual(names(fixed), expected(false).toSorted());
});

test("the page says for which setting an older name stands", () => {
  const pairs = [...aliases.matchAll(/`([a-z-]+)` is `([a-z-]+)`/g)].map(([, alias, name]) => [alias, name]);
  assert.deepEqual(pairs.toSorted(), [...SETTING_ALIASES].toSorted());
});

test("every other setting of CONFIG GET * acts, and the page says so", () => {
  const all = (startCalls().call("CONFIG", "GET", "*") as string[]).filter((_, index) => index % 2 === 0);
  const known = new Set([...REDIS_SETTINGS.map(({ name }) => name), ...SETTING_ALIASES.keys()]);
  assert.deepEqual(all.filter((name) => !known.has(name)).toSorted(), names(acting));
});
