import { expect, test } from "vitest";

import type { Verdict } from "../src/job-draft";
import type { Reward } from "../src/job-draft";
import { below, buttonState, tidy, withMethod } from "../src/job-draft";

const READY: Verdict = { ready: true, problems: [], preview: {} };
const GRPO = { model: "starter", training_file: "file-1", method: { type: "grpo", grpo: { evaluator: "math@1" } } };

test.each([
  [{}, "Choose a model"],
  [{ model: "starter" }, "Choose a method"],
  [{ model: "starter", method: { type: "full", full: {} } }, "Choose a dataset"],
  [{ ...GRPO, method: { type: "grpo", grpo: {} } }, "Choose an evaluator"],
])("the button of %o says “%s”", (draft, label) => {
  expect(buttonState(draft, "needed", READY, false)).toEqual({ label, enabled: false });
});

test("the button waits for the server's word", () => {
  expect(buttonState(GRPO, "needed", null, false)).toEqual({ label: "Checking…", enabled: false });
});

test("the button counts what the server found", () => {
  const problem = { param: null, message: "no", code: "x", next_step: null };
  const verdict = { ready: false, problems: [problem, problem], preview: {} };
  expect(buttonState(GRPO, "needed", verdict, false)).toEqual({ label: "2 things to mend", enabled: false });
});

test("the button creates once everything is right, and once only", () => {
  expect(buttonState(GRPO, "needed", READY, false)).toEqual({ label: "Create job", enabled: true });
  expect(buttonState(GRPO, "needed", READY, true).enabled).toBe(false);
});

test("a grader in the draft does for an evaluator", () => {
  const draft = { ...GRPO, method: { type: "grpo", grpo: { grader: { type: "number" } } } };
  expect(buttonState(draft, "needed", READY, false).label).toBe("Create job");
});

test.each(["optional", "none"] as Reward[])("an evaluator that is %s is not waited for", (reward) => {
  const draft = { ...GRPO, method: { type: "dpo", dpo: {} } };
  expect(buttonState(draft, reward, READY, false).label).toBe("Create job");
});

test("another method keeps what it knows", () => {
  const draft = { method: { type: "grpo", grpo: { evaluator: "math@1", lora: { rank: 4 }, hyperparameters: { n_epochs: 2, beta: 0.1 } } } };
  const known = (path: string[]): boolean => ["evaluator", "hyperparameters.n_epochs"].includes(path.join("."));
  expect(withMethod(draft, "full", known)).toEqual({ method: { type: "full", full: { evaluator: "math@1", hyperparameters: { n_epochs: 2 } } } });
  expect(withMethod(draft, "reward_model", () => false)).toEqual({ method: { type: "reward_model", reward_model: {} } });
});

test("empty objects are left out of the JSON", () => {
  const draft = { method: { type: "full", full: { hyperparameters: {} } }, resources: {} };
  expect(tidy(draft)).toEqual({ method: { type: "full", full: {} } });
});

test("a server's path is split at the method", () => {
  expect(below("method.grpo.hyperparameters.beta", "method.grpo")).toBe("hyperparameters.beta");
  expect(below("model", "method.grpo")).toBeNull();
});
