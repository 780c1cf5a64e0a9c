// Limit rows: every limit of base/limits.ts as a setting, with a line of help.
//
//   limits.valueBytesMax · --limit valueBytesMax=64mb · MEMHIVE_LIMIT_VALUE_BYTES_MAX
//
// What a limit counts is told by the end of its name. A limit without a line here does not compile.

import { DEFAULT_LIMITS, type Limits } from "../../base/limits.ts";
import { bytes, count, type Kind, milliseconds } from "./kinds.ts";
import { type Setting, setting } from "./setting.ts";

const HELP: Readonly<Record<keyof Limits, string>> = {
  keyBytesMax: "a key, field or member",
  valueBytesMax: "a value",
  structureBytesMax: "the encoded state of a structure",
  structurePartsMax: "lists and sorted sets of the store that one structure has",
  commandMsMax: "a structure's command that takes longer is named to operators; in a worker it is stopped",
  isolatedBytesMax: "memory of a worker of isolated structures",
  isolatedCallsMax: "calls that wait for such a worker",
  isolatedPlaysMax: "what one isolated call plays and opens",
  valueDepthMax: "how deep arrays and maps nest inside one value",
  frameBytesMax: "all arguments of one call together",
  argumentsMax: "arguments of one call, its name included",
  inlineBytesMax: "a line of RESP's inline form",
  firstLineBytesMax: "the first line of a connection",
  unauthenticatedArgumentsMax: "arguments of one call before authentication",
  unauthenticatedBytesMax: "all arguments of one call before authentication",
  authenticationTimeoutMs: "from connecting to being authenticated, where the hive has a token",
  authenticationDelayMs: "after a wrong token its address waits before its next try, twice as long after each",
  authenticationDelayMsMax: "the same at the most",
  failedAddressesMax: "addresses whose wrong tokens are remembered",
  failedAddressMs: "how long they are remembered after the last one",
  waitingAuthenticationsMax: "connections of one address that wait to try a token",
  tokensMax: "tokens of a hive",
  tokenNameBytesMax: "the name of a token, and of its device",
  grantsMax: "grants of one token",
  grantBytesMax: "the pattern of a grant",
  unknownInlineMax: "unknown inline commands before authentication, then the connection closes",
  firstBytesTimeoutMs: "from connecting to the first line",
  connectionsMax: "connections at once",
  tlsHandshakeTimeoutMs: "from the first byte of TLS to the end of its handshake",
  httpRequestTimeoutMs: "HTTP: from the first byte of a request to its last",
  httpIdleTimeoutMs: "HTTP: between two requests of a connection",
  httpTextBytesMax: "HTTP: a body of JSON or XML, unzipped",
  connectionsPerAddressMax: "connections at once from one address; loopback and unix sockets are not counted",
  waitingBytesMax: "what waits on all connections together; above it those that hold the most are cut off",
  pendingConnectionsMax: "connections that the kernel holds until they are accepted",
  connectionNameBytesMax: "the name a connection gives itself",
  watchedKeysMax: "keys that one connection watches",
  watchedBytesMax: "the names of all keys that one connection watches",
  subscriptionsMax: "channels and patterns that one connection, or one subscription of a native client, listens to",
  subscribedBytesMax: "their names",
  subscribedPatternBytesMax: "the patterns among them",
  channelBytesMax: "the name of a channel; notifications with longer ones reach no pattern",
  subscriberBytesMax: "messages that wait for one subscriber: above it they are lost, and it is cut off and told",
  feedChangesMax: "changes that the feed keeps for who was away; above it the oldest go",
  feedBytesMax: "their names and last values",
  feedValueBytesMax: "the last value of what ran out: a larger one is not kept",
  feedKeepMs: "how long changes are noted after the last watcher left",
  feedWatchersMax: "watchers of the feed at once",
  feedPatternsMax: "patterns of one watcher",
  patternBytesMax: "a pattern of KEYS, of FEED and of MATCH",
  trackedKeysMax: "keys that are remembered for CLIENT TRACKING: above it the oldest are told as changed and forgotten",
  trackedBytesMax: "about the memory that this takes, alike",
  trackedPrefixesMax: "prefixes that one connection tracks",
  outputBytesMax: "answered and not yet read by a client: above it the client is cut off at once",
  outputSoftBytesMax: "the same: above it no further call of that connection runs until it has read",
  outputSoftTimeoutMs: "above outputSoftBytesMax for this long without reading: the client is cut off",
  openCallsMax: "calls of one native connection that wait for their answer",
  openCallsBytesMax: "the arguments of all calls of one native connection that wait",
  heartbeatMs: "a native connection sends something at least this often",
  blockedCallsMax: "calls that wait for a key",
  blockedKeysMax: "keys that all waiting calls name together",
  sortElementsMax: "elements that one SORT takes",
  sortBytesMax: "bytes of the elements that one SORT takes",
  transactionCallsMax: "calls between MULTI and EXEC",
  transactionBytesMax: "all arguments between MULTI and EXEC",
  slowlogEntriesMax: "calls that the slow log remembers",
  slowlogArgumentsMax: "arguments that the slow log keeps of a call",
  slowlogArgumentBytesMax: "bytes that the slow log keeps of an argument",
  snapshotBacklogBytesMax: "bytes of a snapshot that wait for the disk; above it calls that write wait",
  noticeBytesMax: "lines of the log that wait because nobody reads them; above it they are dropped and counted",
  closeTimeoutMs: "how long a hive that closes waits for clients to read their last replies",
};

/** Of "valueBytesMax", "heartbeatMs", "argumentsMax". */
function kindOf(name: string): Kind {
  if (/Bytes(Max)?$/.test(name)) return bytes({ min: 1 });
  return /Ms(Max)?$/.test(name) ? milliseconds({ min: 1 }) : count({ min: 1 });
}

export const LIMIT_ROWS: readonly Setting[] = Object.entries(HELP).map(([name, help]) =>
  setting({
    name: `limits.${name}`,
    kind: kindOf(name),
    group: "limits",
    help,
    initial: DEFAULT_LIMITS[name as keyof Limits],
    flag: undefined,
    environment: `MEMHIVE_LIMIT_${name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}`,
  }),
);
