// The feed from inside: who sees what, who is slow, when changes are noted at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HiveError } from "../../src/base/errors.ts";
import { limitsWith } from "../../src/base/limits.ts";
import type { ChangeFeed } from "../../src/engine/change-feed.ts";
import { Grants } from "../../src/engine/grants.ts";
import type { Reply } from "../../src/engine/reply.ts";
import { type Answer, RecordingReply, startCalls } from "../kit/calls.ts";

/** A stream that takes what comes, or lets it wait until it is read. */
class Stream {
  heard: Answer[][] = [];
  isSlow = false;
  #go: (() => void) | undefined = undefined;

  element(write: (reply: Reply) => void): Promise<void> | undefined {
    const reply = new RecordingReply();
    write(reply);
    const element = reply.take() as Answer[];
    if (!this.isSlow) {
      this.heard.push(element);
      return undefined;
    }
    return new Promise((resolve) => {
      this.#go = () => {
        this.heard.push(element);
        resolve();
      };
    });
  }

  /** The reader takes more from now on. */
  read(): void {
    this.isSlow = false;
    this.#go?.();
  }

  /** What came since, without what begins a stream, in words. */
  take(): string[] {
    const lines = this.heard.map((element) =>
      element
        .slice(1)
        .map((part) => part ?? "-")
        .join(" "),
    );
    this.heard = [];
    return lines;
  }
}

type Wanted = { patterns?: string[]; grants?: string[]; since?: string };

function watch(feed: ChangeFeed, { patterns = ["*"], grants, since = "$" }: Wanted = {}) {
  const stream = new Stream();
  const abort = new AbortController();
  const ended = feed.watch({
    patterns: patterns.map((pattern) => Buffer.from(pattern)),
    grants: grants === undefined ? undefined : Grants.parse(grants),
    since,
    outflow: stream,
    signal: abort.signal,
  });
  ended.catch(() => {});
  const [begin] = stream.heard;
  stream.heard = [];
  return { stream, abort, ended, position: begin === undefined ? "" : begin.join(":") };
}

/** The hive has no turn any more that is to come by itself. */
async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("a watcher hears of the keys that its patterns match, from its beginning on", async () => {
  const { call, engine } = startCalls();
  const one = watch(engine.feed, { patterns: ["users/*", "a"] });
  call("SET", "users/1", "v");
  call("SET", "other", "v");
  call("SET", "a", "v");
  await turns();
  assert.deepEqual(one.stream.take(), ["set users/1", "set a"]);
  const two = watch(engine.feed);
  call("DEL", "users/1");
  call("FLUSHALL");
  await turns();
  assert.deepEqual(one.stream.take(), ["deleted users/1", "flushed"]);
  assert.deepEqual(two.stream.take(), ["deleted users/1", "flushed"]);
});

test("of a rename it is told what may be read: both names, or that a key went, or came", async () => {
  const { call, engine } = startCalls();
  const watchers = [
    watch(engine.feed, { patterns: ["users/*"] }),
    watch(engine.feed, { patterns: ["users/*"], grants: ["read:users/*"] }),
    watch(engine.feed, { patterns: ["other/*"], grants: ["read:other/*"] }),
    watch(engine.feed, { patterns: ["other/*"], grants: ["read:users/*"] }),
  ];
  call("SET", "users/1", "v");
  call("RENAME", "users/1", "other/1");
  await turns();
  assert.deepEqual(
    watchers.map(({ stream }) => stream.take()),
    [["set users/1", "renamed users/1 other/1"], ["set users/1", "deleted users/1"], ["set other/1"], []],
  );
});

test("who comes back with a position goes on behind it; with one of another run it hears of a restart", async () => {
  const { call, engine } = startCalls();
  const { position, abort, ended } = watch(engine.feed);
  abort.abort(new Error("gone"));
  await assert.rejects(ended, /gone/);
  call("SET", "a", "1");
  call("SET", "b", "1");
  const back = watch(engine.feed, { since: position });
  await turns();
  assert.deepEqual(back.stream.take(), ["set a", "set b"]);
  const run = position.split(":")[0]!;
  const ahead = (): unknown => watch(engine.feed, { since: `${run}:3` });
  assert.throws(ahead, ({ code }: HiveError) => code === "INVALID_ARGUMENT");
  for (const since of ["", "0", `${run}:-1`, `${run}:x`, `${run}:99999999999999999999`, "$$"]) {
    assert.throws(
      () => watch(engine.feed, { since }),
      ({ code }: HiveError) => code === "INVALID_ARGUMENT",
    );
  }
  const other = watch(engine.feed, { since: `${"0".repeat(32)}:1` });
  call("SET", "c", "1");
  await turns();
  assert.deepEqual(other.stream.take(), ["gap restarted -", "set c"]);
});

test("a slow watcher takes no memory: when the history has moved on it is told how many it missed", async () => {
  const { call, engine } = startCalls({}, { limits: limitsWith({ feedChangesMax: 80 }) });
  const { stream } = watch(engine.feed);
  stream.isSlow = true;
  for (let i = 1; i <= 1000; i++) {
    call("SET", `k${i}`, "v");
    // The first one is on its way, and waits.
    if (i === 1) await turns();
  }
  await turns();
  assert.deepEqual(stream.take(), []);
  assert.ok(engine.feed.history.changes <= 80);
  stream.read();
  await turns();
  const lines = stream.take();
  assert.equal(lines[0], "set k1");
  const lost = Number(/^gap history (\d+)$/.exec(lines[1]!)![1]);
  assert.equal(lines.filter((line) => line.startsWith("set")).length + lost, 1000);
  assert.equal(lines.at(-1), "set k1000");
});

test("who sees nothing for long is told how far it has come, and has no gap afterwards", async () => {
  const { call, engine } = startCalls({}, { limits: limitsWith({ feedChangesMax: 3000 }) });
  const { stream, position } = watch(engine.feed, { patterns: ["mine"] });
  for (let i = 0; i < 5000; i++) {
    call("SET", "other", "v");
    if (i % 500 === 0) await turns(3);
  }
  await turns();
  const places = stream.heard.map(([number]) => Number(number));
  assert.ok(places.at(-1)! > 3500, `${places}`);
  assert.ok(stream.take().every((line) => line === "at"));
  const back = watch(engine.feed, { patterns: ["mine"], since: `${position.split(":")[0]}:${places.at(-1)}` });
  call("SET", "mine", "v");
  await turns();
  assert.deepEqual(back.stream.take().at(-1), "set mine");
});

test("changes are noted from the first watcher on, until long after the last one", async () => {
  const { call, engine, advance } = startCalls();
  assert.equal(engine.feed.history.isOn, false);
  const { position, abort } = watch(engine.feed);
  abort.abort();
  call("SET", "a", "1");
  advance(599_999);
  const soon = watch(engine.feed, { since: position });
  await turns();
  assert.deepEqual(soon.stream.take(), ["set a"]);
  soon.abort.abort();
  advance(600_000);
  assert.equal(engine.feed.history.isOn, false);
  assert.equal(engine.feed.history.bytes, 0);
  call("SET", "b", "1");
  const late = watch(engine.feed, { since: position });
  call("SET", "c", "1");
  await turns();
  assert.deepEqual(late.stream.take(), ["gap unwatched -", "set c"]);
});

test("feed.keep: always notes without a watcher, never refuses to", () => {
  const always = startCalls({}, { feed: "always" });
  always.call("SET", "a", "1");
  always.advance(10_000_000);
  always.store.memory.changes.settle();
  assert.equal(always.engine.feed.history.changes, 1);
  const never = startCalls({}, { feed: "never" });
  assert.throws(
    () => watch(never.engine.feed),
    ({ code }: HiveError) => code === "UNSUPPORTED",
  );
  assert.equal(never.store.memory.funnel.on, false);
});

test("another content is a gap, and one that was given up is none", async () => {
  const { call, store, engine } = startCalls();
  const { stream } = watch(engine.feed);
  call("SET", "a", "1");
  store.beginRestoring().rollback();
  call("SET", "b", "1");
  await turns();
  assert.deepEqual(stream.take(), ["set a", "set b"]);
  store.beginRestoring().commit();
  call("SET", "c", "1");
  await turns();
  assert.deepEqual(stream.take(), ["gap restored -", "set c"]);
});

test("many watchers share their slices, and each hears everything in order", async () => {
  const { call, engine } = startCalls();
  const watchers = Array.from({ length: 50 }, () => watch(engine.feed));
  const expected: string[] = [];
  for (let i = 0; i < 400; i++) {
    call("SET", `k${i}`, "v");
    expected.push(`set k${i}`);
  }
  await turns(400);
  for (const { stream } of watchers) assert.deepEqual(stream.take(), expected);
});
