// Attempts: wrong tokens make their address wait before its next try.
//
//   failed(address) ──▶ 50 ms, 100 ms, 200 ms … 2 s ──▶ waitMs(address)        forgotten after a while
//
// The wait comes before a token is looked at, right or wrong: whoever guesses over many connections at once
// learns nothing sooner. What an address may hold in waiting is bounded, and so is the table.

import type { Limits } from "../base/limits.ts";

type AttemptLimits = Pick<
  Limits,
  | "authenticationDelayMs"
  | "authenticationDelayMsMax"
  | "failedAddressesMax"
  | "failedAddressMs"
  | "waitingAuthenticationsMax"
>;

type Failures = { count: number; atMs: number; untilMs: number };

export class Attempts {
  readonly #limits: AttemptLimits;
  /** By address, the one that failed last at the end. */
  readonly #failures = new Map<string, Failures>();
  readonly #waiting = new Map<string, number>();

  constructor(limits: AttemptLimits) {
    this.#limits = limits;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** Milliseconds until the address may try; 0 now. @param nowMs Of a clock that only goes forward. */
  waitMs(address: string, nowMs: number): number {
    const failures = this.#failures.get(address);
    return failures === undefined ? 0 : Math.max(0, Math.ceil(failures.untilMs - nowMs));
  }

  /** A wrong token came from the address. Returns how many did, as far as that is remembered. */
  failed(address: string, nowMs: number): number {
    const { authenticationDelayMs, authenticationDelayMsMax, failedAddressesMax } = this.#limits;
    this.#forgetOld(nowMs);
    const count = (this.#failures.get(address)?.count ?? 0) + 1;
    // 2^30 is beyond any bound, and what is above it would be Infinity in the end.
    const delayMs = Math.min(authenticationDelayMsMax, authenticationDelayMs * 2 ** Math.min(count - 1, 30));
    this.#failures.delete(address);
    this.#failures.set(address, { count, atMs: nowMs, untilMs: nowMs + delayMs });
    if (this.#failures.size > failedAddressesMax) this.#failures.delete(this.#failures.keys().next().value!);
    return count;
  }

  /** One more of the address waits. Returns whether it may. */
  enter(address: string): boolean {
    const waiting = this.#waiting.get(address) ?? 0;
    if (waiting >= this.#limits.waitingAuthenticationsMax) return false;
    this.#waiting.set(address, waiting + 1);
    return true;
  }

  leave(address: string): void {
    const waiting = (this.#waiting.get(address) ?? 0) - 1;
    if (waiting > 0) this.#waiting.set(address, waiting);
    else this.#waiting.delete(address);
  }

  #forgetOld(nowMs: number): void {
    for (const [address, { atMs }] of this.#failures) {
      if (nowMs - atMs < this.#limits.failedAddressMs) return;
      this.#failures.delete(address);
    }
  }
}

/**
 * What is taken for one sender of "127.0.0.1:50123", "[::1]:50123" or "/run/hive.sock:0": the host, of
 * IPv6 its network of 64 bits, since whoever has one address there has them all.
 */
export function senderOf(address: string): string {
  const host = address.slice(0, address.lastIndexOf(":"));
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  if (bare.startsWith("/") || !bare.includes(":")) return bare;
  if (bare.startsWith("::ffff:") && bare.includes(".")) return bare.slice(7);
  const [head, tail] = bare.split("::");
  const before = head === "" ? [] : head!.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].slice(0, 4).join(":");
}
