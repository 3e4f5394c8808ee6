import { expect, test } from "vitest";

import type { GradedRow } from "../src/elements/trial-table";
import { arranged, TrialTable } from "../src/elements/trial-table";

function row(n: number, score: number | null, more: object = {}): GradedRow {
  return { row: n, sample: { output_text: `answer ${n}` }, item: { reference: `r${n}` }, grade: { score, time_s: n / 1000, errors: {}, sub: {}, passed: null, ...more } };
}

const ROWS = [row(0, 1), row(1, null), row(2, 0), row(3, 0.5, { errors: { invalid_variable_error: true } }), row(4, 1, { passed: true })];

const order = (...args: Parameters<typeof arranged>): number[] => arranged(...args).map((each) => each.row);

test("rows stand in their own order, or by score, or by time", () => {
  expect(order(ROWS, "row", "all", "")).toEqual([0, 1, 2, 3, 4]);
  expect(order(ROWS, "worst", "all", "")).toEqual([1, 2, 3, 0, 4]);
  expect(order(ROWS, "best", "all", "")).toEqual([0, 4, 3, 2, 1]);
  expect(order(ROWS, "slowest", "all", "")).toEqual([4, 3, 2, 1, 0]);
});

test("only those that are wanted are listed", () => {
  expect(order(ROWS, "row", "unscored", "")).toEqual([1]);
  expect(order(ROWS, "row", "flagged", "")).toEqual([3]);
  expect(order(ROWS, "row", "zero", "")).toEqual([2]);
  expect(order(ROWS, "row", "passed", "")).toEqual([4]);
  expect(order(ROWS, "row", "all", "R3")).toEqual([3]);
  expect(order(ROWS, "row", "all", "Answer 2")).toEqual([2]);
});

test("what a model wrote is text, whatever it looks like", () => {
  const table = new TrialTable();
  const text = "<img src=x onerror=alert(1)><script>alert(2)</script>";
  table.add([{ ...row(0, 1), sample: { output_text: text } }]);
  expect(table.element.querySelector("img,script")).toBeNull();
  expect(table.element.querySelector(".trial-row summary")?.textContent).toContain(text);
});

test("a thousand rows are a page at a time", () => {
  const table = new TrialTable();
  table.add(Array.from({ length: 1000 }, (_, n) => row(n, n % 2)));
  table.finish();
  expect(table.element.querySelectorAll(".trial-row")).toHaveLength(20);
  expect(table.element.querySelector(".pager")?.textContent).toContain("1 to 20 of 1,000");
});
