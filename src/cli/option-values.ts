// What options of several commands take: read as commander wants it, with an error that says what is expected.

import { InvalidArgumentError } from "commander";

export function milliseconds(text: string): number {
  return wholeAboveZero(text, "whole milliseconds");
}

export function count(text: string): number {
  return wholeAboveZero(text, "a whole number");
}

function wholeAboveZero(text: string, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError(`expected ${what} above 0`);
}
