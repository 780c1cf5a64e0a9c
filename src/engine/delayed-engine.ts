// DelayedEngine: every call is answered one tick later.
//
// The second implementer of Runner. A door that passes its conformance suite over this one can also
// stand in front of an engine where every call waits, such as one on a cluster.

import type { Args } from "./args.ts";
import type { Context, Peer } from "./context.ts";
import type { Runner } from "./engine.ts";
import type { Reply } from "./reply.ts";

export class DelayedEngine implements Runner {
  readonly #inner: Runner;
  /** Contexts that are closed: what they sent before does not run any more. */
  readonly #closed = new WeakSet<Context>();

  constructor(inner: Runner) {
    this.#inner = inner;
  }

  get looksAhead(): boolean {
    return this.#inner.looksAhead;
  }

  expect(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array, calls: number): void {
    this.#inner.expect(bytes, starts, lengths, calls);
  }

  tick(): void {
    this.#inner.tick();
  }

  open(peer: Peer): Context {
    return this.#inner.open(peer);
  }

  close(context: Context): void {
    this.#closed.add(context);
    this.#inner.close(context);
  }

  async transact(context: Context, calls: readonly Args[], reply: Reply): Promise<void> {
    for (const args of calls) args.keep();
    const abort = lend(context);
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#closed.has(context)) return;
    this.#inner.tick();
    context.lendAbort(abort);
    await this.#inner.transact(context, calls, reply);
  }

  async run(context: Context, args: Args, reply: Reply): Promise<void> {
    args.keep();
    const abort = lend(context);
    const { outflow } = context;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#closed.has(context)) return;
    this.#inner.tick();
    context.lendAbort(abort);
    await context.lendOutflow(outflow, () => this.#inner.run(context, args, reply));
  }
}

/** What the door takes for a call that has not begun yet. */
function lend(context: Context): AbortController {
  const abort = new AbortController();
  context.lendAbort(abort);
  return abort;
}
