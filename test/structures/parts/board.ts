// Board: jobs in a list and votes in a sorted set of the store, and a little state of its own.

import { type HiveCalls, HiveError, Structure } from "../../../src/structures/index.ts";

export class Board extends Structure {
  static override reads: readonly string[] = ["BOARD_SHOW", "BOARD_SIZES"];
  calls = 0;

  static BOARD_OPEN(hive: HiveCalls, key: string): string {
    hive.open(Board, key);
    return "OK";
  }

  static BOARD_FILL(hive: HiveCalls, key: string, count: unknown): number {
    return hive.open(Board, key).BOARD_ADD(...Array.from({ length: Number(count) }, (_, i) => `job ${i}`));
  }

  static BOARD_PUSH(hive: HiveCalls, key: string, ...jobs: unknown[]): number {
    return hive
      .open(Board, key)
      .list("jobs")
      .push(...jobs);
  }

  /** Deletes the key in the middle, and goes on with it. */
  static BOARD_LOSE(hive: HiveCalls, key: string): void {
    const board = hive.open(Board, key);
    board.BOARD_ADD("late");
    hive.play("DEL", key);
    board.BOARD_ADD("too late");
  }

  /** How many elements a copy has that is made half-way. */
  static BOARD_COPIED(hive: HiveCalls, key: string, copy: string): unknown {
    hive.open(Board, key).BOARD_ADD("one more");
    hive.play("COPY", key, copy, "REPLACE");
    hive.open(Board, key).BOARD_ADD("after it");
    return hive.play("LLEN", `$part:${copy}:jobs`);
  }

  static BOARD_STEAL(hive: HiveCalls, key: string): unknown {
    hive.open(Board, "own");
    return hive.play("RPUSH", `$part:${key}:jobs`, "stolen");
  }

  static async BOARD_LATER(hive: HiveCalls, key: string): Promise<number> {
    await Promise.resolve();
    return hive.open(Board, key).BOARD_ADD("later");
  }

  BOARD_ADD(...jobs: unknown[]): number {
    this.calls++;
    return this.list("jobs").push(...jobs);
  }

  BOARD_TAKE(): unknown {
    return this.list("jobs").shift();
  }

  BOARD_VOTE(name: string, by: unknown = 1): number {
    return this.sorted<string>("votes").incr(name, Number(by));
  }

  BOARD_FAIL(): void {
    this.calls = 99;
    this.list("jobs").push("never");
    this.list("other").push("never");
    this.sorted("votes").add("nobody", 1);
    this.list("jobs").trim(1);
    throw new Error("half-way");
  }

  BOARD_MANY(count: unknown): void {
    for (let i = 0; i < Number(count); i++) this.list(`part${i}`).push(i);
  }

  BOARD_NAMED(name: string): void {
    this.list(name).push("x");
  }

  BOARD_MIX(): void {
    this.sorted("jobs").add("x", 1);
  }

  BOARD_SHOW(): unknown {
    return { calls: this.calls, jobs: [...this.list("jobs")], votes: this.sorted("votes").entries() };
  }

  BOARD_SIZES(): [number, number] {
    return [this.list("jobs").size, this.sorted("votes").size];
  }

  /** Every method of a list and a sorted set, with what it gives. */
  BOARD_TRY(): unknown {
    const jobs = this.list<unknown>("tried");
    const given: unknown[] = [jobs.push("b", "c", { d: 1 }, "b"), jobs.unshift("a"), jobs.push(), jobs.size];
    given.push(jobs.at(0), jobs.at(-1), jobs.at(99), jobs.slice(1, 3), jobs.slice(-2), jobs.slice(0, 0));
    given.push(jobs.indexOf("b"), jobs.lastIndexOf("b"), jobs.indexOf({ d: 1 }), jobs.indexOf("z"));
    jobs.set(1, "B");
    given.push(jobs.insertBefore("c", "before c"), jobs.insertAfter("c", "after c"), jobs.insertAfter("z", "never"));
    given.push([...jobs], jobs.remove("b"), jobs.pop(), jobs.shift());
    jobs.trim(1, 3);
    given.push([...jobs]);
    jobs.trim(0, 0);
    given.push(jobs.size, jobs.pop());
    const votes = this.sorted<string>("tried-votes");
    given.push(votes.add("ada", 3), votes.add("ada", 4), votes.add("bob", -1.5), votes.incr("cyd", 2), votes.size);
    given.push(
      votes.score("bob"),
      votes.score("z"),
      votes.has("ada"),
      votes.rank("ada"),
      votes.rank("ada", { reverse: true }),
    );
    given.push(
      votes.rank("z"),
      votes.count(),
      votes.count({ min: 0 }),
      votes.slice(),
      votes.slice(0, 1, { reverse: true }),
    );
    given.push(votes.entries(-2), votes.byScore({ max: 3 }), votes.byScore({ min: 0 }, { reverse: true, limit: 1 }));
    given.push(votes.byScore({}, { offset: 1, limit: 1 }), [...votes], votes.popMin(), votes.popMax(), votes.slice());
    given.push(votes.delete("cyd", "z"), votes.popMin(), votes.delete(), votes.add("e", 1), votes.add("f", Infinity));
    given.push(votes.deleteByScore({ min: 2 }), votes.add("g", 0), votes.deleteSlice(0, 1), votes.slice());
    votes.clear();
    given.push(votes.size);
    return given;
  }

  BOARD_CODE(): unknown {
    throw new HiveError("INVALID_ARGUMENT", "as asked");
  }
}

/** Whose state cannot be undone. */
export class Plain extends Structure {
  static override undo = false;
  seen: Set<unknown>[] = [];

  static PLAIN_ADD(hive: HiveCalls, key: string, value: unknown): number {
    return hive.open(Plain, key).list("values").push(value);
  }

  PLAIN_VALUES(): unknown[] {
    return [...this.list("values")];
  }

  override encode(): unknown {
    return this.seen.length;
  }

  override decode(state: unknown): void {
    this.seen = Array.from({ length: Number(state) }, () => new Set());
  }
}
