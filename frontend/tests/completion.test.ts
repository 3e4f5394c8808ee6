import { beforeEach, expect, test } from "vitest";

import type { Completion } from "../src/completion";
import { complete } from "../src/completion";
import { schemaForm } from "../src/elements/schema-form";
import { formulaCompletion } from "../src/formula-completion";
import { templateCompletion } from "../src/template-completion";
import { schemaOf } from "./schemas";

const COLUMNS = ["answer", "unit price", "it's", "a}b"];
const templates = templateCompletion(() => ({ columns: COLUMNS, isStep: false }));
const formulas = formulaCompletion(() => ["exact", "max_words"]);

beforeEach(() => document.body.replaceChildren());

/** The caret is at the bar. */
function at(source: typeof templates, marked: string, isAsked = false): Completion | null {
  return source(marked.replace("|", ""), marked.indexOf("|"), isAsked);
}

function labels(found: Completion | null): string[] {
  return (found?.candidates ?? []).map(({ label }) => label);
}

/** The text once the first candidate was taken. */
function taken(source: typeof templates, marked: string, isAsked = false): string {
  const found = at(source, marked, isAsked) as Completion;
  const text = marked.replace("|", "");
  return text.slice(0, found.from) + found.candidates[0]?.insert + text.slice(found.to);
}

test("an open tag offers the columns and what the model said", () => {
  const offered = labels(at(templates, "The answer: {{|"));
  expect(offered).toContain("item.answer");
  expect(offered).toContain("sample.output_text");
  expect(offered).not.toContain("sample.previous_steps");
});

test.each(["{{|", "{{ |", "{{ item.an|", "{{ ans|", "{{ item.an| }}", "{{item.|x}}", "{{ item.an|swer"])("“%s” becomes a whole tag", (marked) => {
  expect(taken(templates, `is ${marked} right`)).toBe("is {{ item.answer }} right");
});

test.each(["plain| text", "{{ item.answer }}|", "a } b|", "{{ item.answer| }}", "{{ nothing|"])("nothing is offered in “%s”", (marked) => {
  expect(at(templates, marked)).toBeNull();
});

test("names with blanks and quotes are written as a template reads them", () => {
  const offered = labels(at(templates, "{{|"));
  expect(offered).toContain("item['unit price']");
  expect(offered).toContain(`item["it's"]`);
  expect(offered.join()).not.toContain("a}b");
});

test("a name with blanks is found as it is typed", () => {
  expect(labels(at(templates, "{{ item.unit|"))).toEqual(["item['unit price']"]);
  expect(labels(at(templates, "{{ item['unit|"))).toEqual(["item['unit price']"]);
});

test("a step knows the steps before it", () => {
  const steps = templateCompletion(() => ({ columns: [], isStep: true }));
  expect(labels(at(steps, "{{ prev|"))).toEqual(["sample.previous_steps"]);
});

test("asked for, a tag is offered anywhere", () => {
  expect(taken(templates, "right: |", true)).toBe("right: {{ item.answer }}");
});

test("a word of a formula offers parts and functions", () => {
  expect(labels(at(formulas, "0.5 * ex|"))).toEqual(["exact", "exp"]);
  expect(labels(at(formulas, "ma|"))).toEqual(["max_words", "max"]);
});

test.each([
  ["0.5 * e|", "0.5 * exact"],
  ["sq|", "sqrt("],
  ["sq|(exact)", "sqrt(exact)"],
  ["e|xa + 1", "exact + 1"],
])("“%s” becomes “%s”", (marked, wanted) => {
  expect(taken(formulas, marked)).toBe(wanted);
});

test.each(["1e|5", "exact|", "0.5 * |", "zz|"])("a formula offers nothing in “%s”", (marked) => {
  expect(at(formulas, marked)).toBeNull();
});

test("asked for, a formula offers everything", () => {
  expect(labels(at(formulas, "exact + |", true))).toHaveLength(10);
});

function field(): HTMLTextAreaElement {
  const area = document.createElement("textarea");
  document.body.append(area);
  complete(area, templates);
  area.focus();
  return area;
}

function type(area: HTMLTextAreaElement, text: string): void {
  area.value = text;
  area.setSelectionRange(text.length, text.length);
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

function list(): HTMLElement | null {
  return document.querySelector('[role="listbox"]');
}

test("the list is a listbox that the field owns while it is open", () => {
  const area = field();
  type(area, "{{ item.");
  expect(area.getAttribute("aria-expanded")).toBe("true");
  expect(area.getAttribute("aria-controls")).toBe(list()?.id);
  expect(list()?.querySelectorAll('[role="option"]')).toHaveLength(3);
});

test("a click takes a suggestion, and the field says that it changed", () => {
  const area = field();
  let heard = 0;
  type(area, "{{ ans");
  area.addEventListener("input", () => (heard += 1));
  list()?.querySelector<HTMLElement>('[role="option"]')?.click();
  expect(area.value).toBe("{{ item.answer }}");
  expect(heard).toBe(1);
  expect(list()).toBeNull();
});

test.each([
  ["Escape", (area: HTMLTextAreaElement) => area.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", cancelable: true }))],
  ["leaving the field", (area: HTMLTextAreaElement) => area.blur()],
  ["text that nothing fits", (area: HTMLTextAreaElement) => type(area, "plain")],
])("%s closes the list", (_, act) => {
  const area = field();
  type(area, "{{");
  expect(list()).not.toBeNull();
  act(area);
  expect(list()).toBeNull();
  expect(area.hasAttribute("aria-expanded")).toBe(false);
});

test("Ctrl and space open the list without a tag", () => {
  const area = field();
  area.dispatchEvent(new KeyboardEvent("keydown", { key: " ", ctrlKey: true, cancelable: true }));
  expect(list()).not.toBeNull();
});

test("a form's templates know the columns that it was told last", () => {
  const schema = schemaOf("grader");
  const form = schemaForm("columns");
  document.body.append(form);
  form.setSchema(schema.$defs?.["StringCheck"] ?? {}, schema.$defs ?? {});
  form.columns = ["question"];
  form.columns = ["gold"];
  const area = form.querySelector<HTMLTextAreaElement>('[data-path="reference"] textarea') as HTMLTextAreaElement;
  area.focus();
  type(area, "{{ item.");
  expect(list()?.textContent).toContain("item.gold");
  expect(list()?.textContent).not.toContain("item.question");
});
