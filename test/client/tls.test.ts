// hives://: the client over TLS, to a hive behind something that ends TLS.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate for localhost that nobody but who is given it trusts. */
function certificate(): { key: string; cert: string } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...made, "-keyout", key, "-out", cert, ...subject], { stdio: "pipe" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

async function behindTls(hive: Hive, files: { key: string; cert: string }): Promise<Server> {
  const server = createServer(files, (near) => {
    const far = dial(hive.port, "127.0.0.1");
    for (const socket of [near, far]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("calls, large values and events work over TLS; a certificate that is not trusted is refused", async () => {
  await using hive = await Hive.start({ port: 0 });
  const files = certificate();
  const server = await behindTls(hive, files);
  const { port } = server.address() as { port: number };
  for (const host of ["localhost", "127.0.0.1"]) {
    const client = await connect(`hives://${host}:${port}`, { tls: { ca: files.cert } });
    await client.table("t").set("big", { text: "x".repeat(2_000_000) });
    assert.equal(((await client.table<{ text: string }>("t").get("big")) ?? { text: "" }).text.length, 2_000_000);
    assert.deepEqual(await Promise.all(Array.from({ length: 500 }, () => client.ping())), new Array(500).fill("PONG"));
    await client.close();
  }
  const refused = await failure(connect(`hives://localhost:${port}`));
  assert.equal(refused.code, "CONNECTION_LOST");
  assert.match(refused.message, /self.signed certificate/);
  server.close();
});
