// Isolated source: whether a structure runs in a worker, and where the worker finds it.

import { fileURLToPath } from "node:url";
import { HiveError } from "../base/errors.ts";
import type { StructureClass } from "./structure.ts";

/** What is said about it, at registration or by the class: true, or where its file is. */
export function isolationOf(cls: StructureClass, options: unknown): boolean | string {
  const given = (options as { isolate?: unknown } | undefined)?.isolate;
  return typeof given === "boolean" || typeof given === "string" ? given : cls.isolate;
}

/**
 * The file of a class that is registered as such; undefined where it runs in the hive's thread.
 * @throws {HiveError} INVALID_ARGUMENT: nobody says where it is
 */
export function addressOf(cls: StructureClass, options: unknown): string | undefined {
  const isolate = isolationOf(cls, options);
  if (isolate === false) return undefined;
  if (isolate === true) {
    const message = `${cls.name}: a worker has to load its file: say isolate = import.meta.url, or register the file`;
    throw new HiveError("INVALID_ARGUMENT", message);
  }
  return isolate.startsWith("file:") ? fileURLToPath(isolate) : isolate;
}
