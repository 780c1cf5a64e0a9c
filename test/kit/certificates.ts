// Certificates for tests, made when they are needed: an authority, and what it signs.
//
//   const ca = makeAuthority("test");   const { cert, key } = makeCertificate({ ca, name: "localhost" })
//
// X.509 in DER by hand (RFC 5280), with keys on P-256: some milliseconds each, no program and no package
// needed, and with any dates: what has expired is easily made. Nothing of it is kept in the repository.

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

export type Made = { cert: string; key: string };
export type Authority = Made & { name: string };

const DAY_MS = 86_400_000;

// DER: a tag, a length, and content.

function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...content: Uint8Array[]): Buffer => der(0x30, ...content);
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const bits = (content: Uint8Array): Buffer => der(0x03, Buffer.of(0), content);
const TRUE = der(0x01, Buffer.of(0xff));

/** "2.5.29.17" */
function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

const ECDSA_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));

function nameOf(common: string): Buffer {
  return sequence(der(0x31, sequence(objectId("2.5.4.3"), der(0x0c, Buffer.from(common)))));
}

function timeOf(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(text));
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(objectId(id), ...(critical ? [TRUE] : []), octets(value));
}

function alternativeNames(names: readonly string[]): Buffer {
  const list = names.map((name) => {
    if (isIP(name) === 4) return der(0x87, Buffer.from(name.split(".").map(Number)));
    return der(0x82, Buffer.from(name));
  });
  return extension("2.5.29.17", false, sequence(...list));
}

type Request = {
  subject: string;
  issuer: string;
  signer: KeyObject;
  publicKey: KeyObject;
  fromMs: number;
  toMs: number;
  extensions: Buffer[];
};

function certificateOf({ subject, issuer, signer, publicKey, fromMs, toMs, extensions }: Request): string {
  const serial = randomBytes(8);
  serial[0] = 0x40 | (serial[0]! & 0x3f);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    ECDSA_SHA256,
    nameOf(issuer),
    sequence(timeOf(fromMs), timeOf(toMs)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  return new X509Certificate(sequence(body, ECDSA_SHA256, bits(sign("sha256", body, signer)))).toString();
}

function keyPair(): { publicKey: KeyObject; privateKey: KeyObject; pem: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { publicKey, privateKey, pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** An authority that signs itself. */
export function makeAuthority(name: string): Authority {
  const { publicKey, privateKey, pem } = keyPair();
  const nowMs = Date.now();
  const cert = certificateOf({
    subject: name,
    issuer: name,
    signer: privateKey,
    publicKey,
    fromMs: nowMs - DAY_MS,
    toMs: nowMs + DAY_MS,
    extensions: [
      extension("2.5.29.19", true, sequence(TRUE)),
      // keyCertSign and cRLSign
      extension("2.5.29.15", true, der(0x03, Buffer.of(1, 0x06))),
    ],
  });
  return { name, cert, key: pem };
}

export type CertificateRequest = {
  /** Who signs it; without one it signs itself. */
  ca?: Authority;
  name?: string;
  /** Names and IPv4 addresses that it is for. */
  hosts?: readonly string[];
  /** Its last day was so many days ago. */
  expiredDays?: number;
};

export function makeCertificate({ ca, name = "localhost", hosts, expiredDays = -1 }: CertificateRequest): Made {
  const { publicKey, privateKey, pem } = keyPair();
  const toMs = Date.now() - expiredDays * DAY_MS;
  const cert = certificateOf({
    subject: name,
    issuer: ca?.name ?? name,
    signer: ca === undefined ? privateKey : createPrivateKey(ca.key),
    publicKey,
    fromMs: toMs - 10 * DAY_MS,
    toMs,
    extensions: [alternativeNames(hosts ?? ["localhost", "127.0.0.1"])],
  });
  return { cert, key: pem };
}
