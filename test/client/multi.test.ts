// multi() over lists and sorted sets: what each call answers, and in which type.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";

test("multi has the calls of lists and of sorted sets, with their values", async () => {
  await using hive = await Hive.start({ port: 0 });
  await using db = await connect(hive);
  const jobs = await db
    .multi()
    .list<{ id: number }>("jobs")
    .push({ id: 1 }, { id: 2 }, { id: 3 })
    .list<{ id: number }>("jobs")
    .unshift({ id: -1 }, { id: 0 })
    .list<{ id: number }>("jobs")
    .set(1, { id: 7 })
    .list<{ id: number }>("jobs")
    .at(1)
    .list<{ id: number }>("jobs")
    .shift()
    .list<{ id: number }>("jobs")
    .pop()
    .list<{ id: number }>("jobs")
    .remove({ id: 2 })
    .list("jobs")
    .size()
    .list("none")
    .shift()
    .exec();
  assert.deepEqual(jobs, [3, 5, undefined, { id: 7 }, { id: -1 }, { id: 3 }, 1, 2, undefined]);
  const board = await db
    .multi()
    .sorted("board")
    .add("ada", 3)
    .sorted("board")
    .add("ada", Number.POSITIVE_INFINITY)
    .sorted("board")
    .incr("bob", 2)
    .sorted<number>("board")
    .add(7, 2.5)
    .sorted("board")
    .rank("ada")
    .sorted("board")
    .score("nobody")
    .sorted<string | number>("board")
    .popMin()
    .sorted<string | number>("board")
    .popMax()
    .sorted<number>("board")
    .delete(7, 8)
    .sorted("board")
    .size()
    .sorted("board")
    .popMin()
    .exec();
  assert.deepEqual(board, [1, 0, 2, 1, 2, undefined, ["bob", 2], ["ada", Infinity], 1, 0, undefined]);
});
