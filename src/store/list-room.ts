// List room: how much of it a chunk needs, and how an element comes to an end of it.

import { CHUNK_ROOM } from "./layout.ts";
import {
  insertAt,
  insertInFront,
  type NewElement,
  openFront,
  openMiddle,
  type Run,
  usedBytes,
} from "./list-elements.ts";

/** A chunk that is filled less than this takes an element that makes it larger than CHUNK_ROOM, up to half as much again. */
const FILLED: number = (CHUNK_ROOM * 3) >> 2;

/**
 * The room that a chunk needs for `more` bytes: what it has, a larger block, or 0 where the bytes belong into
 * another chunk. A chunk of one large element takes no other.
 */
export function newRoom(run: Run, more: number): number {
  const used = usedBytes(run);
  const wanted = used + more;
  const room = run.end - run.start;
  if (room > 2 * CHUNK_ROOM) return 0;
  if (wanted <= room) return room;
  if (wanted <= CHUNK_ROOM) return Math.max(wanted, Math.min(CHUNK_ROOM, room + (room >> 1)));
  return used < FILLED && more <= CHUNK_ROOM ? wanted : 0;
}

/** Puts an element at an end of a run that has room for it. */
export function putAt(run: Run, atFront: boolean, element: NewElement): void {
  if (atFront) {
    const isOpen = run.dataStart - run.start >= element.size && run.codesStart + run.count < run.end;
    if (!isOpen) openFront(run, element.size);
    insertInFront(run, element);
  } else {
    if (run.codesStart - run.dataEnd <= element.size) openMiddle(run);
    insertAt(run, run.count, element);
  }
}
