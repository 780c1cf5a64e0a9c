// A request and its answer without HTTP: the other implementer of HttpExchange, for tests of the door alone.

import { HiveError } from "../../src/base/errors.ts";
import type { BodyGate, HttpAnswer, HttpExchange, HttpLine } from "../../src/base/http-exchange.ts";

export class ScriptedExchange implements HttpExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly encrypted = false;
  readonly isUpgrade = false;
  answered: HttpAnswer | undefined = undefined;
  readonly #body: Buffer;

  constructor(method: string, target: string, more: { headers?: Record<string, string>; body?: string } = {}) {
    this.method = method;
    this.target = target;
    this.headers = { host: "localhost", ...more.headers };
    this.#body = Buffer.from(more.body ?? "");
  }

  async readBody(bytesMax: number, gate?: BodyGate): Promise<Buffer> {
    if (this.#body.length > bytesMax) throw new HiveError("FRAME_TOO_BIG", "too big");
    if (gate !== undefined && this.#body.length > gate.afterBytes) await gate.check(this.#body);
    return this.#body;
  }

  answer(answer: HttpAnswer): void {
    if (this.answered !== undefined) throw new Error("a second answer");
    this.answered = answer;
  }

  async openWebSocket(): Promise<undefined> {
    return undefined;
  }
}

/** A connection that is nowhere. */
export class ScriptedLine implements HttpLine {
  readonly address = "127.0.0.1:1";
  readonly localAddress = "127.0.0.1:2";
  readonly inputBytes = 0;
  readonly outputBytes = 0;
  closed: "drain" | "now" | undefined = undefined;

  close(how: "drain" | "now"): void {
    this.closed = how;
  }
}
