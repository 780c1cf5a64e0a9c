// The types that users write against. tsc is the test: it runs with `npm run check`, and here once more for
// its figures. Nothing in here is executed.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, HiveError, Key, StandardSchema, Table } from "../../src/client/node.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | undefined {
  return undefined;
}

type User = { born: number; name?: string };
type UserSchema = StandardSchema<{ born: string }, User>;

export async function tables(hive: Client, schema: UserSchema): Promise<void> {
  const users = hive.table<User>("users");
  is<Equal<typeof users, Table<User, string, User>>>();
  const ada = await users.get("ada");
  is<Equal<typeof ada, User | undefined>>();
  const some = await users.getMany(["ada"]);
  is<Equal<typeof some, (User | undefined)[]>>();
  await users.set("ada", { born: 1815 }, { ttlMs: 1 });
  // @ts-expect-error: a user is born in a year
  await users.set("ada", { born: "1815" });
  // @ts-expect-error: keys are text unless the table says otherwise
  await users.get(1);
  await users.update("ada", (old) => ({ ...old, born: (old?.born ?? 0) + 1 }));
  // @ts-expect-error: an update gives a user
  await users.update("ada", () => ({ borm: 1 }));
  await users.setMany({ ada: { born: 1815 } });
  await users.setMany(new Map([["ada", { born: 1815 }]]));
  for await (const [key, user] of users) {
    is<Equal<typeof key, string>>();
    is<Equal<typeof user, User>>();
  }

  const checked = hive.table("users", { schema });
  const read = await checked.get("ada");
  is<Equal<typeof read, User | undefined>>();
  await checked.set("ada", { born: "1815" });
  // @ts-expect-error: what is set is what the schema takes, not what it gives
  await checked.set("ada", { born: 1815 });

  const untyped = hive.table("anything");
  const value = await untyped.get("x");
  is<Equal<typeof value, unknown>>();
  const typedKeys = hive.table<User, Key>("by id");
  await typedKeys.set(1, { born: 1 });
  await typedKeys.set(new Date(), { born: 1 });
  // @ts-expect-error: an object is no key
  await typedKeys.set({}, { born: 1 });
}

export async function others(hive: Client): Promise<void> {
  const value = await hive.get<User>("k");
  is<Equal<typeof value, User | undefined>>();
  const bytes = await hive.get("k", { as: "bytes" });
  is<Equal<typeof bytes, Uint8Array | undefined>>();
  const seen = hive.setOf<number>("seen");
  await seen.push(1, 2);
  // @ts-expect-error: members are numbers
  await seen.push("1");
  for await (const member of seen.values()) is<Equal<typeof member, number>>();
  const jobs = hive.list<User>("jobs");
  await jobs.push({ born: 1815 });
  // @ts-expect-error: an element is a user
  await jobs.push("ada");
  const job = await jobs.shift({ waitMs: 100 });
  is<Equal<typeof job, User | undefined>>();
  for await (const each of jobs) is<Equal<typeof each, User>>();
  for await (const each of jobs.take()) is<Equal<typeof each, User>>();
  // @ts-expect-error: a list of other values
  await jobs.move(hive.list<number>("numbers"));
  const board = hive.sorted<number>("board");
  await board.add(7, 1.5);
  // @ts-expect-error: members are numbers
  await board.add("7", 1.5);
  const next = await board.popMin({ waitMs: 100 });
  is<Equal<typeof next, [member: number, score: number] | undefined>>();
  for await (const each of board) is<Equal<typeof each, [member: number, score: number]>>();
  for await (const key of hive.scan({ match: "*" })) is<Equal<typeof key, string>>();
  for await (const key of hive.scan({ as: "bytes" })) is<Equal<typeof key, Uint8Array>>();
  const answers = await hive.multi().put("a", 1).incr("a").get<User>("u").table<User>("t").get("x").exec();
  is<Equal<typeof answers, [boolean, number | bigint, User | undefined, User | undefined]>>();
  // @ts-expect-error: there is no such condition
  await hive.put("k", 1, { onlyIf: "sometimes" });
  hive.addEventListener("state", (event) => {
    is<Equal<typeof event.state, "connecting" | "ready" | "reconnecting" | "closed">>();
    is<Equal<typeof event.cause, HiveError | undefined>>();
  });
  const bound = hive.with({ timeoutMs: 1 });
  is<Equal<typeof bound, Client>>();
}

export function errors(error: HiveError): void {
  is<Equal<typeof error.sent, boolean | undefined>>();
  if (error.code === "WRONG_TYPE") return;
  // @ts-expect-error: there is no such code
  if (error.code === "NO_SUCH_CODE") return;
}

test("the types of this file hold: npm run check compiles it", () => {
  assert.equal(typeof tables, "function");
});
