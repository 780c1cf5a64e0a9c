// Feed: a watcher whose connection is cut at random, again and again, while keys change, run out and get other names.
//
//   writer ──▶ hive ◀── proxy that cuts ◀── hive.watch("*")
//
// What is checked, over every change that was made:
//   - numbers: each change has the next number, or a gap says exactly how many are between
//   - the last number is how many changes were made, counted by who made them: none was told twice, none is too many
//   - content: what was told of a key is what was done to it, in order; where nothing was lost, all of it
//   - the last value of what ran out

import { type Change, type Client, connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { CutProxy, randomOf } from "./restarts.ts";

export type FeedOptions = {
  seed: number;
  cuts: number;
  /** Changes that are made, at least. */
  changes: number;
  /** feedChangesMax, where it is not the hive's own. */
  historyMax?: number | undefined;
  note(text: string): void;
};

export type FeedResult = {
  changes: number;
  told: number;
  byKind: Record<string, number>;
  cuts: number;
  gaps: number;
  lost: number;
  /** Watches begun with the position of another one, as another process would. */
  resumed: number;
  /** What must not be: one line each. */
  wrong: string[];
};

const BATCH = 50;
const END = "end";

export async function tortureFeed(options: FeedOptions): Promise<FeedResult> {
  const random = randomOf(options.seed);
  const limits = options.historyMax === undefined ? {} : { feedChangesMax: options.historyMax };
  const hive = await Hive.start({ port: 0, limits });
  const proxy = await CutProxy.open(() => hive.port);
  const writer = await connect(`hive://127.0.0.1:${hive.port}`);
  const reconnect = { minMs: 1, maxMs: 5 };
  const client = await connect(`hive://127.0.0.1:${proxy.port}`, { reconnect, waitMs: 60_000 });
  const made = new Made(writer, random);
  const seen = new Seen();
  const watch = client.watch("*");
  await watch.ready;
  const watching = seen.follow(client, watch, random);
  const everyChanges = Math.ceil(options.changes / options.cuts);
  let cuts = 0;
  while (cuts < options.cuts) {
    const next = cuts * everyChanges + random(everyChanges);
    while (made.count < next) await made.batch();
    await cut();
  }
  while (made.count < options.changes) await made.batch();
  await made.finish();
  await watching;
  await Promise.all([client.close(), writer.close()]);
  proxy.close();
  await hive.close();
  const { told, byKind, gaps, lost, resumed } = seen;
  return { changes: made.count, told, byKind, cuts, gaps, lost, resumed, wrong: seen.judge(made) };

  /** Cuts off a watcher that is connected, in whatever it is doing. */
  async function cut(): Promise<void> {
    while (proxy.connections === 0) await writer.ping();
    proxy.cut();
    cuts++;
    options.note(`${cuts} of ${options.cuts} cuts: ${made.count} changes, ${seen.told} told, ${seen.lost} lost`);
  }
}

/** Makes changes, each key once and for a short life, and knows what has to be told of them. */
class Made {
  count = 0;
  /** By key: what happened to it. */
  readonly expected = new Map<string, string[]>();
  readonly #hive: Client;
  readonly #random: (below: number) => number;
  #keys = 0;

  constructor(hive: Client, random: (below: number) => number) {
    this.#hive = hive;
    this.#random = random;
  }

  async batch(): Promise<void> {
    const calls: Promise<unknown>[] = [];
    while (calls.length < BATCH) calls.push(...this.#life(`k${this.#keys++}`));
    await Promise.all(calls);
  }

  /** All calls of a key, in order: they share one connection. */
  #life(key: string): Promise<unknown>[] {
    const hive = this.#hive;
    switch (this.#random(6)) {
      case 0:
        this.#expect(key, "set", "set", "deleted");
        return [hive.put(key, 1), hive.put(key, 2), hive.delete(key)];
      case 1:
        this.#expect(key, "set", `expired =last of ${key}`);
        return [hive.put(key, `last of ${key}`, { ttlMs: 1 + this.#random(20) })];
      case 2:
        this.#expect(key, "set", `renamed to ${key}b`);
        this.#expect(`${key}b`, "deleted");
        return [hive.put(key, 1), hive.rename(key, `${key}b`), hive.delete(`${key}b`)];
      case 3: {
        const table = hive.table(key);
        this.#expect(key, "set .a", "set .b", "set .a", "deleted .b", "deleted");
        return [table.set("a", 1), table.set("b", 1), table.set("a", 2), table.delete("b"), hive.delete(key)];
      }
      case 4: {
        const table = hive.table(key);
        this.#expect(key, "set .a", "expired .a =1", "deleted");
        return [table.set("a", 1, { ttlMs: 1 + this.#random(20) })];
      }
      default:
        // A call that fails and one that changes nothing: there is nothing to tell of them.
        this.#expect(key, "set", "deleted");
        return [
          hive.put(key, "no number"),
          hive.send(["INCR", key]).catch(() => {}),
          hive.put(key, 1, { onlyIf: "absent" }),
          hive.delete(key),
          hive.delete(key),
        ];
    }
  }

  #expect(key: string, ...happened: string[]): void {
    this.expected.set(key, happened);
    this.count += happened.length;
  }

  /** Waits until everything has run out that should, and marks the end. */
  async finish(): Promise<void> {
    while (Number(await this.#hive.send(["DBSIZE"])) > 0);
    this.#expect(END, "set");
    await this.#hive.put(END, 1);
  }
}

/** What a watcher was told. */
class Seen {
  told = 0;
  gaps = 0;
  lost = 0;
  resumed = 0;
  readonly byKind: Record<string, number> = {};
  readonly wrong: string[] = [];
  readonly #byKey = new Map<string, string[]>();
  #number = 0;

  /** Reads to the end; now and then a new watch goes on from where another one stopped. */
  async follow(client: Client, first: ReturnType<Client["watch"]>, random: (below: number) => number): Promise<void> {
    let watch = first;
    for (;;) {
      for await (const change of watch) {
        this.#take(change);
        if (change.kind === "set" && change.key === END) return;
        if (random(500) === 0) break;
      }
      this.resumed++;
      watch = client.watch("*", { since: watch.position });
    }
  }

  #take(change: Change): void {
    const number = Number(change.position.split(":")[1]);
    const step = change.kind === "gap" ? (change.lost ?? Number.NaN) : 1;
    if (number !== this.#number + step) this.wrong.push(`${JSON.stringify(change)} behind ${this.#number}`);
    this.#number = number;
    this.byKind[change.kind] = (this.byKind[change.kind] ?? 0) + 1;
    if (change.kind === "gap") {
      this.gaps++;
      this.lost += change.lost ?? 0;
      return;
    }
    this.told++;
    if (change.kind === "flushed") return void this.wrong.push("nobody emptied the hive");
    const key = String(change.key);
    let text: string = change.kind;
    if ("field" in change) text += ` .${String(change.field)}`;
    if ("to" in change) text += ` to ${String(change.to)}`;
    if ("value" in change) text += ` =${String(change.value)}`;
    const before = this.#byKey.get(key);
    if (before === undefined) this.#byKey.set(key, [text]);
    else before.push(text);
  }

  judge({ count, expected }: Made): string[] {
    const { wrong } = this;
    if (this.#number !== count) wrong.push(`the last change is number ${this.#number}, and ${count} were made`);
    if (this.told + this.lost !== count) wrong.push(`${this.told} told and ${this.lost} lost of ${count}`);
    for (const [key, happened] of expected) {
      const told = this.#byKey.get(key) ?? [];
      this.#byKey.delete(key);
      const isRight = this.lost === 0 ? told.join() === happened.join() : isPartOf(told, happened);
      if (!isRight) wrong.push(`${key}: ${told.join(", ")} was told of ${happened.join(", ")}`);
    }
    for (const key of this.#byKey.keys()) wrong.push(`${key} was told, and nobody made it`);
    return wrong.slice(0, 20);
  }
}

/** Whether `part` is what is left of `whole` when some of it is taken out. */
function isPartOf(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const item of whole) if (item === part[at]) at++;
  return at === part.length;
}
