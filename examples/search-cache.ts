// A search cache as a structure without instances: one search in flight for each key, however many ask, and what was found
// is kept for 15 minutes.
//
//   npx node examples/search-cache.ts        or: memhive serve --structures ./examples/search-cache.ts
//
//   redis-cli -p 4483 SEARCH bees

import { setTimeout as passes } from "node:timers/promises";
import { connect } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";
import { type HiveCalls, Structure } from "../src/structures/index.ts";

const KEPT_S = 15 * 60;

/** What costs time: an index elsewhere, say. */
async function search(text: string): Promise<string[]> {
  await passes(20);
  return ["honey", "hive", "wax"].map((about) => `${text} and ${about}`);
}

export class SearchCache extends Structure {
  static readonly #pending = new Map<string, Promise<unknown>>();
  static #searches = 0;

  static SEARCH(hive: HiveCalls, text: string): unknown {
    const known = hive.play("GET", `search:${text}`);
    if (known !== undefined) return known;
    let pending = SearchCache.#pending.get(text);
    if (pending === undefined) {
      pending = SearchCache.#find(hive, text).finally(() => SearchCache.#pending.delete(text));
      SearchCache.#pending.set(text, pending);
    }
    return pending;
  }

  static async #find(hive: HiveCalls, text: string): Promise<string[]> {
    SearchCache.#searches++;
    const found = await search(text);
    hive.play("SET", `search:${text}`, found, "EX", KEPT_S);
    return found;
  }

  /** How often somebody really searched. */
  static SEARCHES(): number {
    return SearchCache.#searches;
  }
}

async function main(): Promise<void> {
  await using hive = await Hive.start({ port: 0, structures: [SearchCache] });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`);
  const cache = db.structure<typeof SearchCache>("SearchCache");
  const all = await Promise.all(Array.from({ length: 100 }, () => cache.SEARCH("bees")));
  console.log(all.length, "asked,", await cache.SEARCHES(), "searched:", await cache.SEARCH("bees"));
}

if (import.meta.main) await main();
