// Another process: fetches every form with its code, uses it, and says what came out.
//
//   node other-process.ts URL ──▶ one line of JSON: [what it gives, …]

import { connect } from "../../src/client/node.ts";
import { FORMS } from "./forms.ts";

await using hive = await connect(process.argv[2]);
const device = hive.device("shipping");
const given: unknown[] = [];
for (const { what, use } of FORMS) {
  try {
    given.push(await use(await device.fetch(what, { code: true })));
  } catch (error) {
    given.push(String(error));
  }
}
console.log(JSON.stringify(given));
