import { expect, test } from "vitest";

import type { ServingTest } from "../src/elements/serving-curves";
import { table } from "../src/elements/serving-curves";

function measured(id: string, speeds: Record<number, number>): ServingTest {
  const rest = { errors: 0, first_token_p50_ms: null, first_token_p95_ms: null, token_p50_ms: null, answer_p50_ms: null };
  const levels = Object.entries(speeds).map(([at_once, tokens_per_s]) => ({ at_once: Number(at_once), tokens_per_s, ...rest }));
  return { id, model: "m", created_at: 0, levels };
}

test("tests of different levels stand over one axis, with gaps where one was not measured", () => {
  const tests = [measured("b", { 1: 10, 4: 40 }), measured("a", { 2: 15, 4: 30, 32: 90 })];
  expect(table(tests, "tokens_per_s")).toEqual([
    [1, 2, 4, 32],
    [10, null, 40, null],
    [null, 15, 30, 90],
  ]);
  expect(table([measured("c", { 8: 1 })], "token_p50_ms")).toEqual([[8], [null]]);
  expect(table([], "errors")).toEqual([[]]);
});
