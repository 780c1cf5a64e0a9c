// Which of several tokens is the hive's: what is nearer to its start, as with every setting.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { singleToken } from "../../src/cli/token-options.ts";
import { resolveSettings } from "../../src/server/settings/resolve.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-token-options-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "hive.token");
writeFileSync(file, "token-of-the-file-itself\n", { mode: 0o600 });

type Given = { flags?: Record<string, string>; environment?: Record<string, string>; config?: object };

function chosen({ flags = {}, environment = {}, config = {} }: Given): { token: string | undefined; warnings: string } {
  const path = join(folder, "memhive.json");
  writeFileSync(path, JSON.stringify(config));
  const texts = Object.entries({ ...flags, config: path }).map(
    ([name, text]) => [name, { flag: `--${name}`, text }] as const,
  );
  const warnings: string[] = [];
  const settings = resolveSettings({ flags: new Map(texts), environment });
  const { token } = singleToken(settings, (message) => warnings.push(message));
  return { token, warnings: warnings.join("\n") };
}

test("a flag beats the environment, and that the settings file, whether each names a token or its file", () => {
  const token = "token-as-a-text-0123";
  const fromFile = "token-of-the-file-itself";
  assert.deepEqual(chosen({}), { token: undefined, warnings: "" });
  assert.equal(chosen({ config: { tokenFile: file } }).token, fromFile);
  assert.equal(chosen({ config: { tokenFile: "hive.token", token } }).token, fromFile, "of two the file");
  const both = { environment: { MEMHIVE_TOKEN: token }, config: { tokenFile: file } };
  assert.equal(chosen(both).token, token);
  assert.match(
    chosen(both).warnings,
    /^environment MEMHIVE_TOKEN is the token: .*memhive\.json: tokenFile is not read$/,
  );
  assert.equal(chosen({ environment: { MEMHIVE_TOKEN_FILE: file }, config: { token } }).token, fromFile);
  assert.equal(chosen({ ...both, flags: { tokenFile: file } }).token, fromFile);
  assert.equal(chosen({ ...both, flags: { token: "token-of-a-flag-0123" } }).token, "token-of-a-flag-0123");
});

test("what is wrong with a token's file is told with where it was named", () => {
  const none = join(folder, "none");
  const empty = join(folder, "empty");
  writeFileSync(empty, "\n", { mode: 0o600 });
  for (const [given, message] of [
    [{ config: { tokenFile: none } }, /memhive\.json: tokenFile .*ENOENT/],
    [
      { environment: { MEMHIVE_TOKEN_FILE: empty } },
      /^environment MEMHIVE_TOKEN_FILE .*expected one token, on one line/,
    ],
  ] as const) {
    assert.throws(() => chosen(given), { code: "REFUSED_SETTING", message });
  }
});
