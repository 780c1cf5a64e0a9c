// /v1/openapi.json: what the JSON API takes, in OpenAPI 3.1, made from the command rows.

import type { Catalogue, CommandEntry } from "../../engine/catalogue.ts";

type Json = Readonly<Record<string, unknown>>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json): Json => ({ "application/json": { schema } });
const failed = (description: string): Json => ({ description, content: json(ref("Failure")) });

const FAILURES: Json = {
  "400": failed("What was sent is no good"),
  "401": failed("No token, or one that the hive does not know"),
  "403": failed("The token may not do that, or the page that asks may not"),
  "409": failed("The key holds something else"),
  "413": failed("Larger than a limit"),
  "429": failed("A quota of the token is used up"),
  "503": failed("Not now: try again"),
  "507": failed("There is no memory left"),
};

/** A field of something in the path, as the page of open-api names it. */
type FieldFacts = { container: string; name: string; what: string; operation: string };

function fieldParameters({ container, name }: FieldFacts): readonly Json[] {
  const description = "Percent escapes may be any bytes";
  return [
    { name: container, in: "path", required: true, schema: { type: "string" } },
    { name, in: "path", required: true, schema: { type: "string" }, description },
  ];
}

const VALUE_FORMS: Json = {
  "application/json": { schema: {} },
  "text/plain": { schema: { type: "string" } },
  "application/octet-stream": { schema: { type: "string", contentMediaType: "application/octet-stream" } },
};

export function openApi(commands: Catalogue, version: string): Json {
  const entries = [...commands.each()].filter(({ subcommands, row }) => subcommands === undefined || row.arity > 0);
  const calls = Object.fromEntries(entries.map((entry) => [schemaName(entry), callSchema(entry)]));
  return {
    openapi: "3.1.0",
    info: {
      title: "memhive",
      version,
      description: "Shared memory over HTTP. Errors have the codes of docs/errors.md.",
      license: { name: "MIT", identifier: "MIT" },
    },
    security: [{ token: [] }, {}],
    paths: {
      "/v1/tables/{table}/{key}": fieldPath({
        container: "table",
        name: "key",
        what: "key of a table",
        operation: "Field",
      }),
      "/v1/devices/{id}/{label}": fieldPath({
        container: "id",
        name: "label",
        what: "label of a device",
        operation: "Label",
      }),
      "/v1/call": callPath(Object.keys(calls)),
      "/healthz": healthPath("Whether the hive runs", "health"),
      "/readyz": healthPath("Whether the hive takes calls", "readiness"),
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: {
        Failure: {
          type: "object",
          required: ["error"],
          properties: {
            error: {
              type: "object",
              required: ["code", "message", "retry"],
              properties: {
                code: { type: "string" },
                message: { type: "string" },
                retry: { type: "boolean", description: "The same call may succeed later although nobody acts" },
              },
            },
          },
        },
        Bytes: {
          type: "object",
          required: ["$bytes"],
          properties: { $bytes: { type: "string", contentEncoding: "base64" } },
          additionalProperties: false,
        },
        Call: { anyOf: Object.keys(calls).map(ref) },
        ...calls,
      },
    },
  };
}

function fieldPath(facts: FieldFacts): Json {
  const { what, operation, container } = facts;
  const done: Json = { "204": { description: "Done" } };
  const missing: Json = { "404": failed(`There is no such ${facts.name}`) };
  const ttl = { name: "ttlMs", in: "query", schema: { type: "integer", minimum: 1 }, description: "It runs out then" };
  const onlyNew = {
    name: "If-None-Match",
    in: "header",
    schema: { type: "string", enum: ["*"] },
    description: "Only where there is no such key",
  };
  return {
    parameters: fieldParameters(facts),
    get: {
      operationId: `get${operation}`,
      summary: `The value of a ${what}`,
      responses: { "200": { description: "The value, as Accept says", content: VALUE_FORMS }, ...missing, ...FAILURES },
    },
    put: {
      operationId: `set${operation}`,
      summary: `Sets a ${what}: JSON stays a value, text stays text, anything else is bytes`,
      parameters: container === "table" ? [ttl, onlyNew] : [ttl],
      requestBody: { required: true, content: VALUE_FORMS },
      responses: { ...done, "412": failed("There is such a key already"), ...FAILURES },
    },
    delete: {
      operationId: `delete${operation}`,
      summary: `Deletes a ${what}`,
      responses: { ...done, ...missing, ...FAILURES },
    },
  };
}

function callPath(names: readonly string[]): Json {
  const one = ref("Call");
  return {
    post: {
      operationId: "call",
      summary: `Any of ${names.length} commands; an array of calls runs as one`,
      requestBody: { required: true, content: json({ anyOf: [one, { type: "array", minItems: 1, items: one }] }) },
      responses: {
        "200": {
          description: "What it answers",
          content: json({ type: "object", required: ["result"], properties: { result: {} } }),
        },
        "404": failed("There is no such command, or no such key"),
        ...FAILURES,
      },
    },
  };
}

function healthPath(summary: string, operationId: string): Json {
  const status = json({ type: "object", properties: { status: { type: "string" } } });
  return {
    get: {
      operationId,
      summary,
      security: [{}],
      responses: {
        "200": { description: "It does", content: status },
        "503": { description: "It does not", content: status },
      },
    },
  };
}

/** "CLIENT LIST" → "CLIENT_LIST" */
function schemaName({ row }: CommandEntry): string {
  return row.name.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}

/** The words of its name, then as many arguments as its row says. */
function callSchema({ row, argumentsMin, argumentsMax }: CommandEntry): Json {
  return {
    type: "array",
    title: row.name,
    description: `${row.summary}. Arguments: ${row.syntax === "" ? "none" : row.syntax}`,
    prefixItems: row.name.split(" ").map((word) => ({ const: word })),
    minItems: argumentsMin,
    ...(Number.isFinite(argumentsMax) && argumentsMax < 2 ** 31 - 1 ? { maxItems: argumentsMax } : {}),
  };
}
