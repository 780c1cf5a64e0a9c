// A typed line as arguments: quotes as in redis-cli, values behind =.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isHiveError } from "../../src/base/errors.ts";
import { parseWords } from "../../src/cli/words.ts";

test("words are parted by spaces, and quotes keep them together", () => {
  assert.deepEqual(parseWords("  SET  greeting\thello "), ["SET", "greeting", "hello"]);
  assert.deepEqual(parseWords(`SET "a key" 'it''s' ""`), ["SET", "a key", "its", ""]);
  assert.deepEqual(parseWords(`"a\\n\\"b\\"" 'a\\n' 'it\\'s'`), ['a\n"b"', "a\\n", "it's"]);
  assert.deepEqual(parseWords("grüße 日本"), ["grüße", "日本"]);
  assert.deepEqual(parseWords("   "), []);
});

test("\\x makes a word bytes, with the UTF-8 of what stands beside it", () => {
  assert.deepEqual(parseWords(`"\\x00\\xff"`), [Uint8Array.of(0, 255)]);
  assert.deepEqual(parseWords(`"ü\\xff"`), [Uint8Array.of(0xc3, 0xbc, 0xff)]);
  assert.deepEqual(parseWords(`"\\xffé😀"`), [Uint8Array.of(0xff, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80)]);
});

test("what begins with = is a value in JSON, spaces and all", () => {
  assert.deepEqual(parseWords(`HSET users =1815 ={"born": 1815, "tags": ["a b"]} =null ="text"`), [
    ...["HSET", "users", 1815, { born: 1815, tags: ["a b"] }, null, "text"],
  ]);
  assert.deepEqual(parseWords(`={"$":"bigint","is":"5"} ==1`), [5n, "=1"]);
  assert.deepEqual(parseWords(`a=1`), ["a=1"], "only at the beginning of a word");
});

test("what cannot be read says why", () => {
  const refused = (line: string): string => {
    try {
      parseWords(line);
    } catch (error) {
      if (isHiveError(error)) return `${error.code} ${error.message}`;
    }
    return "nothing was refused";
  };
  assert.equal(refused(`GET "open`), 'SYNTAX a quote is not closed: "open');
  assert.match(refused("SET k ={1}"), /^BAD_VALUE not JSON: /);
  assert.match(refused(`SET k ={"$":"Nothing"}`), /^BAD_VALUE not a value in JSON notation: there is no type Nothing/);
});
