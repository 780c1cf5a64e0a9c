// Build: packages that can be published, made of the one source tree.
//
//   src/**/*.ts ──tsc──▶ dist/.compiled ──▶ dist/NAME/{package.json, README.md, LICENSE, lib/**}
//
//   npm run build             # into dist/
//   node scripts/build.ts DIR # into DIR
//
// A package is one row of PACKAGES: which folders of src/ it holds, what of them may be imported, and
// which commands it brings. What it depends on is read from its imports, with the versions of
// package.json, so that the two cannot differ. tsc rewrites `./name.ts` to `./name.js` and nothing else.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

type Package = {
  name: string;
  description: string;
  /** Folders of src/. */
  folders: readonly string[];
  /** What may be imported → the file in src/, e.g. "./structure" → "structures/structure.ts". */
  exports: Readonly<Record<string, string>>;
  /** Command → the file in src/. Its first line is `#!/usr/bin/env node`. */
  bin: Readonly<Record<string, string>>;
};

const PACKAGES: readonly Package[] = [
  {
    name: "memhive-server",
    description: "Shared memory for TypeScript: a hive that any Redis client can use",
    folders: readdirSync(new URL("../src/", import.meta.url)),
    exports: {},
    bin: { memhive: "cli/main.ts" },
  },
];

/** The oldest Node the packages run on; development is on the one in package.json. */
const NODE_RANGE = ">=22.0.0";

type Manifest = { version: string; license: string; dependencies: Record<string, string> };

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MANIFEST: Manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** Compiles the sources into `compiled`. @throws {Error} with what tsc said. */
function compile(compiled: string): void {
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  execFileSync(tsc, ["-p", "tsconfig.build.json", "--outDir", compiled], { cwd: ROOT, stdio: "inherit" });
}

/** Makes `folder` the package, from what was compiled. */
function assemble(built: Package, compiled: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of built.folders) cpSync(join(compiled, name), join(folder, "lib", name), { recursive: true });
  for (const name of ["README.md", "LICENSE"]) copyFileSync(join(ROOT, name), join(folder, name));
  for (const path of Object.values(built.bin)) {
    const command = join(folder, compiledPath(path));
    if (!existsSync(command)) throw new Error(`${built.name}: src/${path}, which is to be a command, does not exist`);
    if (!readFileSync(command, "utf8").startsWith("#!")) {
      throw new Error(`${built.name}: src/${path} is a command, so its first line must be #!/usr/bin/env node`);
    }
    chmodSync(command, 0o755);
  }
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifestOf(built, folder), null, 2)}\n`);
}

function manifestOf(built: Package, folder: string): object {
  const exports = Object.entries(built.exports).map(([name, path]) => {
    const file = compiledPath(path);
    return [name, { types: file.replace(/\.js$/, ".d.ts"), default: file }];
  });
  return {
    name: built.name,
    version: MANIFEST.version,
    description: built.description,
    license: MANIFEST.license,
    type: "module",
    engines: { node: NODE_RANGE },
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    bin: Object.fromEntries(Object.entries(built.bin).map(([name, path]) => [name, compiledPath(path)])),
    files: ["lib"],
    dependencies: dependenciesOf(built, join(folder, "lib")),
  };
}

/** "cli/main.ts" → "./lib/cli/main.js" */
function compiledPath(path: string): string {
  return `./lib/${path.replace(/\.ts$/, ".js")}`;
}

/** The packages that the compiled files import, with the version ranges of this project. */
function dependenciesOf(built: Package, folder: string): Record<string, string> {
  const found = new Set<string>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".js") && !path.endsWith(".d.ts")) continue;
    const text = readFileSync(join(folder, path), "utf8");
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export)\b[^;"]*?\bfrom\s*"([^".][^"]*)"/gm)) {
      if (!isBuiltin(specifier)) found.add(packageName(specifier));
    }
    for (const [, specifier = ""] of text.matchAll(/\bimport\(\s*"([^".][^"]*)"/g)) {
      if (!isBuiltin(specifier)) found.add(packageName(specifier));
    }
  }
  const dependencies: Record<string, string> = {};
  for (const name of [...found].sort()) {
    const range = MANIFEST.dependencies[name];
    if (range === undefined) throw new Error(`${built.name} imports ${name}, which is not in "dependencies"`);
    dependencies[name] = range;
  }
  return dependencies;
}

/** "@scope/name/deep" → "@scope/name" */
function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

const target = resolve(process.argv[2] ?? join(ROOT, "dist"));
const compiled = join(target, ".compiled");
rmSync(compiled, { recursive: true, force: true });
compile(compiled);
for (const built of PACKAGES) {
  assemble(built, compiled, join(target, built.name));
  console.log(`built ${join(target, built.name)}`);
}
rmSync(compiled, { recursive: true, force: true });
