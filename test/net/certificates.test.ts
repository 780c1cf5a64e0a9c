// Files of certificates: read, checked together, and refused by name.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CertificateOptions, clientCertificatesOf, readCertificates } from "../../src/net/certificates.ts";
import { makeAuthority, makeCertificate } from "../kit/certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-certificates-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ca = makeAuthority("test authority");
const own = makeCertificate({ ca });

function read(options: CertificateOptions): string[] {
  const notices: string[] = [];
  readCertificates(options, (message) => notices.push(message));
  return notices;
}

test("PEM as text, as bytes and as a path is the same", () => {
  const [cert, key] = [join(folder, "a.crt"), join(folder, "a.key")];
  writeFileSync(cert, own.cert);
  writeFileSync(key, own.key);
  const expected = { ...own, ca: ca.cert };
  for (const options of [own, { cert, key }, { cert: Buffer.from(own.cert), key: Buffer.from(own.key) }]) {
    assert.deepEqual(
      readCertificates({ ...options, ca: ca.cert }, () => {}),
      expected,
    );
  }
  // The chain behind a certificate is read too, and so are several authorities.
  assert.deepEqual(read({ cert: own.cert + ca.cert, key: own.key, ca: ca.cert + makeAuthority("b").cert }), []);
});

test("what cannot be used is refused, and the option and the file are named", () => {
  const encrypted = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    ...{ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
  });
  const broken = own.cert.replace(/\n.{10}/, "\nAAAAAAAAAA");
  const cases: [options: CertificateOptions, message: RegExp][] = [
    [{ ...own, key: ca.key }, /^tls\.key: tls\.key is not the key of the certificate in tls\.cert$/],
    [{ ...own, key: encrypted.toString() }, /tls\.key is encrypted: write it without a passphrase/],
    [{ ...own, key: own.key.replace(/.*\n/, "") }, /^tls\.key: neither a path nor PEM, which begins with -----BEGIN$/],
    [{ ...own, cert: "" }, /^tls\.cert: cannot read /],
    [{ ...own, cert: folder }, /^tls\.cert: cannot read .*it is a folder/],
    [{ ...own, cert: own.key }, /^tls\.cert: tls\.cert has no certificate in PEM form, but a private key/],
    [{ ...own, cert: broken }, /^tls\.cert: tls\.cert has a certificate that cannot be read/],
    [{ ...own, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" }, /^tls\.key: .* cannot be read/],
    [{ ...own, ca: own.key }, /^tls\.ca: tls\.ca has no certificate/],
    [{ ...own, ca: Buffer.from([0, 1, 2]) }, /^tls\.ca: tls\.ca has no certificate/],
  ];
  for (const [options, message] of cases) assert.throws(() => read(options), { code: "REFUSED_SETTING", message });
});

test("a certificate that has expired, or is not valid yet, is worth a notice", () => {
  assert.match(read(makeCertificate({ ca, expiredDays: 1 }))[0]!, /^the certificate in tls\.cert expired on /);
  assert.match(
    read(makeCertificate({ ca, expiredDays: -20 }))[0]!,
    /in tls\.cert is valid from .* until then others refuse/,
  );
});

test("client certificates are required where there is an authority, unless somebody says otherwise", () => {
  assert.equal(clientCertificatesOf(own), "none");
  assert.equal(clientCertificatesOf({ ...own, ca: ca.cert }), "required");
  assert.equal(clientCertificatesOf({ ...own, ca: ca.cert, clientCertificates: "optional" }), "optional");
  for (const [clientCertificates, message] of [
    ["required", /required needs tls\.ca/],
    ["maybe", /expected none, optional or required, got maybe/],
  ] as const) {
    const options = { ...own, clientCertificates } as CertificateOptions;
    assert.throws(() => clientCertificatesOf(options), { code: "REFUSED_SETTING", message });
  }
});
