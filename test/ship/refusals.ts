// What cannot run elsewhere, and the reason that is given.

import { ship } from "../../src/ship/node.ts";
import type { ShippedCode } from "../../src/wire/value.ts";
import { add, BigSquare, Counter, rate, Square, sloppy, tools } from "./written.ts";

export type Refusal = { what: string; make(): ShippedCode; reason: RegExp };

const unbound = { value: 1 };

export const REFUSALS: readonly Refusal[] = [
  { what: "a free variable", make: () => ship(() => rate), reason: /it uses rate from around it: give bindings/ },
  {
    what: "several free variables, of which one is given",
    make: () => ship(() => [rate, unbound, add], { bindings: { rate } }),
    reason: /it uses unbound, add from/,
  },
  { what: "a free variable in a default", make: () => ship((n = rate) => n), reason: /uses rate/ },
  { what: "a free variable in a base class", make: () => ship(BigSquare), reason: /cannot ship Square: it uses rate/ },
  { what: "a variable that is assigned", make: () => ship(sloppy("() => { total = 1; }")), reason: /uses total/ },
  { what: "a name of the platform", make: () => ship(() => console.log(1)), reason: /uses console .*or globals/ },
  { what: "process", make: () => ship(() => process.pid), reason: /uses process/ },
  { what: "a native function", make: () => ship(Math.max), reason: /max: it is built in, or behind a Proxy/ },
  { what: "a native class", make: () => ship(Map), reason: /Map: it is built in/ },
  {
    what: "a bound function",
    make: () => ship(add.bind(null, 1)),
    reason: /bound add: a bound function has no source/,
  },
  { what: "a Proxy", make: () => ship(new Proxy(add, {})), reason: /behind a Proxy/ },
  {
    what: "this of an arrow function",
    make: () => ship(sloppy("() => this.rate")),
    reason: /it uses this of the code around it/,
  },
  {
    what: "arguments of an arrow function",
    make: () => ship(sloppy("() => arguments.length")),
    reason: /it uses arguments of the function around it/,
  },
  {
    what: "new.target of an arrow function",
    make: () => ship(sloppy("() => new.target")),
    reason: /it uses new\.target of the function around it/,
  },
  { what: "super of an object", make: () => ship(tools.above), reason: /it uses super of the class or object/ },
  {
    what: "super of a class",
    make: () => ship(Square.prototype.describe, { bindings: { rate } }),
    reason: /it uses super .*: ship that class/,
  },
  {
    what: "a private field of a class",
    make: () => ship(Counter.prototype.increase),
    reason: /it uses the private #add of its class: ship that class/,
  },
  { what: "import()", make: () => ship(() => import("node:fs")), reason: /it uses import\(\), which looks beside/ },
  { what: "import.meta", make: () => ship(() => import.meta.url), reason: /it uses import\.meta/ },
  { what: "require()", make: () => ship(sloppy('() => require("node:fs")')), reason: /it uses require\(\)/ },
  { what: "eval", make: () => ship(sloppy('() => eval("1")')), reason: /it uses eval/ },
  { what: "with", make: () => ship(sloppy("function (o) { with (o) { return a; } }")), reason: /strict mode/ },
  {
    what: "properties that were added",
    make: () => ship(Object.assign((n: number) => n, { cache: 1 })),
    reason: /the property cache was put on it later/,
  },
  {
    what: "an old-fashioned class with methods",
    make: () => {
      function Old(): void {}
      Old.prototype.method = () => 1;
      return ship(Old);
    },
    reason: /prototype\.method was put on it later/,
  },
  {
    what: "a static property that was added",
    make: () => ship(Object.assign(class Later {}, { extra: 1 })),
    reason: /the static property extra/,
  },
  {
    what: "a method that was added to a class",
    make: () => {
      class Later {}
      Object.assign(Later.prototype, { extra: () => 1 });
      return ship(Later);
    },
    reason: /prototype\.extra/,
  },
  {
    what: "a class of the platform as its base",
    make: () => ship(class Own extends EventTarget {}),
    reason: /its base EventTarget is of this platform: name it in globals/,
  },
  {
    what: "two functions that need each other",
    make: () => {
      const even = (n: number): boolean => n === 0 || odd(n - 1);
      const odd = (n: number): boolean => n !== 0 && even(n - 1);
      return ship(even, { bindings: { even, odd } });
    },
    reason: /need each other/,
  },
  { what: "what is no function", make: () => ship({} as never), reason: /expected a function or class, got object/ },
  {
    what: "source beyond the limit",
    make: () => ship(sloppy(`() => "${"x".repeat(1_048_576)}"`)),
    reason: /CODE_UNITS_MAX/,
  },
  {
    what: "source that nests too deep to be parsed",
    make: () => ship(sloppy(`() => ${"[".repeat(2_500)}${"]".repeat(2_500)}`)),
    reason: /nests too deep|nests deeper/,
  },
];
