// The memhive command of this source tree, compiled: what `npm start` and `npm run memhive` run.
//
//   sources changed? ──▶ tsc, without checks ──▶ node_modules/.cache/memhive/STAMP ──▶ execve node …/cli/main.js ARGS
//
// A hive runs from JavaScript, as the installed package does: Node's own stripping of types keeps about
// 18 MB in memory for good, and comments, whose drawings are not Latin 1, another 3. Every state of the sources has a folder of its own, so that hives started
// before go on with theirs; the three newest are kept.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ALLOCATOR_SETTINGS, NODE_FLAGS } from "../src/cli/launch.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = join(ROOT, "src");
const CACHE = join(ROOT, "node_modules", ".cache", "memhive");
const KEPT = 3;

/** Names the state of the sources: paths, sizes and times of change of all files. */
function stampOf(folder: string): string {
  const hash = createHash("sha256");
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const { size, mtimeMs } = statSync(join(folder, path));
    if (path.endsWith(".ts")) hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Compiles the sources into `target`, which appears whole or not at all. */
function compile(target: string): void {
  const work = `${target}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  const options = ["-p", "tsconfig.build.json", "--outDir", join(work, "lib"), "--noCheck", "--removeComments"];
  execFileSync(tsc, options, { cwd: ROOT, stdio: ["ignore", 2, "inherit"] });
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(work, "package.json"), JSON.stringify({ type: "module", version }));
  symlinkSync(join(ROOT, "node_modules"), join(work, "node_modules"));
  try {
    renameSync(work, target);
  } catch (error) {
    // Somebody else was as fast: theirs is the same.
    rmSync(work, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}

/** Deletes all but the newest compiled states. */
function forgetOld(): void {
  const states = readdirSync(CACHE).map((name) => ({ name, at: statSync(join(CACHE, name)).mtimeMs }));
  states.sort((a, b) => b.at - a.at);
  for (const { name } of states.slice(KEPT)) rmSync(join(CACHE, name), { recursive: true, force: true });
}

const target = join(CACHE, stampOf(SOURCES));
if (!existsSync(target)) {
  compile(target);
  forgetOld();
}
const main = join(target, "lib", "cli", "main.js");
const environment = { ...ALLOCATOR_SETTINGS, ...process.env };
const args = [process.execPath, ...NODE_FLAGS, main, ...process.argv.slice(2)];
if (process.execve) {
  process.execve(process.execPath, args, environment);
} else {
  process.argv.splice(1, 1, main);
  await import(main);
}
