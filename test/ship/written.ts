// Functions and classes as a program has them, to be shipped.

// biome-ignore lint/suspicious/noExplicitAny: a function or class of any shape
export type Any = any;

export const rate = 3;
export const add = (one: number, other: number): number => one + other;
export const addTo = (one: number): ((other: number) => number) => {
  return (other) => add(one, other);
};
export const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
export class Shape {
  static made = 0;
  name: string;
  constructor(name: string) {
    this.name = name;
  }
  describe(): string {
    return `a ${this.name}`;
  }
}
export class Square extends Shape {
  side: number;
  constructor(side: number) {
    super("square");
    this.side = side;
  }
  override describe(): string {
    return `${super.describe()} of ${this.side * rate}`;
  }
}
export class BigSquare extends Square {
  isBig = true;
}
export class Failure extends Error {
  override name = "Failure";
}
export class Tally extends Map<string, number> {
  count(key: string): number {
    this.set(key, (this.get(key) ?? 0) + 1);
    return this.get(key)!;
  }
}
export class Stack extends Array<number> {
  top(): number | undefined {
    return this.at(-1);
  }
}
export class Counter {
  #count = 0;
  static #made = 0;
  static {
    Counter.#made = 40;
  }
  static get made(): number {
    return Counter.#made;
  }
  #add(by: number): void {
    this.#count += by;
  }
  increase(by: number = 1): number {
    this.#add(by);
    return this.#count;
  }
}
export const tools = {
  twice(n: number): number {
    return n * 2;
  },
  async later(n: number): Promise<number> {
    return await Promise.resolve(n + 1);
  },
  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  },
  ["computed name"](): number {
    return 5;
  },
  get five(): number {
    return 5;
  },
  set five(value: number) {
    (this as unknown as { kept: number }).kept = value;
  },
  async(n: number): number {
    return n;
  },
  above(): string {
    return super.toString();
  },
};
export const accessor = (name: "get" | "set"): Any => Object.getOwnPropertyDescriptor(tools, "five")![name];
export const sloppy = (text: string): Any => new Function(`return ${text}`)();
