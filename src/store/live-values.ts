// LiveValues: objects that stand for the bytes of keys, and may be ahead of them.
//
//   whoever needs the bytes ──▶ settle(ref) ──▶ the entry says what the object does
//
// The store knows no objects: whoever has them puts himself into memory.live. Only keys of TYPE_STRUCTURE
// are asked about.

export interface LiveValues {
  /**
   * Writes what the object of this key is now. Returns the key's entry, which may have moved. Tells no listener.
   * @param onlyToUndo Only where what follows may be taken back: the bytes are what is noted.
   */
  settle(ref: number, onlyToUndo?: boolean): number;
  settleAll(): void;
  /** Whether a call under way uses the object of this key: it is no time to evict it. */
  isInUse(ref: number): boolean;
  /** The key's entry has another version, its content did not change. */
  restamped(ref: number, before: number): void;
  /** Everything will be replaced: forgets all objects. */
  forgetAll(): void;
}
