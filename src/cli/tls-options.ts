// The options of TLS as a person writes them: --tls-cert FILE --tls-key FILE …

import { HiveError } from "../base/errors.ts";
import type { HiveOptions } from "../server/hive.ts";
import type { ServeOptions } from "./serve-options.ts";

/** @throws {HiveError} REFUSED_SETTING: one of them needs another one. */
export function tlsOptions(options: ServeOptions): Pick<HiveOptions, "tls"> {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca, tlsClientCertificates: wanted, tlsOnly: only } = options;
  if (cert === undefined && key === undefined) {
    const alone = ca !== undefined ? "--tls-ca" : wanted !== undefined ? "--tls-client-certificates" : "--tls-only";
    if (ca === undefined && wanted === undefined && !only) return {};
    throw new HiveError("REFUSED_SETTING", `${alone} needs TLS: add --tls-cert FILE --tls-key FILE`);
  }
  if (cert === undefined)
    throw new HiveError("REFUSED_SETTING", "--tls-key needs its certificate: add --tls-cert FILE");
  if (key === undefined) throw new HiveError("REFUSED_SETTING", "--tls-cert needs its private key: add --tls-key FILE");
  if (wanted !== undefined && wanted !== "none" && wanted !== "optional" && wanted !== "required") {
    throw new HiveError("REFUSED_SETTING", `--tls-client-certificates ${wanted}: expected required, optional or none`);
  }
  return {
    tls: {
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      ...(wanted === undefined ? {} : { clientCertificates: wanted }),
      ...(only ? { only } : {}),
    },
  };
}
