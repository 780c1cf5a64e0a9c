// Every limit of base/limits.ts, reached from outside: a real connection, and what it sees.
//
// The list is made of the limits themselves: one without a case does not compile, and fails.

import { test } from "node:test";
import { DEFAULT_LIMITS, type Limits } from "../../src/base/limits.ts";
import { CONNECTION_CASES } from "./connection-cases.ts";
import { FEED_CASES } from "./feed-cases.ts";
import { HTTP_CASES } from "./http-cases.ts";
import { INPUT_CASES } from "./input-cases.ts";
import { OUTPUT_CASES } from "./output-cases.ts";
import { TOKEN_CASES } from "./token-cases.ts";

const CASES: Readonly<Record<keyof Limits, () => Promise<void>>> = {
  ...INPUT_CASES,
  ...CONNECTION_CASES,
  ...OUTPUT_CASES,
  ...TOKEN_CASES,
  ...FEED_CASES,
  ...HTTP_CASES,
};

for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
  test(`${name} is reached from outside, and its error is seen`, { timeout: 60_000 }, () => CASES[name]());
}
