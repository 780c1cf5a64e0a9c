// Packed lists: a small list as the value of its key's own entry.
//
//   count u16 | data … | codes           without gaps: a change that makes it shorter is put together in a scratch
//
// Each change tells the funnel first and gives the key's entry as it is then, which may have moved.

import type { Keyspace } from "./keyspace.ts";
import { FLAG_SCRUB, PACKED_BYTES_MAX, PACKED_HEADER } from "./layout.ts";
import {
  codeAt,
  cutEach,
  cutOut,
  insertAt,
  type NewElement,
  newRun,
  openMiddle,
  placeOf,
  type Run,
  replaceAt,
  sizeAt,
  sizeBefore,
} from "./list-elements.ts";

const scratch = Buffer.alloc(PACKED_BYTES_MAX);

export class PackedLists {
  readonly #keyspace: Keyspace;
  readonly #run = newRun();

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  count(key: number): number {
    const { entries } = this.#keyspace.memory;
    const bytes = entries.bytesOf(key);
    const start = entries.valueStart(key);
    return bytes[start]! | (bytes[start + 1]! << 8);
  }

  /** Whether an element of `size` bytes, and its code, can come in the place of `old` bytes. */
  fits(key: number, size: number, old: number = 0): boolean {
    const { memory, valueBytesMax } = this.#keyspace;
    return memory.entries.valueLength(key) - old + size <= Math.min(PACKED_BYTES_MAX, valueBytesMax);
  }

  open(key: number, run: Run): Run {
    const { entries } = this.#keyspace.memory;
    const value = entries.valueStart(key);
    run.bytes = entries.bytesOf(key);
    run.count = run.bytes[value]! | (run.bytes[value + 1]! << 8);
    run.start = value + PACKED_HEADER;
    run.end = value + entries.valueLength(key);
    run.dataStart = run.start;
    run.codesStart = run.end - run.count;
    run.dataEnd = run.codesStart;
    return run;
  }

  /** @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  insert(key: number, index: number, element: NewElement): number {
    const bytes = element.size + 1;
    return this.#enlarge(key, bytes, (run) => insertAt(run, index, element));
  }

  /** @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  replace(key: number, index: number, element: NewElement): number {
    const run = this.open(key, this.#run);
    const more = element.size - sizeAt(run.bytes, placeOf(run, index), codeAt(run, index));
    if (more >= 0) return this.#enlarge(key, more, (room) => replaceAt(room, index, element));
    return this.#reduce(key, -more, (room) => replaceAt(room, index, element));
  }

  /** Takes the elements `from` to `to` - 1 out, which are not all. */
  cut(key: number, from: number, to: number): number {
    const run = this.open(key, this.#run);
    const start = placeOf(run, from);
    const end = to === from + 1 ? start + sizeAt(run.bytes, start, codeAt(run, from)) : placeOf(run, to);
    return this.#reduce(key, end - start + to - from, (room) => cutOut(room, from, to));
  }

  /** Takes the elements with these indexes out, in rising order, which are not all. */
  cutEach(key: number, indexes: readonly number[]): number {
    const run = this.open(key, this.#run);
    let bytes = indexes.length;
    for (const index of indexes) bytes += sizeAt(run.bytes, placeOf(run, index), codeAt(run, index));
    return this.#reduce(key, bytes, (room) => cutEach(room, indexes));
  }

  #enlarge(key: number, bytes: number, change: (run: Run) => void): number {
    const { entries, funnel } = this.#keyspace.memory;
    if (funnel.on) funnel.before("field-set", key);
    const before = entries.valueLength(key);
    const target = this.#keyspace.beginWrite(key, before + bytes);
    // The value has its old length still, in a copy the new one.
    const run = this.#run;
    const value = entries.valueStart(target);
    run.bytes = entries.bytesOf(target);
    run.count = this.count(target);
    run.start = value + PACKED_HEADER;
    run.end = value + before + bytes;
    run.dataStart = run.start;
    run.codesStart = value + before - run.count;
    run.dataEnd = run.codesStart;
    openMiddle(run);
    change(run);
    setCount(run.bytes, value, run.count);
    return this.#keyspace.endWrite(key, target, before + bytes);
  }

  /** Takes the first element out, or the last, which is not the only one. */
  pop(key: number, atFront: boolean): number {
    const { entries, funnel } = this.#keyspace.memory;
    const run = this.open(key, this.#run);
    const { bytes, count } = run;
    const index = atFront ? 0 : count - 1;
    const code = codeAt(run, index);
    const size = atFront ? sizeAt(bytes, run.dataStart, code) : sizeBefore(bytes, run.dataEnd, code);
    if (funnel.on) funnel.before("field-set", key);
    const after = run.end - run.start + PACKED_HEADER - size - 1;
    const target = this.#keyspace.beginWrite(key, after);
    const next = entries.bytesOf(target);
    const value = entries.valueStart(target);
    const data = value + PACKED_HEADER;
    // The first code stands last, and the last one first.
    if (atFront) bytes.copy(next, data, run.start + size, run.end - 1);
    else {
      if (target !== key) bytes.copy(next, data, run.start, run.dataEnd - size);
      bytes.copy(next, data + run.dataEnd - run.start - size, run.codesStart + 1, run.end);
    }
    setCount(next, value, count - 1);
    return this.#keyspace.endWrite(key, target, after);
  }

  /** Lets `change` make the value shorter by so many bytes. */
  #reduce(key: number, bytes: number, change: (run: Run) => void): number {
    const { entries, funnel } = this.#keyspace.memory;
    if (funnel.on) funnel.before("field-set", key);
    const run = this.open(key, this.#run);
    const length = run.end - run.start;
    const after = PACKED_HEADER + length - bytes;
    const target = this.#keyspace.beginWrite(key, after);
    // A copy has lost its end: it is put together beside it.
    const isCopy = target !== key;
    if (isCopy) {
      run.bytes.copy(scratch, 0, run.start, run.end);
      run.bytes = scratch;
      run.dataEnd -= run.start;
      run.codesStart -= run.start;
      run.start = 0;
      run.dataStart = 0;
      run.end = length;
    }
    change(run);
    const own = entries.bytesOf(target);
    const value = entries.valueStart(target);
    const data = value + PACKED_HEADER;
    run.bytes.copy(own, data, run.dataStart, run.dataEnd);
    run.bytes.copy(own, data + run.dataEnd - run.dataStart, run.codesStart, run.codesStart + run.count);
    setCount(own, value, run.count);
    if (isCopy && (entries.head(key) & FLAG_SCRUB) !== 0) scratch.fill(0, 0, length);
    return this.#keyspace.endWrite(key, target, after);
  }
}

function setCount(bytes: Buffer, value: number, count: number): void {
  bytes[value] = count & 255;
  bytes[value + 1] = count >> 8;
}
