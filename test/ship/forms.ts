// The table of forms: what is shipped, how the other process uses it, and what that gives. refusals.ts has the others.
//
// Both processes read this file: one makes and ships the forms, the other only uses what it has fetched.

import { ship } from "../../src/ship/node.ts";
import type { ShippedCode } from "../../src/wire/value.ts";
import {
  type Any,
  accessor,
  add,
  addTo,
  BigSquare,
  Counter,
  Failure,
  factorial,
  rate,
  Shape,
  Square,
  Stack,
  sloppy,
  Tally,
  tools,
} from "./written.ts";

export type Form = { what: string; make(): ShippedCode; use(code: Any): unknown; gives: unknown };

export const FORMS: readonly Form[] = [
  { what: "an arrow function", make: () => ship((a: number) => a + 1), use: (f) => f(1), gives: 2 },
  {
    what: "an arrow function with a body",
    make: () =>
      ship((a: number) => {
        const b = a * 2;
        return b;
      }),
    use: (f) => f(4),
    gives: 8,
  },
  {
    what: "an arrow function with a binding",
    make: () => ship((n: number) => n * rate, { bindings: { rate } }),
    use: (f) => f(2),
    gives: 6,
  },
  {
    what: "an async arrow function",
    make: () => ship(async (n: number) => (await Promise.resolve(n)) + 1),
    use: (f) => f(1),
    gives: 2,
  },
  {
    what: "a function with a name",
    make: () =>
      ship(function named(n: number): number {
        return n === 0 ? 0 : 1 + named(n - 1);
      }),
    use: (f) => [f(5), f.name],
    gives: [5, "named"],
  },
  {
    what: "a function without a name",
    make: () => ship(sloppy("function (a) { return -a; }")),
    use: (f) => f(5),
    gives: -5,
  },
  {
    what: "a function with this and arguments",
    make: () => ship(sloppy("function sum() { return [...arguments].reduce((all, one) => all + one, this.start); }")),
    use: (f) => f.call({ start: 10 }, 1, 2),
    gives: 13,
  },
  {
    what: "a function that tells how it was called",
    make: () =>
      ship(function Made(): string {
        return new.target === undefined ? "called" : "constructed";
      }),
    use: (f) => f(),
    gives: "called",
  },
  {
    what: "an async function",
    make: () =>
      ship(async function wait(n: number) {
        const { length } = await Promise.all([n, n]);
        return length;
      }),
    use: (f) => f(1),
    gives: 2,
  },
  {
    what: "a generator",
    make: () =>
      ship(function* count(n: number) {
        for (let i = 0; i < n; i++) yield i;
      }),
    use: (f) => [...f(3)],
    gives: [0, 1, 2],
  },
  {
    what: "an async generator",
    make: () =>
      ship(async function* count(n: number) {
        for (let i = 0; i < n; i++) yield await Promise.resolve(i);
      }),
    use: (f) => Array.fromAsync(f(3)),
    gives: [0, 1, 2],
  },
  {
    what: "default parameters that use a binding",
    make: () => ship((n: number, by: number = rate * n) => n + by, { bindings: { rate } }),
    use: (f) => f(2),
    gives: 8,
  },
  {
    what: "destructured and rest parameters",
    make: () => ship(({ a, ...others }: Any, [b, ...more]: number[]) => [a, Object.keys(others), b, more.length]),
    use: (f) => f({ a: 1, c: 2 }, [3, 4, 5]),
    gives: [1, ["c"], 3, 2],
  },
  {
    what: "a closure that makes closures",
    make: () => ship(addTo, { bindings: { add } }),
    use: (f) => f(1)(2),
    gives: 3,
  },
  { what: "an arrow function that calls itself", make: () => ship(factorial), use: (f) => f(5), gives: 120 },
  {
    what: "a function bound to itself under another name",
    make: () => ship(addTo, { bindings: { add: addTo } }),
    use: (f) => typeof f(1)(2),
    gives: "function",
  },
  {
    what: "a counter with a binding that it changes",
    make: () => {
      let count = 5;
      return ship(() => ++count, { bindings: { count } });
    },
    use: (f) => [f(), f()],
    gives: [6, 7],
  },
  {
    what: "bindings of every kind",
    make: () => {
      const map = new Map([["a", 1n]]);
      const when = new Date(0);
      const nothing = undefined;
      return ship(() => [String(map.get("a")), when.getTime(), nothing === undefined], {
        bindings: { map, when, nothing },
      });
    },
    use: (f) => f(),
    gives: ["1", 0, true],
  },
  {
    what: "a function of the language and one of the platform",
    make: () => ship(() => [Math.max(1, 2), typeof setTimeout], { globals: ["setTimeout"] }),
    use: (f) => f(),
    gives: [2, "function"],
  },
  {
    what: "a name that hides one of the language",
    make: () => ship(() => Math, { bindings: { Math: "mine" } }),
    use: (f) => f(),
    gives: "mine",
  },
  { what: "a method", make: () => ship(tools.twice), use: (f) => f(4), gives: 8 },
  { what: "an async method", make: () => ship(tools.later), use: (f) => f(4), gives: 5 },
  { what: "a generator method", make: () => ship(tools.upTo), use: (f) => [...f(2)], gives: [0, 1] },
  {
    what: "a method with a computed name",
    make: () => ship(tools["computed name"]),
    use: (f) => [f(), f.name],
    gives: [5, "computed name"],
  },
  { what: "a method called async", make: () => ship(tools.async), use: (f) => f(7), gives: 7 },
  { what: "a getter", make: () => ship(accessor("get")), use: (f) => f.call({}), gives: 5 },
  {
    what: "a setter",
    make: () => ship(accessor("set")),
    use: (f) => {
      const target = {};
      f.call(target, 9);
      return target;
    },
    gives: { kept: 9 },
  },
  {
    what: "a method of a class, with this",
    make: () => ship(Shape.prototype.describe),
    use: (f) => f.call({ name: "box" }),
    gives: "a box",
  },
  {
    what: "a class",
    make: () => ship(Shape),
    use: (Type) => [new Type("box").describe(), Type.made, Type.name],
    gives: ["a box", 0, "Shape"],
  },
  {
    what: "a class without a name",
    make: () => {
      const Point = class {
        x = 1;
      };
      return ship(Point);
    },
    use: (Type) => [new Type().x, Type.name],
    gives: [1, "Point"],
  },
  {
    what: "a class with its base, and bindings",
    make: () => ship(Square, { bindings: { rate } }),
    use: (Type) => [new Type(2).describe(), Object.getPrototypeOf(Type).name],
    gives: ["a square of 6", "Shape"],
  },
  {
    what: "a class with the base of its base",
    make: () => ship(BigSquare, { bindings: { rate } }),
    use: (Type) => [new Type(3).describe(), new Type(1).isBig],
    gives: ["a square of 9", true],
  },
  {
    what: "two classes of one base",
    make: () => {
      const base = ship(Shape);
      const one = ship(class One extends Shape {}, { bindings: { Shape: base } });
      const other = ship(class Other extends Shape {}, { bindings: { Shape: base } });
      return ship(() => Object.getPrototypeOf(one) === Object.getPrototypeOf(other), { bindings: { one, other } });
    },
    use: (f) => f(),
    gives: true,
  },
  {
    what: "a class that extends Error",
    make: () => ship(Failure),
    use: (Type) => {
      const failure = new Type("no");
      return [failure instanceof Error, String(failure)];
    },
    gives: [true, "Failure: no"],
  },
  {
    what: "a class that extends Map",
    make: () => ship(Tally),
    use: (Type) => {
      const tally = new Type();
      tally.count("a");
      return tally.count("a");
    },
    gives: 2,
  },
  {
    what: "a class that extends Array",
    make: () => ship(Stack),
    use: (Type) => Type.of(1, 2).top(),
    gives: 2,
  },
  {
    what: "a class with private fields, methods and a static block",
    make: () => ship(Counter),
    use: (Type) => {
      const counter = new Type();
      counter.increase();
      return [counter.increase(4), Type.made];
    },
    gives: [5, 40],
  },
  {
    what: "a class with accessors and symbols",
    make: () =>
      ship(
        class Range {
          static get zero(): number {
            return 0;
          }
          *[Symbol.iterator](): Generator<number> {
            yield 1;
            yield 2;
          }
        },
      ),
    use: (Type) => [Type.zero, ...new Type()],
    gives: [0, 1, 2],
  },
  {
    what: "a function that uses a shipped class",
    make: () => ship((name: string) => new Shape(name).describe(), { bindings: { Shape } }),
    use: (f) => f("hat"),
    gives: "a hat",
  },
  {
    what: "a function that makes an old-fashioned instance",
    make: () =>
      ship(function Old(this: { x: number }): void {
        this.x = 4;
      }),
    use: (F) => new F().x,
    gives: 4,
  },
  {
    what: "templates, patterns, optional chains and text that looks like code",
    make: () => ship((a?: { b?: string }) => [`${a?.b ?? "none"} ) // }`, /[)}"'`]/.test("}"), "rate"]),
    use: (f) => f(),
    gives: ["none ) // }", true, "rate"],
  },
  {
    what: "a last line that is a comment",
    make: () => ship(sloppy("(a) => a // and no more")),
    use: (f) => f(3),
    gives: 3,
  },
  {
    what: "a try, a label, a switch",
    make: () =>
      ship((n: number) => {
        outer: for (let i = 0; ; i++) {
          switch (i) {
            case n:
              break outer;
          }
        }
        try {
          throw new TypeError(`at ${n}`);
        } catch (error) {
          return (error as Error).message;
        }
      }),
    use: (f) => f(3),
    gives: "at 3",
  },
];
