// Happened: how a row says what it did to a key, for whoever wants to hear of it.
//
//   happened(store, args, 1, EVENT_STRING, "set")     the key in argument 1; one branch where nobody listens
//
// It is the last thing that a row does for a change, in the order in which Redis tells of it.

import { EVENT_GENERIC } from "../store/key-events.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";

export {
  EVENT_EXPIRED,
  EVENT_GENERIC,
  EVENT_LIST,
  EVENT_MISS,
  EVENT_NEW,
  EVENT_SET,
  EVENT_SORTED,
  EVENT_STRING,
  EVENT_TABLE,
} from "../store/key-events.ts";

/** @param index The argument that names the key. @param kind One of EVENT_…. @param event Redis's name for it. */
export function happened(store: Store, args: Args, index: number, kind: number, event: string): void {
  const { events } = store.memory;
  if ((events.classes & kind) !== 0) events.tell(kind, event, args.buffer, args.start(index), args.length(index));
}

/** The same for a command that took something out of a container, which goes with its last: `key` is 0 then. */
export function tookOut(store: Store, args: Args, index: number, kind: number, event: string, key: number): void {
  happened(store, args, index, kind, event);
  if (key === 0) happened(store, args, index, EVENT_GENERIC, "del");
}
