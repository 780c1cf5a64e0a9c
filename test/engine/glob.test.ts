// Patterns as Redis matches them, its odd corners included, in time that no pattern can blow up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isEverything, matchesGlob } from "../../src/engine/glob.ts";

function matches(pattern: string, text: string): boolean {
  const glob = Buffer.from(pattern, "latin1");
  const bytes = Buffer.from(text, "latin1");
  return matchesGlob(glob, 0, glob.length, bytes, 0, bytes.length);
}

// biome-ignore format: a table reads better aligned
const CASES: readonly [pattern: string, text: string, expected: boolean][] = [
  ["h?llo", "hello", true],        ["h?llo", "hllo", false],       ["h*llo", "hllo", true],
  ["h*llo", "heeeello", true],     ["h[ae]llo", "hallo", true],    ["h[ae]llo", "hillo", false],
  ["h[^e]llo", "hallo", true],     ["h[^e]llo", "hello", false],   ["h[a-b]llo", "hbllo", true],
  ["h[b-a]llo", "hallo", true],    ["h\\?llo", "h?llo", true],     ["h\\?llo", "hello", false],
  ["", "", true],                  ["", "a", false],               ["**", "", false],
  ["**", "a", true],               ["a*", "a", true],              ["a**", "a", true],
  ["*a", "a", true],               ["*b*", "abc", true],           ["*b*", "acc", false],
  ["a*b*c", "aXbYbZc", true],      ["a*b*c", "aXbYbZ", false],     ["*.*.*", "a.b", false],
  ["[", "[", false],               ["[a", "a", true],              ["[a", "b", false],
  ["[^", "x", true],               ["[]", "]", false],             ["[^]", "x", true],
  ["[\\]a]*", "]x", true],         ["[a-", "-", true],             ["[a-]", "b", false],
  ["[a-]x", "]x", false],          ["\\", "\\", true],             ["a\\", "a\\", true],
  ["[\\", "\\", true],             ["\\[abc\\]", "[abc]", true],   ["*\\*b", "a*b", true],
  ["\xff*", "\xffabc", true],      ["[\x80-\xff]", "\x90", true],  ["[a-\xff]", "A", true],
  ["[a-\xff]", "z", false],        ["*\x00*", "a\x00b", true],     ["a?", "a", false],
];

test("patterns match as in Redis", () => {
  for (const [pattern, text, expected] of CASES) {
    assert.equal(matches(pattern, text), expected, `${JSON.stringify(pattern)} against ${JSON.stringify(text)}`);
  }
});

test("a lone star is recognised without looking at any name", () => {
  assert.equal(isEverything(Buffer.from("x*"), 1, 2), true);
  assert.equal(isEverything(Buffer.from("**"), 0, 2), false);
});

test("a pattern of many stars ends: trying all ways to share the text among them would not", () => {
  const text = "a".repeat(20_000);
  assert.equal(matches("a*".repeat(300) + "b", text), false);
  assert.equal(matches("*a".repeat(300), text), true);
});

test("any pattern agrees with the obvious recursive matcher", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 0x7fffffff) % below;
  const slow = (pattern: string, text: string): boolean => {
    if (text === "") return /^\**$/.test(pattern);
    if (pattern === "") return false;
    if (pattern[0] === "*") return slow(pattern.slice(1), text) || slow(pattern, text.slice(1));
    return (pattern[0] === "?" || pattern[0] === text[0]) && slow(pattern.slice(1), text.slice(1));
  };
  for (let round = 0; round < 20_000; round++) {
    const pattern = Array.from({ length: random(7) }, () => "ab*?"[random(4)]).join("");
    const text = Array.from({ length: 1 + random(8) }, () => "ab"[random(2)]).join("");
    assert.equal(matches(pattern, text), slow(pattern, text), `${pattern} against ${text}, round ${round}`);
  }
});
