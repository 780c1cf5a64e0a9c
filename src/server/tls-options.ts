// TLS options: what Hive.start() takes, and whether TLS is wanted at all.

import { HiveError } from "../base/errors.ts";
import type { CertificateOptions } from "../net/certificates.ts";

/** PEM files by their path, or PEM itself. Files are read again by reload(). */
export type TlsOptions = CertificateOptions & {
  /** True: over TCP nothing but TLS is let in. A unix socket needs none. Default: false. */
  only?: boolean;
};

/** Undefined where none is wanted. @throws {HiveError} REFUSED_SETTING: its certificate or its key is missing. */
export function wantedTls(tls: TlsOptions | undefined): TlsOptions | undefined {
  const { cert, key, only = false, ca, clientCertificates }: Partial<TlsOptions> = tls ?? {};
  if (cert !== undefined && key !== undefined) return tls;
  if ((cert ?? key ?? ca ?? clientCertificates) === undefined && !only) return undefined;
  throw new HiveError(
    "REFUSED_SETTING",
    `option tls.${cert === undefined ? "cert" : "key"} is missing: TLS needs both`,
  );
}
