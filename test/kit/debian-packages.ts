// Debian packages that tests need, and what to do where they are missing.
//
//   const skip = await installDebianPackages(["redis-server", "redis-tools"]);
//   test("redis-cli works against a hive", { skip }, async () => { … });
//
// A machine of one's own is asked nothing: with root and apt the packages are installed, without them
// the tests are skipped and say why. With CI=true a skip would hide a gap, so there it is a failure.
// Test files run in parallel, so one lock stands around apt; the kernel gives it up when its holder dies.

import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const LOCK = join(tmpdir(), "memhive-tests-apt.lock");
const INSTALL_TIMEOUT_MS = 300_000;

/** The program that shows a package is there, where it has another name than the package; or a file, as a path. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "redis-tools": "redis-cli",
  "wamerican-large": "/usr/share/dict/american-english-large",
  "python3-msgpack": "/usr/lib/python3/dist-packages/msgpack/__init__.py",
};

/**
 * Makes sure that the programs of `packages` are there. Returns false when they are, else the reason
 * why the tests that need them are skipped: the value of node:test's `skip`.
 *
 * @throws {Error} with CI=true, instead of returning a reason.
 */
export async function installDebianPackages(packages: readonly string[]): Promise<string | false> {
  if (missing(packages).length === 0) return false;
  const reason = await install(packages);
  if (reason === undefined) return false;
  if (process.env["CI"] === "true") throw new Error(`CI=true allows no skipped tests: ${reason}`);
  return reason;
}

/** Returns why not, or undefined when all is there. */
async function install(packages: readonly string[]): Promise<string | undefined> {
  const wanted = `needs ${missing(packages).join(", ")}`;
  if (!inPath("apt-get") || !inPath("flock")) return `${wanted}, and this is no Debian to install them on`;
  if (process.getuid?.() !== 0) return `${wanted}: run \`apt-get install ${missing(packages).join(" ")}\` as root`;

  const options = "-o DPkg::Lock::Timeout=300 -qq";
  const script = `apt-get ${options} update && apt-get ${options} install -y --no-install-recommends "$@"`;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    // Whoever waited for the lock finds the packages installed, and apt-get has nothing left to do.
    await run("flock", [LOCK, "sh", "-c", script, "sh", ...packages], { env, timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    return `${wanted}, and apt-get failed: ${error instanceof Error ? error.message : error}`;
  }
  const still = missing(packages);
  return still.length === 0 ? undefined : `apt-get installed ${packages.join(", ")}, but not the programs of ${still}`;
}

function missing(packages: readonly string[]): string[] {
  return packages.filter((name) => !inPath(PROGRAMS[name] ?? name));
}

function inPath(program: string): boolean {
  if (isAbsolute(program)) return existsSync(program);
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
