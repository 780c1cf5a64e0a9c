// test/differential/pools.ts
// The words commands are made of: few keys, fields and members, so that commands meet each other.
//
// Bytes are latin1 text throughout the tester: one character is one byte, 0 to 255. Such a text
// compares, slices and prints faster than a Uint8Array and goes to the socket unchanged.

const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");

/** The bytes of a text as the byte text that the tester works with. */
function utf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Names that are odd on the wire, in a pattern, or as a number. */
// biome-ignore format: words, one per line, would fill pages
const oddWords: readonly string[] = [
  "", " ", "\r\n", "\x00", "\xff\xfe", "a\r\nb", "a*b", "[abc]", "h?llo", "\\", "*", "0", "-1", "nan", utf8("é"),
];

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

export type KeyKind = "string" | "number" | "table" | "set" | "sorted" | "list" | "missing" | "any";

const stringKeys = [...numbered("string:", 7), "\x00binary\r\nkey\xff"];
const numberKeys = numbered("number:", 5);
const tableKeys = [...numbered("table:", 7), "{tag}table"];
const setKeys = [...numbered("set:", 8), "{tag}set"];
const sortedKeys = [...numbered("sorted:", 8), "{tag}sorted"];
const listKeys = [...numbered("list:", 8), "{tag}list"];
const missingKeys = numbered("missing:", 3);
const mixedKeys = [...numbered("mixed:", 6), ...oddWords.slice(0, 8), "k".repeat(300)];

/** The keys commands are drawn from, by the type that they mostly hold. */
export const keyPools: Readonly<Record<KeyKind, readonly string[]>> = {
  string: stringKeys,
  number: numberKeys,
  table: tableKeys,
  set: setKeys,
  sorted: sortedKeys,
  list: listKeys,
  missing: missingKeys,
  any: [
    ...stringKeys,
    ...numberKeys,
    ...tableKeys,
    ...setKeys,
    ...sortedKeys,
    ...listKeys,
    ...missingKeys,
    ...mixedKeys,
  ],
};

/** Every key of every pool, to tell keys from other arguments in a report. */
export const allKeys: ReadonlySet<string> = new Set(keyPools.any);

// biome-ignore format: words, one per line, would fill pages
export const fields: readonly string[] = [
  ...numbered("f", 14), ...numbered("", 6), ...oddWords, "Field", "field", "x".repeat(64), "x".repeat(65), everyByte,
];

// biome-ignore format: words, one per line, would fill pages
export const members: readonly string[] = [
  ...numbered("m", 12), ...numbered("", 14), ...oddWords,
  "-5", "127", "128", "-129", "32767", "32768", "2147483647", "2147483648", "-2147483649",
  "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809",
  "+1", "01", "-0", " 1", "1 ", "1.0", "1e3", "0x10", "y".repeat(64), "y".repeat(65), everyByte,
];

/** Texts that are no number for Redis, though some look like one. */
// biome-ignore format: words, one per line, would fill pages
export const badNumbers: readonly string[] = [
  "abc", "", " ", " 1", "1 ", "+1", "-", "+", "--1", "1a", "0x10", "1.", "1\x00", "\x00", "1\r\n", utf8("१"), "1,000", "1_000",
];

/** Whole numbers at and beyond the edges of 8 to 64 bits. None lies between 1 MiB and 512 MiB. */
// biome-ignore format: words, one per line, would fill pages
export const edgeIntegers: readonly string[] = [
  "0", "-0", "00", "01", "-01", "127", "128", "255", "256", "-128", "-129", "32768", "65535", "65536",
  "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
  "9007199254740991", "9007199254740993", "9223372036854775806", "9223372036854775807", "9223372036854775808",
  "-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
  "18446744073709551616", "100000000000000000000000000000", "-100000000000000000000000000000",
];

// biome-ignore format: words, one per line, would fill pages
export const plainFloats: readonly string[] = [
  "0.1", "0.2", "-0.1", "1.5", "-1.5", "3.0", "2.50", "10", "-7", "0", "0.5", "100.25", "3.14159265358979", "0.001",
  "1000000.000001", "-12345.678", ".5", "5.", "1e3", "1E2", "1.5e-3", "-2.5e+2", "1e15", "1e17", "12345678901234567",
];

/** Floats at the edges of a double and of an 80-bit long double, and forms that strtold accepts. */
// biome-ignore format: words, one per line, would fill pages
export const edgeFloats: readonly string[] = [
  "1e18", "1e19", "1e20", "9223372036854775807", "1e100", "-1e100", "1e-17", "1e-18", "1e-300", "5e-324", "1e308",
  "1.7976931348623157e308", "1e309", "-1e309", "1e4000", "1e4931", "1e4932", "1.2e4932", "1e5000", "-1e5000", "1e-5000",
  "nan", "NaN", "-nan", "nan(1)", "inf", "-inf", "+inf", "Infinity", "-infinity", "0x1p3", "0x10", "0X1.8p1", "-0x1",
  "-0", "-0.0", "+1", "+0.5", "00.5", "1e", "1e+", "e1", ".", "-.", "1.5.5", "1,5", "0.1f", "1d", " 1.5", "1.5 ", "\t1.5",
  "0.30000000000000004", "1.0000000000000000001", "99999999999999999999.9", "0.00000000000000000001",
];

// biome-ignore format: words, one per line, would fill pages
export const patterns: readonly string[] = [
  "*", "string:*", "*:1", "table:?", "set:[0-3]", "set:[^0-3]", "set:[3-0]", "m*", "f?", "[a-z]*", "*\\*b", "h\\?llo", "\\[abc\\]",
  "", "**", "?", "??", "[", "[a", "[]", "[^]", "\\", "*\x00*", "\xff*", "string:0", "nosuch*", "*e*:*", "[\\]a]*", "{tag}*", "*\r\n*",
];

/** Whole texts to store: numbers, floats, words, bytes, lengths at the edges of Redis's encodings. */
// biome-ignore format: words, one per line, would fill pages
export const values: readonly string[] = [
  ...numbered("", 12), ...numbered("value", 10), ...edgeIntegers, ...plainFloats, ...oddWords, ...badNumbers,
  "v".repeat(44), "v".repeat(45), "v".repeat(63), "v".repeat(64), "v".repeat(65), "w".repeat(1000), everyByte,
  "$3\r\nabc\r\n", "*1\r\n$4\r\nPING\r\n", "-ERR no error\r\n", "{\"json\":[1,2,3]}", utf8("日本語 👋"), "NX", "EX", "GET",
];

/** A value of 20 KiB: longer than one read of a socket. */
export const longValue: string = everyByte.repeat(80);
