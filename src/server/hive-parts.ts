// Parts: what a hive is put together from.

import type { Limits } from "../base/limits.ts";
import type { WaitingBytes } from "../base/waiting-bytes.ts";
import type { NativeDoor } from "../doors/native/door.ts";
import type { RespDoor } from "../doors/resp/door.ts";
import type { LocalEngine } from "../engine/local-engine.ts";
import type { Connections } from "../net/connections.ts";
import type { Listener } from "../net/listen.ts";
import type { EntryFacts } from "../store/restoring.ts";
import type { Store } from "../store/store.ts";
import type { HiveEvents } from "./hive-events.ts";
import type { HiveStructures } from "./hive-structures.ts";
import type { LoopDelay } from "./loop-delay.ts";
import type { Maintenance } from "./maintenance.ts";
import type { SharedMemory } from "./shared-memory.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Tokens } from "./tokens.ts";

export type Parts = {
  store: Store;
  engine: LocalEngine;
  doors: { resp: RespDoor; native: NativeDoor };
  connections: Connections;
  maintenance: Maintenance;
  tokens: Tokens;
  loop: LoopDelay;
  listeners: Listener[];
  limits: Limits;
  events: HiveEvents;
  snapshots: Snapshots | undefined;
  waiting: WaitingBytes;
  memory: SharedMemory | undefined;
  structures: HiveStructures;
  /** A session came with a snapshot. */
  onSecret(facts: EntryFacts): void;
};
