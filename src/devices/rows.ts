// Rows: the commands of devices and sessions, for one hive.

import type { MessageBus } from "../engine/message-bus.ts";
import { deviceOfSession } from "../engine/reserved-names.ts";
import type { Row } from "../engine/row.ts";
import type { SessionFigures } from "../engine/session-figures.ts";
import type { EntryFacts } from "../store/restoring.ts";
import type { Store } from "../store/store.ts";
import { nameOfDevice } from "./device-names.ts";
import { deviceRows } from "./device-rows.ts";
import { type DeviceCaps, Memories } from "./memories.ts";
import { sessionRows } from "./session-rows.ts";
import { Sessions } from "./sessions.ts";
import { spoolRow } from "./spool-row.ts";

export type { DeviceCaps } from "./memories.ts";

/** The commands, and what they know of sessions. */
export type Devices = {
  rows: Row[];
  /** A session came with a snapshot: what its device has is counted by its number. */
  learn(store: Store, session: EntryFacts): void;
  figures(store: Store): SessionFigures;
  /** For every now and then: ends of sessions are told, of those too that a snapshot has brought. */
  look(store: Store, bus: MessageBus): void;
};

export function openDevices(caps: DeviceCaps = {}): Devices {
  const memories = new Memories(caps);
  const sessions = new Sessions(memories);
  return {
    rows: [...deviceRows(memories), spoolRow(memories), ...sessionRows(memories, sessions)],
    learn: (store, { bytes, nameStart, nameLength, owner }) => {
      const device = deviceOfSession(Buffer.from(bytes.subarray(nameStart, nameStart + nameLength)));
      if (device !== undefined) memories.learn(store, nameOfDevice(device), owner);
    },
    figures: (store) => sessions.figures(store),
    look: (store, bus) => sessions.look(store, bus),
  };
}

export function rowsOfDevices(): Row[] {
  return openDevices().rows;
}
