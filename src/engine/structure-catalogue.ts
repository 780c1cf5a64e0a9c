// StructureCatalogue: what the hive's own commands ask of its structures.

export interface StructureCatalogue {
  /** The registered classes with their commands. */
  list(): Iterable<{ name: string; statics: readonly string[]; methods: readonly string[] }>;
  /** The class of what key `ref` holds. @throws {HiveError} BAD_PAYLOAD, UNSUPPORTED: it is not registered */
  nameOf(ref: number): string;
  /** Reads the files of structures again. @returns The names of the classes. @throws {HiveError} INVALID_ARGUMENT: all is as it was */
  reload(): Promise<string[]>;
  /** Commands that blocked the hive for longer than commandMsMax: how many, the last one, and for how long. */
  readonly blocked: { readonly count: number; readonly command: string; readonly milliseconds: number };
}
