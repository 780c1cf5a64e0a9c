// test/differential/liar.ts
// Liar: a proxy before a server that alters some replies, to show that the tester finds them.
//
//   client ──────────────▶ server
//   client ◀── lie(reply) ── server
//
// It knows where replies end, not which command they answer.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Address } from "./connection.ts";
import { replyEnd } from "./frame.ts";

/**
 * What becomes of a reply: other bytes, none (""), or undefined to close the connection instead.
 *
 * @param index Counts the replies of all connections.
 */
export type Lie = (reply: string, index: number) => string | undefined;

export type Liar = AsyncDisposable & { readonly port: number; close(): Promise<void> };

/** Listens on a free port of the loopback and passes everything on to `target`, replies through `lie`. */
export async function startLiar(target: Address, lie: Lie): Promise<Liar> {
  const sockets = new Set<Socket>();
  let index = 0;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: target.host, port: target.port, noDelay: true, allowHalfOpen: true });
    sockets.add(client).add(upstream);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      sockets.delete(client);
      sockets.delete(upstream);
    };
    for (const socket of [client, upstream]) socket.on("error", end);
    client.on("close", end);
    upstream.on("end", () => client.end());
    client.on("data", (chunk) => upstream.write(chunk));
    client.on("end", () => upstream.end());
    let held: Buffer = Buffer.alloc(0);
    upstream.on("data", (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const altered: string[] = [];
      let at = 0;
      for (let next = replyEnd(held, at); next >= 0; next = replyEnd(held, at)) {
        const told = lie(held.latin1Slice(at, next), index++);
        at = next;
        if (told === undefined) return end();
        altered.push(told);
      }
      held = held.subarray(at);
      client.write(Buffer.from(altered.join(""), "latin1"));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening socket has no port");
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { port: address.port, close, [Symbol.asyncDispose]: close };
}
