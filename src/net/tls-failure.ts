// TLS failures: what went wrong while an encrypted connection was opened, for people and for programs.
//
//   DEPTH_ZERO_SELF_SIGNED_CERT ──▶ HiveError BAD_CERTIFICATE "…: pass its authority as tls.ca"
//
// OpenSSL and Node have a code for each reason, and few say what to do. A certificate that is not trusted
// is not trusted the next time either; one that has expired, or is not valid yet, may be replaced meanwhile.

import { HiveError } from "../base/errors.ts";

type Failure = NodeJS.ErrnoException & { host?: string };

const NOT_TRUSTED = "pass the authority that signed it as tls.ca (--ca FILE, or MEMHIVE_CA)";
const OURS = "pass one of an authority that the hive trusts as tls.cert and tls.key (--cert FILE --key FILE)";

/** Node's codes for a certificate of the hive that this end refuses. */
const HIVES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `it is self-signed and not trusted: ${NOT_TRUSTED}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its authority is not trusted: ${NOT_TRUSTED}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `its authority is not known: ${NOT_TRUSTED}`,
  UNABLE_TO_GET_ISSUER_CERT: `its authority is not known: ${NOT_TRUSTED}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `its authority is not known: ${NOT_TRUSTED}`,
  CERT_SIGNATURE_FAILURE: `its signature is wrong: ${NOT_TRUSTED}`,
  CERT_UNTRUSTED: `it is not trusted: ${NOT_TRUSTED}`,
  INVALID_CA: `what signed it is no authority: ${NOT_TRUSTED}`,
  INVALID_PURPOSE: "it is not meant for servers: the hive needs another one",
  CERT_REVOKED: "it has been revoked: the hive needs another one",
  CERT_HAS_EXPIRED: "it has expired: the hive needs a new one",
  CERT_NOT_YET_VALID: "it is not valid yet: look at the clocks of both machines",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name: dial that one, or pass it as tls.servername",
};

/** OpenSSL's codes for what the hive said of this end's certificate. */
const ALERTS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the other end wants a client certificate",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the other end refuses the client certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the other end finds the client certificate expired",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the other end refuses the client certificate",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the other end does not know the authority of the client certificate",
};

/** What this end was given as its own certificate or trust, and cannot be used. */
const UNUSABLE = /^ERR_OSSL_|^ERR_TLS_INVALID|^ERR_CRYPTO_|^ERR_INVALID_ARG/;

/** These may be right the next time although this end is as it was. */
const MAY_CHANGE: readonly string[] = ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"];

/**
 * What a failure to open an encrypted connection means. Failures that have nothing to do with TLS are
 * given back as they are.
 *
 * BAD_CERTIFICATE where a certificate is the reason; `detail.reason` is the code of Node or OpenSSL, and
 * `detail.final` is 1 where another attempt would only fail again.
 */
export function tlsFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code = "", message } = error as Failure;
  const hives = HIVES[code];
  if (hives !== undefined) return bad(code, `the certificate of the hive is refused, ${hives} (${message})`, error);
  const ours = ALERTS[code];
  if (ours !== undefined) return bad(code, `${ours}: ${OURS}`, error);
  if (UNUSABLE.test(code)) {
    return new HiveError("REFUSED_SETTING", `tls: ${message}: look at ca, cert and key`, { cause: error });
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return new Error("what answers does not speak TLS: is it a hive without TLS? then dial hive://", { cause: error });
  }
  if (code.includes("ALERT_HANDSHAKE_FAILURE")) {
    return new Error("what answers offers no TLS: start the hive with --tls-cert and --tls-key, or dial hive://", {
      cause: error,
    });
  }
  return error;
}

function bad(reason: string, message: string, cause: Error): HiveError {
  const final = MAY_CHANGE.includes(reason) ? 0 : 1;
  return new HiveError("BAD_CERTIFICATE", message, { detail: { reason, final }, cause });
}
