// The memory options as a person writes them: "500mb", "allkeys-lru".

import { HiveError } from "../base/errors.ts";
import { parseBytes } from "../engine/settings.ts";
import { EVICTION_POLICIES, type EvictionPolicy } from "../store/eviction.ts";

/** Bytes of "1gb", "500mb", "1000". @throws {HiveError} REFUSED_SETTING */
export function parseMaxMemory(text: string): number {
  try {
    return parseBytes(text);
  } catch (error) {
    throw new HiveError("REFUSED_SETTING", `maximal memory ${text}: expected bytes, such as 500mb or 1gb`, {
      cause: error,
    });
  }
}

/** @throws {HiveError} REFUSED_SETTING */
export function parseMaxMemoryPolicy(text: string): EvictionPolicy {
  const policy = EVICTION_POLICIES.find((known) => known === text.toLowerCase());
  if (policy !== undefined) return policy;
  throw new HiveError("REFUSED_SETTING", `memory policy ${text}: expected one of ${EVICTION_POLICIES.join(", ")}`);
}
