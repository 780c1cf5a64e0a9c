// Defaults: where a hive listens unless somebody says otherwise.

/** H-I-V-E on a phone. */
export const DEFAULT_PORT = 4483;
export const DEFAULT_HOST = "127.0.0.1";
