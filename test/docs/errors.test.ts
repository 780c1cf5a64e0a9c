// docs/errors.md and the table of codes say the same, both ways.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ERRORS, type ErrorCode } from "../../src/base/errors.ts";

const PAGE = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

type Row = { code: string; fault: number; resp: string; retry: boolean; when: string; advice: string };

const rows: Row[] = [...PAGE.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| `([A-Z]+)` \| (yes|no) \| (.+) \| (.+) \|$/gm)].map(
  ([, code = "", fault, resp = "", retry, when = "", advice = ""]) => {
    return { code, fault: Number(fault), resp, retry: retry === "yes", when, advice };
  },
);

test("every code is on the page once, and every code of the page exists", () => {
  const codes = rows.map(({ code }) => code);
  assert.deepEqual(
    codes.toSorted(),
    Object.keys(ERRORS).toSorted(),
    "add the row to docs/errors.md, or remove it there",
  );
});

test("fault number, RESP word and retry are those of the code", () => {
  for (const { code, fault, resp, retry } of rows) {
    assert.deepEqual({ fault, resp, retry }, ERRORS[code as ErrorCode], `${code} in docs/errors.md`);
  }
});

test("the page lists the codes in the order of their fault numbers, each with when and what to do", () => {
  const faults = rows.map(({ fault }) => fault);
  assert.deepEqual(
    faults,
    faults.toSorted((one, other) => one - other),
  );
  for (const { code, when, advice } of rows) {
    assert.match(when, /\.$/, `${code}: say in a sentence when it comes`);
    assert.match(advice, /\.$/, `${code}: say in a sentence what to do`);
  }
});

test("every row of a table on the page was read", () => {
  const tableRows = PAGE.split("\n").filter((line) => line.startsWith("| `"));
  assert.equal(rows.length, tableRows.length);
});

test("a code is marked as reserved while nothing in the sources raises it, and no longer", () => {
  const folder = new URL("../../src/", import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && path !== "base/errors.ts")
    .map((path) => readFileSync(new URL(path, folder), "utf8"));
  const unused = rows.map(({ code }) => code).filter((code) => !sources.some((text) => text.includes(`"${code}"`)));
  const reserved = rows.filter(({ when }) => when.startsWith("*Reserved.* ")).map(({ code }) => code);
  assert.deepEqual(reserved, unused);
});
