// An instance whose changes are noted, without a hive.

import { Journal } from "../../src/structures/journal.ts";
import { fieldsOf, Tracker, track } from "../../src/structures/tracker.ts";

export type TrackedInstance<T> = {
  /** As methods see it. */
  seen: T;
  /** What is encoded. */
  state: Record<string, unknown>;
  journal: Journal;
  tracker: Tracker;
};

export function trackedInstance<T extends object>(made: T): TrackedInstance<T> {
  const journal = new Journal();
  journal.active = true;
  const tracker: Tracker = new Tracker(journal, () => {
    tracker.changed = true;
  });
  const state = fieldsOf(made, tracker);
  return { seen: track(made, state, tracker) as T, state, journal, tracker };
}
