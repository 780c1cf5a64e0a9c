// memhive device list | usage | clear: what devices have in a running hive.
//
//   list ──▶ SCAN $device:* and $session:* ──▶ DEVICE.USAGE of each ──▶ a line each

import type { Client, DeviceUsage } from "../client/node.ts";
import { byteSize } from "./byte-size.ts";
import { type CommonOptions, dialHive } from "./dial-hive.ts";

const DEVICE_START = "$device:";
const SESSION_START = "$session:";
/** Devices that are asked for at once. */
const PAGE = 100;

/** What each action takes: devices, and how many. */
export const DEVICE_ACTIONS: Readonly<Record<string, { min: number; max: number; takes: string }>> = {
  list: { min: 0, max: 0, takes: "" },
  usage: { min: 1, max: 1, takes: "<device>" },
  clear: { min: 1, max: Number.POSITIVE_INFINITY, takes: "<devices...>" },
};

/** Resolves with whether all devices that were named have something. */
export async function device(options: CommonOptions, action: string, args: string[]): Promise<boolean> {
  const hive = await dialHive(options, { reconnect: false });
  try {
    if (action === "list") return await list(hive, options);
    if (action === "usage") return await usage(hive, options, args[0]!);
    return await clear(hive, options, args);
  } finally {
    await hive.close();
  }
}

async function list(hive: Client, options: CommonOptions): Promise<boolean> {
  const seen = new Set<string>();
  let page: string[] = [];
  const show = async (): Promise<void> => {
    const devices = page;
    page = [];
    const usages = await Promise.all(devices.map((id) => hive.device(id).usage()));
    for (const [i, id] of devices.entries()) {
      const { bytes, labels } = usages[i]!;
      const line = `${size(bytes).padStart(10)}  ${String(labels).padStart(8)} labels  ${id}`;
      write(options, { device: id, bytes, labels }, line);
    }
  };
  for (const start of [DEVICE_START, SESSION_START]) {
    for await (const key of hive.scan({ match: `${start}*` })) {
      const id = decodeURIComponent(key.slice(start.length).split(":")[0]!);
      if (seen.has(id)) continue;
      seen.add(id);
      if (page.push(id) === PAGE) await show();
    }
  }
  await show();
  return true;
}

async function usage(hive: Client, options: CommonOptions, id: string): Promise<boolean> {
  const found = await hive.device(id).usage();
  const { bytes, bytesMax, labels, deviceLabels, labelsMax, sessions, allBytes, allBytesMax } = found;
  const most = labelsMax === undefined ? "" : ` of ${labelsMax}`;
  const together = sessions === 0 ? "" : `, with those of its sessions ${deviceLabels}`;
  const lines = [
    `labels:      ${labels}${together}${most}`,
    `sessions:    ${sessions}${most}`,
    `bytes:       ${share(bytes, bytesMax)}, sessions included`,
    `all devices: ${share(allBytes, allBytesMax)}`,
  ];
  write(options, { device: id, ...found } satisfies DeviceUsage & { device: string }, lines.join("\n"));
  return bytes > 0 || nothing(id);
}

async function clear(hive: Client, options: CommonOptions, ids: readonly string[]): Promise<boolean> {
  let all = true;
  for (const id of ids) {
    const cleared = await hive.device(id).clear();
    if (cleared || options.json) write(options, { device: id, cleared }, `cleared ${id}`);
    if (!cleared) all = nothing(id);
  }
  return all;
}

function nothing(id: string): false {
  process.stderr.write(`memhive: device ${id} has nothing\n`);
  return false;
}

function write({ json }: CommonOptions, value: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

/** "1200 (1.2 KB), of 1000000 (1.0 MB)" */
function share(bytes: number, bytesMax: number | undefined): string {
  const max = bytesMax === undefined ? "no cap" : `of ${bytesMax} (${size(bytesMax)})`;
  return `${bytes} (${size(bytes)}), ${max}`;
}

function size(bytes: number): string {
  return byteSize(bytes, 1000);
}
