// POST /v1/call: any command, as an array of JSON; several that run as one, as an array of such.
//
//   ["HSET", "users", "ada", { "born": 1815 }]      ──▶ { "result": 1 }
//   [["INCR", "seen"], ["GET", "nothing"]]          ──▶ { "result": [1, null] }
//   ["SET", "picture", { "$bytes": "iVBORw0K…" }]   ──▶ { "result": "OK" }

import { HiveError } from "../../base/errors.ts";
import type { HttpAnswer, HttpExchange } from "../../base/http-exchange.ts";
import type { Limits } from "../../base/limits.ts";
import type { Args } from "../../engine/args.ts";
import { argumentsOf, parseJson, resultJson } from "./json.ts";
import type { ReplyNode } from "./reply-tree.ts";
import { HttpRefusal, textOfJson, wrongMethod } from "./status.ts";

type Caller = {
  readonly limits: Limits;
  call(args: Args): Promise<ReplyNode>;
  transact(calls: readonly Args[]): Promise<ReplyNode>;
};

export async function callPage(caller: Caller, exchange: HttpExchange): Promise<HttpAnswer> {
  const { method, headers } = exchange;
  if (method !== "POST") throw wrongMethod(method, ["POST"]);
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/json") {
    throw new HttpRefusal(415, new HiveError("UNSUPPORTED", "a call has Content-Type: application/json"));
  }
  const { limits } = caller;
  const body = parseJson(await exchange.readBody(limits.httpTextBytesMax));
  if (!Array.isArray(body) || !Array.isArray(body[0]))
    return answered(await caller.call(argumentsOf(body, limits)), limits);
  const { transactionCallsMax } = limits;
  if (body.length > transactionCallsMax) {
    throw new HiveError("TRANSACTION_TOO_BIG", `more than transactionCallsMax (${transactionCallsMax}) calls`);
  }
  return answered(await caller.transact(body.map((call) => argumentsOf(call, limits))), limits);
}

function answered(node: ReplyNode, { outputBytesMax }: Limits): HttpAnswer {
  return textOfJson(resultJson(node, outputBytesMax));
}
