// The types of structures, for who writes them and who calls them. tsc is the test. Nothing in here is executed.

import { test } from "node:test";
import type { Client } from "../../src/client/node.ts";
import type { HiveCalls, Stored } from "../../src/structures/index.ts";
import type { Fifo, Suggest } from "../../src/structures/ready.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | undefined {
  return undefined;
}

export async function calls(hive: Client): Promise<void> {
  const fifo = hive.structure<typeof Fifo>("Fifo");
  const added = await fifo.FIFOADD("task queue", 42, "any");
  is<Equal<typeof added, string>>();
  const size = await fifo.at("task queue").SIZE();
  is<Equal<typeof size, number>>();
  // @ts-expect-error: a key is text
  await fifo.FIFOADD(42);
  // @ts-expect-error: there is no such command
  await fifo.at("task queue").PUSH(1);
  // @ts-expect-error: the state stays in the hive
  fifo.at("task queue").items;
  // @ts-expect-error: what is not in upper case is the class's own
  fifo.at("task queue").encode();
  const words = await hive.structure<typeof Suggest>("Suggest").at("words").SUGGEST("helo", 3);
  is<Equal<typeof words, string[]>>();
}

export function plays(hive: HiveCalls): void {
  is<Equal<ReturnType<typeof hive.play<"INCR">>, number>>();
  const all = hive.play("HGETALL", "t");
  is<Equal<typeof all, Map<string, Stored>>>();
  const other = hive.play("FIFOADD", "q", 1);
  is<Equal<typeof other, unknown>>();
}

test("the types of structures hold where this file compiles", () => {});
