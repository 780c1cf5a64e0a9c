// test/differential/pair.ts
// Pair: one connection to Redis and one to the hive that are told the same and must reply the same.
//
//   exchange(batch) ──▶ both sockets ──▶ replies side by side ──▶ Judge ──▶ findings, coverage
//
// A batch ends with an ECHO of a marker: a reply too many or too few shows there, not as a shift of
// everything behind it. Where the two cannot be brought together again, the pair asks for new
// connections (`isLost`). Scenarios use the same pair, and open further ones.

import { commandName } from "./command-names.ts";
import type { Exchange } from "./comparisons.ts";
import { type Address, Connection } from "./connection.ts";
import type { Coverage } from "./coverage.ts";
import type { Args } from "./draw.ts";
import { type Finding, type Findings, historyOf } from "./findings.ts";
import { encodeCommand } from "./frame.ts";
import { Judge } from "./judge.ts";
import { explain } from "./known-differences.ts";
import { allKeys } from "./pools.ts";

/** What all pairs of one round share. */
export type Round = {
  readonly theirs: Address;
  readonly ours: Address;
  readonly seed: number;
  readonly findings: Findings;
  readonly coverage: Coverage;
  /** Every command that was sent, in order: for histories and for repeating a round. */
  readonly sent: Args[];
  /** Called with the first finding of a class. */
  onFinding(finding: Finding): void;
};

/** Raw replies of both servers, each in the order of the commands. */
export type Replies = { readonly theirs: readonly string[]; readonly ours: readonly string[] };

/** How long a server may take to close a connection that it was told to close. */
const CLOSE_TIMEOUT_MS = 3_000;

/** Commands whose reply follows from every key. */
const wholeDatabase = new Set(["KEYS", "DBSIZE", "RANDOMKEY", "EXEC"]);

const inStep = "in step";

let markers = 0;

export class Pair {
  readonly #round: Round;
  readonly #theirs: Connection;
  readonly #ours: Connection;
  readonly #judge: Judge;
  #isLost = false;

  private constructor(round: Round, connections: { theirs: Connection; ours: Connection }) {
    this.#round = round;
    this.#theirs = connections.theirs;
    this.#ours = connections.ours;
    this.#judge = new Judge((name, isError) => round.coverage.count(name, isError));
  }

  static async open(round: Round): Promise<Pair> {
    const [theirs, ours] = await Promise.all([Connection.open(round.theirs), Connection.open(round.ours)]);
    return new Pair(round, { theirs, ours });
  }

  /** Whether the two are no longer in step and a new pair is needed. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** A second pair of connections to the same two servers. Whoever opens it closes it. */
  open(): Promise<Pair> {
    return Pair.open(this.#round);
  }

  /** Sends `batch` to both in one write each and compares the replies. */
  exchange(batch: readonly Args[]): Promise<Replies> {
    return this.exchangeEach(batch, batch);
  }

  /** The same with other arguments a side, as where a command carries what that server said before. */
  async exchangeEach(theirBatch: readonly Args[], ourBatch: readonly Args[]): Promise<Replies> {
    if (this.#isLost) return { theirs: [], ours: [] };
    const marker = `marker ${++markers}`;
    const echo = `$${marker.length}\r\n${marker}\r\n`;
    this.#theirs.send([...theirBatch, ["ECHO", marker]].map(encodeCommand).join(""));
    this.#ours.send([...ourBatch, ["ECHO", marker]].map(encodeCommand).join(""));
    const start = this.#round.sent.length;
    for (const args of theirBatch) this.#round.sent.push(args);
    const [a, b] = await Promise.all([
      this.#theirs.take(theirBatch.length + 1, echo),
      this.#ours.take(ourBatch.length + 1, echo),
    ]);
    // A server that does not know ECHO yet names the marker in its error.
    const states = [a, b].map(
      ({ replies, failure }) => failure ?? (replies.at(-1)?.includes(marker) ? inStep : "sent a reply too many"),
    );
    const isInStep = states.every((state) => state === inStep);
    const apart = new Set<string>();
    for (const [index, args] of theirBatch.entries()) {
      const [theirs, ours] = [a.replies[index], b.replies[index]];
      if (theirs === undefined || ours === undefined) break;
      this.#compare({ args, theirs, ours }, { index: start + index, apart });
      if (!isInStep && apart.size > 0) break;
    }
    if (!isInStep) this.#lose(theirBatch, { start, reached: b.replies.length, states });
    else if (apart.size > 0) await this.#rejoin([...apart]);
    return { theirs: a.replies.slice(0, -1), ours: b.replies.slice(0, -1) };
  }

  /** Sends one command to one side and returns its raw reply, uncompared; "" when the pair is lost. */
  async ask(side: "theirs" | "ours", args: Args): Promise<string> {
    if (this.#isLost) return "";
    const connection = side === "theirs" ? this.#theirs : this.#ours;
    connection.send(encodeCommand(args));
    const { replies } = await connection.take(1);
    const [reply] = replies;
    if (reply === undefined) this.close();
    else if (side === "theirs") this.#round.coverage.count(commandName(args), reply.startsWith("-"));
    return reply ?? "";
  }

  /**
   * Sends bytes to both, in pieces where there are several, and compares everything that comes back
   * until the servers close or the client has nothing more to say. The pair is used up.
   *
   * @param pieces The same for both, or one list a side.
   */
  async exchangeBytes(
    name: string,
    pieces: readonly string[] | { theirs: readonly string[]; ours: readonly string[] },
  ): Promise<void> {
    const { theirs: theirPieces, ours: ourPieces } = "theirs" in pieces ? pieces : { theirs: pieces, ours: pieces };
    const [theirs, ours] = await Promise.all([sendAll(this.#theirs, theirPieces), sendAll(this.#ours, ourPieces)]);
    this.report(name, { args: [name, theirPieces.join("")], theirs, ours });
    this.close();
  }

  /** Compares what still comes until the servers close both connections. The pair is used up. */
  async awaitClose(name: string): Promise<void> {
    const [theirs, ours] = await Promise.all([this.#theirs.rest(CLOSE_TIMEOUT_MS), this.#ours.rest(CLOSE_TIMEOUT_MS)]);
    this.report(name, { args: [name], theirs, ours });
    this.close();
  }

  /** This client's own address as each server sees it: 127.0.0.1:PORT. */
  get addresses(): { theirs: string; ours: string } {
    return { theirs: this.#theirs.localAddress, ours: this.#ours.localAddress };
  }

  /** Records two results that a scenario worked out by itself, as a mismatch where they differ. */
  report(name: string, exchange: Exchange): void {
    this.#round.coverage.count(name, false);
    if (exchange.theirs === exchange.ours) return;
    const allowed = explain(exchange);
    if (allowed !== undefined) return this.#round.findings.allow(allowed);
    this.#found({ name, kind: "other bytes", exchange, index: this.#round.sent.length });
  }

  close(): void {
    this.#isLost = true;
    this.#theirs.close();
    this.#ours.close();
  }

  /** @param place.apart Keys that may differ between the two since an earlier mismatch of the same batch. */
  #compare(exchange: Exchange, place: { index: number; apart: Set<string> }): void {
    const { index, apart } = place;
    const verdict = this.#judge.judge(exchange);
    if (verdict.allowed !== undefined) this.#round.findings.allow(verdict.allowed);
    if (verdict.kind === undefined) return;
    const { args } = exchange;
    const isBroad = wholeDatabase.has(verdict.name) || verdict.kind.startsWith("in EXEC");
    const isConsequence = apart.size > 0 && (isBroad || args.some((arg) => apart.has(arg)));
    if (!isConsequence) this.#found({ name: verdict.name, kind: verdict.kind, exchange, index });
    apart.add(args[1] ?? "");
    const isTransaction = verdict.name === "EXEC" || verdict.kind.startsWith("in EXEC");
    for (const key of isTransaction ? allKeys : args) if (allKeys.has(key)) apart.add(key);
  }

  #found(finding: { name: string; kind: string; exchange: Exchange; index: number }): void {
    const { sent, seed, findings, onFinding } = this.#round;
    const first = findings.add(finding, () => {
      const history = historyOf(finding.exchange.args, sent.slice(0, finding.index));
      return { ...finding, seed, history, count: 1 };
    });
    if (first !== undefined) onFinding(first);
  }

  /** The replies do not end at the marker: one server gave too many, too few, or closed. */
  #lose(batch: readonly Args[], place: { start: number; reached: number; states: readonly string[] }): void {
    this.#round.findings.losses++;
    const at = Math.max(0, Math.min(place.reached, batch.length) - 1);
    const [theirs = "", ours = ""] = place.states;
    this.#found({
      name: "(replies)",
      kind: `redis ${theirs}, hive ${ours}`.replace(/\d+/g, "N"),
      exchange: { args: batch[at] ?? ["(nothing)"], theirs, ours },
      index: place.start + at,
    });
    this.close();
  }

  /** Makes both sides equal again where a mismatch may have left them apart, so that it is not found again. */
  async #rejoin(keys: readonly string[]): Promise<void> {
    const bytes = encodeCommand(["DEL", ...keys]);
    this.#theirs.send(bytes);
    this.#ours.send(bytes);
    const [a, b] = await Promise.all([this.#theirs.take(1), this.#ours.take(1)]);
    if (a.failure !== undefined || b.failure !== undefined) this.close();
  }
}

async function sendAll(connection: Connection, pieces: readonly string[]): Promise<string> {
  for (const piece of pieces) {
    connection.send(piece);
    if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  connection.finish();
  return connection.rest();
}
