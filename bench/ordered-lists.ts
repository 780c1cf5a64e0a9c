// Lists in `ordered`: pushes, pops and ranges, of many small lists and of one with 1 M elements.

import { empty, fill, type OrderedMemory, type OrderedWork } from "./ordered-work.ts";
import type { Server } from "./peers.ts";

const MILLION = 1_000_000;
const SMALL_LISTS = 50_000;
const ELEMENT = "element:__rand_int__";
const SMALL = "list:__rand_int__";
/** As many as make that hardly a pop of a small list finds none. */
const SMALL_ELEMENTS = 40;

async function oneOfMillion(server: Server): Promise<void> {
  await empty(server);
  await fill(server, ["RPUSH", "mylist", ELEMENT], MILLION);
}

async function toPopFrom(server: Server, requests: number): Promise<void> {
  await empty(server);
  await fill(server, ["RPUSH", "mylist", ELEMENT], requests);
}

async function smallOnes(server: Server): Promise<void> {
  await empty(server);
  const elements = Array.from({ length: SMALL_ELEMENTS }, (_, i) => `element:${i}`);
  await fill(server, ["RPUSH", SMALL, ...elements], SMALL_LISTS, SMALL_LISTS);
}

async function oneOf(server: Server, count: number): Promise<void> {
  await empty(server);
  await fill(server, ["RPUSH", "mylist", ELEMENT], count);
}

const small = { keys: SMALL_LISTS, goal: 1, prepare: smallOnes };

// biome-ignore format: a table reads better aligned
export const LIST_WORKS: readonly OrderedWork[] = [
  { name: "LPUSH, small lists", call: ["LPUSH", SMALL, "xxx"], requests: 1_000_000, ...small },
  { name: "RPUSH, small lists", call: ["RPUSH", SMALL, "xxx"], requests: 1_000_000, ...small },
  { name: "LPOP, small lists",  call: ["LPOP", SMALL],         requests: 1_000_000, ...small },
  { name: "RPOP, small lists",  call: ["RPOP", SMALL],         requests: 1_000_000, ...small },
  { name: "LPUSH, 1 M elements", call: ["LPUSH", "mylist", ELEMENT], requests: 1_000_000, goal: 1, prepare: oneOfMillion },
  { name: "RPUSH, 1 M elements", call: ["RPUSH", "mylist", ELEMENT], requests: 1_000_000, goal: 1, prepare: oneOfMillion },
  { name: "LPOP, 1 M elements",  call: ["LPOP", "mylist"], requests: 1_000_000, goal: 1, prepare: toPopFrom },
  { name: "RPOP, 1 M elements",  call: ["RPOP", "mylist"], requests: 1_000_000, goal: 1, prepare: toPopFrom },
  { name: "LRANGE_100, 600 elements", call: ["LRANGE", "mylist", "0", "99"],  requests: 200_000, goal: 1, prepare: (server) => oneOf(server, 600) },
  { name: "LRANGE_600, 600 elements", call: ["LRANGE", "mylist", "0", "599"], requests:  50_000, goal: 1, prepare: (server) => oneOf(server, 600) },
  { name: "LRANGE_100, 1 M elements", call: ["LRANGE", "mylist", "0", "99"],  requests: 200_000, goal: 1, prepare: oneOfMillion },
  { name: "LRANGE_600, 1 M elements", call: ["LRANGE", "mylist", "0", "599"], requests:  50_000, goal: 1, prepare: oneOfMillion },
];

export const LIST_MEMORY: readonly OrderedMemory[] = [
  { name: "list element of 20 B, 1 M in a list", elements: MILLION, fill: oneOfMillion },
  {
    name: "list element of 3 B, 1 M in a list",
    elements: MILLION,
    fill: (server) => fill(server, ["RPUSH", "mylist", "xxx"], MILLION),
  },
  {
    name: "list element of 64 B, 1 M in a list",
    elements: MILLION,
    fill: (server) => fill(server, ["RPUSH", "mylist", "x".repeat(52).concat("__rand_int__")], MILLION),
  },
  {
    name: "list element of 10 B, 40 in a list",
    elements: SMALL_LISTS * SMALL_ELEMENTS * (1 - 1 / Math.E),
    fill: smallOnes,
  },
];
