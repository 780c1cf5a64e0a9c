// Connections: the open connections of a hive, over all its listeners and doors.
//
// Each is in here from accept to its very end, whatever door it chose, so the count is what the limits
// are compared with, and the last one to go is what closing waits for. Only connections of other machines
// are counted by address as well.

import type { Transport } from "../base/transport.ts";

/** Which limit does not allow one more. */
export type ConnectionLimit = "connectionsMax" | "connectionsPerAddressMax";

export type Admission = {
  refusedBy: ConnectionLimit | undefined;
  /** The first one refused since the limit was reached. */
  first: boolean;
  /** There are as many refused ones as admitted ones, each of which takes a moment to be told so: this one is not. */
  crowded: boolean;
};

const ADMITTED: Admission = { refusedBy: undefined, first: false, crowded: false };

export class Connections {
  readonly #max: number;
  readonly #perAddressMax: number;
  readonly #open = new Set<Transport>();
  /** Those that count by address, with what they count as. */
  readonly #hosts = new Map<Transport, string>();
  readonly #byHost = new Map<string, { count: number; refused: boolean }>();
  #onEmpty: (() => void) | undefined = undefined;

  constructor(max: number, perAddressMax: number = Number.POSITIVE_INFINITY) {
    this.#max = max;
    this.#perAddressMax = perAddressMax;
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Counts one more in. Says whether the limits allow it; it is to be delete()d in any case.
   * @param remoteAddress The other machine's, as the system gives it; without it there is no limit by address.
   */
  add(transport: Transport, remoteAddress?: string): Admission {
    this.#open.add(transport);
    const host = remoteAddress === undefined ? undefined : hostOf(remoteAddress);
    if (host !== undefined) {
      const known = this.#byHost.get(host) ?? { count: 0, refused: false };
      this.#hosts.set(transport, host);
      this.#byHost.set(host, known);
      if (++known.count > this.#perAddressMax) {
        const first = !known.refused;
        known.refused = true;
        return { refusedBy: "connectionsPerAddressMax", first, crowded: known.count > 2 * this.#perAddressMax };
      }
    }
    if (this.#open.size <= this.#max) return ADMITTED;
    return { refusedBy: "connectionsMax", first: false, crowded: this.#open.size > 2 * this.#max };
  }

  delete(transport: Transport): void {
    this.#open.delete(transport);
    const host = this.#hosts.get(transport);
    if (host !== undefined) this.#leave(transport, host);
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  #leave(transport: Transport, host: string): void {
    this.#hosts.delete(transport);
    const known = this.#byHost.get(host)!;
    if (--known.count === 0) this.#byHost.delete(host);
    // Half of them have to go before it is told again.
    else if (known.count <= this.#perAddressMax / 2) known.refused = false;
  }

  /**
   * Resolves when all are gone. Those that are still there after `timeoutMs` are destroyed: their
   * peers do not read.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const impatience = setTimeout(() => {
      for (const transport of this.#open) transport.destroy();
    }, timeoutMs);
    await empty;
    clearTimeout(impatience);
  }
}

/**
 * What an address counts as: an IPv4 address itself, of IPv6 the first 64 bits. Undefined for loopback,
 * which has no limit of its own.
 */
export function hostOf(address: string): string | undefined {
  const mapped = address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
  if (!mapped.includes(":")) return mapped.startsWith("127.") ? undefined : mapped;
  if (mapped === "::1") return undefined;
  const [front = "", back] = mapped.replace(/%.*$/, "").split("::") as [string, string?];
  const groups = front === "" ? [] : front.split(":");
  const after = back === undefined || back === "" ? [] : back.split(":");
  const zeros = back === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...new Array<string>(Math.max(zeros, 0)).fill("0"), ...after];
  return `${all.slice(0, 4).join(":")}::/64`;
}
