// The thread of isolated structures: loads their file, tells which commands there are, and runs what it is sent.
//
//   spec ──▶ memory guarded ──▶ classes loaded ──▶ ready ──▶ calls, one after the other

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { factsOf } from "./class-facts.ts";
import { sharedWords, type ToWorker, WORD_SEEN, type WorkerSpec } from "./isolated-messages.ts";
import { KeptClass } from "./kept-class.ts";
import { loadStructures } from "./loading.ts";
import { WorkerCalls } from "./worker-calls.ts";
import { guardMemory } from "./worker-memory.ts";

const { spec, shared, answers } = workerData as {
  spec: WorkerSpec;
  shared: SharedArrayBuffer;
  answers: MessagePort;
};
const hive = parentPort!;
const { words, times } = sharedWords(shared);

guardMemory(spec.bytesMax, words);
try {
  const loaded = await loadStructures(spec.source);
  const classes = loaded.filter(({ name }) => spec.only?.includes(name) ?? true).map((cls) => new KeptClass(cls));
  const calls = new WorkerCalls({
    classes,
    partsMax: spec.partsMax,
    words,
    times,
    answers,
    hive,
    take: receiveMessageOnPort,
  });
  hive.on("message", (message: ToWorker) => {
    Atomics.store(words, WORD_SEEN, message.number);
    if (message.kind === "call") calls.run(message);
  });
  hive.postMessage({ kind: "ready", classes: classes.map(factsOf) });
} catch (error) {
  hive.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}
