// Certificates: what a hive shows of itself on TLS, and whom it trusts. Read, and checked before it is used.
//
//   { cert: "hive.crt", key: "hive.key" } ──▶ read ──▶ checked, naming the file ──▶ PEM for a secure context
//
// Each is a file's path, or PEM itself. What could never work is refused here and not at the first
// handshake; a certificate that has expired is only worth a notice, since nobody is helped by a hive that
// does not start. It must not load node:tls: a hive without TLS checks nothing.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { HiveError } from "../base/errors.ts";

/** The path of a PEM file, or its content. */
export type PemSource = string | Uint8Array;

export type CertificateOptions = {
  /** The hive's certificate, with the intermediate ones behind it. */
  cert: PemSource;
  /** Its private key, not encrypted. */
  key: PemSource;
  /** The authorities whose certificates clients may have. */
  ca?: PemSource;
  /**
   * Whether a client has to show a certificate of `ca`: never looked at, looked at where there is one, or
   * always. Default: required where there is a `ca`, else none.
   */
  clientCertificates?: ClientCertificates;
};

export type ClientCertificates = "none" | "optional" | "required";

export type Certificates = { cert: string; key: string; ca: string | undefined };

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const PEM = /-----BEGIN /;

/** @throws {HiveError} REFUSED_SETTING: clients are to be checked and nothing says by what. */
export function clientCertificatesOf({ ca, clientCertificates }: CertificateOptions): ClientCertificates {
  const wanted = clientCertificates ?? (ca === undefined ? "none" : "required");
  if (!["none", "optional", "required"].includes(wanted)) {
    throw refused("clientCertificates", `expected none, optional or required, got ${wanted}`);
  }
  if (wanted !== "none" && ca === undefined) {
    throw refused("clientCertificates", `${wanted} needs tls.ca: the authority that client certificates have to be of`);
  }
  return wanted;
}

/**
 * Reads and checks them.
 * @param onNotice What is no reason to refuse them, but to look at them.
 * @throws {HiveError} REFUSED_SETTING, naming the file: it cannot be read, is no PEM, or does not fit the others.
 */
export function readCertificates(options: CertificateOptions, onNotice: (message: string) => void): Certificates {
  const cert = read("cert", options.cert);
  const [own] = certificatesIn("cert", cert);
  const key = read("key", options.key);
  if (!own!.checkPrivateKey(privateKeyIn(key))) {
    throw refused("key", `${key.name} is not the key of the certificate in ${cert.name}`);
  }
  noticeAge(own!, cert.name, onNotice);
  const ca = options.ca === undefined ? undefined : read("ca", options.ca);
  if (ca !== undefined) for (const authority of certificatesIn("ca", ca)) noticeAge(authority, ca.name, onNotice);
  return { cert: cert.text, key: key.text, ca: ca?.text };
}

type Source = { text: string /** The file, or what it is instead. */; name: string };

function read(option: string, source: PemSource): Source {
  if (typeof source !== "string") return { text: new TextDecoder().decode(source), name: `tls.${option}` };
  if (PEM.test(source)) return { text: source, name: `tls.${option}` };
  // Not shown: it is a key, or a certificate, that lost its first line.
  if (/[\r\n]/.test(source)) throw refused(option, "neither a path nor PEM, which begins with -----BEGIN");
  try {
    return { text: readFileSync(source, "utf8"), name: source };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: "no such file",
      EACCES: "no permission",
      EISDIR: "it is a folder",
    };
    throw refused(option, `cannot read ${source}: ${reasons[code ?? ""] ?? message}`, error);
  }
}

/** At least one. */
function certificatesIn(option: string, { text, name }: Source): X509Certificate[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    const instead = text.includes("PRIVATE KEY") ? ", but a private key" : "";
    throw refused(option, `${name} has no certificate in PEM form${instead}`);
  }
  try {
    return found.map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw refused(option, `${name} has a certificate that cannot be read: ${messageOf(error)}`, error);
  }
}

function privateKeyIn({ text, name }: Source): KeyObject {
  if (!text.includes("PRIVATE KEY")) {
    const instead = text.includes("CERTIFICATE") ? ", but a certificate" : "";
    throw refused("key", `${name} has no private key in PEM form${instead}`);
  }
  if (text.includes("ENCRYPTED")) {
    throw refused("key", `${name} is encrypted: write it without a passphrase, readable for the hive alone`);
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw refused("key", `${name} has a private key that cannot be read: ${messageOf(error)}`, error);
  }
}

function noticeAge(certificate: X509Certificate, name: string, onNotice: (message: string) => void): void {
  const nowMs = Date.now();
  if (nowMs > Date.parse(certificate.validTo)) {
    onNotice(`the certificate in ${name} expired on ${certificate.validTo}: others refuse it`);
  } else if (nowMs < Date.parse(certificate.validFrom)) {
    onNotice(`the certificate in ${name} is valid from ${certificate.validFrom} on: until then others refuse it`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refused(option: string, reason: string, cause?: unknown): HiveError {
  const detail = { option: `tls.${option}` };
  return new HiveError(
    "REFUSED_SETTING",
    `tls.${option}: ${reason}`,
    cause === undefined ? { detail } : { detail, cause },
  );
}
