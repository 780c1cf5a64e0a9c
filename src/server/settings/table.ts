// Settings: the one table of what can be set before a hive starts.
//
//   flags of `memhive serve` and their help · MEMHIVE_… · memhive.json and its schema · docs/settings.md ·
//   `memhive config` · the check of Hive.start()             all of them are read from these rows
//
// To add a setting, add a row; where its taker is the hive, its name is an option of Hive.start() too.
// Then `npm run docs`. What can be changed while a hive runs is in engine/settings.ts (CONFIG SET).

import { resolve } from "node:path";
import { LOG_LEVELS } from "../../base/log.ts";
import { EVICTION_POLICIES } from "../../store/eviction.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "./defaults.ts";
import {
  bytes,
  choice,
  count,
  type Kind,
  letters,
  list,
  milliseconds,
  path,
  pem,
  port,
  text,
  yesOrNo,
} from "./kinds.ts";
import { LIMIT_ROWS } from "./limit-rows.ts";
import { type Group, type Setting, setting } from "./setting.ts";

/** In the order in which they are shown. */
export const GROUP_TITLES: Readonly<Record<Group, string>> = {
  start: "Where settings come from",
  network: "Network",
  access: "Access",
  tls: "TLS",
  memory: "Memory",
  events: "Events",
  snapshots: "Snapshots",
  structures: "Structures",
  logs: "Logs",
  limits: "Limits",
};

/** Embedded it may be `true` too: tokens that are kept nowhere. */
const tokensFile: Kind = { ...path, read: (value, folder) => (value === true ? true : path.read(value, folder)) };

/** Embedded they may be classes too; a file is relative to the settings that name it. */
const structureList: Kind = {
  ...list,
  read: (value, folder) => {
    if (!Array.isArray(value) || value.some((item) => item === "" || item === null || item === undefined))
      return undefined;
    if (folder === "") return value;
    return value.map((item) => (typeof item === "string" && /[/.]/.test(item) ? resolve(folder, item) : item));
  },
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
    help: "address to listen on; others than loopback need a token",
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
    name: "http.origins",
    kind: list,
    group: "network",
    help: "other origins whose web pages may call, such as https://app.example",
  }),
  setting({
    name: "http.hosts",
    kind: list,
    group: "network",
    help: "names that HTTP clients without a token may call the hive by, besides addresses and localhost",
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
    name: "deviceBytesMax",
    kind: bytes(),
    group: "memory",
    help: "what one device may have, its sessions included, 0: no cap",
    initial: 0,
  }),
  setting({
    name: "devicesBytesMax",
    kind: bytes(),
    group: "memory",
    help: "what all devices may have together, 0: no cap",
    initial: 0,
  }),
  setting({
    name: "shared",
    kind: yesOrNo,
    group: "memory",
    help: "keep the data where other processes of this host and user can read it without asking (needs koffi)",
    initial: false,
  }),
  setting({
    name: "sharedFolder",
    kind: path,
    group: "memory",
    help: "the tmpfs that shared memory is kept in",
    initial: "/dev/shm",
  }),
  setting({
    name: "feed.keep",
    kind: choice(["watched", "always", "never"]),
    group: "events",
    help: "when changes of keys are noted: from the first watcher on, as long as the hive runs, or never",
    initial: "watched",
  }),
  setting({
    name: "keyspaceEvents",
    kind: letters,
    group: "events",
    help: "which keyspace notifications are sent, as CONFIG SET notify-keyspace-events takes them",
    initial: "",
  }),
  setting({
    name: "tokens",
    kind: tokensFile,
    group: "access",
    help: "a file of tokens with grants and quotas, of memhive token; changes count at once",
  }),
  setting({
    name: "tokenFile",
    kind: path,
    group: "access",
    help: "a file with one token that may do everything",
    taker: "command",
  }),
  setting({
    name: "token",
    kind: text("token"),
    group: "access",
    help: "the same token itself",
    secret: true,
  }),
  setting({
    name: "tls.cert",
    kind: pem,
    group: "tls",
    help: "its certificate in PEM form: TLS on the same port; SIGHUP reads it again",
  }),
  setting({ name: "tls.key", kind: pem, group: "tls", help: "the private key of the certificate" }),
  setting({
    name: "tls.ca",
    kind: pem,
    group: "tls",
    help: "authorities of client certificates, which are required then",
  }),
  setting({
    name: "tls.clientCertificates",
    kind: choice(["none", "optional", "required"]),
    group: "tls",
    help: "whether clients have to show one; required where there is a tls.ca, else none",
  }),
  setting({
    name: "tls.only",
    kind: yesOrNo,
    group: "tls",
    help: "refuse TCP connections without TLS",
    initial: false,
  }),
  setting({
    name: "snapshots.folder",
    kind: path,
    group: "snapshots",
    help: "where snapshots are kept; without it none are",
    flag: "snapshots",
  }),
  setting({
    name: "snapshots.intervalMs",
    kind: milliseconds(),
    group: "snapshots",
    help: "store one every so often while something changes; 0: never",
    initial: 0,
    flag: "snapshot-interval",
  }),
  setting({
    name: "snapshots.keep",
    kind: count({ min: 1 }),
    group: "snapshots",
    help: "how many of those that the hive names by the time stay",
    initial: 3,
    flag: "snapshot-keep",
  }),
  setting({
    name: "snapshots.from",
    kind: text("name"),
    group: "snapshots",
    help: "what to start from: newest, none, or a snapshot's name",
    initial: "newest",
    flag: "snapshot-from",
  }),
  setting({
    name: "snapshots.atClose",
    kind: yesOrNo,
    group: "snapshots",
    help: "store one when the hive stops",
    initial: true,
    flag: "snapshot-at-close",
    offFlag: "no-snapshot-at-close",
  }),
  setting({
    name: "snapshots.sessions",
    kind: yesOrNo,
    group: "snapshots",
    help: "sessions of devices are in snapshots too, and back when the hive starts from the one it has stopped with",
    initial: false,
    flag: "snapshot-sessions",
  }),
  setting({
    name: "structures",
    kind: structureList,
    group: "structures",
    help: "structures by name (fifo, suggest) or file (./votes.ts); SIGHUP reads files again",
  }),
  setting({
    name: "isolate",
    kind: yesOrNo,
    group: "structures",
    help: "run all structures of files and names in worker threads, where they can be stopped",
    initial: false,
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
