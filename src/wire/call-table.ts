// CallTable: the calls that this end has made and that have no answer yet.
//
//   add(call) ──▶ id ──▶ take(id) when the answer comes          advance(nowMs) ──▶ those whose deadline passed
//
// By id they lie in a ring: the ids of one end go up by two, so the slot of an id is a mask away, and a
// call costs no entry of a map. By deadline they lie in a timing wheel (Varghese and Lauck, 1987): a
// deadline is set and called off in constant time, and no call has a timer of its own.
//
// It reads no clock, starts no timer and writes no bytes.

import { ID_MAX } from "./frame.ts";

const RING_FIRST = 256;
/** Width of a slot of the wheel, and slots: one turn is 8 seconds, a later deadline goes round again. */
const SLOT_MS = 8;
const SLOTS = 1024;

/** One call without an answer. Owners extend it by what they need to settle it. */
export class OpenCall {
  id = 0;
  /** Monotonic milliseconds; Infinity for none. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  // Its place in the wheel: the table's alone.
  slot = -1;
  earlier: OpenCall | undefined = undefined;
  later: OpenCall | undefined = undefined;
}

export class CallTable<Call extends OpenCall> {
  #size = 0;
  #ring: (Call | undefined)[] = new Array<Call | undefined>(RING_FIRST).fill(undefined);
  #lastId: number;
  readonly #wheel: (OpenCall | undefined)[] = new Array<OpenCall | undefined>(SLOTS).fill(undefined);
  /** The slot that advance() came to last, counted from the start of time. */
  #turned = 0;

  /** @param dialing Whose ids are odd. */
  constructor(dialing: boolean) {
    this.#lastId = dialing ? -1 : 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes a call in and gives it its id. */
  add(call: Call, deadlineMs: number): void {
    if (this.#size >= this.#ring.length >> 1) this.#grow();
    let id = this.#lastId;
    do id = id + 2 > ID_MAX ? (id & 1) + (id & 1 ? 0 : 2) : id + 2;
    while (this.#ring[(id >>> 1) & (this.#ring.length - 1)] !== undefined);
    this.#lastId = id;
    this.#ring[(id >>> 1) & (this.#ring.length - 1)] = call;
    call.id = id;
    call.deadlineMs = deadlineMs;
    this.#size++;
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.#link(call);
  }

  get(id: number): Call | undefined {
    const call = this.#ring[(id >>> 1) & (this.#ring.length - 1)];
    return call !== undefined && call.id === id ? call : undefined;
  }

  /** The call of that id, which is then no longer in here; undefined where it is not, any more. */
  take(id: number): Call | undefined {
    const ring = this.#ring;
    const place = (id >>> 1) & (ring.length - 1);
    const call = ring[place];
    if (call === undefined || call.id !== id) return undefined;
    ring[place] = undefined;
    this.#size--;
    if (call.slot >= 0) this.#unlink(call);
    return call;
  }

  /** All of them, oldest first. */
  all(): Call[] {
    const calls = this.#ring.filter((call) => call !== undefined);
    const wraps = (call: Call): number => (call.id <= this.#lastId ? call.id : call.id - ID_MAX);
    return calls.sort((one, other) => wraps(one) - wraps(other));
  }

  /** When advance() is worth calling next, in monotonic milliseconds; undefined while no deadline is near or far. */
  nextMs(): number | undefined {
    for (let slot = this.#turned; slot < this.#turned + SLOTS; slot++) {
      if (this.#wheel[slot & (SLOTS - 1)] !== undefined) return (slot + 1) * SLOT_MS;
    }
    return undefined;
  }

  /** Takes the calls out whose deadline is at or before `nowMs`. */
  advance(nowMs: number): Call[] {
    const expired: Call[] = [];
    const until = Math.floor(nowMs / SLOT_MS);
    const from = Math.max(this.#turned, until - SLOTS + 1);
    for (let slot = from; slot <= until; slot++) {
      let call = this.#wheel[slot & (SLOTS - 1)];
      while (call !== undefined) {
        const { later } = call;
        if (call.deadlineMs <= nowMs) expired.push(this.take(call.id)!);
        call = later;
      }
    }
    this.#turned = Math.max(this.#turned, until);
    return expired;
  }

  #link(call: Call): void {
    const slot = Math.max(Math.floor(call.deadlineMs / SLOT_MS), this.#turned) & (SLOTS - 1);
    const first = this.#wheel[slot];
    call.slot = slot;
    call.earlier = undefined;
    call.later = first;
    if (first !== undefined) first.earlier = call;
    this.#wheel[slot] = call;
  }

  #unlink(call: OpenCall): void {
    const { earlier, later } = call;
    if (earlier === undefined) this.#wheel[call.slot] = later;
    else earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    call.slot = -1;
    call.earlier = undefined;
    call.later = undefined;
  }

  #grow(): void {
    const ring: (Call | undefined)[] = new Array<Call | undefined>(this.#ring.length * 2).fill(undefined);
    for (const call of this.#ring) if (call !== undefined) ring[(call.id >>> 1) & (ring.length - 1)] = call;
    this.#ring = ring;
  }
}
