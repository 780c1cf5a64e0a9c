// Settings: one name everywhere, a clear order of who wins, and errors that name setting and source.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type HiveError, isHiveError } from "../../../src/base/errors.ts";
import { DEFAULT_LIMITS } from "../../../src/base/limits.ts";
import { Hive, type HiveOptions } from "../../../src/server/hive.ts";
import { flagsOf, tryFlags } from "../../../src/server/settings/flags.ts";
import { hiveOptionsOf } from "../../../src/server/settings/hive-options.ts";
import { list, milliseconds, path, text, yesOrNo } from "../../../src/server/settings/kinds.ts";
import { changedSettings, listSettings, settingsText } from "../../../src/server/settings/listing.ts";
import { nearestName } from "../../../src/server/settings/nearest.ts";
import { type ResolvedSettings, resolveSettings, suspiciousVariables } from "../../../src/server/settings/resolve.ts";
import { type Setting, setting, sourceName } from "../../../src/server/settings/setting.ts";
import { GROUP_TITLES, SETTINGS } from "../../../src/server/settings/table.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-settings-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Given = { args?: string[]; environment?: Record<string, string>; file?: unknown; rows?: readonly Setting[] };

function resolved({ args = [], environment = {}, file, rows = SETTINGS }: Given): ResolvedSettings {
  const all = [...args];
  if (file !== undefined) {
    const place = join(folder, "memhive.json");
    writeFileSync(place, typeof file === "string" ? file : JSON.stringify(file));
    all.push("--config", place);
  }
  const flags = tryFlags(all, { rows });
  assert.ok(flags, `good flags: ${all.join(" ")}`);
  return resolveSettings({ flags: flags.texts, environment, rows });
}

/** The message with which it is refused, the folder left out. */
function refusal(given: Given): string {
  try {
    resolved(given);
  } catch (error) {
    assert.ok(isHiveError(error));
    assert.equal(error.code, "REFUSED_SETTING");
    return error.message.replaceAll(`${folder}/`, "");
  }
  return assert.fail("it is accepted");
}

function valueIn(settings: ResolvedSettings, name: string): unknown {
  return settings.get(name)!.value;
}

function sourceOf(settings: ResolvedSettings, name: string): string {
  return sourceName(settings.get(name)!.source).replaceAll(`${folder}/`, "");
}

test("a flag beats the environment, that the file, and that the default", () => {
  const file = { port: 1, host: "localhost", maxMemoryBytes: "1gb" };
  const environment = { MEMHIVE_PORT: "2", MEMHIVE_HOST: "::1" };
  const settings = resolved({ args: ["--port", "3"], environment, file });
  const got = ["port", "host", "maxMemoryBytes", "maxMemoryPolicy"].map((name) => [
    name,
    valueIn(settings, name),
    sourceOf(settings, name),
  ]);
  assert.deepEqual(got, [
    ["port", 3, "--port"],
    ["host", "::1", "environment MEMHIVE_HOST"],
    ["maxMemoryBytes", 2 ** 30, "memhive.json"],
    ["maxMemoryPolicy", "noeviction", "default"],
  ]);
});

test("every limit can be set by flag, environment and file, and its default is the limit's", () => {
  for (const [name, initial] of Object.entries(DEFAULT_LIMITS)) {
    const row = SETTINGS.find((candidate) => candidate.name === `limits.${name}`);
    assert.ok(row, name);
    assert.equal(row.initial, initial);
    // The least of it that fits beside the other limits.
    const value = name.startsWith("output") || name === "frameBytesMax" ? initial + 1 : Math.max(1, initial - 1);
    const ways: Given[] = [
      { args: ["--limit", `${name}=${value}`] },
      { environment: { [row.environment]: `${value}` } },
      { file: { limits: { [name]: value } } },
    ];
    for (const way of ways) {
      const settings = resolved(way);
      assert.equal(valueIn(settings, row.name), value, `${name} by ${Object.keys(way)}`);
      assert.deepEqual(hiveOptionsOf<HiveOptions>(settings).limits, { [name]: value });
    }
  }
});

test("what is given becomes the options of a hive, and nothing else does", () => {
  const args = ["--no-tcp", "--unix", "/run/hive.sock", "--max-memory", "64mb", "--log-level", "debug"];
  const settings = resolved({ args, file: { limits: { valueBytesMax: "1mb", heartbeatMs: "30s" } } });
  assert.deepEqual(hiveOptionsOf<HiveOptions>(settings), {
    port: false,
    unix: "/run/hive.sock",
    maxMemoryBytes: 64 * 2 ** 20,
    limits: { valueBytesMax: 2 ** 20, heartbeatMs: 30_000 },
  });
  assert.deepEqual(hiveOptionsOf<HiveOptions>(resolved({})), {});
});

test("an error names the setting and its source", () => {
  // biome-ignore format: a table reads better aligned
  const cases: [Given, string][] = [
    [{ args: ["--port", "70000"] }, "--port: expected a whole number from 0 to 65535, got 70000"],
    [{ environment: { MEMHIVE_PORT: "http" } }, "environment MEMHIVE_PORT: expected a whole number from 0 to 65535, got http"],
    [{ file: { port: "4483" } }, 'memhive.json: port: expected a whole number from 0 to 65535, got "4483"'],
    [{ file: { limits: { valueBytesMax: "lots" } } }, 'memhive.json: limits.valueBytesMax: expected bytes such as 64mb (from 1 on), got "lots"'],
    [{ args: ["--limit", "valueBytesMax=lots"] }, "--limit valueBytesMax: expected bytes such as 64mb (from 1 on), got lots"],
    [{ args: ["--limit", "valueByteMax=1"] }, "--limit valueByteMax: there is no such limit; did you mean valueBytesMax?"],
    [{ environment: { MEMHIVE_LIMIT_HEARTBEAT: "1" } }, "environment MEMHIVE_LIMIT_HEARTBEAT: there is no such limit; did you mean MEMHIVE_LIMIT_HEARTBEAT_MS?"],
    [{ environment: { MEMHIVE_LIMIT_HEARTBEAT_MS: "5 s" } }, "environment MEMHIVE_LIMIT_HEARTBEAT_MS: expected milliseconds from 1 on, or a time such as 30s or 5m, got 5 s"],
    [{ args: ["--max-memory-policy", "lru"] }, "--max-memory-policy: expected one of noeviction, allkeys-lru, allkeys-lfu, volatile-ttl, got lru"],
    [{ file: { limits: { argumentsMax: 1.5 } } }, "memhive.json: limits.argumentsMax: expected a whole number from 1 on, got 1.5"],
    [{ file: { limits: 5 } }, "memhive.json: limits: expected an object of settings, got 5"],
    [{ file: { prot: 1 } }, "memhive.json: prot: there is no such setting; did you mean port?"],
    [{ file: { valueBytesMax: 1 } }, "memhive.json: valueBytesMax: there is no such setting; did you mean limits.valueBytesMax?"],
    [{ file: { limits: { conectionsMax: 1 } } }, "memhive.json: limits.conectionsMax: there is no such setting; did you mean limits.connectionsMax?"],
    [{ file: { config: "other.json" } }, "memhive.json: config: this cannot be set in a file, but by --config or MEMHIVE_CONFIG"],
    [{ file: "{\n  \"port\": 1,\n}" }, "memhive.json: this is no JSON (line 3)"],
    [{ file: "[]" }, "memhive.json: expected an object of settings"],
    [{ args: ["--config", join(folder, "missing.json")] }, "missing.json: there is no such file"],
    [{ args: ["--no-tcp", "--host", "::1"] }, "--no-tcp means no --host and no --port: leave out one or the other"],
    [{ args: ["--no-tcp", "--port", "1"] }, "--no-tcp means no --host and no --port: leave out one or the other"],
  ];
  for (const [given, message] of cases) assert.equal(refusal(given), message);
});

test("a value that something else beats is checked all the same", () => {
  assert.match(refusal({ args: ["--port", "1"], environment: { MEMHIVE_PORT: "x" } }), /^environment MEMHIVE_PORT: /);
  assert.match(refusal({ environment: { MEMHIVE_PORT: "1" }, file: { port: "x" } }), /^memhive\.json: port: /);
});

test("limits at odds with each other name the one that was changed", () => {
  assert.equal(
    refusal({ file: { limits: { valueBytesMax: "300mb" } } }),
    "memhive.json: limits.valueBytesMax: 314572800 exceeds frameBytesMax (134217728): change both",
  );
  assert.equal(
    refusal({ args: ["--limit", "frameBytesMax=1mb"] }),
    "--limit frameBytesMax: valueBytesMax: 67108864 exceeds frameBytesMax (1048576): change both",
  );
  assert.match(
    refusal({ environment: { MEMHIVE_LIMIT_VALUE_DEPTH_MAX: "5000" } }),
    /VALUE_DEPTH_MAX: 5000 exceeds 1000$/,
  );
});

test("values have units, and are shown as they can be given", () => {
  const sizes = { "1000": "1000", "64KB": "64kb", "1gb": "1gb", "1025kb": "1025kb", "2m": "2000000", "0": "0" };
  for (const [given, shown] of Object.entries(sizes)) {
    const found = resolved({ args: ["--max-memory", given] }).get("maxMemoryBytes")!;
    assert.equal(found.setting.kind.show(found.value!), shown);
    assert.equal(found.setting.kind.parse(shown), found.value);
  }
  const time = milliseconds();
  assert.deepEqual(
    ["250", "250ms", "30s", "5m", "1h", "2D"].map(time.parse),
    [250, 250, 30_000, 300_000, 3_600_000, 172_800_000],
  );
  for (const wrong of ["", "-1", "1.5s", "s", "1w", "1 s"]) assert.equal(time.parse(wrong), undefined, wrong);
  for (const row of SETTINGS) {
    if (row.initial === undefined) continue;
    assert.deepEqual(row.kind.parse(row.kind.show(row.initial)), row.initial, row.name);
  }
});

test("yes and no have several words, a list has commas, a path in a file begins at the file", () => {
  assert.deepEqual(["yes", "TRUE", "on", "1", "no", "false", "off", "0", "maybe"].map(yesOrNo.parse), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    undefined,
  ]);
  assert.deepEqual(list.parse("a, b"), ["a", "b"]);
  assert.equal(list.parse("a,,b"), undefined);
  assert.equal(path.parse("hive.sock"), "hive.sock");
  assert.equal(valueIn(resolved({ file: { unix: "hive.sock" } }), "unix"), join(folder, "hive.sock"));
  assert.equal(valueIn(resolved({ file: { unix: "/run/x" } }), "unix"), "/run/x");
});

test("an empty variable is not set, and one with a slip in its name is noticed", () => {
  assert.equal(valueIn(resolved({ environment: { MEMHIVE_PORT: "" } }), "port"), 4483);
  const environment = { MEMHIVE_PROT: "1", MEMHIVE_TOKEN: "x", MEMHIVE_SOMETHING_ELSE: "1", PORT: "1" };
  assert.deepEqual(suspiciousVariables(environment), [["MEMHIVE_PROT", "MEMHIVE_PORT"]]);
});

// Rows as they may be added: a secret, a group of their own, a switch.
const MORE_ROWS: readonly Setting[] = [
  ...SETTINGS,
  setting({ name: "pass", kind: text("pass"), group: "access", help: "the one pass", secret: true }),
  setting({ name: "tls.stapling", kind: yesOrNo, group: "tls", help: "have it", initial: false }),
];

test("a row is all that a setting needs", () => {
  for (const given of [
    { args: ["--tls-stapling"] },
    { environment: { MEMHIVE_TLS_STAPLING: "on" } },
    { file: { tls: { stapling: true } } },
  ]) {
    const settings = resolved({ ...given, rows: MORE_ROWS });
    assert.deepEqual(hiveOptionsOf(settings), { tls: { stapling: true } });
  }
  const help = flagsOf(MORE_ROWS).find(({ name }) => name === "pass")!;
  assert.match(help.help, /ps shows it/);
});

test("a secret is shown as set or not set, and never in an error", () => {
  const secret = "s3cr3t";
  const settings = resolved({ environment: { MEMHIVE_PASS: secret }, rows: MORE_ROWS });
  assert.deepEqual(hiveOptionsOf(settings), { pass: secret });
  const shown = [settingsText(settings, GROUP_TITLES), JSON.stringify(listSettings(settings))];
  shown.push(JSON.stringify(changedSettings(settings)));
  for (const output of shown) {
    assert.ok(!output.includes(secret));
    assert.match(output, /pass.*set/);
  }
  assert.match(settingsText(resolved({ rows: MORE_ROWS }), GROUP_TITLES), /pass +not set +default/);
  assert.equal(
    refusal({ file: { pass: [secret] }, rows: MORE_ROWS }),
    "memhive.json: pass: expected text that is not empty, got something else",
  );
  assert.ok(!refusal({ file: `{"pass": ${secret}}`, rows: MORE_ROWS }).includes(secret));
});

test("a private key in place of its file is shown as set, with its first line or without", () => {
  const body = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49";
  const whole = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
  for (const key of [whole, `${body}\n${body}`]) {
    const given = { MEMHIVE_TLS_KEY: key, MEMHIVE_TLS_CERT: "hive.crt" };
    for (const settings of [resolved({ environment: given }), resolved({ file: { tls: { key, cert: "hive.crt" } } })]) {
      const shown = [settingsText(settings, GROUP_TITLES), JSON.stringify(listSettings(settings))];
      shown.push(JSON.stringify(changedSettings(settings)));
      for (const output of shown) {
        assert.ok(!output.includes(body), output);
        assert.match(output, /hive\.crt/, "a path is shown");
      }
    }
    assert.ok(!refusal({ environment: { MEMHIVE_TLS_KEY: key } }).includes(body));
  }
  assert.ok(!refusal({ file: { tls: { key: `${body}\n\0`, cert: "hive.crt" } } }).includes(body));
});

test("a known name is found for a wrong one, and none for one that is far from all", () => {
  const known = ["port", "host", "unix", "maxMemoryBytes"];
  assert.equal(nearestName("prot", known), "port");
  assert.equal(nearestName("maxmemorybyte", known), "maxMemoryBytes");
  assert.equal(nearestName("somethingElse", known), undefined);
  assert.equal(nearestName("x", known), undefined);
});

test("names, flags and variables are each used once", () => {
  for (const names of [
    SETTINGS.map(({ name }) => name),
    flagsOf().map(({ name }) => name),
    SETTINGS.map(({ environment }) => environment),
  ]) {
    assert.equal(new Set(names).size, names.length);
  }
});

test("Hive.start() checks what it is given, and says which option is wrong", async () => {
  // biome-ignore format: a table reads better aligned
  const cases: [object, string][] = [
    [{ port: -1 }, "option port: expected a whole number from 0 to 65535, got -1"],
    [{ port: "4483" }, 'option port: expected a whole number from 0 to 65535, got 4483'],
    [{ prot: 1 }, "option prot: there is no such option; did you mean port?"],
    [{ maxMemoryPolicy: "lru" }, "option maxMemoryPolicy: expected one of noeviction, allkeys-lru, allkeys-lfu, volatile-ttl, got lru"],
    [{ limits: { valueByteMax: 1 } }, "option limits.valueByteMax: there is no such setting; did you mean valueBytesMax?"],
    [{ limits: { argumentsMax: 0 } }, "option limits.argumentsMax: expected a whole number from 1 on, got 0"],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(Hive.start({ listen: false, ...options } as HiveOptions), (error: HiveError) => {
      assert.equal(error.message, message);
      return error.code === "REFUSED_SETTING";
    });
  }
  const limits = { argumentsMax: 100 };
  await using hive = await Hive.start({ listen: false, maxMemoryBytes: "64mb" as unknown as number, limits });
  assert.equal(hive.engine.store.eviction.maxMemoryBytes, 64 * 2 ** 20);
  assert.deepEqual(limits, { argumentsMax: 100 }, "what was handed in is as it was");
});
