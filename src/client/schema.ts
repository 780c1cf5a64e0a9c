// Schemas: what a table's values have to be, in the words of Standard Schema (version 1,
// https://standardschema.dev), which zod, valibot, arktype and others speak. Only its types are here.

import { HiveError } from "../base/errors.ts";

export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export type SchemaIssue = {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
};

/** What a schema gives, and what it takes. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["input"];

const ISSUES_SHOWN_MAX = 5;

/**
 * The value as `schema` gives it.
 * @throws {HiveError} SCHEMA_MISMATCH: its message names what is wrong and where; `cause` has all issues.
 */
export async function checked(schema: StandardSchema, value: unknown): Promise<unknown> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  const shown = result.issues.slice(0, ISSUES_SHOWN_MAX).map(({ message, path }) => {
    const where = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return where === "" ? message : `${where}: ${message}`;
  });
  const more = result.issues.length > shown.length ? ` (and ${result.issues.length - shown.length} more)` : "";
  throw new HiveError("SCHEMA_MISMATCH", `the value is not what the schema says: ${shown.join("; ")}${more}`, {
    detail: { issues: result.issues.length },
    cause: result.issues,
    sent: false,
  });
}
