// A runner whose commands a test writes itself: what a door does around them is what is tested.
//
//   const runner = new ScriptedRunner({ PING: (call) => call.reply.status("PONG") });
//   runner.log                                  // ["tick", "PING"]

import type { Args } from "../../src/engine/args.ts";
import { Context, type Peer, type Services } from "../../src/engine/context.ts";
import type { Runner } from "../../src/engine/engine.ts";
import type { Reply } from "../../src/engine/reply.ts";

export type Call = { context: Context; args: Args; reply: Reply };
export type Commands = Readonly<Record<string, (call: Call) => void | Promise<void>>>;

export class ScriptedRunner implements Runner {
  /** "tick", "open", "close" and the arguments of each call, in order. */
  log: string[] = [];
  /** What open() makes of a context, for example a stranger. */
  onOpen: (context: Context) => void = () => {};
  contexts: Context[] = [];
  /** Whether the door is to tell keys ahead; what it told is in `expected`. */
  looksAhead = false;
  expected: string[] = [];
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  tick(): void {
    this.log.push("tick");
  }

  expect(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array, calls: number): void {
    for (let i = 0; i < calls * 2; i += 2) {
      this.expected.push(Buffer.from(bytes).latin1Slice(starts[i]!, starts[i]! + lengths[i]!));
    }
  }

  open(peer: Peer): Context {
    this.log.push("open");
    const store = { memory: { nowMs: 1 } };
    const context = new Context({ store, nowMs: 1 } as unknown as Services, peer, this.contexts.length + 1);
    this.onOpen(context);
    this.contexts.push(context);
    return context;
  }

  close(context: Context): void {
    this.log.push("close");
    context.abort(new Error("closed"));
  }

  transact(context: Context, calls: readonly Args[], reply: Reply): void {
    this.log.push("transact");
    reply.array(calls.length);
    for (const args of calls) void this.run(context, args, reply);
  }

  run(context: Context, args: Args, reply: Reply): void | Promise<void> {
    const words = Array.from({ length: args.count }, (_, i) => args.latin1(i));
    this.log.push(words.join(" "));
    const command = this.#commands[words[0]!.toUpperCase()];
    if (command !== undefined) return command({ context, args, reply });
    reply.error("UNKNOWN_COMMAND", `unknown command '${words[0]}'`);
  }
}
