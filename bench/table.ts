// Rows as lines of a table: on a terminal, and in Markdown.

import type { Row } from "./row.ts";

const WIDTHS = { work: 72, peer: 22, figure: 12, goal: 8 };
const TITLES = ["work", "peer", "ours", "theirs", "ratio", "goal", "ok"] as const;

export function headerLine(): string {
  return line(TITLES);
}

export function rowLine(row: Row): string {
  return line(cells(row));
}

export function markdownTable(rows: readonly Row[]): string {
  const lines = [TITLES, TITLES.map((title) => (/ours|theirs|ratio/.test(title) ? "---:" : "---")), ...rows.map(cells)];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function cells({ work, peer, ours, theirs, ratio, goal, ok }: Row): string[] {
  return [work, peer, figure(ours), figure(theirs), ratio.toFixed(2), goal, ok ? "yes" : "no"];
}

function figure(value: number): string {
  return Math.abs(value) >= 1000 ? value.toLocaleString("en-US") : String(value);
}

function line(cells: readonly string[]): string {
  const [work, peer, ours, theirs, ratio, goal, ok] = cells as [string, string, string, string, string, string, string];
  const { figure: width } = WIDTHS;
  const figures = [ours, theirs, ratio].map((cell) => cell.padStart(width)).join("");
  return `${work.padEnd(WIDTHS.work)}${peer.padEnd(WIDTHS.peer)}${figures}  ${goal.padEnd(WIDTHS.goal)}${ok}`;
}
