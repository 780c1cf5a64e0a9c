// docs/limits.md names every limit once, in the order of the sources, with its default.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";

test("the page has every limit with its default", () => {
  const page = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \|$/gm)].map(([, name, value]) => [name, Number(value)]);
  assert.deepEqual(rows, Object.entries(DEFAULT_LIMITS));
});
