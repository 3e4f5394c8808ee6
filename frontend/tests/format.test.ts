import { expect, test } from "vitest";

import { bytes, change, duration, metric, money, percent, roughly, smooth } from "../src/format";

test.each([
  [0, "0"],
  [0.123456, "0.123"],
  [12.3456, "12.35"],
  [123.456, "123.5"],
  [123456.7, "123,457"],
  [0.00001, "1.0e−5"],
  [-0.5, "−0.5"],
  [null, "–"],
  [Number.NaN, "–"],
])("the metric %s reads %s", (value, text) => {
  expect(metric(value)).toBe(text);
});

test.each([
  [0.84, "0.8 s"],
  [42, "42 s"],
  [125, "2 min 5 s"],
  [7260, "2 h 1 min"],
  [null, "–"],
])("%s seconds read %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0.2, "1 s"],
  [42.4, "42 s"],
  [300, "5 min"],
  [9000, "2.5 h"],
  [40_000, "11 h"],
  [259_200, "3 days"],
])("a job of about %s seconds takes %s", (seconds, text) => {
  expect(roughly(seconds)).toBe(text);
});

test.each([
  [0.00321, "0.0032 EUR"],
  [1.2, "1.20 EUR"],
  [140.4, "140 EUR"],
  [0, "0.00 EUR"],
])("%s reads %s", (amount, text) => {
  expect(money(amount, "EUR")).toBe(text);
});

test("a share is a percentage, a change has its sign, a size has its unit", () => {
  expect(percent(0.8125)).toBe("81.3%");
  expect(change(0.25)).toBe("+0.25");
  expect(change(-0.25)).toBe("−0.25");
  expect(bytes(4_166_206)).toBe("4.2 MB");
  expect(bytes(0)).toBe("0 B");
});

test("smoothing begins at the first value and follows the rest", () => {
  const smoothed = smooth([1, 1, 1, 0], 0.6);
  expect(smoothed[0]).toBeCloseTo(1);
  expect(smoothed[2]).toBeCloseTo(1);
  expect(smoothed[3]).toBeLessThan(1);
  expect(smooth([3, null, 5], 0)).toEqual([3, null, 5]);
});
