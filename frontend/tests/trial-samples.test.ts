import { beforeEach, expect, test, vi } from "vitest";

import { TrialSamples } from "../src/elements/trial-samples";

beforeEach(() => document.body.replaceChildren());

function made(changed = (): void => undefined): TrialSamples {
  const samples = new TrialSamples(changed);
  document.body.append(samples.element);
  return samples;
}

function type(field: HTMLTextAreaElement, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input"));
}

test("a sample has a field for the answer and one for each column that is read", () => {
  const changed = vi.fn();
  const samples = made(changed);
  samples.columns = ["answer", "source"];
  const [text, answer] = [...samples.element.querySelectorAll("textarea")];
  type(text as HTMLTextAreaElement, "it is 4");
  type(answer as HTMLTextAreaElement, "4");
  expect(samples.samples).toEqual([{ sample: { output_text: "it is 4" }, item: { answer: "4" } }]);
  expect(changed).toHaveBeenCalledTimes(2);
});

test("what is no text is edited as JSON, and half of it changes nothing", () => {
  const samples = made();
  samples.samples = [{ sample: { output_text: "" }, item: { tests: [1, 2] } }];
  const field = samples.element.querySelectorAll("textarea")[1] as HTMLTextAreaElement;
  type(field, "[1, ");
  expect(samples.samples[0]?.item).toEqual({ tests: [1, 2] });
  expect(field.getAttribute("aria-invalid")).toBe("true");
  type(field, "[3]");
  expect(samples.samples[0]?.item).toEqual({ tests: [3] });
});

test("another column keeps what was typed", () => {
  const samples = made();
  samples.columns = ["answer"];
  type(samples.element.querySelectorAll("textarea")[1] as HTMLTextAreaElement, "4");
  samples.columns = ["reference"];
  expect(samples.samples[0]?.item).toEqual({ answer: "4" });
  expect(samples.element.querySelectorAll("textarea")).toHaveLength(3);
});

test("answers are added, doubled and removed, and one always stays", () => {
  const samples = made();
  samples.samples = [{ sample: { output_text: "a" }, item: {}, says: "right", why: "it is" }];
  const press = (label: string): void => samples.element.querySelector<HTMLElement>(`[aria-label="${label}"]`)?.click();
  press("Duplicate this answer");
  expect(samples.samples.map(({ sample, says }) => [sample["output_text"], says])).toEqual([["a", "right"], ["a", undefined]]);
  press("Remove this answer");
  expect(samples.samples).toHaveLength(1);
  expect(samples.element.querySelector("[data-removes]")?.hasAttribute("hidden")).toBe(true);
});

test("each answer shows its own score", () => {
  const samples = made();
  samples.samples = [{ sample: { output_text: "a" }, item: {} }, { sample: { output_text: "b" }, item: {} }];
  samples.showGrades([{ score: 1 }, { score: null }]);
  const marks = [...samples.element.querySelectorAll(".own-mark")].map((mark) => mark.textContent);
  expect(marks).toEqual(["1", "not scored"]);
});
