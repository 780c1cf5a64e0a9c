// Device model: what devices have, to the byte, while values of 10 B to 1 MB come, change and go.

import assert from "node:assert/strict";
import type { Client } from "../../src/client/node.ts";
import { entryBytes } from "../../src/store/entries.ts";

export type Capped = {
  db: Client;
  ids: readonly string[];
  cap: number;
  steps: number;
  /** What is said of a put that would make so many bytes. */
  refusal: (bytes: number) => string;
};

export function ofDevice(bytes: number): string {
  return `bytes: this would make ${bytes} of the 3000000 that device d may have`;
}

/**
 * Puts and deletes at random in devices that have nothing yet, and holds the figures to a model's at every step.
 * @param capped.cap Of all the devices together, whosever it is.
 */
export async function fillAtRandom({ db, ids, cap, steps, refusal }: Capped): Promise<void> {
  // With an owner an entry's header has 24 bytes, of a key with a container 28; a field's has 16.
  const bytesOf = (labels: Map<string, number>): number =>
    [...labels].reduce((sum, [label, bytes]) => sum + entryBytes(16, label.length, bytes), 0);
  const devices: { id: string; model: Map<string, number>; base: number }[] = [];
  for (const id of ids) {
    // Unpacked from the first label on that is too long for a packed table; it stays so until it is empty.
    const model = new Map<string, number>([["first", 5000]]);
    await db.device(id).put("first", Buffer.alloc(5000));
    const base = (await db.device(id).usage()).bytes - bytesOf(model);
    assert.ok(base >= entryBytes(24, `$device:${id}`.length, 0) && base <= 64, `${base} bytes of the key itself`);
    devices.push({ id, model, base });
  }
  const all = (): number => devices.reduce((sum, { model, base }) => sum + base + bytesOf(model), 0);
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  let refused = 0;
  for (let step = 0; step < steps; step++) {
    const { id, model, base } = devices[random(devices.length)]!;
    const device = db.device(id);
    const label = `label ${random(40)}`;
    const had = model.get(label);
    if (random(5) === 0) {
      assert.equal(await device.delete(label), model.delete(label) ? 1 : 0);
    } else {
      const bytes = [10, 1000, 50_000, 1_000_000][random(4)]! - random(10);
      model.set(label, bytes);
      const put = device.put(label, Buffer.alloc(bytes, 1));
      // A smaller value may always take the place of a larger one.
      if (all() <= cap || (had ?? 0) >= bytes) await put;
      else {
        await assert.rejects(put, { name: "HiveError", code: "QUOTA", message: refusal(all()) });
        refused++;
        if (had === undefined) model.delete(label);
        else model.set(label, had);
      }
    }
    const usage = await device.usage();
    assert.equal(usage.bytes, base + bytesOf(model), `after step ${step}`);
    assert.equal(usage.allBytes, all());
    assert.ok(all() <= cap);
    assert.equal(usage.labels, model.size);
  }
  assert.ok(refused > steps / 20, `${refused} puts were refused`);
  for (const { id, model } of devices) {
    for (const [label, bytes] of model) assert.equal((await db.device(id).fetch<Uint8Array>(label))!.length, bytes);
  }
}
