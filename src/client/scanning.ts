// Scanning: every element of something, page by page, while it changes.
//
//   for await … of scanPages(step) ──▶ step("0") ──▶ page, cursor ──▶ step(cursor) … until the cursor is "0"
//
// What is there from the first page to the last is given at least once. An element may come twice where
// the hive's index grew or shrank meanwhile; within one page none does.

import type { Page } from "./specs.ts";

/** Elements the hive looks at for a page, where nobody says. */
export const PAGE_COUNT = 256;

/** @param step Asks for the page at a cursor; the first is "0". */
export async function* scanPages(step: (cursor: string) => Promise<Page>): AsyncGenerator<unknown[], void, undefined> {
  let cursor = "0";
  do {
    const page = await step(cursor);
    cursor = page.cursor;
    yield page.items;
  } while (cursor !== "0");
}
