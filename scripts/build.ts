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
//
// A file is in one package only. Where one imports a file of another package, that becomes
// `OTHER/internal/folder/name.js`: both have one version, and each class exists once in a process.

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
import { dirname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

type Package = {
  name: string;
  description: string;
  /** Folders of src/, and files of others: "store/hash" is hash.ts there. */
  parts: readonly string[];
  /**
   * What may be imported → the file in src/, e.g. "./structure" → "structures/structure.ts"; two where
   * browsers get another one.
   */
  exports: Readonly<Record<string, string | { browser: string; default: string }>>;
  /** Files and folders beside the code: path in the package → path in this repository. */
  beside?: Readonly<Record<string, string>>;
  /** Command → the file in src/. Its first line is `#!/usr/bin/env node`. */
  bin: Readonly<Record<string, string>>;
};

/** What the client is made of; everything else is the server's. */
const CLIENT_PARTS: readonly string[] = [
  ...["base", "wire", "ship", "net", "mapping", "client"],
  ...["layout", "hash", "sequence"].map((name) => `store/${name}`),
  ...["", "-outcomes", "-search", "-segments"].map((name) => `store/shared-reader${name}`),
];
/** Of net, what only a hive needs: the client depends on nothing, and opens the WebSocket of its platform. */
const SERVER_PARTS: readonly string[] = ["http", "web-socket", "transport-stream"].map((name) => `net/${name}`);
const FOLDERS: readonly string[] = readdirSync(new URL("../src/", import.meta.url));

const PACKAGES: readonly Package[] = [
  {
    name: "memhive",
    description: "Shared memory for TypeScript: the typed client of a hive, for Node and browsers",
    parts: CLIENT_PARTS,
    exports: {
      ".": { browser: "client/browser.ts", default: "client/node.ts" },
      "./ship": { browser: "ship/browser.ts", default: "ship/node.ts" },
      "./express": "client/express.ts",
    },
    bin: {},
  },
  {
    name: "memhive-server",
    description: "Shared memory for TypeScript: the hive, embedded or as a command, for any Redis client too",
    parts: [...FOLDERS.filter((folder) => !CLIENT_PARTS.includes(folder)), ...SERVER_PARTS],
    exports: {
      ".": "server/index.ts",
      "./structure": "structures/index.ts",
      "./structures": "structures/ready.ts",
    },
    beside: { "memhive.schema.json": "docs/memhive.schema.json", deploy: "deploy" },
    bin: { memhive: "cli/main.ts" },
  },
];

/** The oldest Node the packages run on; development is on the one in package.json. */
const NODE_RANGE = ">=22.0.0";

/** What not everybody needs: loaded on first use, with an error that says to install it. */
const OPTIONAL_PEERS: readonly string[] = ["acorn", "eslint-scope", "express-session", "koffi", "prom-client"];

type Manifest = Record<"dependencies" | "devDependencies", Record<string, string>> & {
  version: string;
  license: string;
};

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
  for (const path of readdirSync(compiled, { recursive: true, encoding: "utf8" })) {
    if (path.endsWith(".js") || path.endsWith(".d.ts")) {
      if (ownerOf(path) === built) cpSync(join(compiled, path), join(folder, "lib", path));
    }
  }
  crossPackages(built, join(folder, "lib"));
  for (const name of ["README.md", "LICENSE"]) copyFileSync(join(ROOT, name), join(folder, name));
  for (const [path, source] of Object.entries(built.beside ?? {})) {
    cpSync(join(ROOT, source), join(folder, path), { recursive: true });
  }
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

/** Makes imports that leave the package for another one's folder imports of that package. */
function crossPackages(built: Package, lib: string): void {
  for (const path of readdirSync(lib, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".js") && !path.endsWith(".d.ts")) continue;
    const file = join(lib, path);
    const text = readFileSync(file, "utf8");
    const crossed = text.replace(
      /(from\s*|import\(\s*|import\s*)"(\.[^"]+)"/g,
      (whole, before: string, specifier: string) => {
        const reached = normalize(join(dirname(path), specifier));
        const other = ownerOf(reached);
        return other === built ? whole : `${before}"${other.name}/internal/${reached}"`;
      },
    );
    if (crossed !== text) writeFileSync(file, crossed);
  }
}

/** The package that a file belongs to: the one that names the longest beginning of its path. */
function ownerOf(path: string): Package {
  let longest = 0;
  let owner: Package | undefined;
  for (const candidate of PACKAGES) {
    for (const part of candidate.parts) {
      const next = path[part.length] ?? "";
      const isIn = path.startsWith(part) && (next === "/" || (part.includes("/") && next === "."));
      if (!isIn || part.length <= longest) continue;
      longest = part.length;
      owner = candidate;
    }
  }
  if (owner === undefined) throw new Error(`${path} is in no package`);
  return owner;
}

function manifestOf(built: Package, folder: string): object {
  const exported = (path: string): object => {
    const file = compiledPath(path);
    return { types: file.replace(/\.js$/, ".d.ts"), default: file };
  };
  const exports = Object.entries(built.exports).map(([name, path]) => {
    if (typeof path === "string") return [name, exported(path)];
    return [name, { browser: exported(path.browser), ...exported(path.default) }];
  });
  return {
    name: built.name,
    version: MANIFEST.version,
    description: built.description,
    license: MANIFEST.license,
    type: "module",
    engines: { node: NODE_RANGE },
    exports: {
      ...Object.fromEntries(exports),
      "./internal/*.js": { types: "./lib/*.d.ts", default: "./lib/*.js" },
      "./package.json": "./package.json",
      ...Object.fromEntries(Object.keys(built.beside ?? {}).flatMap(jsonExport)),
    },
    sideEffects: false,
    bin: Object.fromEntries(Object.entries(built.bin).map(([name, path]) => [name, compiledPath(path)])),
    files: ["lib", ...Object.keys(built.beside ?? {})],
    ...dependenciesOf(built, join(folder, "lib")),
  };
}

/** A JSON file beside the code can be named by programs and by "$schema". */
function jsonExport(path: string): [string, string][] {
  return path.endsWith(".json") ? [[`./${path}`, `./${path}`]] : [];
}

/** "cli/main.ts" → "./lib/cli/main.js" */
function compiledPath(path: string): string {
  return `./lib/${path.replace(/\.ts$/, ".js")}`;
}

type Ranges = Record<string, string>;

/** The packages that the compiled files import, with the version ranges of this project. */
function dependenciesOf(built: Package, folder: string): { dependencies: Ranges; peerDependencies?: Ranges } {
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
  const dependencies: Ranges = {};
  const peers: Ranges = {};
  for (const name of [...found].sort()) {
    if (OPTIONAL_PEERS.includes(name)) {
      peers[name] = MANIFEST.devDependencies[name]!;
      continue;
    }
    const range = PACKAGES.some((other) => other.name === name) ? MANIFEST.version : MANIFEST.dependencies[name];
    if (range === undefined) throw new Error(`${built.name} imports ${name}, which is not in "dependencies"`);
    dependencies[name] = range;
  }
  // Who imports the client through the server has its peers through the client.
  if (Object.keys(peers).length === 0) return { dependencies };
  const optional = Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }]));
  return { dependencies, peerDependencies: peers, ...{ peerDependenciesMeta: optional } };
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
