// memhive demo in a short form: each scene is played, and what it counts is right. How fast it was is not looked at.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runMemhive } from "../kit/run-memhive.ts";

test("the demo plays all scenes, and every vote is counted", { timeout: 120_000 }, async () => {
  const { code, out, error } = await runMemhive(["demo", "--seconds", "3"]);
  assert.equal(error, "");
  assert.match(out, /^ {4}\| export class Votes extends Structure \{$/m);
  const [, answered, counted] = out.match(/they were answered (\d+) votes; .*VOTES poll.* counts (\d+)/) ?? [];
  assert.ok(Number(answered) > 0);
  assert.equal(counted, answered);
  assert.match(out, /shared reads (a second|need the package koffi)/);
  assert.equal(out.match(/^memhive: VOTE poll eve: DEADLINE after \d+ ms$/gm)?.length, 6);
  assert.match(out, /the votes are as they were: (\d+) before, \1 now, 0 for eve/);
  assert.match(out, /eve has 1 vote; the four were answered (\d+) votes, .* counts \1 beside/);
  assert.doesNotMatch(out, /not what should have happened/);
  // A machine that is busy with something else may answer late: the demo says so then.
  assert.equal(code, /should have come within/.test(out) ? 1 : 0);
});
