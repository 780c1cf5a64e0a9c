// Notifications: key events as messages, as Redis has them (notify-keyspace-events).
//
//   INCR n ──▶ events.tell(EVENT_STRING, "incrby", "n") ──▶ __keyspace@0__:n      incrby
//                                                      └──▶ __keyevent@0__:incrby n
//
// The letters of the setting say which of the two channels are used (K, E) and which classes are told. The one
// of the key goes first. Where nobody listens to anything no message is made.

import {
  EVENT_EVICTED,
  EVENT_EXPIRED,
  EVENT_GENERIC,
  EVENT_LIST,
  EVENT_MISS,
  EVENT_NEW,
  EVENT_SET,
  EVENT_SORTED,
  EVENT_STRING,
  EVENT_TABLE,
  type KeyEvents,
} from "../store/key-events.ts";
import { KIND_TEXT } from "../store/layout.ts";
import { KIND_RAW } from "./args.ts";
import type { MessageBus } from "./message-bus.ts";

/** Classes by letter. Streams (t) and modules (d) are no types of a hive: nothing is told of them. */
const CLASSES: Readonly<Record<string, number>> = {
  g: EVENT_GENERIC,
  $: EVENT_STRING,
  l: EVENT_LIST,
  s: EVENT_SET,
  h: EVENT_TABLE,
  z: EVENT_SORTED,
  x: EVENT_EXPIRED,
  e: EVENT_EVICTED,
  m: EVENT_MISS,
  n: EVENT_NEW,
};
/** What the letter A stands for: all but m and n. */
const ALL = "g$lshzxe";

const BY_KEY = "__keyspace@0__:";
const BY_EVENT = "__keyevent@0__:";

class Notifications {
  readonly #events: KeyEvents;
  readonly #bus: MessageBus;
  #toKey = false;
  #toEvent = false;

  constructor(events: KeyEvents, bus: MessageBus) {
    this.#events = events;
    this.#bus = bus;
    events.onEvent = (_kind, event, key) => this.#tell(event, key);
  }

  /** @param letters As checkKeyspaceEvents() gives them. */
  configure(letters: string): void {
    this.#toKey = letters.includes("K");
    this.#toEvent = letters.includes("E");
    let classes = 0;
    if (this.#toKey || this.#toEvent) {
      for (const letter of letters.replace("A", ALL)) classes |= CLASSES[letter] ?? 0;
    }
    this.#events.want(classes);
  }

  #tell(event: string, key: Buffer): void {
    const bus = this.#bus;
    if (bus.size("channel") === 0 && bus.size("pattern") === 0) return;
    if (this.#toKey) bus.publish(BY_KEY + key.latin1Slice(), event, KIND_TEXT);
    if (this.#toEvent) bus.publish(BY_EVENT + event, key.latin1Slice(), KIND_RAW);
  }
}

/** Tells events of a store on a bus. Returns what gets the letters of the setting, whenever they change. */
export function notifying(events: KeyEvents, bus: MessageBus): (letters: string) => void {
  const notifications = new Notifications(events, bus);
  return (letters) => notifications.configure(letters);
}
