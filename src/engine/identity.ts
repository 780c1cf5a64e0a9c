// Identity: what a hive says it is to clients of Redis.
//
// Clients choose commands and options by the version that HELLO and INFO tell, so the version is that
// of the Redis whose semantics a hive has; the server's own name and version stand beside it.

/** The version of Redis that clients may take a hive for. */
export const REDIS_VERSION = "7.4.0";
export const SERVER_NAME = "memhive";
export { VERSION as HIVE_VERSION } from "../base/version.ts";
