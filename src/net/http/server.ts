// HttpServer: HTTP/1.1 on transports, one exchange at a time.
//
//   transport ──▶ HttpConnection ──▶ lane ──▶ exchange ──▶ handler            Read on in connection.ts, lane.ts.
//
// Node's server never listens: connections that are not plain are handed to it, which is all that its parser needs. Its
// own timers only run where it listens, so time is kept in the connection.

import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { HttpHandler, HttpLine } from "../../base/http-exchange.ts";
import type { Receiver, Transport } from "../../base/transport.ts";
import { TransportStream } from "../transport-stream.ts";
import { HttpConnection, type HttpServerOptions } from "./connection.ts";
import type { Serving } from "./lane.ts";
import { hasBody } from "./node-exchange.ts";
import { BODY_WITH_UPGRADE, NodeLane } from "./node-lane.ts";

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #connections = new Set<HttpConnection>();
  /** By their streams: connections that Node reads. */
  readonly #lanes = new Map<unknown, NodeLane>();
  #node: Server | undefined = undefined;
  #closed = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Takes over a connection. `handlerOf` gets it and says who answers its requests. */
  open(transport: Transport, handlerOf: (line: HttpLine) => HttpHandler): Receiver {
    let stream: TransportStream | undefined;
    const connection: HttpConnection = new HttpConnection(this.#options, {
      ...{ transport, handlerOf },
      openNode: (serving) => {
        stream = new TransportStream(transport);
        return this.#openNode({ serving, transport, stream });
      },
      onGone: () => {
        this.#connections.delete(connection);
        this.#lanes.delete(stream);
      },
    });
    this.#connections.add(connection);
    if (this.#closed) connection.close("drain");
    return connection;
  }

  /** Answers that are under way go out, then each connection ends. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#connections]) connection.close("drain");
  }

  #openNode(parts: { serving: Serving; transport: Transport; stream: TransportStream }): NodeLane {
    const lane = new NodeLane({ ...parts, headBytesMax: this.#options.limits.unauthenticatedBytesMax });
    this.#lanes.set(parts.stream, lane);
    this.#node ??= this.#startNode();
    this.#node.emit("connection", parts.stream);
    return lane;
  }

  #startNode(): Server {
    const websocketOnly = { shouldUpgradeCallback: ({ headers }: IncomingMessage) => isWebSocket(headers.upgrade) };
    const server = createServer({ maxHeaderSize: this.#options.limits.unauthenticatedBytesMax, ...websocketOnly });
    // Who sends no more may still want his answer.
    (server as unknown as { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    const laneOf = (stream: unknown): NodeLane => this.#lanes.get(stream)!;
    server.on("request", (request, response) => laneOf(request.socket).begin(request, response, {}));
    server.on("checkContinue", (request, response) =>
      laneOf(request.socket).begin(request, response, { expectsContinue: true }),
    );
    server.on("upgrade", (request, stream, head) => {
      const lane = laneOf(stream);
      // Its answer would have to wait for the others, and the bytes behind it belong to nobody until then.
      if (lane.requests > 0) return lane.cutOff("it asked for a WebSocket behind a request that has no answer yet");
      // The parser has passed over the body, so what would be served is another request. Before Node 24.9 any protocol
      // that is asked for comes here, as that of curl --http2.
      if (hasBody(request.headers)) return lane.refuse({ code: BODY_WITH_UPGRADE });
      const response = new ServerResponse(request);
      response.assignSocket(stream as never);
      lane.begin(request, response, { upgrade: head });
    });
    server.on("clientError", (error, stream) => this.#lanes.get(stream)?.refuse(error as { code?: string }));
    return server;
  }
}

function isWebSocket(upgrade: string | undefined): boolean {
  return upgrade?.toLowerCase() === "websocket";
}
