// HttpSession: one connection of the HTTP door, request by request.
//
//   handle(exchange) ──▶ health? ──▶ a stranger's page? ──▶ token ──▶ Host, where there was none ──▶ page ──▶ answer
//
// It has one context, whose token is that of its last request: one with another token gets a new context, so
// that nothing of the one before is left. Requests come one at a time, so calls of a session never run beside
// each other.

import { timingSafeEqual } from "node:crypto";
import { HiveError, isHiveError } from "../../base/errors.ts";
import type { HttpAnswer, HttpExchange, HttpHandler, HttpLine } from "../../base/http-exchange.ts";
import type { Limits } from "../../base/limits.ts";
import { Args } from "../../engine/args.ts";
import type { Context, Peer } from "../../engine/context.ts";
import { callPage } from "./calls.ts";
import { TableDeviceMemory } from "./device-memory.ts";
import { fieldPage, isFieldPath } from "./fields.ts";
import { metricsPage } from "./metrics.ts";
import { openApi } from "./open-api.ts";
import { admitOrigin, preflight, requireHost } from "./origin.ts";
import { type ReplyNode, ReplyTree } from "./reply-tree.ts";
import type { HttpShared } from "./shared.ts";
import { errorAnswer, HttpRefusal, jsonAnswer, noSuchPage, wrongMethod } from "./status.ts";
import { Target } from "./target.ts";
import { isXmlRpc, xmlRpcPage } from "./xml-rpc.ts";

export class HttpSession implements HttpHandler, Peer {
  readonly door = "http";
  readonly ordered = false;
  readonly #shared: HttpShared;
  readonly #line: HttpLine;
  #context: Context | undefined = undefined;
  /** Why there is no context. */
  #refusal: HiveError | undefined = undefined;
  /** What the context has authenticated with. */
  #token: Buffer | undefined = undefined;
  #finished = false;
  #gone = false;

  constructor(shared: HttpShared, line: HttpLine) {
    this.#shared = shared;
    this.#line = line;
    this.#enter();
  }

  get limits(): Limits {
    return this.#shared.options.limits;
  }

  get isStranger(): boolean {
    return this.#context?.authenticated !== true;
  }

  // Peer.

  get address(): string {
    return this.#line.address;
  }

  get localAddress(): string {
    return this.#line.localAddress;
  }

  get inputBytes(): number {
    return this.#line.inputBytes;
  }

  get outputBytes(): number {
    return this.#line.outputBytes;
  }

  close(how: "drain" | "now"): void {
    this.#line.close(how);
  }

  // Who it is.

  /** A context in which nobody has said anything yet. */
  #enter(): void {
    this.#leave();
    try {
      this.#context = this.#shared.options.runner.open(this);
      this.#context.protocol = 3;
      this.#refusal = undefined;
    } catch (error) {
      if (!isHiveError(error)) throw error;
      this.#refusal = error;
      this.#shared.options.onNotice(this.address, error.message);
    }
  }

  #leave(): void {
    if (this.#context !== undefined) this.#shared.options.runner.close(this.#context);
    this.#context = undefined;
    this.#token = undefined;
  }

  /** @throws {HiveError} TOO_MANY_CONNECTIONS, HIVE_CLOSED, CONNECTION_LOST */
  #admitted(): Context {
    if (this.#refusal !== undefined) throw new HiveError(this.#refusal.code, this.#refusal.message);
    if (this.#context === undefined) throw new HiveError("CONNECTION_LOST", "the connection has ended");
    return this.#context;
  }

  /**
   * From now on it is who has this token; a hive without tokens takes any.
   * @throws {HiveError} WRONG_PASSWORD, QUOTA, OVERLOADED
   */
  async authenticate(token: Uint8Array): Promise<void> {
    if (this.#token !== undefined) {
      if (token.length === this.#token.length && timingSafeEqual(token, this.#token)) return;
      this.#enter();
    }
    const context = this.#admitted();
    if (context.authenticated) return;
    const reply = new ReplyTree(this.limits.outputBytesMax);
    await this.#shared.options.runner.run(context, Args.of("AUTH", token), reply);
    if (!context.authenticated) {
      const { code, message } = context.authenticationError ?? new HiveError("WRONG_PASSWORD", "");
      const isWrong = code === "WRONG_PASSWORD";
      throw new HiveError(code, isWrong ? "this hive does not know the token" : message);
    }
    this.#token = Buffer.from(token);
  }

  /** Whether the last request said a valid token. */
  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  async #recognise({ headers }: HttpExchange): Promise<void> {
    const given = headers["authorization"] ?? "";
    const token = /^bearer /i.test(given) ? given.slice("bearer ".length).trim() : "";
    // Node reads a header as one character a byte.
    if (token !== "") return this.authenticate(Buffer.from(token, "latin1"));
    if (this.#token !== undefined) this.#enter();
    this.#admitted();
  }

  #requireToken(): void {
    if (!this.isStranger) return;
    throw new HiveError("NO_AUTH", "this hive wants a token: send the header Authorization: Bearer TOKEN");
  }

  // Calls.

  /** What a call answers. @throws {HiveError} where it failed */
  call(args: Args): Promise<ReplyNode> {
    return this.#replied((reply) => this.#shared.options.runner.run(this.#admitted(), args, reply));
  }

  /** What calls answer that run as one; what failed is an error among them. @throws {HiveError} where none ran */
  transact(calls: readonly Args[]): Promise<ReplyNode> {
    return this.#replied((reply) => this.#shared.options.runner.transact(this.#admitted(), calls, reply));
  }

  async #replied(run: (reply: ReplyTree) => void | Promise<void>): Promise<ReplyNode> {
    const reply = new ReplyTree(this.limits.outputBytesMax);
    const later = run(reply);
    if (this.#finished) this.#giveUpWaiting();
    if (later !== undefined) await later;
    if (this.#gone) throw new HiveError("CONNECTION_LOST", "the connection has ended");
    if (reply.root instanceof HiveError) throw reply.root;
    return reply.root;
  }

  /** Of devices, in calls of whoever asks. */
  readonly memory: TableDeviceMemory = new TableDeviceMemory(this);

  // HttpHandler.

  async handle(exchange: HttpExchange): Promise<void> {
    let allowed: Record<string, string> = {};
    let answer: HttpAnswer | undefined;
    try {
      const target = Target.parse(exchange.target);
      answer = this.#health(target.path);
      if (answer === undefined) {
        allowed = admitOrigin(exchange, this.#shared.options);
        answer =
          exchange.method === "OPTIONS" ? this.#options(exchange, allowed) : await this.#served(exchange, target);
      }
    } catch (error) {
      answer = failure(error);
    }
    if (answer !== undefined) exchange.answer({ ...answer, headers: { ...allowed, ...answer.headers } });
  }

  finished(): void {
    this.#finished = true;
    this.#giveUpWaiting();
  }

  /** Who sends no more is taken for gone, as in Redis: nothing is taken from a list for him. */
  #giveUpWaiting(): void {
    this.#context?.abort(new HiveError("CONNECTION_LOST", "the client sends no more"));
  }

  closed(): void {
    this.#gone = true;
    this.#leave();
  }

  #health(path: string): HttpAnswer | undefined {
    if (path === "/healthz") return jsonAnswer(200, { status: "ok" });
    if (path !== "/readyz") return undefined;
    const why = this.#shared.closed ? "the hive is closing" : this.#shared.options.notReady();
    return why === undefined ? jsonAnswer(200, { status: "ready" }) : jsonAnswer(503, { status: "not ready", why });
  }

  #options({ headers }: HttpExchange, allowed: Readonly<Record<string, string>>): HttpAnswer {
    const isAsked = headers["access-control-request-method"] !== undefined && "Access-Control-Allow-Origin" in allowed;
    return { status: 204, headers: isAsked ? preflight(allowed) : { Allow: "GET, HEAD, PUT, DELETE, POST, OPTIONS" } };
  }

  async #served(exchange: HttpExchange, target: Target): Promise<HttpAnswer | undefined> {
    if (this.#shared.closed) throw new HiveError("HIVE_CLOSED", "the hive is closing: this request was not served");
    this.#shared.options.runner.tick();
    const isInBody = isXmlRpc(target.path);
    if (!isInBody) await this.#recognise(exchange);
    // In a WebSocket the native door asks for the token.
    if (!isInBody && target.path !== "/v1/socket") this.#requireToken();
    if (!this.hasToken && !this.isStranger && this.#hasHost) requireHost(exchange, this.#shared.options);
    return this.#page(exchange, target);
  }

  /** A unix socket has no name that a page could use. */
  get #hasHost(): boolean {
    return !this.localAddress.startsWith("/");
  }

  #page(exchange: HttpExchange, target: Target): Promise<HttpAnswer | undefined> | HttpAnswer {
    const { path } = target;
    if (isFieldPath(path)) return fieldPage(this, exchange, target);
    if (isXmlRpc(path)) return xmlRpcPage(this, exchange);
    if (path === "/v1/call") return callPage(this, exchange);
    if (path === "/v1/socket") return this.#openSocket(exchange);
    if (path === "/metrics") return this.#metrics(exchange);
    if (path === "/v1/openapi.json") {
      requireGet(exchange);
      const { commands } = this.#admitted().services;
      return jsonAnswer(200, openApi(commands, this.#shared.options.version));
    }
    throw noSuchPage(path);
  }

  async #metrics(exchange: HttpExchange): Promise<HttpAnswer> {
    requireGet(exchange);
    // Who may not ask INFO may not have its figures here.
    await this.call(Args.of("INFO", "server"));
    const { services, token } = this.#admitted();
    const { version, quotas } = this.#shared.options;
    const seesKeys = token === undefined || token.grants.everywhere("read");
    const seesTokens = token === undefined || token.grants.has("admin");
    return metricsPage({ services, version, seesKeys, quotas: seesTokens ? quotas() : undefined });
  }

  async #openSocket(exchange: HttpExchange): Promise<undefined> {
    if (!exchange.isUpgrade) {
      const error = new HiveError("UNSUPPORTED", "this is a WebSocket: connect(ws://host:port) of the client opens it");
      throw new HttpRefusal(426, error, { Upgrade: "websocket" });
    }
    const transport = await exchange.openWebSocket();
    const receiver = transport === undefined ? undefined : this.#shared.options.openSocket(transport);
    if (receiver !== undefined) transport!.receiver = receiver;
    return undefined;
  }
}

/** V8 makes no text of more than 512 Mi characters, and what is escaped grows. Node says so of a buffer's in another way. */
function isTooLong(error: unknown): boolean {
  if (error instanceof RangeError && error.message === "Invalid string length") return true;
  return (error as NodeJS.ErrnoException).code === "ERR_STRING_TOO_LONG";
}

function requireGet({ method }: HttpExchange): void {
  if (method !== "GET" && method !== "HEAD") throw wrongMethod(method, ["GET", "HEAD"]);
}

/** @throws what is our own mistake */
function failure(error: unknown): HttpAnswer {
  if (error instanceof HttpRefusal) {
    const answer = errorAnswer(error.error, error.status);
    return { ...answer, headers: { ...answer.headers, ...error.headers } };
  }
  if (isTooLong(error)) return errorAnswer(new HiveError("OUTPUT_TOO_BIG", "the answer is too long for one text"));
  if (!isHiveError(error)) throw error;
  const answer = errorAnswer(error);
  // Strangers get one try a connection.
  return { ...answer, last: answer.status === 401 || error.code === "HIVE_CLOSED" };
}
