// The browser's entry: nothing of Node is reached from it, it needs no package, and it type-checks with the DOM alone.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../src/client/browser.ts";
import { Hive } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = join(ROOT, "src/client/browser.ts");

/** Every file that is reached, and every import that is no file. */
function reached(entry: string): { files: Set<string>; outside: Set<string> } {
  const files = new Set<string>();
  const outside = new Set<string>();
  const walk = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    const text = readFileSync(path, "utf8");
    for (const match of text.matchAll(/^(?:import|export)\b[^;"]*?\bfrom\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm)) {
      const specifier = (match[1] ?? match[2])!;
      if (specifier.startsWith(".")) walk(normalize(join(dirname(path), specifier)));
      else outside.add(specifier);
    }
  };
  walk(entry);
  return { files, outside };
}

test("no module of Node and no package is reached from the browser's entry", () => {
  const { files, outside } = reached(ENTRY);
  assert.ok(files.size > 25, `${files.size} files`);
  assert.deepEqual([...outside], []);
});

test("it type-checks with the DOM and without Node's types", () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-browser-"));
  try {
    const base = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8").replace(/^\s*\/\/.*$/gm, ""));
    const lib = ["es2024", "esnext.array", "esnext.disposable", "esnext.iterator", "dom"];
    const compilerOptions = { ...base.compilerOptions, lib, types: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [ENTRY] }));
    execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    assert.fail(String((error as { stdout?: string }).stdout ?? error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("it connects to what has a dial of its own, and says that addresses cannot be opened", async () => {
  const hive = await Hive.start({ listen: false });
  const client = await connect(hive);
  await client.put("k", new Map([["a", 1]]));
  assert.deepEqual(await client.get("k"), new Map([["a", 1]]));
  await client.close();
  await hive.close();
  assert.equal((await failure(connect("hive://127.0.0.1:4483"))).code, "UNSUPPORTED");
});
