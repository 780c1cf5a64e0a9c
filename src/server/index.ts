// memhive-server: a hive in your own process.
//
//   import { Hive } from "memhive-server";
//   import { connect } from "memhive";
//
//   await using hive = await Hive.start({ port: 0 });
//   const db = await connect(hive);                 // no socket in between

export { type Clock, ManualClock, systemClock } from "../base/clock.ts";
export { type ErrorCode, HiveError, isHiveError } from "../base/errors.ts";
export type { Limits } from "../base/limits.ts";
export { VERSION } from "../base/version.ts";
export type { TokenInfo, TokenOptions, TokenQuotas } from "../engine/token-records.ts";
export type { EvictionPolicy } from "../store/store.ts";
export { DEFAULT_HOST, DEFAULT_PORT, Hive, type HiveOptions } from "./hive.ts";
export type { StructureOption } from "./hive-structures.ts";
export type { TlsOptions } from "./tls-options.ts";
