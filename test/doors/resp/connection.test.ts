// What a connection does around the calls: order, waiting, closing, and clients that do not read.
// The commands are scripted, and so is the transport.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Limits, limitsWith } from "../../../src/base/limits.ts";
import { RespDoor } from "../../../src/doors/resp/door.ts";
import { REPLY_OFF, REPLY_SILENT, REPLY_SKIP_NEXT } from "../../../src/engine/context.ts";
import { type Call, type Commands, ScriptedRunner } from "../../kit/scripted-runner.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";

/** One promise that a test settles. */
class Gate {
  readonly promise: Promise<void>;
  open!: () => void;
  constructor() {
    this.promise = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

const gates: Gate[] = [];

const COMMANDS: Commands = {
  PING: ({ reply }) => reply.status("PONG"),
  ECHO: ({ args, reply }) => reply.bulk(args.buffer, args.start(1), args.end(1)),
  BIG: ({ args, reply }) => reply.bulk(Buffer.alloc(args.integer(1), 120), 0, args.integer(1)),
  NIL: ({ reply }) => reply.nil(),
  RESP3: ({ context, reply }) => {
    context.protocol = 3;
    reply.nil();
  },
  QUIT: ({ context, reply }) => {
    reply.ok();
    context.peer.close("drain");
  },
  KILL: ({ context, reply }) => {
    reply.ok();
    context.peer.close("now");
  },
  REPLY: ({ context, args, reply }: Call) => {
    const mode = args.text(1).toLowerCase();
    context.replyMode = mode === "skip" ? REPLY_SKIP_NEXT | REPLY_SILENT : mode === "off" ? REPLY_OFF : 0;
    reply.ok();
  },
  /** Answers with its argument when its gate opens. */
  WAIT: async ({ args, reply }) => {
    args.keep();
    const gate = new Gate();
    gates.push(gate);
    await gate.promise;
    reply.bulk(args.buffer, args.start(1), args.end(1));
  },
  /** Writes a half before it waits, and then fails. */
  HALF: async ({ reply }) => {
    const mark = reply.mark();
    reply.array(2);
    reply.ok();
    const gate = new Gate();
    gates.push(gate);
    await gate.promise;
    reply.rewind(mark);
    reply.error("ABORTED", "gave up");
  },
  KEEP: ({ args, reply }) => {
    args.keep();
    reply.ok();
  },
  BUG: () => {
    throw new TypeError("a mistake of ours");
  },
};

type Setup = { runner: ScriptedRunner; door: RespDoor; notices: string[]; connect: () => ScriptedTransport };

function setup(limits: Partial<Limits> = {}): Setup {
  const runner = new ScriptedRunner(COMMANDS);
  const notices: string[] = [];
  gates.length = 0;
  const door = new RespDoor({ runner, limits: limitsWith(limits), onNotice: (_, message) => notices.push(message) });
  const connect = (): ScriptedTransport => {
    const transport = new ScriptedTransport();
    transport.receiver = door.open(transport)!;
    return transport;
  };
  return { runner, door, notices, connect };
}

/** Lets everything go on that waits for a settled promise. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await null;
}

async function answer(): Promise<void> {
  gates.shift()!.open();
  await settle();
}

test("the calls of one read event run after one tick and leave in one write", () => {
  const { runner, connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nPING\r\n");
  assert.deepEqual(runner.log, ["open", "tick", "PING", "ECHO hi", "PING"]);
  assert.deepEqual(transport.writes, ["+PONG\r\n$2\r\nhi\r\n+PONG\r\n"]);
});

test("a call in pieces of one byte runs once, when it is whole", () => {
  const { runner, connect } = setup();
  const transport = connect();
  for (const byte of "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n") transport.arrive(byte);
  assert.equal(transport.take(), "$2\r\nhi\r\n");
  assert.equal(runner.log.filter((line) => line === "ECHO hi").length, 1);
});

test("two connections in the middle of a call do not get in each other's way", () => {
  const { connect } = setup();
  const [one, two] = [connect(), connect()];
  one.arrive("*2\r\n$4\r\nECHO\r\n$3\r\non");
  two.arrive("*2\r\n$4\r\nECHO\r\n$3\r\ntw");
  one.arrive("e\r\n");
  two.arrive("o\r\n");
  assert.equal(one.take(), "$3\r\none\r\n");
  assert.equal(two.take(), "$3\r\ntwo\r\n");
});

test("a long pipeline is written out on the way", () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive("BIG 60000\r\n".repeat(5));
  assert.deepEqual(
    transport.writes.map((write) => write.length),
    [120_020, 120_020, 60_010],
  );
});

test("a call that waits holds back the next ones, and replies keep their order", async () => {
  const { runner, connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\nWAIT one\r\nWAIT two\r\nECHO three\r\n");
  assert.equal(transport.take(), "+PONG\r\n", "what was answered before goes out at once");
  transport.arrive("ECHO four\r\n");
  assert.deepEqual(runner.log, ["open", "tick", "PING", "WAIT one"]);

  await answer();
  assert.equal(transport.take(), "$3\r\none\r\n");
  await answer();
  assert.deepEqual(transport.writes, ["$3\r\ntwo\r\n$5\r\nthree\r\n$4\r\nfour\r\n"]);
  assert.deepEqual(runner.log.slice(4), ["tick", "WAIT two", "tick", "ECHO three", "ECHO four"]);
});

test("other connections run while one waits, with replies of their own", async () => {
  const { connect } = setup();
  const [one, two] = [connect(), connect()];
  one.arrive("ECHO a\r\nWAIT b\r\n");
  two.arrive("ECHO c\r\nWAIT d\r\n");
  two.arrive("ECHO e\r\n");
  assert.equal(one.take(), "$1\r\na\r\n");
  assert.equal(two.take(), "$1\r\nc\r\n");
  await answer();
  await answer();
  assert.equal(one.take(), "$1\r\nb\r\n");
  assert.equal(two.take(), "$1\r\nd\r\n$1\r\ne\r\n");
});

test("what a waiting call wrote before it failed is taken back", async () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\nHALF\r\nPING\r\n");
  assert.equal(transport.take(), "+PONG\r\n");
  await answer();
  assert.equal(transport.take(), "-ERR gave up\r\n+PONG\r\n");
});

test("arguments that a command keeps are not overwritten by the next call", () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive("KEEP a b c\r\nECHO x\r\n");
  assert.equal(transport.take(), "+OK\r\n$1\r\nx\r\n");
});

test("while a call waits, what arrives is kept up to a mark, then no longer read", async () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive("WAIT x\r\n");
  const call = "ECHO 0123456789\r\n";
  let sent = 0;
  while (transport.arrive(call.repeat(1000))) sent += 1000;
  assert.ok(sent * call.length < 200_000);
  assert.equal(transport.state, "paused");

  await answer();
  assert.equal(transport.state, "open");
  assert.equal(transport.take(), `$1\r\nx\r\n${"$10\r\n0123456789\r\n".repeat(sent)}`);
});

test("a connection that goes away while its call waits is forgotten, and the answer goes nowhere", async () => {
  const { runner, connect } = setup();
  const transport = connect();
  let aborted = false;
  transport.arrive("WAIT x\r\nPING\r\n");
  runner.contexts[0]!.signal.addEventListener("abort", () => {
    aborted = true;
  });
  transport.close();
  assert.ok(aborted);
  await answer();
  assert.equal(transport.take(), "");
  assert.deepEqual(runner.log, ["open", "tick", "WAIT x", "close"]);
});

test("QUIT is answered, and what follows it does not run", () => {
  const { runner, connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\nQUIT\r\nPING\r\n");
  assert.equal(transport.take(), "+PONG\r\n+OK\r\n");
  assert.equal(transport.state, "ended");
  assert.deepEqual(runner.log, ["open", "tick", "PING", "QUIT", "close"]);
});

test("a connection that closes itself at once runs no further call", () => {
  const { runner, connect } = setup();
  const transport = connect();
  transport.arrive("KILL\r\nPING\r\n");
  assert.equal(transport.take(), "");
  assert.equal(transport.state, "destroyed");
  assert.deepEqual(runner.log, ["open", "tick", "KILL", "close"]);
});

test("another connection can be closed, after its replies or at once, also while it waits", async () => {
  for (const how of ["drain", "now"] as const) {
    const { runner, connect } = setup();
    const transport = connect();
    transport.arrive("WAIT x\r\n");
    runner.contexts[0]!.peer.close(how);
    assert.equal(transport.state, how === "drain" ? "open" : "destroyed");
    await answer();
    if (how === "drain") assert.equal(transport.take(), "$1\r\nx\r\n", "QUIT itself may answer later");
    assert.equal(transport.state, how === "drain" ? "ended" : "destroyed");
    assert.deepEqual(runner.log, ["open", "tick", "WAIT x", "close"]);
  }
});

test("a peer that sends no more gets the answers to what it sent", async () => {
  const { runner, connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\nWAIT x\r\nPING\r\n");
  transport.receiver.finished();
  assert.equal(transport.state, "open");
  await answer();
  assert.equal(transport.take(), "+PONG\r\n$1\r\nx\r\n+PONG\r\n");
  assert.equal(transport.state, "ended");

  const idle = connect();
  idle.receiver.finished();
  assert.equal(idle.state, "ended");
  assert.equal(runner.log.filter((line) => line === "close").length, 2);
});

test("when the door closes, a waiting call is answered and nothing else runs", async () => {
  const { runner, door, connect } = setup();
  const [busy, idle] = [connect(), connect()];
  busy.arrive("WAIT x\r\nPING\r\n");
  door.close();
  assert.equal(idle.state, "ended");
  assert.equal(busy.state, "open");
  await answer();
  assert.equal(busy.take(), "$1\r\nx\r\n");
  assert.equal(busy.state, "ended");
  assert.ok(!runner.log.includes("PING"));
});

test("CLIENT REPLY: off until on, skip for the next call alone", () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\nREPLY off\r\nPING\r\nNIL\r\nREPLY on\r\nNIL\r\n");
  assert.equal(transport.take(), "+PONG\r\n+OK\r\n$-1\r\n");
  transport.arrive("REPLY skip\r\nNIL\r\nPING\r\nREPLY skip\r\n");
  assert.equal(transport.take(), "+PONG\r\n");
  transport.arrive("NIL\r\nPING\r\n");
  assert.equal(transport.take(), "+PONG\r\n");
});

test("CLIENT REPLY counts for calls that answer later too", async () => {
  const { connect } = setup();
  const transport = connect();
  transport.arrive("REPLY skip\r\nWAIT x\r\nPING\r\n");
  await answer();
  assert.equal(transport.take(), "+PONG\r\n");
});

test("each connection has its own protocol, also in the middle of a reply", () => {
  const { connect } = setup();
  const [one, two] = [connect(), connect()];
  one.arrive("NIL\r\nRESP3\r\n");
  two.arrive("NIL\r\n");
  one.arrive("NIL\r\n");
  assert.equal(one.take(), "$-1\r\n_\r\n_\r\n");
  assert.equal(two.take(), "$-1\r\n");
});

test("what is no request ends the connection after the replies before it", () => {
  const { notices, runner, connect } = setup();
  const transport = connect();
  transport.arrive("PING\r\n*1\r\n:4\r\nPING\r\n");
  assert.equal(transport.take(), "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n");
  assert.equal(transport.state, "ended");
  assert.deepEqual(notices, ["expected '$', got ':'"]);
  assert.equal(runner.log.at(-1), "close");
});

test("a web page that posts is closed without a word, at any time", () => {
  const { notices, connect } = setup();
  for (const line of ["POST / HTTP/1.1", "Host: 127.0.0.1:4483"]) {
    const transport = connect();
    transport.arrive("PING\r\n");
    transport.arrive(`${line}\r\nPING\r\n`);
    assert.equal(transport.take(), "+PONG\r\n");
    assert.equal(transport.state, "ended");
  }
  assert.match(notices[0]!, /cross-protocol/);
});

test("an error of ours reaches the caller of receive, and the process", () => {
  const { connect } = setup();
  const transport = connect();
  assert.throws(() => transport.arrive("PING\r\nBUG\r\n"), TypeError);
  assert.equal(transport.state, "destroyed");
  const other = connect();
  other.arrive("PING\r\n");
  assert.equal(other.take(), "+PONG\r\n", "nothing of the replies before");
});

test("a client that does not read runs no further call until it has", () => {
  const { runner, connect } = setup({ outputSoftBytesMax: 1000 });
  const transport = connect();
  transport.reads = false;
  transport.arrive("BIG 70000\r\nPING\r\n");
  assert.equal(transport.state, "paused");
  assert.ok(!runner.log.includes("PING"));
  transport.read(100);
  assert.ok(!runner.log.includes("PING"));
  transport.read();
  assert.ok(runner.log.includes("PING"));
  assert.equal(transport.state, "open");
});

test("a client that reads nothing for a time is cut off, one that reads slowly is not", async () => {
  const { notices, connect } = setup({ outputSoftBytesMax: 1000, outputSoftTimeoutMs: 5 });
  const [deaf, slow] = [connect(), connect()];
  for (const transport of [deaf, slow]) {
    transport.reads = false;
    transport.arrive("BIG 70000\r\n");
  }
  await passed(() => {
    slow.read(1);
    return deaf.state === "destroyed";
  });
  assert.match(notices[0]!, /read nothing of 70010 bytes for outputSoftTimeoutMs \(5\)/);
  assert.equal(slow.state, "paused");
  slow.close();
});

test("a client with more unread than the limit is cut off at once", () => {
  const { notices, runner, connect } = setup({
    outputSoftBytesMax: 100_000,
    outputBytesMax: 150_000,
    valueBytesMax: 1000,
  });
  const transport = connect();
  transport.reads = false;
  transport.arrive("BIG 90000\r\n");
  assert.equal(transport.state, "open");
  transport.arrive("BIG 90000\r\nPING\r\n");
  assert.equal(transport.state, "destroyed");
  assert.match(notices[0]!, /unread replies of 180020 bytes exceed outputBytesMax \(150000\)/);
  assert.equal(runner.log.at(-1), "close");
});

/** Waits for `condition` by turns of the event loop, not by time. */
async function passed(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
