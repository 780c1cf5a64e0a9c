// Arguments by schema, suggestions, expressions over keys, and the names that Memo had.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/index.ts";
import { type ArgumentSchema, type ArgumentSchemas, Structure } from "../../src/structures/index.ts";
import type { Suggest } from "../../src/structures/suggest.ts";

/** A number, or text of one. */
const number: ArgumentSchema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const given = Number(value);
      return Number.isNaN(given) ? { issues: [{ message: "expected a number" }] } : { value: given };
    },
  },
};

class Sums extends Structure {
  static override args: Readonly<Record<string, ArgumentSchemas>> = {
    SUMOF: { "...numbers": number },
    DIFFERENCE: { one: number, other: number },
  };
  static SUMOF(_hive: unknown, ...numbers: number[]): number {
    return numbers.reduce((sum, each) => sum + each, 0);
  }
  static DIFFERENCE(_hive: unknown, one: number, other: number): number {
    return one - other;
  }
}

test("arguments are checked and converted, and a failure names the argument", async () => {
  await using hive = await Hive.start({ listen: false, structures: [Sums] });
  await using db = await connect(hive);
  assert.equal(await db.send(["SUMOF", "1", 2, "3"]), 6);
  assert.equal(await db.send(["SUMOF"]), 0);
  assert.equal(await db.send(["DIFFERENCE", "5", 2]), 3);
  await assert.rejects(db.send(["DIFFERENCE", 1, "x"]), {
    code: "INVALID_ARGUMENT",
    message: /DIFFERENCE: other: expected a number/,
  });
  await assert.rejects(db.send(["DIFFERENCE", 1]), { message: /other/ });
  await assert.rejects(db.send(["DIFFERENCE", 1, 2, 3]), { code: "WRONG_ARITY" });
});

test("suggestions by shared trigrams and by edit distance outlive a copy", async () => {
  await using hive = await Hive.start({ listen: false, structures: ["suggest"] });
  await using db = await connect(hive);
  const words = db.structure<typeof Suggest>("Suggest");
  assert.equal(await words.SUGGESTADD("words", "hello", "help", "yellow", "held", "help"), 4);
  assert.deepEqual(await words.at("words").SUGGEST("helo", 2), ["help", "hello"], "help was added twice");
  assert.deepEqual(await words.at("words").SUGGESTFIX("helo", "1"), ["help"]);
  assert.equal(await db.send(["COPY", "words", "others"]), 1);
  assert.deepEqual(await words.at("others").SUGGEST("helo", 2), ["help", "hello"]);
  await assert.rejects(words.at("words").SUGGEST("helo", 0), { code: "INVALID_ARGUMENT" });
  await assert.rejects(words.SUGGESTADD("words", "new", ""), { code: "INVALID_ARGUMENT" });
  assert.equal(await words.at("words").WORDS(), 4);
});

test("Memo's own names, and expressions over whole keys", async () => {
  await using hive = await Hive.start({ listen: false });
  await using db = await connect(hive);
  assert.equal(await db.send(["SETSTRING", "a1", "x"]), "OK");
  assert.equal(await db.send(["SETSTRINGNX", "a1", "y"]), 0);
  assert.equal(await db.send(["SETSTRINGEX", "a22", 100, "y"]), "OK");
  await db.send(["RPUSH", "list", 1, 2]);
  assert.equal(await db.send(["LPOPRPUSH", "list", "list"]), 1);
  assert.deepEqual(await db.send(["LRANGE", "list", 0, -1]), [2, 1]);
  assert.deepEqual(await db.send(["KEYSMATCH", "a[0-9]"]), ["a1"]);
  assert.deepEqual(((await db.send(["KEYSMATCH", "(a+)+[0-9]*"])) as string[]).sort(), ["a1", "a22"]);
  await assert.rejects(db.send(["KEYSMATCH", "("]), { code: "INVALID_ARGUMENT" });
  assert.equal(await db.send(["STRUCTURE", "list"]), "list");
});
