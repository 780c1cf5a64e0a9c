// ScalarReply: the scalars of a reply as JavaScript values, for replies that are trees of such.
//
//   row ──▶ reply.integer(1) ──▶ add(1)        collections and stored bytes are the tree's own

export type Scalar = undefined | string | number | bigint | boolean;

export abstract class ScalarReply {
  readonly typed = true;

  /** Takes the next value. @param bytes What it has beside its place in the tree. */
  protected abstract add(value: Scalar, bytes?: number): void;

  nil(): void {
    this.add(undefined);
  }

  nullArray(): void {
    this.add(undefined);
  }

  ok(): void {
    this.add("OK");
  }

  status(text: string): void {
    this.add(text);
  }

  integer(value: number): void {
    this.add(value);
  }

  bigint(value: bigint): void {
    this.add(value);
  }

  double(value: number): void {
    this.add(value);
  }

  boolean(value: boolean): void {
    this.add(value);
  }

  text(value: string): void {
    this.add(value, value.length);
  }

  verbatim(_format: string, value: string): void {
    this.text(value);
  }
}
