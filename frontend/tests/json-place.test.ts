import { expect, test } from "vitest";

import { parseTree, placeOf } from "../src/json-place";
import { pretty, renameKey, setAt, splitPath } from "../src/path";

const TEXT = pretty({ type: "multi", graders: { a: { operation: "eq" } }, list: [1, { x: 2 }] });

test.each([
  [["graders", "a", "operation"], '"eq"'],
  [["list", "1", "x"], "2"],
  [["graders", "a", "missing"], "{"],
])("the path %o stands at its line", (path, expected) => {
  const { from, to } = placeOf(TEXT, parseTree(TEXT), path);
  expect(TEXT.slice(from, to)).toBe(expected);
});

test("a broken document still has a place for a mark", () => {
  const broken = '{"graders": {"a": ';
  expect(() => placeOf(broken, parseTree(broken), ["graders", "a", "operation"])).not.toThrow();
});

test("a change copies, and leaves the rest as it was", () => {
  const before = { a: { b: 1 }, c: [1, 2] };
  expect(setAt(before, ["a", "b"], 2)).toEqual({ a: { b: 2 }, c: [1, 2] });
  expect(setAt(before, ["a", "b"], undefined)).toEqual({ a: {}, c: [1, 2] });
  expect(before).toEqual({ a: { b: 1 }, c: [1, 2] });
});

test("a renamed key keeps its place", () => {
  expect(Object.keys(renameKey({ a: 1, b: 2, c: 3 }, "b", "z"))).toEqual(["a", "z", "c"]);
});

test("both ways to write a path are read", () => {
  expect(splitPath("graders.a[0].input")).toEqual(["graders", "a", "0", "input"]);
});
