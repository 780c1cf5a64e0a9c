// List check: whether the elements of a packed list, or of a chunk of a long one, are what a hive writes.
//
// Nothing of a snapshot is trusted: each code, each length on both its sides, and that data and codes fill
// exactly the room that the numbers before them say.

import { CHUNK_HEADER, CHUNK_NAME_BYTES, KIND_TEXT, PACKED_BYTES_MAX, PACKED_HEADER } from "../store/layout.ts";
import { isWhole, newRun, type Run, readElement, sizeAt } from "../store/list-elements.ts";
import type { EntryFacts } from "../store/restoring.ts";
import { bad } from "./format.ts";

/** Whether names and values are what their kinds say. Another one is for tests of stores that hold no such values. */
export interface ContentCheck {
  /** @throws {HiveError} BAD_SNAPSHOT */
  check(what: "key" | "field" | "value", kind: number, bytes: Buffer, start: number, end: number): void;
}

/** Places in a chunk are kept in 16 bits; one that is larger has one element. */
const PLACES_MAX = 0xffff;

export class ListCheck {
  readonly #content: ContentCheck;
  readonly #run: Run = newRun();
  readonly #slice = { bytes: this.#run.bytes, start: 0, end: 0, kind: 0 };

  constructor(content: ContentCheck) {
    this.#content = content;
  }

  /** A packed list, as layout.ts draws it. @throws {HiveError} BAD_SNAPSHOT */
  checkPacked({ bytes, valueStart, valueLength }: EntryFacts): void {
    if (valueLength <= PACKED_HEADER || valueLength > PACKED_BYTES_MAX) throw bad("a packed list has a wrong size");
    const run = this.#run;
    run.bytes = bytes as Buffer;
    run.count = bytes[valueStart]! | (bytes[valueStart + 1]! << 8);
    run.start = valueStart + PACKED_HEADER;
    run.end = valueStart + valueLength;
    run.dataStart = run.start;
    run.codesStart = run.end - run.count;
    run.dataEnd = run.codesStart;
    this.#check();
  }

  /** A chunk. @throws {HiveError} BAD_SNAPSHOT */
  checkChunk({ bytes, nameKind, nameLength, valueKind, valueStart, valueLength }: EntryFacts): void {
    if (nameKind !== 0 || nameLength !== CHUNK_NAME_BYTES || valueKind !== 0 || valueLength <= CHUNK_HEADER) {
      throw bad("a part of a list has a wrong name or size");
    }
    const run = this.#run;
    const view = bytes as Buffer;
    const [count, data, end, codes] = [8, 10, 12, 14].map((at) => view.readUInt16LE(valueStart + at));
    const isLarge = valueLength > PLACES_MAX;
    if (isLarge && (count !== 1 || end !== 0 || codes !== 0)) throw bad("a large part of a list has several elements");
    run.bytes = view;
    run.count = count!;
    run.start = valueStart + CHUNK_HEADER;
    run.end = valueStart + valueLength;
    run.dataStart = valueStart + data!;
    run.dataEnd = isLarge ? run.end - 1 : valueStart + end!;
    run.codesStart = isLarge ? run.end - 1 : valueStart + codes!;
    this.#check();
  }

  #check(): void {
    const run = this.#run;
    const { bytes, count, start, end, dataStart, dataEnd, codesStart } = run;
    const isInside = start <= dataStart && dataStart <= dataEnd && dataEnd <= codesStart && codesStart + count <= end;
    if (count === 0 || !isInside) throw bad("a list has its elements in places that there cannot be");
    let at = dataStart;
    for (let i = 0; i < count; i++) {
      const code = bytes[codesStart + count - 1 - i]!;
      if (!isWhole(bytes, at, code, dataEnd)) throw bad("an element of a list is cut short or damaged");
      const element = readElement(bytes, at, code, this.#slice);
      if (element.kind >= KIND_TEXT) {
        this.#content.check("value", element.kind, element.bytes, element.start, element.end);
      }
      at += sizeAt(bytes, at, code);
    }
    if (at !== dataEnd) throw bad("a list has another number of elements than it says");
  }
}
