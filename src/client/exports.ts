// What both entries give beside connect().

export { type ErrorCode, type ErrorDetail, HiveError, isHiveError } from "../base/errors.ts";
export { VERSION } from "../base/version.ts";
export { type CodeKind, Instance, ShippedCode, type TypeClass } from "../wire/value.ts";
export type { ReadOptions } from "./bound.ts";
export type { CallOptions } from "./call.ts";
export { type CallByName, Client, type KeyName, type ScanOptions } from "./client.ts";
export type { Dialable } from "./connect.ts";
export type { ConnectionState } from "./connection-parts.ts";
export { Device, type DeviceOptions, type DeviceUsage, type PutLabelOptions } from "./device.ts";
export { DeviceSession, type SessionOptions, type SessionState, type SessionTime } from "./device-session.ts";
export type { FetchOptions } from "./device-values.ts";
export type { Info } from "./info.ts";
export { List, type MoveOptions, type WaitOptions } from "./list.ts";
export { Multi, MultiList, MultiSet, MultiSorted, MultiTable } from "./multi.ts";
export type { NearOptions, NearState } from "./near-options.ts";
export type { ClientOptions, QueueOptions, ReconnectOptions } from "./options.ts";
export type { PutOptions } from "./put.ts";
export type { InputOf, OutputOf, SchemaIssue, SchemaResult, StandardSchema } from "./schema.ts";
export { type Key, SetOf } from "./set-of.ts";
export type { SharedState } from "./shared-reads.ts";
export type { SnapshotListing, SnapshotReport, SnapshotStatus } from "./snapshot-facts.ts";
export { SnapshotCalls } from "./snapshots.ts";
export {
  type AddOptions,
  type ByScoreOptions,
  type RangeOptions,
  type RankOptions,
  type Scored,
  type ScoreRange,
  Sorted,
} from "./sorted.ts";
export type { ClientSpool } from "./spool.ts";
export type { SpoolFailure, SpoolOptions, SpoolStats } from "./spool-options.ts";
export { StateEvent } from "./state-event.ts";
export type { KeyCalls, StaticCalls, StructureCalls } from "./structure.ts";
export { type ChannelMessage, type SubscribeOptions, Subscription } from "./subscription.ts";
export { type SetOptions, Table, type TableOptions, type UpdateOptions } from "./table.ts";
export { type Change, Watch, type WatchOptions } from "./watch.ts";
