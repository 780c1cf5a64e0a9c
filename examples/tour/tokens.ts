// A part of the tour: who may do what.

import { connect } from "../../src/client/node.ts";
import type { Tour } from "./tour.ts";

export const title = "Tokens: who may do what";

export async function run({ server, show, say }: Tour): Promise<void> {
  say("In its own process a hive trusts everybody; over a socket each connection says who it is.");
  const { token, info } = await server.tokens.create({
    name: "dashboard",
    grants: ["read:users"],
    quotas: { callsPerSecond: 100 },
  });
  const url = `hive://${server.address}`;
  await using dashboard = await connect(url, { token });
  await show(() => dashboard.table("users").get("ada"));
  await show(() => dashboard.delete("users"));
  await show(() => server.tokens.revoke(info.id));
  say("Its connection ended with it. `memhive token create` makes them in a file; docs/guides/tokens.md has the rest.");
}
