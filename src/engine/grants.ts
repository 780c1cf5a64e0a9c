// Grants: what a token allows: permissions, each on the keys that a pattern matches.
//
//   "read:users:*", "write:*", "admin" ──▶ Grants.parse() ──▶ covers("read", key) │ everywhere("read") │ has("read")
//
// `write` does not imply `read`: a sensor may report and not look around. `admin` has no keys, so it has
// no pattern. Patterns are operators', keys are strangers': a literal, or one with a star at its end,
// takes one comparison of bytes, any other glob at most its length times the key's (glob.ts).

import { HiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../base/limits.ts";
import type { Permission } from "./catalogue.ts";
import { matchesGlob } from "./glob.ts";

/** What can be granted. */
export type Grantable = Exclude<Permission, "none">;

export const GRANTABLE: readonly Grantable[] = ["read", "write", "run", "files", "admin"];
/** What a token without restrictions has; "all" stands for it. */
export const ALL_GRANTS: readonly string[] = ["read:*", "write:*", "run:*", "files:*", "admin"];

const STAR = 42;
/** Bytes that mean something in a glob: * ? [ \ */
const SPECIAL: ReadonlySet<number> = new Set([STAR, 63, 91, 92]);

type GrantLimits = Pick<Limits, "grantsMax" | "grantBytesMax">;
type Rule = { form: "everything" | "exact" | "prefix" | "glob"; bytes: Buffer };

export class Grants {
  /** In their full form, "read" as "read:*", without repetitions. */
  readonly texts: readonly string[];
  /** All of ALL_GRANTS: no call needs to be looked at. */
  readonly unrestricted: boolean;
  readonly #rules: ReadonlyMap<Grantable, readonly Rule[]>;

  private constructor(grants: ReadonlyMap<string, { permission: Grantable; rule: Rule }>) {
    const rules = new Map<Grantable, Rule[]>();
    for (const { permission, rule } of grants.values()) {
      const known = rules.get(permission);
      if (known) known.push(rule);
      else rules.set(permission, [rule]);
    }
    this.texts = [...grants.keys()];
    this.#rules = rules;
    this.unrestricted = GRANTABLE.every((permission) => this.everywhere(permission));
  }

  /**
   * @param texts "permission:pattern", "permission" for every key, or "all".
   * @throws {HiveError} INVALID_ARGUMENT, which names the grant.
   */
  static parse(texts: readonly string[], { grantsMax, grantBytesMax }: GrantLimits = DEFAULT_LIMITS): Grants {
    const grants = new Map<string, { permission: Grantable; rule: Rule }>();
    for (const text of texts.flatMap((each) => (each === "all" ? ALL_GRANTS : [each]))) {
      const { permission, pattern } = split(text);
      const bytes = Buffer.from(pattern);
      if (bytes.length > grantBytesMax) {
        throw bad(text.slice(0, 64), `a pattern of ${bytes.length} bytes exceeds grantBytesMax (${grantBytesMax})`);
      }
      grants.set(permission === "admin" ? permission : `${permission}:${pattern}`, {
        permission,
        rule: compile(bytes),
      });
    }
    if (grants.size > grantsMax) throw bad(`${grants.size} of them`, `more than grantsMax (${grantsMax})`);
    return new Grants(grants);
  }

  /** Whether it is granted on anything at all. */
  has(permission: Grantable): boolean {
    return this.#rules.has(permission);
  }

  /** Whether it is granted on every key. */
  everywhere(permission: Grantable): boolean {
    return this.#rules.get(permission)?.some(({ form }) => form === "everything") ?? false;
  }

  /** Whether it is granted on the key in bytes `start` to `end`. */
  covers(permission: Grantable, bytes: Buffer, start: number, end: number): boolean {
    const rules = this.#rules.get(permission);
    if (rules === undefined) return false;
    for (const rule of rules) if (matches(rule, bytes, start, end)) return true;
    return false;
  }

  /** Whether it is granted on every key that begins with `prefix`, by a grant on everything or on a prefix of it. */
  coversPrefix(permission: Grantable, prefix: Buffer): boolean {
    for (const { form, bytes } of this.#rules.get(permission) ?? []) {
      if (form === "everything") return true;
      if (form === "prefix" && prefix.subarray(0, bytes.length).equals(bytes)) return true;
    }
    return false;
  }

  /**
   * Whether it is granted on every name that the glob `pattern` matches, as far as that can be told from how
   * both are written: by a grant on everything, the same glob, or a prefix that the pattern begins with.
   */
  coversPattern(permission: Grantable, pattern: Buffer): boolean {
    const special = pattern.findIndex((byte) => SPECIAL.has(byte));
    const literal = special < 0 ? pattern : pattern.subarray(0, special);
    for (const { form, bytes } of this.#rules.get(permission) ?? []) {
      if (form === "everything") return true;
      if (form === "prefix" && literal.subarray(0, bytes.length).equals(bytes)) return true;
      if ((form === "glob" || (form === "exact" && special < 0)) && bytes.equals(pattern)) return true;
    }
    return false;
  }
}

function split(text: string): { permission: Grantable; pattern: string } {
  const colon = text.indexOf(":");
  const word = colon < 0 ? text : text.slice(0, colon);
  const pattern = colon < 0 ? "*" : text.slice(colon + 1);
  const permission = GRANTABLE.find((known) => known === word);
  if (permission === undefined)
    throw bad(text.slice(0, 64), `expected ${GRANTABLE.join(", ")} or all, as in read:users:*`);
  if (pattern === "") throw bad(text.slice(0, 64), `no pattern behind the colon: ${permission}:* is every key`);
  if (permission === "admin" && pattern !== "*")
    throw bad(text.slice(0, 64), "admin is not about keys: it has no pattern");
  return { permission, pattern };
}

function compile(bytes: Buffer): Rule {
  if (bytes.every((byte) => byte === STAR)) return { form: "everything", bytes };
  const special = bytes.findIndex((byte) => SPECIAL.has(byte));
  if (special < 0) return { form: "exact", bytes };
  if (special === bytes.length - 1 && bytes[special] === STAR) return { form: "prefix", bytes: bytes.subarray(0, -1) };
  return { form: "glob", bytes };
}

function matches({ form, bytes }: Rule, key: Buffer, start: number, end: number): boolean {
  const length = bytes.length;
  if (form === "everything") return true;
  if (form === "glob") return matchesGlob(bytes, 0, length, key, start, end);
  if (form === "exact" ? end - start !== length : end - start < length) return false;
  // Most patterns are short, and a call of compare() costs as much as 50 bytes here.
  for (let i = 0; i < length; i++) if (key[start + i] !== bytes[i]) return false;
  return true;
}

function bad(grant: string, reason: string): HiveError {
  return new HiveError("INVALID_ARGUMENT", `grant ${grant}: ${reason}`);
}
