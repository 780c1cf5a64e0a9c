// Standard Schema, version 1, as far as arguments are checked with it: zod, valibot, arktype and others have it.

/** https://standardschema.dev */
export type ArgumentSchema = {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
};

export type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };
