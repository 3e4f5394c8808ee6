import { expect, test } from "vitest";

import { formulaOf, shareOf, weightsIn } from "../src/weights";

const NAMES = ["a", "b", "c"];

test.each([
  ["a", { a: 1, b: null, c: null }, false],
  ["0.8 * a + 0.2 * b", { a: 0.8, b: 0.2, c: null }, false],
  [" a*2 - b*.5+c ", { a: 2, b: -0.5, c: 1 }, false],
  ["-a + 1e-3 * b", { a: -1, b: 0.001, c: null }, false],
  ["(a + b + c) / 3", { a: 1, b: 1, c: 1 }, true],
  ["(2 * a + c) / 3", { a: 2, b: null, c: 1 }, true],
])("%s is weights", (formula, weights, isMean) => {
  expect(weightsIn(formula, NAMES)).toEqual({ weights, isMean });
});

test.each(["", "a * b", "a + 1", "min(a, b)", "a + a", "a b", "(a + b) / 3", "(a) * 2", "a + d", "a ^ 2", "2 * a * b", "a + -b", "((a + b)) / 2", "0.5 a"])(
  "%s is more than weights",
  (formula) => {
    expect(weightsIn(formula, NAMES)).toBeNull();
  },
);

test.each(["a", "0.8 * a + 0.2 * b", "-a + 0.001 * b", "(a + b + c) / 3", "(0.1 * a + 0.2 * b) / 0.3", "(2 * a + c) / 3"])("%s is written as it was read", (formula) => {
  const found = weightsIn(formula, NAMES);
  expect(found).not.toBeNull();
  if (found !== null) expect(formulaOf(found)).toBe(formula);
});

test("a share is of all weights, whatever their sign", () => {
  const found = weightsIn("3 * a - b", NAMES);
  if (found === null) throw new Error("no weights");
  expect(shareOf("a", found)).toBe(0.75);
  expect(shareOf("b", found)).toBe(0.25);
  expect(shareOf("c", found)).toBeNull();
});
