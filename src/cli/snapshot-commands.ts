// memhive snapshot store | restore | list | remove | status of a running hive, and inspect of a file.
//
//   store ──▶ SNAPSHOT STORE, and SNAPSHOT STATUS beside it for the bar ──▶ what was stored, a line

import type { Client, SnapshotReport } from "../client/node.ts";
import { inspectSnapshot } from "../server/inspect-snapshot.ts";
import { byteSize } from "./byte-size.ts";
import { type CommonOptions, dialHive } from "./dial-hive.ts";
import { ProgressBar } from "./progress-bar.ts";

/** Between two looks at how far it is. */
const LOOK_MS = 100;

type Options = CommonOptions;

export async function snapshot(options: Options, action: string, args: string[]): Promise<boolean> {
  if (action === "inspect") return inspect(options, args[0]!);
  const hive = await dialHive(options, { reconnect: false });
  try {
    switch (action) {
      case "store":
        return await show(options, "stored", await withBar(hive, hive.snapshot.store(args[0])));
      case "restore":
        return await show(options, "restored", await withBar(hive, hive.snapshot.restore(args[0]!)));
      case "list":
        for (const entry of await hive.snapshot.list()) {
          const { name, bytes, storedMs } = entry;
          write(options, entry, `${new Date(storedMs).toISOString()}  ${size(bytes).padStart(10)}  ${name}`);
        }
        return true;
      case "remove":
        await hive.snapshot.remove(args[0]!);
        return true;
      default: {
        const status = await hive.snapshot.status();
        const lines = Object.entries(status).map(([name, value]) => `${name}: ${value}`);
        write(options, status, lines.join("\n"));
        return true;
      }
    }
  } finally {
    await hive.close();
  }
}

/** What each action takes: names, and how many. */
export const SNAPSHOT_ACTIONS: Readonly<Record<string, { min: number; max: number; takes: string }>> = {
  store: { min: 0, max: 1, takes: "[name]" },
  restore: { min: 1, max: 1, takes: "<name>" },
  list: { min: 0, max: 0, takes: "" },
  remove: { min: 1, max: 1, takes: "<name>" },
  status: { min: 0, max: 0, takes: "" },
  inspect: { min: 1, max: 1, takes: "<file>" },
};

/** Shows how far the hive is until `work` settles. */
async function withBar<T>(hive: Client, work: Promise<T>): Promise<T> {
  const bar = new ProgressBar(process.stderr);
  const timer = setInterval(async () => {
    const status = await hive.snapshot.status().catch(() => undefined);
    if (status?.working) bar.show(status.working, status.workPercent / 100, status.workName);
  }, LOOK_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    bar.end();
  }
}

async function show(options: Options, done: string, report: SnapshotReport): Promise<boolean> {
  const { name, keys, bytes, durationMs } = report;
  write(options, report, `${done} ${name}: ${keys} keys, ${size(bytes)}, ${(durationMs / 1000).toFixed(2)} s`);
  return true;
}

async function inspect(options: Options, file: string): Promise<boolean> {
  const bar = new ProgressBar(process.stderr);
  try {
    const found = await inspectSnapshot(file, ({ readBytes, bytes }) => bar.show("inspect", readBytes / bytes, file));
    bar.end();
    const { createdMs, runId, keys, fields, containers, bytes, rawBytes } = found;
    const lines = [
      `file:       ${file}, whole`,
      `shows:      ${new Date(createdMs).toISOString()}`,
      `written by: hive ${runId}`,
      `keys:       ${keys}`,
      `fields:     ${fields} in ${containers} large tables and sets; those of small ones lie in their keys`,
      `bytes:      ${bytes} (${size(bytes)}), ${size(rawBytes)} before compression`,
    ];
    write(options, found, lines.join("\n"));
    return true;
  } finally {
    bar.end();
  }
}

function write({ json }: Options, value: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

/** Of a file. */
function size(bytes: number): string {
  return byteSize(bytes, 1000);
}
