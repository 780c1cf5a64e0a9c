// Interleaved pairs: both servers do the same, one right after the other, again and again.
//
//   ours theirs │ theirs ours │ ours theirs │ …  ──▶ a ratio each ──▶ their median
//
// A machine is not equally fast all the time: two copies of one Redis differ by 0.95 to 1.12 in a pair. What
// both feel alike cancels out in the ratio of a pair, the order alternates, and the median leaves out the
// pairs that something else disturbed.

import type { Server } from "./peers.ts";
import { median } from "./row.ts";

/** What one run of one server gave. */
export type Measured<Name extends string> = Readonly<Record<Name, number>>;

export type Compared = { ours: number; theirs: number; ratio: number };

/**
 * Runs `count` pairs. For every figure that `measure` gives: the medians of both sides, and the median of
 * the ratios. Two servers of one process run one after the other and never at once.
 */
export async function comparePairs<Name extends string>(
  servers: { hive: Server; redis: Server },
  count: number,
  measure: (server: Server) => Promise<Measured<Name>>,
): Promise<Record<Name, Compared>> {
  const ours: Measured<Name>[] = [];
  const theirs: Measured<Name>[] = [];
  for (let pair = 0; pair < count; pair++) {
    if (pair % 2 === 0) {
      ours.push(await measure(servers.hive));
      theirs.push(await measure(servers.redis));
    } else {
      theirs.push(await measure(servers.redis));
      ours.push(await measure(servers.hive));
    }
  }
  const compared = {} as Record<Name, Compared>;
  for (const name of Object.keys(ours[0]!) as Name[]) {
    compared[name] = {
      ours: median(ours.map((run) => run[name])),
      theirs: median(theirs.map((run) => run[name])),
      ratio: median(ours.map((run, i) => run[name] / theirs[i]![name])),
    };
  }
  return compared;
}
