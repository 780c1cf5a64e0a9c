// WideMap: a Map from whole numbers that may have more entries than a Map may, which is 16.7 million.

const SHARD_BITS = 6;
const SHARDS: number = 1 << SHARD_BITS;

export class WideMap<Value> {
  readonly #shards: readonly Map<number, Value>[] = Array.from({ length: SHARDS }, () => new Map());

  has(key: number): boolean {
    return this.#shard(key).has(key);
  }

  get(key: number): Value | undefined {
    return this.#shard(key).get(key);
  }

  set(key: number, value: Value): void {
    this.#shard(key).set(key, value);
  }

  *keys(): Generator<number> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  clear(): void {
    for (const shard of this.#shards) shard.clear();
  }

  #shard(key: number): Map<number, Value> {
    return this.#shards[key & (SHARDS - 1)]!;
  }
}
