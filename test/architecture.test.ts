// The map in ARCHITECTURE.md, checked: who may import whom, no cycles, names, and how long a file may be.
//
// A failure says what to do. A rule changes here and in ARCHITECTURE.md at the same time, or not at all.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CODE_FOLDERS = ["src", "test", "bench", "scripts", "examples"];

/**
 * What each folder of src/ may import besides itself. "wire/value" stands for value.ts, value-….ts
 * and value/ alone. Every door may import this list and none may import another door.
 */
// biome-ignore format: a table reads better aligned
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base:       [],
  wire:       ["base"],
  store:      ["base"],
  net:        ["base"],
  mapping:    ["base", "store/layout"],
  engine:     ["base", "store", "wire/value"],
  snapshot:   ["base", "store", "wire/value"],
  structures: ["base", "wire/value", "engine", "store"],
  devices:    ["base", "wire/value", "engine", "store"],
  ship:       ["base", "wire"],
  objects:    ["base", "wire"],
  swarm:      ["base", "wire"],
  doors:      ["base", "wire", "engine", "objects", "swarm"],
  client:     ["base", "wire", "net", "ship", "objects", "swarm", "mapping", "store/shared-reader", "store/layout"],
  server:     ["base", "wire", "store", "net", "mapping", "engine", "snapshot", "structures", "devices", "ship", "objects", "swarm", "doors", "client"],
  cli:        ["base", "client", "server"],
};

/** net/ holds the only sockets; everybody else gets bytes handed in. */
const SOCKET_MODULES = ["net", "tls", "http", "https", "http2", "dgram"].map((name) => `node:${name}`);

const LINES_MAX = 400;

/** Files that are longer for a reason. Path → the reason, in a sentence. */
const LONGER: Readonly<Record<string, string>> = {};

const VAGUE_NAMES = /^(utils?|helpers?|common|misc|types)$/;
/** test/types holds the tests of types: there the word names a concept. */
const VAGUE_ALLOWED = ["test/types"];
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

type Source = { path: string; text: string; imports: string[] };

const paths: string[] = CODE_FOLDERS.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => normalize(join(entry.parentPath, entry.name)).slice(ROOT.length))
    .sort(),
);
const sources: Source[] = paths
  .filter((path) => path.endsWith(".ts"))
  .map((path) => source(path, readFileSync(join(ROOT, path), "utf8")));

function source(path: string, text: string): Source {
  const found = text.matchAll(
    /^(?:import|export)\b[^;"]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm,
  );
  return { path, text, imports: [...found].map((match) => (match[1] ?? match[2] ?? match[3])!) };
}

/** The file that `specifier` in `importer` means, from the repository's root; undefined for a package. */
function target(importer: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(importer), specifier)) : undefined;
}

function none(problems: string[], advice: string): void {
  assert.deepEqual(problems, [], `${advice}\n  ${problems.join("\n  ")}\n`);
}

function layerProblems({ path, imports }: Source): string[] {
  const [, layer = "", door = ""] = path.split("/");
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined) return [`${path}: src/${layer} is no folder of the map`];
  return imports.flatMap((specifier) => {
    const reached = target(path, specifier);
    if (reached === undefined) {
      const socket = SOCKET_MODULES.includes(specifier) && layer !== "net";
      return socket ? [`${path}: opens sockets with ${specifier}; only src/net may`] : [];
    }
    if (!reached.startsWith("src/")) return [`${path}: leaves src/ for ${reached}`];
    const inside = reached.slice("src/".length);
    const own = layer === "doors" ? `doors/${door}/` : `${layer}/`;
    const fits = inside.startsWith(own) || allowed.some((name) => isUnder(inside, name));
    return fits ? [] : [`${path}: ${layer} may not import ${reached}`];
  });
}

/** "store/list.ts" is under "store"; "wire/value-walk.ts" is under "wire/value". */
function isUnder(inside: string, name: string): boolean {
  if (!inside.startsWith(name)) return false;
  const next = inside[name.length];
  return next === "/" || (name.includes("/") && (next === "." || next === "-"));
}

/** One cycle of imports, as the list of files along it; undefined when there is none. */
function findCycle(files: Source[]): string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const walk = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    const file = byPath.get(path);
    if (!file || done.has(path)) return undefined;
    for (const specifier of file.imports) {
      const reached = target(path, specifier);
      const cycle = reached === undefined ? undefined : walk(reached, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of files) {
    const cycle = walk(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function lineProblems({ path, text }: Source): string[] {
  const lines = text.trimEnd().split("\n").length;
  return lines > LINES_MAX && LONGER[path] === undefined ? [`${path}: ${lines} lines`] : [];
}

function nameProblems(path: string): string[] {
  const problems = KEBAB.test(basename(path)) ? [] : [`${path}: the name is not in kebab-case`];
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    const upTo = parts.slice(0, index + 1).join("/");
    const stem = part.split(".")[0]!;
    if (VAGUE_NAMES.test(stem) && !VAGUE_ALLOWED.includes(upTo)) problems.push(`${path}: "${stem}" says nothing`);
  }
  return problems;
}

test("every file of src/ imports only what its folder may", () => {
  const problems = sources.filter(({ path }) => path.startsWith("src/")).flatMap(layerProblems);
  none(problems, "Move the code to a folder that may, or hand in what is needed as an argument (DESIGN: layout):");
});

test("no import cycles, types included", () => {
  const cycle = findCycle(sources.filter(({ path }) => path.startsWith("src/")));
  none(cycle ? [cycle.join(" → ")] : [], "Move what both need into a third file that imports neither:");
});

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const advice = "Split it by concept, or add it to LONGER in test/architecture.test.ts with the reason:";
  none(sources.flatMap(lineProblems), advice);
});

test("every exception from the length of a file is still needed and has a reason", () => {
  const stale = Object.entries(LONGER).filter(([path, reason]) => {
    const file = sources.find((candidate) => candidate.path === path);
    return !file || file.text.trimEnd().split("\n").length <= LINES_MAX || reason.length < 20;
  });
  none(
    stale.map(([path]) => path),
    "Remove the line from LONGER, or give a reason that explains it:",
  );
});

test("files are named in kebab-case for the concept that they hold", () => {
  none([...new Set(paths.flatMap(nameProblems))], "Name it for the noun that it exports:");
});

test("the rules see what breaks them", () => {
  const layers = (path: string, text: string): number => layerProblems(source(path, text)).length;

  assert.equal(layers("src/store/a.ts", 'import { b } from "../engine/b.ts";'), 1);
  assert.equal(layers("src/store/a.ts", 'import type { B } from "../engine/b.ts";'), 1);
  assert.equal(layers("src/store/a.ts", 'import {\n  type B,\n  c,\n} from "../engine/b.ts";'), 1);
  assert.equal(layers("src/store/a.ts", 'export { b } from "../engine/b.ts";'), 1);
  assert.equal(layers("src/store/a.ts", 'const b = await import("../engine/b.ts");'), 1);
  assert.equal(layers("src/store/a.ts", 'import "../../test/kit/resp-client.ts";'), 1);
  assert.equal(layers("src/store/a.ts", 'import { b } from "../base/b.ts";\nimport { c } from "./lists/c.ts";'), 0);
  assert.equal(
    layers("src/engine/a.ts", 'import { v } from "../wire/value.ts";\nimport { w } from "../wire/value-walk.ts";'),
    0,
  );
  assert.equal(
    layers("src/engine/a.ts", 'import { r } from "../wire/resp.ts";\nimport { v } from "../wire/values.ts";'),
    2,
  );
  assert.equal(layers("src/doors/resp/a.ts", 'import { b } from "./b.ts";\nimport { c } from "../../engine/c.ts";'), 0);
  assert.equal(layers("src/doors/resp/a.ts", 'import { b } from "../native/b.ts";'), 1);
  assert.equal(layers("src/doors/resp/a.ts", 'import { createServer } from "node:net";'), 1);
  assert.equal(layers("src/net/a.ts", 'import { createServer } from "node:net";'), 0);
  assert.equal(layers("src/other/a.ts", ""), 1);

  const around = [
    source("src/base/a.ts", 'import { b } from "./b.ts";'),
    source("src/base/b.ts", 'import type { C } from "./c.ts";'),
    source("src/base/c.ts", 'import { b } from "./b.ts";'),
  ];
  assert.deepEqual(findCycle(around), ["src/base/b.ts", "src/base/c.ts", "src/base/b.ts"]);
  assert.equal(findCycle(around.slice(0, 2)), undefined);

  assert.equal(lineProblems(source("src/base/a.ts", "x\n".repeat(LINES_MAX))).length, 0);
  assert.equal(lineProblems(source("src/base/a.ts", "x\n".repeat(LINES_MAX + 1))).length, 1);

  for (const path of ["src/base/utils.ts", "src/types/key.ts", "src/base/bigInt.ts", "test/helpers/a.test.ts"]) {
    assert.equal(nameProblems(path).length, 1, path);
  }
  for (const path of [
    "src/base/errors.ts",
    "test/types/table.test.ts",
    "test/wire/vectors.json",
    "src/wire/xml-rpc.ts",
  ]) {
    assert.deepEqual(nameProblems(path), []);
  }
});
