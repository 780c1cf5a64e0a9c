// INFO as a value: sections of facts.

export type Info = Readonly<Record<string, Readonly<Record<string, string | number>>>>;

/** "# Memory\r\nused_memory:123\r\n" ──▶ { memory: { used_memory: 123 } } */
export function parseInfo(text: string): Info {
  const sections: Record<string, Record<string, string | number>> = {};
  let facts: Record<string, string | number> = {};
  for (const line of text.split("\r\n")) {
    if (line.startsWith("# ")) {
      facts = {};
      sections[line.slice(2).toLowerCase()] = facts;
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1);
    facts[line.slice(0, colon)] = /^-?\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : value;
  }
  return sections;
}
