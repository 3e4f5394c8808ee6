import { expect, test } from "vitest";

import type { Summary } from "../src/elements/grader-summary";
import { summaryCard } from "../src/elements/grader-summary";

const FOUND: Summary = {
  count: 4,
  not_scored: 1,
  mean: 0.5,
  std: 0.25,
  least: 0,
  most: 1,
  distinct: 2,
  passed: 2,
  bins: [1, 0, 4, 2],
  errors: { other_error: 3 },
  slowest: [[2, 0.25]],
  parts: { right: 0.5, brief: 0.75 },
  correlation: { right: { brief: -0.5 }, brief: {} },
};

test("a summary says its numbers, parts and slowest row", () => {
  const said = summaryCard(FOUND).textContent ?? "";
  for (const part of ["4 rows", "0.25", "other_error3", "Passed2", "−0.5 brief", "Slowest: row 3, 250 ms"]) expect(said).toContain(part);
});

test("the highest bar is the fullest bin", () => {
  const heights = [...summaryCard(FOUND).querySelectorAll<HTMLElement>(".histogram-bars span")].map(({ style }) => style.height);
  expect(heights).toEqual(["25%", "0%", "100%", "50%"]);
});

test("one score for all rows is a warning, one row is none", () => {
  expect(summaryCard({ ...FOUND, distinct: 1 }).querySelector(".grade-error")).not.toBeNull();
  expect(summaryCard({ ...FOUND, distinct: 1, count: 1 }).querySelector(".grade-error")).toBeNull();
  expect(summaryCard(FOUND).querySelector(".grade-error")).toBeNull();
});

test("without scores there is no picture", () => {
  const nothing = { ...FOUND, mean: null, std: null, least: null, most: null, bins: [], parts: {}, slowest: [] };
  expect(summaryCard(nothing).querySelector(".histogram, table")).toBeNull();
});
