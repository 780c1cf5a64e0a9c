// A hive with the options that its argument has in JSON: for tests that need it in a process of its own.
//
//   node test/limits/limited-process.ts '{"port":0,"limits":{"connectionsMax":10}}' ──▶ {"port":43211}

import { Hive } from "../../src/server/hive.ts";

const onNotice = (message: string): void => void process.stderr.write(`${message}\n`);
const hive = await Hive.start({ port: false, ...JSON.parse(process.argv[2]!), onNotice });
process.stdout.write(`${JSON.stringify({ port: hive.port, address: hive.address })}\n`);
