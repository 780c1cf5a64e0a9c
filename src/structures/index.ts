// memhive-server/structure: the base of a structure's class.
//
//   import { Structure } from "memhive-server/structure";

export { HiveError } from "../base/errors.ts";
export type { PartList } from "./part-list.ts";
export type { PartOrder, PartScored, PartScoreRange, PartSorted } from "./part-sorted.ts";
export type { Played, Stored } from "./played.ts";
export type { ArgumentSchema } from "./schema.ts";
export { type ArgumentSchemas, type HiveCalls, Structure, type StructureClass } from "./structure.ts";
