// Loading: classes from files, and the same files again when they have changed.
//
//   "./votes.ts" ──▶ imported as file:///…/votes.ts?memhive=3 ──▶ its exports that extend Structure
//
// A module is kept for ever under its address, so a reload gives it another one; a hook gives the same to what
// it imports by a relative path, and that to what it imports. Packages keep theirs.

import { registerHooks } from "node:module";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HiveError } from "../base/errors.ts";
import { isStructureClass, type StructureClass } from "./structure.ts";

/** Those that have a name. What they need is loaded where they are wanted. */
const READY: Readonly<Record<string, () => Promise<StructureClass>>> = {
  fifo: async () => (await import("./fifo.ts")).Fifo,
  suggest: async () => (await import("./suggest.ts")).Suggest,
};

const QUERY = "memhive";
let loads = 0;
let hooked = false;

/**
 * The classes that `name` stands for: one that is ready, or those of a file.
 * @throws {HiveError} INVALID_ARGUMENT, with what is wrong with the file
 */
export async function loadStructures(name: string): Promise<StructureClass[]> {
  const ready = READY[name.toLowerCase()];
  if (ready !== undefined) return [await ready()];
  const path = isAbsolute(name) ? name : resolve(name);
  hook();
  const url = pathToFileURL(path);
  url.searchParams.set(QUERY, String(++loads));
  let exported: Record<string, unknown>;
  try {
    exported = (await import(url.href)) as Record<string, unknown>;
  } catch (error) {
    const known = Object.keys(READY).join(", ");
    const why = error instanceof Error ? error.message : String(error);
    throw new HiveError("INVALID_ARGUMENT", `structure ${name} (a file, or one of ${known}): ${why}`, { cause: error });
  }
  const classes = [...new Set(Object.values(exported))]
    .filter(isStructureClass)
    .filter(({ name: own }) => own !== "Structure");
  if (classes.length > 0) return classes;
  throw new HiveError("INVALID_ARGUMENT", `structure ${name}: the file exports no class that extends Structure`);
}

/** Relative imports of a file that was loaded get its query. */
function hook(): void {
  if (hooked || registerHooks === undefined) return;
  hooked = true;
  const own = fileURLToPath(new URL(".", import.meta.url));
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const query = context.parentURL?.match(/[?&]memhive=\d+/)?.[0].slice(1);
      if (query === undefined || !found.url.startsWith("file:") || found.url.includes("?")) return found;
      const path = fileURLToPath(found.url);
      if (path.startsWith(own) || path.includes("/node_modules/")) return found;
      return { ...found, url: `${found.url}?${query}` };
    },
  });
}
