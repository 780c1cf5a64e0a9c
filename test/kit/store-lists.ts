// Store lists: what a history does with lists, in the store and in its model, which has arrays.

import assert from "node:assert/strict";
import { KIND_VALUE, TYPE_LIST } from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import { drawName } from "./store-draws.ts";
import type { ModelElement, Name, StoreModel } from "./store-model.ts";
import type { Step } from "./store-steps.ts";

type Draw = (number: number, name: Name) => Buffer;

/** Of every form that an element can have: short, integers of every width, long, and as large as values are. */
function drawElement(number: number, name: Name, value: Draw): ModelElement {
  const kind = number % 4;
  if (number % 11 === 0) return { bytes: value(number, name), kind };
  if (number % 3 === 0) {
    const digits = 1 + (number % 19);
    const text = `${1 + (number % 9)}`.padEnd(digits, String(number % 10));
    return { bytes: Buffer.from(number % 2 === 0 ? text : `-${text}`), kind };
  }
  const length = number % 5 === 0 ? 40 + (number % 90) : number % 13;
  return { bytes: Buffer.alloc(length, 97 + (number % 26)), kind: number % 7 === 0 ? KIND_VALUE : kind };
}

/** Pushes elements at one end, to a list that is made where there is none. */
export function pushElements(store: Store, model: StoreModel, [, k, x, y]: Step, value: Draw): void {
  const name = drawName(k);
  const found = model.look(name);
  let { ref, key } = found;
  if (key?.type !== TYPE_LIST) {
    if (ref !== 0) store.keys.remove(ref);
    model.forget(found.id);
    key = model.newKey(name, TYPE_LIST);
    ref = store.lists.create(name.bytes, 0, name.bytes.length, name.kind);
    model.keys.set(found.id, key);
  }
  const atFront = y % 2 === 0;
  const many = y % 5 === 0 ? 1 + (x % 700) : 1 + (x % 30);
  try {
    for (let i = 0; i < many; i++) {
      const element = drawElement(many > 200 ? (x + i) % 10 : x + i, name, value);
      ref = store.lists.push(ref, atFront, element.bytes, 0, element.bytes.length, element.kind);
      if (atFront) key.elements.unshift(element);
      else key.elements.push(element);
    }
  } catch (error) {
    if (key.elements.length === 0) forgetEmpty(store, model, name);
    throw error;
  }
}

/** A list has elements: one that got none goes again, for a history may go on inside the undo that would take it back. */
function forgetEmpty(store: Store, model: StoreModel, name: Name): void {
  const { id, ref } = model.look(name);
  if (ref !== 0) store.keys.remove(ref);
  model.forget(id);
}

/** One change somewhere in a list. */
export function editList(store: Store, model: StoreModel, [, k, x, y]: Step, value: Draw): void {
  const { id, ref, key } = model.look(drawName(k));
  if (key?.type !== TYPE_LIST) return;
  const { lists } = store;
  const { elements } = key;
  const index = x % elements.length;
  const element = drawElement(y, key.name, value);
  const { bytes, kind } = element;
  const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
  const found = lists.read(ref, index, slice);
  assert.ok(
    found.bytes.subarray(found.start, found.end).equals(elements[index]!.bytes),
    `element ${index} by its index`,
  );
  const [how] = [y % 6];
  if (how === 0) {
    const next = lists.pop(ref, x % 2 === 0);
    if (x % 2 === 0) elements.shift();
    else elements.pop();
    assert.equal(next === 0, elements.length === 0, "a list goes with its last element");
  } else if (how === 1) {
    const many = Math.min(elements.length - index, 1 + (y % 3 === 0 ? x % 2000 : x % 5));
    const next = lists.remove(ref, index, many);
    elements.splice(index, many);
    assert.equal(next === 0, elements.length === 0, "a list goes with its last element");
  } else if (how <= 3) {
    lists.insert(ref, index, bytes, 0, bytes.length, kind);
    elements.splice(index, 0, element);
  } else {
    lists.set(ref, index, bytes, 0, bytes.length, kind);
    elements[index] = element;
  }
  if (elements.length === 0) model.forget(id);
}
