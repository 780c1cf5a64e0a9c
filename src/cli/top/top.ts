// memhive top: how a hive is, live.
//
//   every interval: INFO (and CLIENT LIST) ──▶ Reading ──▶ rates since the last ──▶ screen
//
// q or Ctrl+C ends it, c shows or hides the connections. Where standard output is no terminal, or with
// --once, it prints once: two readings an interval apart, so that rates are of now; with --json as one object.
// A connection that is lost comes back by itself; until then the screen says so.

import { isHiveError } from "../../base/errors.ts";
import type { Client } from "../../client/node.ts";
import { type CommonOptions, dialHive } from "../dial-hive.ts";
import { fact, type Rates, type Reading, ratesOf, readingOf } from "./reading.ts";
import { screenLines } from "./screen.ts";
import { Terminal } from "./terminal.ts";

export type TopOptions = CommonOptions & { interval?: number; once?: boolean; clients?: boolean };

const INTERVAL_MS = 1_000;
/** What is printed has no height. */
const ROWS_PRINTED = 1_000;
const COLUMNS_PRINTED = 160;

export async function top(options: TopOptions): Promise<boolean> {
  const live = options.once !== true && options.json !== true && process.stdout.isTTY && process.stdin.isTTY;
  await using hive = await dialHive(options, live ? {} : { reconnect: false });
  if (live) await showLive(hive, options);
  else await printOnce(hive, options);
  return true;
}

async function read(hive: Client, clients: boolean): Promise<Reading> {
  const info = await hive.info("everything");
  const list = clients ? String(await hive.send(["CLIENT", "LIST"])) : "";
  return readingOf(info, list, Date.now());
}

async function printOnce(hive: Client, { interval = INTERVAL_MS, clients = false, json }: TopOptions): Promise<void> {
  const before = await read(hive, false);
  await new Promise((resolve) => setTimeout(resolve, interval));
  const now = await read(hive, clients);
  const rates = ratesOf(before, now);
  if (json) return void process.stdout.write(`${JSON.stringify(asJson(now, rates, clients))}\n`);
  const size = { columns: COLUMNS_PRINTED, rows: ROWS_PRINTED };
  process.stdout.write(`${screenLines(now, rates, { address: hive.address, clients, ...size }).join("\n")}\n`);
}

function asJson(now: Reading, { commands, ...perSecond }: Rates, clients: boolean): object {
  return {
    at: new Date(now.atMs).toISOString(),
    perSecond,
    usedBytes: fact(now, "memory", "used_memory"),
    maxMemoryBytes: fact(now, "memory", "maxmemory"),
    residentBytes: fact(now, "memory", "used_memory_rss"),
    connectedClients: fact(now, "clients", "connected_clients"),
    loop: now.info["loop"] ?? {},
    persistence: now.info["persistence"] ?? {},
    commands,
    ...(clients ? { clients: now.clients } : {}),
  };
}

async function showLive(hive: Client, options: TopOptions): Promise<void> {
  let { clients = false } = options;
  let before: Reading | undefined;
  let now: Reading | undefined;
  let notice: string | undefined;
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  /** Ends the pause between two readings. */
  let wake = (): void => {};
  let running = true;

  const draw = (): void => {
    if (now === undefined) return;
    const { columns, rows } = terminal;
    const rates = ratesOf(before, now);
    const more = notice === undefined ? {} : { notice };
    terminal.draw(screenLines(now, rates, { address: hive.address, columns, rows, clients, ...more }));
  };
  const terminal = new Terminal({
    input: process.stdin,
    output: process.stdout,
    onKey(key) {
      if (key === "q" || key === "Q") stop();
      if (key !== "c") return;
      clients = !clients;
      wake();
    },
    onResize: draw,
    onStop: stop,
  });
  void stopped.then(() => {
    running = false;
    wake();
  });

  terminal.open();
  try {
    while (running) {
      try {
        const reading = await Promise.race([read(hive, clients), stopped]);
        if (reading === undefined) break;
        before = now;
        now = reading;
        notice = undefined;
      } catch (error) {
        if (!isHiveError(error) || hive.state === "closed") throw error;
        notice = `${hive.state}: ${error.message}`;
      }
      draw();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, options.interval ?? INTERVAL_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    terminal.close();
  }
}
