import { expect, test } from "vitest";

import { History } from "../src/history";

test("what was done is undone and redone", () => {
  const history = new History("a");
  history.push("b");
  history.push("c");
  expect([history.undo(), history.undo(), history.undo()]).toEqual(["b", "a", "a"]);
  expect([history.redo(), history.redo(), history.redo()]).toEqual(["b", "c", "c"]);
});

test("a change after an undo ends the other future", () => {
  const history = new History("a");
  history.push("b");
  history.undo();
  history.push("c");
  expect(history.canRedo).toBe(false);
  expect(history.undo()).toBe("a");
});

test("letters typed quickly into one field are one step, and a pause or another field begins a new one", () => {
  let now = 0;
  const history = new History("", () => now);
  for (const text of ["o", "on", "one"]) {
    now += 100;
    history.push(text, "field");
  }
  now += 5000;
  history.push("one two", "field");
  history.push("else", "other");
  expect([history.undo(), history.undo(), history.undo(), history.canUndo]).toEqual(["one two", "one", "", false]);
});

test("what follows an undo is a step of its own", () => {
  const history = new History("", () => 0);
  history.push("a", "field");
  history.push("ab", "field");
  history.undo();
  history.push("c", "field");
  expect(history.undo()).toBe("");
});
