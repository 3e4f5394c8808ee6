import { expect, test } from "vitest";
import { load } from "js-yaml";

import { h } from "../src/dom";
import { jobFile, toYaml } from "../src/elements/job-file";
import type { Json } from "../src/path";

const DRAFT: Json = {
  model: "starter",
  suffix: "no",
  seed: 3,
  metadata: { commit: "0123", at: "12:30", note: "1e-5" },
  method: { type: "grpo", grpo: { grader: { type: "python", source: "def grade(sample, item):\n    return 1.0\n" }, hyperparameters: { learning_rate: 1e-7 } } },
};

test("a job as YAML is the same job", () => {
  expect(load(toYaml(DRAFT))).toEqual(DRAFT);
});

test("what other readers would take for something else is quoted", () => {
  const text = toYaml(DRAFT);
  for (const line of ["suffix: 'no'", "commit: '0123'", "at: '12:30'", "note: '1e-5'", "learning_rate: 1.e-7"]) expect(text).toContain(line);
});

test("a page's own JSON is what is shown and kept", () => {
  const element = jobFile(h("pre", {}, `{"model": "starter", "seed": 3}`));
  element.setAttribute("form", "yaml");
  document.body.append(element);
  expect(element.text).toBe("model: starter\nseed: 3\n");
  expect(element.querySelector("[aria-label='job.yaml']")?.textContent).toBe(element.text);
  element.querySelectorAll<HTMLButtonElement>(".segmented button")[1]?.click();
  expect(JSON.parse(element.text)).toEqual({ model: "starter", seed: 3 });
});

test("code stays readable", () => {
  expect(toYaml(DRAFT)).toContain("source: |\n        def grade(sample, item):\n            return 1.0\n");
});
