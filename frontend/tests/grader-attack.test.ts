import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { graderAttack } from "../src/elements/grader-attack";

const LOST = { row: 2, answer: "18 18 18", score: 1, right_score: 1 };
const REPEATED = { name: "repeated", title: "Thirty times", advice: "Add a length grader.", tried: 4, wins: 3, mean: 1, right_mean: 1, example: LOST };
const EMPTY = { name: "empty", title: "Nothing", advice: "Pay for something.", tried: 4, wins: 0, mean: 0, right_mean: 1, example: null };

function attacked(outcome: unknown) {
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(JSON.stringify(outcome)))));
  const made = graderAttack();
  document.body.replaceChildren(made);
  made.grader = { type: "string_check" };
  made.rows = "file-1";
  made.querySelector("button")?.click();
  return made;
}

beforeEach(() => document.body.replaceChildren());
afterEach(() => vi.unstubAllGlobals());

test("without a dataset there is nothing to attack with", () => {
  const made = graderAttack();
  document.body.replaceChildren(made);
  expect(made.hidden).toBe(true);
  made.rows = "file-1";
  expect(made.hidden).toBe(false);
  expect(made.querySelector("button")?.disabled).toBe(true);
});

test("a trick that wins says on how many rows, with an example and what helps", async () => {
  const made = attacked({ rows: 4, holds: false, tricks: [REPEATED, EMPTY] });
  await vi.waitFor(() => expect(made.querySelector(".attack-verdict.bad")).not.toBeNull());
  const [won, held] = [...made.querySelectorAll(".attack-row")];
  expect(won?.textContent).toContain("3 of 4 rows");
  expect(won?.textContent).toContain("Add a length grader.");
  expect(won?.textContent).toContain("Row 3: it scored 1");
  expect(held?.textContent).toContain("holds");
});

test("a grader that holds says so, and a changed one makes that out of date", async () => {
  const made = attacked({ rows: 4, holds: true, tricks: [EMPTY] });
  await vi.waitFor(() => expect(made.querySelector(".attack-verdict.good")).not.toBeNull());
  made.grader = { type: "number" };
  expect(made.querySelector(".attack-result.outdated")).not.toBeNull();
});

test("rows without a right answer are said to be none", async () => {
  const made = attacked({ rows: 4, holds: true, tricks: [{ ...EMPTY, tried: 0 }] });
  await vi.waitFor(() => expect(made.querySelector(".empty-line")).not.toBeNull());
});

test("an answer is shown as text, whatever it holds", async () => {
  const answer = "<img src=x onerror=alert(1)>";
  const made = attacked({ rows: 1, holds: false, tricks: [{ ...REPEATED, example: { ...LOST, answer } }] });
  await vi.waitFor(() => expect(made.querySelector("pre")?.textContent).toBe(answer));
  expect(made.querySelector("img")).toBeNull();
});
