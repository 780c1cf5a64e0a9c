// Load for a hive, as a process of its own: connections that read and write keys, some calls at once each.
//
//   argument 1: the hive's address; it goes on until it is ended

import { connect } from "../../src/client/node.ts";

const CONNECTIONS = 4;
const CALLS = 32;

for (let i = 0; i < CONNECTIONS; i++) {
  const client = await connect(process.argv[2]!, { spinMicroseconds: 0, shared: false });
  void (async () => {
    for (let round = 0; ; round++) {
      const calls = Array.from({ length: CALLS }, (_, n) => {
        const key = `load:${(round * CALLS + n * 7919) % 20_000}`;
        return n % 3 === 0 ? client.put(key, "x".repeat(100)) : client.get(key);
      });
      await Promise.all(calls);
    }
  })();
}
process.stdout.write("begun\n");
