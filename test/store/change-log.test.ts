// The change log: what was made is noted once and in order, what was not made is not, and no secret ever.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeView, HistoryCursor } from "../../src/store/change-history.ts";
import type { Store } from "../../src/store/store.ts";
import { startCalls } from "../kit/calls.ts";
import { SmallStore } from "../kit/small-store.ts";

const WORDS = ["erased", "set", "deleted", "expired", "evicted", "renamed", "flushed"];
const LIMITS = { changesMax: 1_000_000, bytesMax: 1 << 28, valueBytesMax: 10 };

/** What was noted since the last time: "set t .f", "renamed a > b", "expired k =v". */
function noting(store: Store): () => string[] {
  const { changes } = store.memory;
  changes.configure(LIMITS);
  changes.start();
  const cursor = new HistoryCursor(0);
  const view = new ChangeView();
  return () => {
    changes.settle();
    const lines: string[] = [];
    while (changes.history.read(cursor, view)) {
      const { kind, bytes, keyStart, keyEnd, hasOther, otherEnd, hasValue, valueEnd } = view;
      let line = `${WORDS[kind]} ${bytes.latin1Slice(keyStart, keyEnd)}`;
      if (hasOther) line += ` ${WORDS[kind] === "renamed" ? "> " : "."}${bytes.latin1Slice(keyEnd, otherEnd)}`;
      if (hasValue) line += ` =${bytes.latin1Slice(otherEnd, valueEnd)}`;
      lines.push(line);
    }
    return lines;
  };
}

test("each command is told as what it did, and nothing where it did nothing", () => {
  const { call, store, advance } = startCalls({}, { feed: "always" });
  const noted = noting(store);
  const cases: [string, ...string[]][] = [
    ["SET k v", "set k"],
    ["SET k w", "set k"],
    ["SET k w NX"],
    ["INCR k"],
    ["APPEND k x", "set k"],
    ["SETRANGE k 1 y", "set k"],
    ["EXPIRE k 100"],
    ["PERSIST k"],
    ["RENAME k l", "renamed k > l"],
    ["SET k v", "set k"],
    ["RENAME k l", "renamed k > l"],
    ["COPY l m", "set m"],
    ["DEL l m none", "deleted l", "deleted m"],
    ["MSET a 1 b 2", "set a", "set b"],
    ["GETDEL a", "deleted a"],
    ["PEXPIRE b -1", "deleted b"],
    ["SET gone v EXAT 1"],
    ["HSET t f 1 g 2", "set t .f", "set t .g"],
    ["HSET t f 2", "set t .f"],
    ["HINCRBY t f 1", "set t .f"],
    ["HDEL t f none", "deleted t .f"],
    ["HDEL t g", "deleted t .g", "deleted t"],
    ["SADD s a b", "set s .a", "set s .b"],
    ["SADD s a"],
    ["SMOVE s o a", "set o .a", "deleted s .a"],
    ["SUNIONSTORE u s o", "set u"],
    ["SUNIONSTORE u s", "set u"],
    ["SINTERSTORE u s o", "deleted u"],
    ["ZADD z 1 a 2 b", "set z .a", "set z .b"],
    ["ZADD z 1 a"],
    ["ZADD z 3 a", "set z .a"],
    ["ZREM z a", "deleted z .a"],
    ["ZADD z 1 c 2 d", "set z .c", "set z .d"],
    ["ZREMRANGEBYRANK z 0 1", "set z"],
    ["ZPOPMIN z", "deleted z"],
    ["RPUSH l a b", "set l", "set l"],
    ["LPOP l", "set l"],
    ["LPOP l", "deleted l"],
    ["LPUSH s x"],
    ["GET none"],
    ["FLUSHALL", "flushed "],
    ["FLUSHALL"],
  ];
  for (const [line, ...expected] of cases) {
    call(...line.split(" "));
    assert.deepEqual(noted(), expected, line);
  }
  call("SET", "e", "last", "PX", "10");
  call("SET", "large", "x".repeat(11), "PX", "20");
  call("HSET", "t", "f", "v", "g", "w");
  call("HPEXPIRE", "t", "30", "FIELDS", "1", "f");
  noted();
  advance(10);
  assert.deepEqual(noted(), ["expired e =last"]);
  advance(10);
  assert.deepEqual(noted(), ["expired large"], "a value that is larger than may be kept");
  advance(10);
  assert.deepEqual(noted(), ["expired t .f =v"]);
});

test("what was taken back is never noted", () => {
  const { call, store } = startCalls({}, { feed: "always" });
  const noted = noting(store);
  call("SET", "a", "1");
  store.undo.begin();
  call("SET", "b", "1");
  call("RENAME", "a", "c");
  store.undo.rollback();
  assert.deepEqual(noted(), ["set a"]);
  store.undo.begin();
  call("SET", "b", "1");
  assert.deepEqual(noted(), [], "not before its outcome is known");
  store.undo.commit();
  assert.deepEqual(noted(), ["set b"]);
});

test("with the memory full, a call that fails leaves nothing in the log", () => {
  const { call, store } = startCalls({ maxMemoryBytes: 40 * 65_536 }, { feed: "always" });
  const noted = noting(store);
  const exists = new Set<string>();
  let failures = 0;
  for (let i = 0; i < 3_000; i++) {
    const key = `k${i % 1500}`;
    const answers = [
      call("SET", key, "x".repeat((i * 7919) % 3_000)),
      call("SADD", `set ${i % 50}`, "m".repeat(500) + i, "n".repeat(500) + i),
      call("RENAME", key, `r${i % 700}`),
      call("LPUSH", `list ${i % 50}`, "e".repeat((i * 31) % 900)),
    ];
    failures += answers.filter((answer) => String(answer).startsWith("-OOM")).length;
    if (i % 10 === 0) store.work(() => true);
    for (const line of noted()) {
      const [kind, ...rest] = line.split(" ");
      const name = rest.join(" ");
      if (kind === "renamed") {
        const [from, to] = name.split(" > ");
        assert.ok(exists.delete(from!), line);
        exists.add(to!);
      } else if (kind === "set") exists.add(name.split(" .")[0]!);
      else assert.ok(exists.delete(name), line);
    }
  }
  assert.ok(failures > 100, `${failures} failures`);
  const names = call("KEYS", "*") as string[];
  assert.deepEqual([...exists].sort(), [...names].sort());
});

test("a mirror made of the log has the keys and fields of the store, over random histories", () => {
  const { call, store, advance } = startCalls({}, { feed: "always" });
  const noted = noting(store);
  const mirror = new Map<string, Set<string>>();
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 0x7fffffff) % below;
  const some = (prefix: string, count: number): string => `${prefix}${random(count)}`;
  for (let step = 0; step < 20_000; step++) {
    const [key, other, field] = [some("k", 30), some("k", 30), some("f", 90)];
    const lines: string[][] = [
      ["SET", key, "v"],
      ["SET", key, "v", "PX", `${1 + random(50)}`],
      ["HSET", key, field, "v", some("f", 90), "w"],
      ["HSET", key, field, "v"],
      ["HDEL", key, field],
      ["HPEXPIRE", key, `${1 + random(50)}`, "FIELDS", "1", field],
      ["SADD", key, field, some("f", 90)],
      ["SREM", key, field],
      ["SPOP", key],
      ["SMOVE", key, other, field],
      ["ZADD", key, `${random(9)}`, field],
      ["ZREM", key, field],
      ["RENAME", key, other],
      ["COPY", key, other, "REPLACE"],
      ["SUNIONSTORE", key, other, some("k", 30)],
      ["PEXPIRE", key, `${random(60)}`],
      ["DEL", key],
      ["INCR", key],
    ];
    if (random(2000) === 0) call("FLUSHALL");
    else if (random(4) === 0) advance(random(20));
    else call(...lines[random(lines.length)]!);
    for (const line of noted()) follow(mirror, line, call);
    if (step % 500 !== 0) continue;
    assert.deepEqual([...mirror.keys()].sort(), (call("KEYS", "*") as string[]).sort(), `step ${step}`);
    for (const [name, fields] of mirror)
      assert.deepEqual([...fields].sort(), fieldsOf(name, call), `${name}, step ${step}`);
  }
});

type Call = ReturnType<typeof startCalls>["call"];

function follow(mirror: Map<string, Set<string>>, line: string, call: Call): void {
  const [kind, key, more, last] = line.split(" ") as [string, string, string?, string?];
  const field = more?.startsWith(".") ? more.slice(1) : undefined;
  if (kind === "flushed") mirror.clear();
  else if (kind === "renamed") {
    const fields = mirror.get(key);
    assert.ok(fields !== undefined, line);
    mirror.delete(key);
    mirror.set(last!, fields);
  } else if (kind === "set" && field === undefined) mirror.set(key, new Set(fieldsOf(key, call)));
  else if (kind === "set") mirror.set(key, (mirror.get(key) ?? new Set<string>()).add(field!));
  else if (field !== undefined) assert.ok(mirror.get(key)!.delete(field), line);
  else assert.ok(mirror.delete(key), line);
}

function fieldsOf(key: string, call: Call): string[] {
  const type = String(call("TYPE", key));
  const names =
    type === "hash"
      ? call("HKEYS", key)
      : type === "set"
        ? call("SMEMBERS", key)
        : type === "zset"
          ? call("ZRANGE", key, "0", "-1")
          : [];
  return [...(names as string[])].sort();
}

test("a secret is not in it: not its name, its fields, its value, nor where it was renamed to", () => {
  const small = new SmallStore();
  const { store } = small;
  const noted = noting(store);
  small.put("secret", "value", 2_000_000);
  store.keys.setScrub(small.ref("secret"));
  assert.deepEqual(noted(), ["erased \0\0\0\0\0\0"], "it was new, and became a secret before anybody looked");
  small.put("secret", "other", 1_000_500);
  small.pass(1_000);
  assert.deepEqual(noted(), [], "it ran out");
  small.set("vault", "pin", "1234");
  store.keys.setScrub(small.ref("vault"));
  small.set("vault", "code", "5678");
  small.delete("vault", "pin");
  small.put("plain", "v");
  small.rename("vault", "plain");
  small.remove("plain");
  const lines = noted();
  assert.deepEqual(
    lines.filter((line) => !line.startsWith("erased")),
    ["set plain", "deleted plain"],
    "only what was no secret, and that it went",
  );
});

test("nothing is noted, and the funnel is left, where nobody asked for it", () => {
  const { call, store } = startCalls();
  assert.equal(store.memory.funnel.on, false);
  const noted = noting(store);
  assert.equal(store.memory.funnel.on, true);
  call("SET", "k", "v");
  assert.deepEqual(noted(), ["set k"]);
  store.memory.changes.stop();
  assert.equal(store.memory.funnel.on, false);
  call("SET", "k", "v");
  assert.deepEqual(store.memory.changes.history.gapBehind(1), { why: "unwatched", until: 2, lost: undefined });
});
