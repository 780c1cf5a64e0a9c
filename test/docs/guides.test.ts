// The guides run: the TypeScript blocks of a guide, in order, as one module against a hive of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Hive } from "../../src/server/hive.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The blocks as one module; what a comment says behind a call's end is compared with what the call gave. */
function moduleOf(guide: string, given: Readonly<Record<string, string>>, resultsMin: number): string {
  const page = readFileSync(join(ROOT, "docs", "guides", guide), "utf8");
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
  assert.ok(blocks.length > 4, `${blocks.length} blocks`);
  const source = (...path: string[]): string =>
    `from ${JSON.stringify(pathToFileURL(join(ROOT, "src", ...path)).href)}`;
  const code = blocks
    .join("\n")
    .replaceAll('from "memhive/ship"', source("ship", "node.ts"))
    .replaceAll('from "memhive"', source("client", "node.ts"))
    .replaceAll('from "memhive-server/structure"', source("structures", "index.ts"))
    .replaceAll('from "memhive-server"', source("server", "index.ts"));
  const checked = code.replace(/^(await [^;\n]+); \/\/ (true|false|\d+|"[^"]*"|[[{].*[\]}])(:.*)?$/gm, "same($1, $2);");
  assert.ok(checked.split("same(").length > resultsMin, "results that are compared");
  const constants = Object.entries(given).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
  return `import { deepStrictEqual as same } from "node:assert/strict";\n${constants.join("")}${checked}`;
}

test("docs/guides/client.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  const hive = await Hive.start({ port: 0 });
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("client.md", { url: `hive://127.0.0.1:${hive.port}` }, 8));
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    assert.match(stdout, /70 30/);
    assert.match(stdout, /\{ name: 'GET', key: 'users' \}/);
  } finally {
    await hive.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("docs/guides/ordered.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  const hive = await Hive.start({ port: 0 });
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("ordered.md", { url: `hive://127.0.0.1:${hive.port}` }, 11));
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    assert.equal(stdout, "to ada\nto bob\nto eve\nsending to joe\n");
  } finally {
    await hive.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("docs/guides/events.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  const hive = await Hive.start({ port: 0 });
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("events.md", { url: `hive://127.0.0.1:${hive.port}` }, 4));
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    assert.equal(stdout, "news { headline: 'rain' }\nset users:later\nread everything again: restarted\n");
  } finally {
    await hive.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("docs/guides/shared-reads.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("shared-reads.md", {}, 3));
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    assert.equal(stdout, "true\nada was seen\nhello\ntrue undefined true\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("docs/guides/tokens.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  const hive = await Hive.start({ port: 0, tokens: true });
  try {
    const { token: everything } = await hive.tokens.create({ grants: ["all"] });
    const { token: users } = await hive.tokens.create({ grants: ["read:users:*", "write:users:*"] });
    const file = join(folder, "guide.ts");
    const url = `hive://127.0.0.1:${hive.port}`;
    writeFileSync(file, moduleOf("tokens.md", { url, everything, users }, 6));
    await promisify(execFile)(process.execPath, [file]);
  } finally {
    await hive.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("docs/guides/http.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  const hive = await Hive.start({ port: 0 });
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("http.md", { url: `http://127.0.0.1:${hive.port}` }, 7));
    await promisify(execFile)(process.execPath, [file]);
  } finally {
    await hive.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the tour ends, and shows every part with its answers", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "tour", "tour.ts")]);
  assert.match(stdout, /\n {2}> hive\.get\("greeting"\)\n {4}'hello'\n/);
  assert.match(stdout, /HiveError WRONG_TYPE: /);
  assert.match(stdout, /\n {2}> auction\.at\("lamp"\)\.CLOSE\(\)\n {4}'bob'\n/);
  assert.match(stdout, /\n {2}> session\.close\(\)\n {4}true\n {2}> session\.fetch\("draft"\)\n {4}undefined\n/);
  assert.match(stdout, /That was the tour\./);
});

test("examples/shared-table.ts counts together what its processes count apart", async () => {
  const hive = await Hive.start({ port: 0 });
  try {
    const env = { ...process.env, MEMHIVE_URL: `hive://127.0.0.1:${hive.port}` };
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "shared-table.ts")], {
      env,
    });
    assert.match(stdout, /^the: 12\n/);
  } finally {
    await hive.close();
  }
});

test("examples/ordered.ts does each job once, and ranks who did them", async () => {
  const hive = await Hive.start({ port: 0 });
  try {
    const env = { ...process.env, MEMHIVE_URL: `hive://127.0.0.1:${hive.port}` };
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "ordered.ts")], { env });
    assert.match(stdout, /^\w+ did \d+\n/);
    assert.match(stdout, /\n60 jobs done, 0 left under way\n$/);
  } finally {
    await hive.close();
  }
});

test("examples/cluster.ts counts in workers that read one memory", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "cluster.ts")]);
  assert.deepEqual(stdout.trim().split("\n"), [
    "memory is shared: true, and was read: true",
    "worker 1 greeted 1000 visitors",
    "worker 2 greeted 1000 visitors",
    "worker 3 greeted 1000 visitors",
    "together 3000",
  ]);
});

test("examples/events.ts keeps a copy that misses nothing, over a cut", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "events.ts")]);
  assert.equal(
    stdout,
    "2 heard: the shop opens\nthe copy: pear 3, plum 7\nafter a pause: fig 1, plum 6\nlost nothing: true\n",
  );
});

test("examples/guarded-hive.ts lets each token do what it may, and nothing else", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "guarded-hive.ts")]);
  assert.match(
    stdout,
    /^the analyst reads \{ celsius: 21\.5 \}\n(NO_PERMISSION: .*\n){2}QUOTA: keys: .*\nsnapshot by-hand has 2 keys/,
  );
});

test("docs/guides/devices.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  const hive = await Hive.start({ port: 0 });
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("devices.md", { url: `hive://127.0.0.1:${hive.port}` }, 8));
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    assert.equal(stdout, "true undefined 1 1 0\nReading true\narrow { rate: 1.2 }\nclosed closed\ntrue\n");
  } finally {
    await hive.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("examples/shipped.ts runs a function that another process wrote, and only where it asks for it", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "shipped.ts")]);
  assert.deepEqual(stdout.trim().split("\n"), [
    "without code: arrow (celsius = 0) => celsius * scale + offset",
    "the worker says 68",
    "the worker's summary: 3 readings, 21.5 on average",
    "refused: cannot ship the function: it uses secret from around it: give bindings: { secret }, or globals for what the reader's platform has",
  ]);
});

test("examples/offline-device.ts loses nothing and stores nothing twice", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples", "offline-device.ts")]);
  assert.equal(
    stdout,
    "offline: 500 readings wait\nonline: 600 are there, 100 in no snapshot yet\n" +
      "after all: 700 were put, 700 are there, 0 were dropped\nthe hive has 700 readings, at its socket\n",
  );
});

test("docs/guides/structures.md runs, and gives what it says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-guide-"));
  try {
    const file = join(folder, "guide.ts");
    writeFileSync(file, moduleOf("structures.md", {}, 6));
    await promisify(execFile)(process.execPath, [file]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
