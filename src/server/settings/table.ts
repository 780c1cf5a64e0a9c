// Settings: the one table of what can be set before a hive starts.
//
//   flags of `memhive serve` and their help · MEMHIVE_… · memhive.json and its schema · docs/settings.md ·
//   `memhive config` · the check of Hive.start()             all of them are read from these rows
//
// To add a setting, add a row; where its taker is the hive, its name is an option of Hive.start() too.
// Then `npm run docs`. What can be changed while a hive runs is in engine/settings.ts (CONFIG SET).

import { LOG_LEVELS } from "../../base/log.ts";
import { EVICTION_POLICIES } from "../../store/eviction.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "./defaults.ts";
import { bytes, choice, path, port, text } from "./kinds.ts";
import { LIMIT_ROWS } from "./limit-rows.ts";
import { type Group, type Setting, setting } from "./setting.ts";

/** In the order in which they are shown. */
export const GROUP_TITLES: Readonly<Record<Group, string>> = {
  start: "Where settings come from",
  network: "Network",
  access: "Access",
  tls: "TLS",
  memory: "Memory",
  snapshots: "Snapshots",
  logs: "Logs",
  limits: "Limits",
};

export const SETTINGS: readonly Setting[] = [
  setting({
    name: "config",
    kind: path,
    group: "start",
    help: "a file with settings in JSON; without it none is read",
    inFile: false,
    taker: "command",
  }),
  setting({
    name: "host",
    kind: text("address"),
    group: "network",
    help: "loopback address to listen on",
    initial: DEFAULT_HOST,
  }),
  setting({
    name: "port",
    kind: port,
    group: "network",
    help: "TCP port, 0 for a free one",
    initial: DEFAULT_PORT,
    offFlag: "no-tcp",
  }),
  setting({
    name: "unix",
    kind: path,
    group: "network",
    help: "unix socket to listen on as well, or alone with --no-tcp",
  }),
  setting({
    name: "maxMemoryBytes",
    kind: bytes(),
    group: "memory",
    help: "what the data may take, 0: as much as the system gives",
    initial: 0,
    flag: "max-memory",
  }),
  setting({
    name: "maxMemoryPolicy",
    kind: choice(EVICTION_POLICIES),
    group: "memory",
    help: "what happens when it is used up",
    initial: "noeviction",
  }),
  setting({
    name: "logLevel",
    kind: choice([...LOG_LEVELS, "silent"]),
    group: "logs",
    help: "the least that is logged, on standard error",
    initial: "info",
    taker: "command",
  }),
  setting({
    name: "logFormat",
    kind: choice(["text", "json"]),
    group: "logs",
    help: "lines for people, or one JSON object a line",
    initial: "text",
    taker: "command",
  }),
  ...LIMIT_ROWS,
];
