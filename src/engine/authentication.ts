// Authentication: connections get their token, and lose it.
//
//   AUTH, HELLO, the native handshake ──▶ wait, after wrong ones ──▶ verify ──▶ context.token, its gate
//   a token is revoked, has expired   ──▶ its connections end
//   a token has other grants, quotas  ──▶ its connections have them at once
//
// Where the hive has no tokens everybody may do everything, and AUTH answers what a Redis without a
// password does. The log gets the address and the id of a token, never its text.

import type { Clock } from "../base/clock.ts";
import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Timers } from "../base/timers.ts";
import { Attempts, senderOf } from "./attempts.ts";
import { type Authenticator, type Context, GATE_AUTH, GATE_LIMITED, GATE_MULTI } from "./context.ts";
import { DEFAULT_USER, type Token, type TokenRegistry } from "./tokens.ts";

export type AuthenticationParts = {
  /** Without it nobody needs a token. */
  tokens: TokenRegistry | undefined;
  limits: Limits;
  timers: Timers;
  /** Open connections. */
  clients: ReadonlyMap<number, Context>;
  clock: Clock;
  onNotice(message: string): void;
};

/** Whoever comes again and again with a token that has ended is told of once in so long. */
const ENDED_NOTICE_MS = 1_000;

export class Authentication implements Authenticator {
  readonly #parts: AuthenticationParts;
  readonly #tokens: TokenRegistry | undefined;
  readonly #attempts: Attempts;
  /** When it was last told of a token that has ended, by its id: as many as there are tokens, at the most. */
  readonly #endedNoticesMs = new Map<string, number>();

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#tokens = parts.tokens;
    this.#attempts = new Attempts(parts.limits);
    if (this.#tokens === undefined) return;
    this.#tokens.onGone = (token, why) => this.#end(token, why);
    this.#tokens.onUpdated = (token) => this.#update(token);
  }

  get required(): boolean {
    return this.#tokens !== undefined;
  }

  knows(user: string): boolean {
    return user === DEFAULT_USER || this.#tokens?.has(user) === true;
  }

  /** Time has passed: tokens may have ended. */
  tick(nowMs: number): void {
    this.#tokens?.expire(nowMs);
  }

  /** A connection opens, or is as if it did. */
  reset(context: Context): void {
    this.leave(context);
    if (this.#tokens === undefined || context.peer.trusted === true) return;
    context.gate |= GATE_AUTH;
  }

  /** The connection is nobody's any more. */
  leave(context: Context): void {
    if (context.token !== undefined) context.token.connections--;
    context.token = undefined;
    context.user = DEFAULT_USER;
    context.gate &= ~GATE_LIMITED;
  }

  authenticate(context: Context, user: string | undefined, text: Uint8Array): void | Promise<void> {
    if (this.#tokens === undefined) return withoutTokens(user);
    if (context.executing) throw new HiveError("IN_TRANSACTION", "inside a transaction nobody authenticates");
    if (!context.ordered && context.authenticated) {
      throw new HiveError("UNSUPPORTED", "callers share this connection: open another one for another token");
    }
    // Whoever is in already may send much more, and each byte would be hashed, and wait twice.
    const { unauthenticatedBytesMax } = this.#parts.limits;
    if (text.length > unauthenticatedBytesMax) {
      const message = `a token has no more than unauthenticatedBytesMax (${unauthenticatedBytesMax}) bytes`;
      throw this.#refusal(context, new HiveError("WRONG_PASSWORD", message));
    }
    const sender = senderOf(context.peer.address);
    const waitMs = this.#attempts.waitMs(sender, this.#parts.clock.monotonicMs());
    if (waitMs === 0) return this.#check(context, user, text);
    if (!this.#attempts.enter(sender)) {
      const message = `too many wrong tokens from this address: try again in ${waitMs} ms`;
      throw this.#refusal(context, new HiveError("OVERLOADED", message));
    }
    return this.#checkLater(context, user, { sender, text: Uint8Array.from(text), waitMs });
  }

  /** Waits for as long as others of the same address fail meanwhile. */
  async #checkLater(
    context: Context,
    user: string | undefined,
    { sender, text, waitMs }: { sender: string; text: Uint8Array; waitMs: number },
  ): Promise<void> {
    const { timers, clients, clock } = this.#parts;
    try {
      for (let ms = waitMs; ms > 0; ms = this.#attempts.waitMs(sender, clock.monotonicMs())) {
        await new Promise<void>((resolve) => void timers.after(ms, resolve));
        if (clients.get(context.id) !== context) return;
      }
      this.#check(context, user, text);
    } finally {
      this.#attempts.leave(sender);
    }
  }

  #check(context: Context, user: string | undefined, text: Uint8Array): void {
    const token = this.#tokens!.verify(text, this.#parts.clock.nowMs());
    if (token === undefined || !isUser(token, user)) throw this.#refusal(context, this.#wrong(context, text));
    const max = token.quotas.connections;
    if (max !== undefined && token !== context.token && token.connections >= max) {
      const message = `connections: this token has as many as it may (${max}); close one, or raise its quota`;
      throw this.#refusal(context, new HiveError("QUOTA", message));
    }
    this.leave(context);
    token.connections++;
    context.token = token;
    context.user = token.id;
    context.authenticationError = undefined;
    context.gate &= ~GATE_AUTH;
    if (token.limited) context.gate |= GATE_LIMITED;
  }

  #wrong({ peer }: Context, text: Uint8Array): HiveError {
    const error = new HiveError("WRONG_PASSWORD", "invalid username-password pair or user is disabled.");
    const ended = this.#tokens!.endedId(text);
    // Clients that come back with it again and again are not to hold up others at their address.
    const nowMs = this.#parts.clock.monotonicMs();
    if (ended !== undefined) {
      if (this.#mayTellOf(ended, nowMs)) {
        this.#parts.onNotice(`${peer.address} came with token ${ended}, which is not its user's or has ended`);
      }
      return error;
    }
    const count = this.#attempts.failed(senderOf(peer.address), nowMs);
    const times = count === 1 ? "" : `, ${count} times from there by now`;
    this.#parts.onNotice(`${peer.address} came with a wrong token over ${peer.door}${times}`);
    return error;
  }

  #mayTellOf(id: string, nowMs: number): boolean {
    const notices = this.#endedNoticesMs;
    if (nowMs - (notices.get(id) ?? Number.NEGATIVE_INFINITY) < ENDED_NOTICE_MS) return false;
    notices.delete(id);
    notices.set(id, nowMs);
    if (notices.size > this.#parts.limits.tokensMax) notices.delete(notices.keys().next().value!);
    return true;
  }

  #refusal(context: Context, error: HiveError): HiveError {
    context.authenticationError = error;
    return error;
  }

  #end(token: Token, why: "revoked" | "expired"): void {
    let ended = 0;
    for (const context of [...this.#parts.clients.values()]) {
      if (context.token !== token) continue;
      ended++;
      this.reset(context);
      context.endTransaction();
      context.peer.close("now");
    }
    const connections = ended === 1 ? "1 connection" : `${ended} connections`;
    this.#parts.onNotice(
      `token ${token.id} ${why === "revoked" ? "was revoked" : "has expired"}: ${connections} closed`,
    );
  }

  #update(token: Token): void {
    for (const context of [...this.#parts.clients.values()]) {
      if (context.token !== token) continue;
      if (context.readsMemory && !token.readsEverything) {
        // It comes back by itself, and asks from then on.
        context.peer.close("drain");
        continue;
      }
      const { transaction } = context;
      context.gate = token.limited ? context.gate | GATE_LIMITED : context.gate & ~GATE_LIMITED;
      // What is watched and what is queued was allowed by the old grants: EXEC answers nil, or an error.
      if (transaction !== undefined && transaction.watched.size > 0) transaction.touched = true;
      if (transaction === undefined || (context.gate & GATE_MULTI) === 0) continue;
      transaction.failed = true;
      transaction.dropQueue();
    }
  }
}

/** A token is said alone, or behind "default", its id or its name. */
function isUser({ id, info }: Token, user: string | undefined): boolean {
  return user === undefined || user === DEFAULT_USER || user === id || (info.name !== "" && user === info.name);
}

/** There is one user, who has no password: any is right. */
function withoutTokens(user: string | undefined): void {
  if (user === undefined) {
    throw new HiveError(
      "INVALID_ARGUMENT",
      "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  }
  if (user === DEFAULT_USER) return;
  throw new HiveError("WRONG_PASSWORD", "invalid username-password pair or user is disabled.");
}
