// Rows: the commands of devices and sessions, for one hive.

import type { Row } from "../engine/row.ts";
import { deviceRows } from "./device-rows.ts";
import { type DeviceCaps, Memories } from "./memories.ts";
import { sessionRows } from "./session-rows.ts";
import { Sessions } from "./sessions.ts";
import { spoolRow } from "./spool-row.ts";

export type { DeviceCaps } from "./memories.ts";

export function rowsOfDevices(caps: DeviceCaps = {}): Row[] {
  const memories = new Memories(caps);
  return [...deviceRows(memories), spoolRow(memories), ...sessionRows(memories, new Sessions(memories))];
}
