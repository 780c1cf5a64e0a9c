// Class facts: what a structure's class says about itself, as plain data: a worker tells it, and rows are made of it.

import type { KeptClass } from "./kept-class.ts";
import { syntaxOf } from "./method-arguments.ts";

export type CommandFacts = {
  readonly name: string;
  /** Whether it says that it changes nothing. */
  readonly reads: boolean;
  readonly syntax: string;
  readonly summary: string | undefined;
};

export type ClassFacts = {
  readonly name: string;
  readonly statics: readonly CommandFacts[];
  readonly methods: readonly CommandFacts[];
  /** Whether its state is given in pieces, so that it may be larger than structureBytesMax. */
  readonly inPieces: boolean;
  /** Whether it has an init(). */
  readonly begins: boolean;
};

export function factsOf({ cls, name, statics, methods, inPieces }: KeptClass): ClassFacts {
  const facts = (command: string): CommandFacts => ({
    name: command,
    reads: cls.reads.includes(command),
    syntax: syntaxOf(cls.args[command]),
    summary: cls.summaries[command],
  });
  return {
    name,
    statics: [...statics.keys()].map(facts),
    methods: [...methods.keys()].map(facts),
    inPieces,
    begins: cls.init !== undefined,
  };
}
