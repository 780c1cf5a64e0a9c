// Limits: how much of everything, in one place.
//
//   DEFAULT_LIMITS ──▶ limitsWith({ valueBytesMax: … }) ──▶ Limits ──▶ store, engine, doors, net
//
// Every queue, buffer, message and depth of a hive is bounded by a name on this page, in the unit that
// the name ends in, for the reason beside it. Whoever refuses something says which limit it was:
// `value of 70 MiB exceeds valueBytesMax (64 MiB)`. Nothing here is read from the environment and
// nothing changes while a hive runs; how much memory the data may take is a setting (maxMemory).

import { HiveError } from "./errors.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Upper bounds, all of them safe integers above 0. */
export type Limits = {
  /** A key, field or member. An entry's header keeps this length in 20 bits. */
  keyBytesMax: number;
  /** A value. One that is bigger holds up everybody else for longer than 20 ms while it is copied. */
  valueBytesMax: number;
  /** The encoded state of a structure. It is encoded in one go, and calls wait for that: about 10 ms a MiB. */
  structureBytesMax: number;
  /** Lists and sorted sets of the store that one structure may have, those that are empty now among them. */
  structurePartsMax: number;
  /**
   * A synchronous command of a structure that takes longer is named to operators while it blocks the hive; in a worker it is
   * stopped.
   */
  commandMsMax: number;
  /** What a worker of isolated structures may have: heap and ArrayBuffers. One that has loaded nothing yet has 10 MiB. */
  isolatedBytesMax: number;
  /** Calls that wait for a worker or run in it. Their arguments wait with them. */
  isolatedCallsMax: number;
  /** What one isolated call plays and opens. Each write is made twice, and once more for each later one of its keys. */
  isolatedPlaysMax: number;
  /** How deep arrays and maps nest inside one value. A decoder recurses: this bounds its stack. */
  valueDepthMax: number;

  /** All arguments of one call together. Room for the biggest value twice, or for a big MSET. */
  frameBytesMax: number;
  /** Arguments of one call, its name included. As Redis has it. */
  argumentsMax: number;
  /** A line of RESP's inline form, and of a length in the other form. As Redis has it. */
  inlineBytesMax: number;
  /** The first line of a connection, which tells HTTP from RESP. As web servers have it. */
  firstLineBytesMax: number;

  /** Arguments of one call before authentication: enough for HELLO 3 AUTH user token SETNAME name. */
  unauthenticatedArgumentsMax: number;
  /** All arguments of one call before authentication. Strangers get no memory. */
  unauthenticatedBytesMax: number;
  /**
   * From connecting to being authenticated, where the hive has a token. Strangers get no time either; while a
   * token waits for its turn it does not run out.
   */
  authenticationTimeoutMs: number;
  /**
   * After a wrong token its address waits before its next try, twice as long after each; up to a bound that lets
   * a right one behind some wrong ones in before its owner gives up.
   */
  authenticationDelayMs: number;
  authenticationDelayMsMax: number;
  /** Addresses whose wrong tokens are remembered, and for how long after the last. About 200 bytes each. */
  failedAddressesMax: number;
  failedAddressMs: number;
  /** Connections of one address that wait to try a token. Further ones are told to come again. */
  waitingAuthenticationsMax: number;
  /** Tokens of a hive. Each takes about 2 KiB, and 5 µs when their file has changed. */
  tokensMax: number;
  /** The name of a token, and of its device. They stand in lines of the log. */
  tokenNameBytesMax: number;
  /** Grants of one token: each key of a call is compared with them. The time for one is at most pattern × key. */
  grantsMax: number;
  grantBytesMax: number;
  /** Unknown inline commands before authentication, then the connection closes: it speaks something else. */
  unknownInlineMax: number;

  /**
   * From connecting to the first line. A connection that has said something may idle for as long as it
   * likes, as in Redis; one that never does takes a place from those that will.
   */
  firstBytesTimeoutMs: number;
  /** From the first byte of TLS to the end of its handshake. The connection has no door until then. */
  tlsHandshakeTimeoutMs: number;

  /** HTTP: from the first byte of a request to its last, and between two requests. As Node has them, about. */
  httpRequestTimeoutMs: number;
  httpIdleTimeoutMs: number;
  /** A body of JSON or XML, unzipped. Parsing 8 MiB takes 0.1 to 0.5 s, in which nobody else is answered. */
  httpTextBytesMax: number;

  /** Connections at once. Ten thousand idle ones take about 100 MB. As Redis has it. */
  connectionsMax: number;
  /**
   * The same from one address; of IPv6 one network of 64 bits, which is what one host is given. Loopback,
   * unix sockets and connections inside the process have no limit but connectionsMax: a program on this
   * machine may call itself any of 16 million loopback addresses, and a proxy on it has one for everybody.
   */
  connectionsPerAddressMax: number;
  /** Connections that the kernel holds until they are accepted; it may have a lower limit of its own. */
  pendingConnectionsMax: number;
  /** The name a connection gives itself, and the name and version of its library. */
  connectionNameBytesMax: number;
  /** Keys that one connection watches, and all their names: they wait on the heap. */
  watchedKeysMax: number;
  watchedBytesMax: number;
  /** Channels and patterns that one connection, or one subscription of a native client, listens to; their names. */
  subscriptionsMax: number;
  subscribedBytesMax: number;
  /** The patterns among them: every message is compared with each, at most pattern × channel steps. */
  subscribedPatternBytesMax: number;
  /** The name of a channel. Notifications of keys with longer names are compared with no pattern. */
  channelBytesMax: number;
  /** Messages that wait for one subscriber. Above it they are lost; it is cut off, and told how many. */
  subscriberBytesMax: number;
  /** Changes that the feed keeps for who was away, and the bytes of their names and last values. The oldest go first. */
  feedChangesMax: number;
  feedBytesMax: number;
  /** The last value of what ran out; one that is larger is not kept. */
  feedValueBytesMax: number;
  /** For how long changes are noted after the last watcher left: who comes back within it misses none. */
  feedKeepMs: number;
  /** Who watches at once, and the globs of each: every change is compared with all of them. */
  feedWatchersMax: number;
  feedPatternsMax: number;
  /** Keys that are remembered because clients keep them in caches of their own; about what that takes. The oldest go. */
  trackedKeysMax: number;
  trackedBytesMax: number;
  /** Prefixes that one connection tracks. Each is looked at for every key that changes. */
  trackedPrefixesMax: number;
  /** A pattern of KEYS, of PSUBSCRIBE, of FEED and of a SCAN's MATCH. The time for one name is at most the one times the other. */
  patternBytesMax: number;
  /** Answered and not yet read by the client: above it the connection is cut off at once. Four of the biggest values. */
  outputBytesMax: number;
  /** Above it no further call of that connection runs until the client has read. Bounds what pipelining can pile up. */
  outputSoftBytesMax: number;
  /** Above outputSoftBytesMax for this long without reading: the client is cut off. As Redis has it for subscribers. */
  outputSoftTimeoutMs: number;
  /**
   * What waits on all connections together: received and not yet run, queued in transactions, answered and
   * not yet read. Above it those that hold the most are cut off, until an eighth is free again. A connection
   * that holds less than 16 KiB does not count.
   */
  waitingBytesMax: number;

  /** Calls of one native connection that wait for their answer. Their arguments wait with them. */
  openCallsMax: number;
  /** All their arguments. Above it no further call of that connection is read. Room for the biggest frame. */
  openCallsBytesMax: number;
  /** A native connection sends something at least this often, and is cut off after three times that in silence. */
  heartbeatMs: number;

  /** Calls of all connections that wait for a key (BLPOP …), and the keys that they name. About 1 KiB, and 200 bytes. */
  blockedCallsMax: number;
  blockedKeysMax: number;

  /** What one SORT takes: elements, and their bytes. Each is on the heap meanwhile, with about 200 bytes beside. */
  sortElementsMax: number;
  sortBytesMax: number;

  /** Calls between MULTI and EXEC. They run without a pause, at about 1 µs each. */
  transactionCallsMax: number;
  /** All arguments between MULTI and EXEC. They wait in memory that eviction cannot give back. */
  transactionBytesMax: number;

  /** Calls the slow log remembers. As Redis has it. */
  slowlogEntriesMax: number;
  /** Arguments it keeps of a call, and bytes of an argument. As Redis has them. */
  slowlogArgumentsMax: number;
  slowlogArgumentBytesMax: number;

  /** Of a snapshot being stored: bytes that wait for the disk. Above it calls that write wait until half of them are out. */
  snapshotBacklogBytesMax: number;

  /** Lines for operators that wait because nobody reads them. Above it they are dropped and counted. */
  noticeBytesMax: number;
  /** How long a hive that closes waits for clients to read their last replies. */
  closeTimeoutMs: number;
};

// biome-ignore format: a table reads better aligned
export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  keyBytesMax:                     MIB - 1,
  valueBytesMax:                  64 * MIB,
  structureBytesMax:               1 * MIB,
  structurePartsMax:               64,
  commandMsMax:                   50,
  isolatedBytesMax:              128 * MIB,
  isolatedCallsMax:            1_000,
  isolatedPlaysMax:            1_000,
  valueDepthMax:                  64,

  frameBytesMax:                 128 * MIB,
  argumentsMax:            1_048_576,
  inlineBytesMax:                 64 * KIB,
  firstLineBytesMax:               8 * KIB,

  unauthenticatedArgumentsMax:    10,
  unauthenticatedBytesMax:        16 * KIB,
  authenticationTimeoutMs:     5_000,
  authenticationDelayMs:          50,
  authenticationDelayMsMax:    2_000,
  failedAddressesMax:         10_000,
  failedAddressMs:           900_000,
  waitingAuthenticationsMax:      64,
  tokensMax:                  10_000,
  tokenNameBytesMax:             128,
  grantsMax:                     128,
  grantBytesMax:                 256,
  unknownInlineMax:                3,
  firstBytesTimeoutMs:        60_000,
  tlsHandshakeTimeoutMs:       5_000,
  httpRequestTimeoutMs:       60_000,
  httpIdleTimeoutMs:          75_000,
  httpTextBytesMax:                8 * MIB,

  connectionsMax:             10_000,
  connectionsPerAddressMax:    1_000,
  pendingConnectionsMax:       4_096,
  connectionNameBytesMax:          1 * KIB,
  watchedKeysMax:             65_536,
  watchedBytesMax:                16 * MIB,
  subscriptionsMax:           65_536,
  subscribedBytesMax:             16 * MIB,
  subscribedPatternBytesMax:      64 * KIB,
  channelBytesMax:                 4 * KIB,
  subscriberBytesMax:             32 * MIB,
  feedChangesMax:           100_000,
  feedBytesMax:                   16 * MIB,
  feedValueBytesMax:              64 * KIB,
  feedKeepMs:                600_000,
  feedWatchersMax:             1_000,
  feedPatternsMax:                64,
  trackedKeysMax:          1_000_000,
  trackedBytesMax:               256 * MIB,
  trackedPrefixesMax:            256,
  patternBytesMax:                 1 * KIB,
  outputBytesMax:                256 * MIB,
  outputSoftBytesMax:             32 * MIB,
  outputSoftTimeoutMs:        60_000,
  waitingBytesMax:             1_024 * MIB,

  openCallsMax:              65_536,
  openCallsBytesMax:             128 * MIB,
  heartbeatMs:                5_000,

  blockedCallsMax:           65_536,
  blockedKeysMax:           262_144,

  sortElementsMax:        1_048_576,
  sortBytesMax:           256 * MIB,

  transactionCallsMax:       262_144,
  transactionBytesMax:           128 * MIB,

  slowlogEntriesMax:             128,
  slowlogArgumentsMax:            32,
  slowlogArgumentBytesMax:       128,

  snapshotBacklogBytesMax:        64 * MIB,

  noticeBytesMax:                 64 * KIB,
  closeTimeoutMs:              5_000,
});

/** What the memory's layout and the wire allow at most, whatever is asked for. */
const CEILINGS: Partial<Limits> = {
  keyBytesMax: MIB - 1,
  valueBytesMax: 512 * MIB,
  valueDepthMax: 1_000,
  frameBytesMax: 1_024 * MIB,
};

/**
 * The default limits with `changes` applied.
 *
 * @throws {HiveError} REFUSED_SETTING where a name is unknown, a number is not a whole one above 0 or
 *   is more than the memory's layout allows, or one limit would make another unreachable.
 */
export function limitsWith(changes: Partial<Limits>): Limits {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) throw refused(name, "there is no such limit");
    if (!Number.isSafeInteger(value) || value < 1) throw refused(name, `expected a whole number above 0, got ${value}`);
    const ceiling = CEILINGS[name as keyof Limits];
    if (ceiling !== undefined && value > ceiling) throw refused(name, `${value} exceeds ${ceiling}`);
  }
  const limits: Limits = { ...DEFAULT_LIMITS, ...changes };
  const pairs: [smaller: keyof Limits, bigger: keyof Limits][] = [
    ["keyBytesMax", "frameBytesMax"],
    ["valueBytesMax", "frameBytesMax"],
    ["valueBytesMax", "outputBytesMax"],
    ["unauthenticatedBytesMax", "frameBytesMax"],
    ["outputSoftBytesMax", "outputBytesMax"],
    ["feedValueBytesMax", "feedBytesMax"],
    ["authenticationDelayMs", "authenticationDelayMsMax"],
    ["frameBytesMax", "waitingBytesMax"],
    ["outputBytesMax", "waitingBytesMax"],
  ];
  for (const [smaller, bigger] of pairs) {
    if (limits[smaller] > limits[bigger]) {
      throw refused(smaller, `${limits[smaller]} exceeds ${bigger} (${limits[bigger]}): change both`);
    }
  }
  return limits;
}

function refused(name: string, reason: string): HiveError {
  return new HiveError("REFUSED_SETTING", `limit ${name}: ${reason}`, { detail: { limit: name } });
}
