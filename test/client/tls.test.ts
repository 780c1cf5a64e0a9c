// hives://: the client over TLS, with and without certificates of its own, and what it says of wrong ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type TlsOptions } from "../../src/client/node.ts";
import type { CertificateOptions } from "../../src/net/certificates.ts";
import { Hive } from "../../src/server/hive.ts";
import { makeAuthority, makeCertificate } from "../kit/certificates.ts";
import { failure } from "../kit/fake-hive.ts";

const ca = makeAuthority("test authority");
const own = makeCertificate({ ca });
const ours = makeCertificate({ ca, name: "client" });

function start(tls: Partial<CertificateOptions> & { only?: boolean } = {}, port = 0): Promise<Hive> {
  return Hive.start({ port, tls: { ...own, ...tls } });
}

test("calls and large values work over TLS, and the hive knows that the connection is encrypted", async () => {
  await using hive = await start();
  for (const host of ["localhost", "127.0.0.1"]) {
    const client = await connect(`hives://${host}:${hive.port}`, { tls: { ca: ca.cert } });
    await client.table("t").set("big", { text: "x".repeat(2_000_000) });
    assert.equal(((await client.table<{ text: string }>("t").get("big")) ?? { text: "" }).text.length, 2_000_000);
    assert.deepEqual(await Promise.all(Array.from({ length: 500 }, () => client.ping())), new Array(500).fill("PONG"));
    await client.close();
  }
});

test("a certificate of the hive that is not trusted, for another name or expired is refused with the reason", async () => {
  await using hive = await start();
  const cases: [hive: Hive, url: string, tls: TlsOptions, message: RegExp, reason: string][] = [
    [hive, "localhost", {}, /authority is not known: pass the authority/, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    [hive, "127.0.0.1", { ca: ca.cert, servername: "other" }, /is for another name/, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ];
  await using alone = await start({ ...makeCertificate({}) });
  cases.push([alone, "localhost", { ca: ca.cert }, /self-signed and not trusted/, "DEPTH_ZERO_SELF_SIGNED_CERT"]);
  await using expired = await start({ ...makeCertificate({ ca, expiredDays: 1 }) });
  cases.push([expired, "localhost", { ca: ca.cert }, /has expired: the hive needs a new one/, "CERT_HAS_EXPIRED"]);
  for (const [{ port }, host, tls, message, reason] of cases) {
    const refused = await failure(connect(`hives://${host}:${port}`, { tls }));
    assert.equal(refused.code, "BAD_CERTIFICATE");
    assert.match(refused.message, message);
    assert.equal(refused.detail["reason"], reason);
    assert.ok(refused.cause);
  }
  const trusting = await connect(`hives://localhost:${alone.port}`, { tls: { rejectUnauthorized: false } });
  assert.equal(await trusting.ping(), "PONG");
  await trusting.close();
});

test("a certificate that cannot become right by itself ends the attempts, one that may be renewed does not", async () => {
  await using hive = await start();
  const stranger = connect(`hives://localhost:${hive.port}`, { waitMs: 60_000 });
  assert.equal((await failure(stranger)).code, "BAD_CERTIFICATE", "at once, not after waitMs");

  const expired = await start({ ...makeCertificate({ ca, expiredDays: 1 }) });
  const { port } = expired;
  const reconnect = { minMs: 1, maxMs: 5 };
  const patient = connect(`hives://localhost:${port}`, { tls: { ca: ca.cert }, waitMs: 60_000, reconnect });
  await new Promise((resolve) => setImmediate(resolve));
  await expired.close();
  await using renewed = await start({}, port);
  const client = await patient;
  assert.equal(await client.ping(), "PONG");
  assert.equal(renewed.port, port);
  await client.close();
});

test("client certificates: none asked for, optional, required; missing, wrong and expired ones are refused", async () => {
  const others = makeAuthority("somebody else");
  const wrong: [what: string, tls: TlsOptions, message: RegExp][] = [
    ["self-signed", makeCertificate({ name: "client" }), /certificate is refused: DEPTH_ZERO_SELF_SIGNED_CERT/],
    ["expired", makeCertificate({ ca, expiredDays: 2 }), /certificate is refused: CERT_HAS_EXPIRED/],
    ["of another authority", makeCertificate({ ca: others }), /certificate is refused: UNABLE_TO/],
  ];
  const missing: (typeof wrong)[0] = ["missing", {}, /wants a client certificate/];
  for (const clientCertificates of ["required", "optional", undefined] as const) {
    const notices: string[] = [];
    const tls = { ...own, ca: ca.cert, ...(clientCertificates === undefined ? {} : { clientCertificates }) };
    await using hive = await Hive.start({ port: 0, tls, onNotice: (message) => notices.push(message) });
    const url = `hives://localhost:${hive.port}`;
    const known = await connect(url, { tls: { ca: ca.cert, ...ours } });
    assert.equal(await known.ping(), "PONG");
    await known.close();
    for (const [what, pair, message] of clientCertificates === "optional" ? wrong : [missing, ...wrong]) {
      const refused = await failure(connect(url, { tls: { ca: ca.cert, ...pair }, waitMs: 60_000 }));
      assert.equal(refused.code, "BAD_CERTIFICATE", what);
      assert.match(refused.message, message);
      assert.match(notices.at(-1)!, message);
    }
    if (clientCertificates !== "optional") continue;
    const anonymous = await connect(url, { tls: { ca: ca.cert } });
    assert.equal(await anonymous.ping(), "PONG");
    await anonymous.close();
  }
});

test("files that are no good on this end are its mistake, and nothing is dialed twice", async () => {
  await using hive = await start();
  const url = `hives://localhost:${hive.port}`;
  const mixed = await failure(connect(url, { tls: { ca: ca.cert, cert: ours.cert, key: own.key }, waitMs: 60_000 }));
  assert.equal(mixed.code, "REFUSED_SETTING");
  assert.match(mixed.message, /key values mismatch: look at ca, cert and key/);
});

test("TLS to a hive without it, and none to a hive that takes nothing else, say what to do", async () => {
  await using plain = await Hive.start({ port: 0 });
  const noTls = await failure(connect(`hives://127.0.0.1:${plain.port}`));
  assert.equal(noTls.code, "CONNECTION_LOST");
  assert.match(noTls.message, /what answers offers no TLS: start the hive with --tls-cert/);
  await using only = await start({ only: true });
  const notEncrypted = await failure(connect(`hive://127.0.0.1:${only.port}`, { waitMs: 60_000 }));
  assert.equal(notEncrypted.code, "NOT_ENCRYPTED");
  assert.match(notEncrypted.message, /encrypted connections only: redis-cli --tls, or hives:\/\//);
});
