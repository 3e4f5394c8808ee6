import { beforeEach, expect, test } from "vitest";

import type { GraderForm } from "../src/elements/grader-form";
import { graderForm, readKinds } from "../src/elements/grader-form";
import { evidenceIn } from "../src/elements/grade-card";
import * as edits from "../src/grader-edits";
import type { Json } from "../src/path";
import { schemaOf } from "./schemas";

const KINDS = readKinds(schemaOf("grader"));
const EXACT = { type: "string_check", input: "{{ sample.output_text }}", reference: "{{ item.answer }}", operation: "eq" };

beforeEach(() => document.body.replaceChildren());

function form(value: Json): GraderForm {
  const made = graderForm();
  document.body.append(made);
  made.kinds = KINDS;
  made.value = value;
  return made;
}

/** Opens what offers another part, and takes one. */
function add(made: HTMLElement | null, kind: string): void {
  const adder = made?.querySelector<HTMLDetailsElement>(".adder") ?? null;
  if (adder === null) throw new Error("nothing can be added");
  adder.open = true;
  adder.dispatchEvent(new Event("toggle"));
  adder.querySelector<HTMLElement>(`[data-kind="${kind}"]`)?.click();
}

test("every kind of the schema is offered with its promise", () => {
  const cards = [...form(null).querySelectorAll(".kind-card")];
  expect(cards.map((card) => card.getAttribute("data-kind")).sort()).toEqual(Object.keys(KINDS.variants).sort());
  for (const card of cards) expect(card.querySelector(".help")?.textContent).not.toBe("");
});

test.each(Object.keys(KINDS.variants))("a new %s shows in the form exactly what its JSON says", (kind) => {
  const value = edits.newGrader(kind, KINDS);
  const made = form(value);
  expect(made.value).toEqual(value);
});

test("a choice from the gallery becomes a grader", () => {
  const made = form(null);
  made.querySelector<HTMLElement>('[data-kind="number"]')?.click();
  expect(made.value).toMatchObject({ type: "number", pick: "last" });
});

test("two graders are combined by clicking only", () => {
  const made = form(EXACT);
  made.querySelector<HTMLElement>(".grader-head .button")?.click();
  add(made, "regex");
  expect(made.value).toMatchObject({
    type: "multi",
    graders: { string_check: EXACT, regex: { type: "regex" } },
    calculate_output: "(string_check + regex) / 2",
  });
});

test("a value set from the JSON is drawn, whatever was there before", () => {
  const made = form(EXACT);
  made.value = { type: "multi", graders: { a: EXACT }, calculate_output: "a" };
  expect(made.querySelectorAll(".grader")).toHaveLength(2);
  made.value = { ...EXACT, operation: "like" };
  expect(made.querySelector<HTMLSelectElement>('[data-path="operation"] select')?.value).toBe("like");
});

test("a source begins with a function to change", () => {
  expect(edits.newGrader("python", KINDS)).toMatchObject({ source: expect.stringContaining("def grade(sample, item):") });
});

test("a kind without a form is shown and kept", () => {
  const unknown = { type: "lambda", lambda: { function: "arn:of-mine" } };
  const made = form({ type: "multi", graders: { a: EXACT, code: unknown }, calculate_output: "a" });
  expect(made.textContent).toContain("arn:of-mine");
  made.querySelector<HTMLElement>('button[aria-label="Duplicate: a"]')?.click();
  expect(made.value).toMatchObject({ graders: { code: unknown, a_2: EXACT } });
});

test("an error goes to the innermost field that its path names", () => {
  const made = form({ type: "multi", graders: { a: EXACT }, calculate_output: "a" });
  made.problems = new Map([
    ["graders.a.operation", "not an operation"],
    ["calculate_output", "no grader b"],
  ]);
  expect(made.querySelector('.grader .grader [data-path="operation"]')?.textContent).toContain("not an operation");
  expect(made.querySelector(".formula")?.textContent).toContain("no grader b");
});

test("a renamed part is renamed in the formula, and only there", () => {
  const root = { type: "multi", graders: { a: EXACT, ab: EXACT }, calculate_output: "a + ab * max(a, 1)" };
  expect(edits.renamePart(root, [], "a", "exact")).toEqual({
    type: "multi",
    graders: { exact: EXACT, ab: EXACT },
    calculate_output: "exact + ab * max(exact, 1)",
  });
});

test("the formula follows the parts until somebody writes another", () => {
  const two = { type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "(a + b) / 2" };
  expect(edits.removePart(two, [], "b")).toMatchObject({ calculate_output: "a" });
  expect(edits.removePart({ ...two, calculate_output: "a * b" }, [], "b")).toMatchObject({ calculate_output: "a * b" });
});

test("weights stay what they were when a part comes or goes", () => {
  const two = { type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "0.8 * a + 0.2 * b" };
  expect(edits.addPart(two, [], "number", KINDS)).toMatchObject({ calculate_output: "0.8 * a + 0.2 * b + number" });
  expect(edits.removePart(two, [], "a")).toMatchObject({ calculate_output: "0.2 * b" });
});

test("a part moves among its siblings", () => {
  const three = { type: "multi", graders: { a: EXACT, b: EXACT, c: EXACT }, calculate_output: "a" };
  const order = (value: Json): string[] => Object.keys(edits.partsOf(value));
  expect(order(edits.movePart(three, [], "c", 0))).toEqual(["c", "a", "b"]);
  expect(order(edits.movePart(three, [], "a", 9))).toEqual(["b", "c", "a"]);
  expect(order(edits.movePart(three, [], "b", -1))).toEqual(["b", "a", "c"]);
  expect(edits.movePart(three, [], "x", 0)).toEqual(three);
});

test("what is switched off follows its name, and leaves no trace when it is gone", () => {
  const two: Json = { type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "a + b" };
  const off = edits.switchPart(two, [], "b", false);
  expect(off).toEqual({ ...two, disabled: ["b"] });
  expect(edits.renamePart(off, [], "b", "close")).toMatchObject({ disabled: ["close"] });
  expect(edits.removePart(off, [], "b")).not.toHaveProperty("disabled");
  expect(edits.switchPart(off, [], "b", true)).toEqual(two);
});

test("another kind keeps what both kinds have", () => {
  const changed = edits.changeKind(EXACT, [], "text_similarity", KINDS);
  expect(changed).toMatchObject({ type: "text_similarity", reference: "{{ item.answer }}" });
  expect(changed).not.toHaveProperty("operation");
});

test("the columns that a grader reads are found in every part", () => {
  const root = { type: "multi", graders: { a: EXACT, b: { ...EXACT, reference: "{{item.unit}}" } }, calculate_output: "a" };
  expect(edits.columnsRead(root)).toEqual(["answer", "unit"]);
});

test.each([
  ["two words", false],
  ["1st", false],
  ["a", false],
  ["fine_1", true],
])("may a part be called “%s”: %s", (name, isFine) => {
  expect(edits.nameProblem(name, ["a"]) === null).toBe(isFine);
});

test("a reward model is chosen among those that the page knows", () => {
  const made = graderForm();
  document.body.append(made);
  made.known = { "reward-model": ["taste", "tact"] };
  made.kinds = KINDS;
  made.value = edits.newGrader("reward_model", KINDS);
  const select = made.querySelector<HTMLSelectElement>('[data-path="model"] select') as HTMLSelectElement;
  expect([...select.options].map(({ value }) => value)).toEqual(["", "taste", "tact"]);
  select.value = "tact";
  select.dispatchEvent(new Event("change"));
  expect(made.value).toMatchObject({ type: "reward_model", model: "tact" });
});

test("a reward model that the JSON names stays, though the page does not know it", () => {
  const made = graderForm();
  document.body.append(made);
  made.known = { "reward-model": [] };
  made.kinds = KINDS;
  made.value = { type: "reward_model", model: "gone" };
  expect(made.querySelector<HTMLSelectElement>('[data-path="model"] select')?.value).toBe("gone");
});

test("the grader of steps is chosen, changed and combined by clicking only", () => {
  const made = form(null);
  made.querySelector<HTMLElement>('[data-kind="steps"]')?.click();
  expect(made.value).toMatchObject({ type: "steps", grader: null, split: "blank_line" });
  made.querySelector<HTMLElement>('[data-path="grader"] [data-kind="number"]')?.click();
  expect(made.value).toMatchObject({ type: "steps", grader: { type: "number", pick: "last" } });
  made.querySelector<HTMLElement>('[data-path="grader"] .grader-head .button')?.click();
  add(made.querySelector<HTMLElement>('[data-path="grader"]'), "regex");
  expect(made.value).toMatchObject({
    type: "steps",
    grader: { type: "multi", graders: { number: { type: "number" }, regex: { type: "regex" } }, calculate_output: "(number + regex) / 2" },
  });
});

test("an error in the grader of steps goes to its own field", () => {
  const made = form({ type: "steps", grader: EXACT });
  made.problems = new Map([["grader.operation", "not an operation"]]);
  expect(made.querySelector('.grader .grader [data-path="operation"]')?.textContent).toContain("not an operation");
});

test("a part that is called grader keeps its name and its buttons", () => {
  const made = form({ type: "multi", graders: { grader: EXACT, graders: { type: "steps", grader: EXACT } }, calculate_output: "grader" });
  expect([...made.querySelectorAll<HTMLInputElement>(".part-name")].map(({ value }) => value)).toEqual(["grader", "graders"]);
  expect(made.querySelectorAll(".grader")).toHaveLength(4);
});

test("what explains a score is listed, with the part that saw it", () => {
  const part = { score: 1, evidence: { found: 18 } };
  const grade = { score: 1, evidence: { printed: "looking\n" }, sub: { right: part, brief: { score: 0 } } };
  expect(evidenceIn(grade)).toEqual([
    ["printed", "looking"],
    ["right.found", "18"],
  ]);
});

test("many parts that come at once are folded, and open one by one", () => {
  const names = Array.from({ length: 10 }, (_, n) => `g${n}`);
  const made = form({ type: "multi", graders: Object.fromEntries(names.map((name) => [name, EXACT])), calculate_output: names.join(" + ") });
  expect(made.querySelectorAll(".grader.folded")).toHaveLength(10);
  made.querySelectorAll<HTMLElement>(".fold")[3]?.click();
  expect(made.querySelectorAll(".grader.folded")).toHaveLength(9);
  expect(made.querySelector('[data-path="graders.g3"] schema-form')).not.toBeNull();
});

test("a folded card says what is wrong inside it", () => {
  const names = Array.from({ length: 10 }, (_, n) => `g${n}`);
  const made = form({ type: "multi", graders: Object.fromEntries(names.map((name) => [name, EXACT])), calculate_output: "g1" });
  made.problems = new Map([["graders.g4.operation", "no such operation"]]);
  expect(made.querySelector('[data-path="graders.g4"] .grader-errors')?.textContent).toBe("no such operation");
});

test("the arrow keys on the grip move a part, and the grip keeps the focus", () => {
  const made = form({ type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "a + b" });
  const grip = made.querySelector<HTMLElement>('[data-path="graders.b"] .grip');
  grip?.focus();
  grip?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }));
  expect(Object.keys(edits.partsOf(made.value))).toEqual(["b", "a"]);
  expect(document.activeElement?.closest(".grader")?.getAttribute("data-path")).toBe("graders.b");
});

test("a part is switched off and on again, and says so", () => {
  const made = form({ type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "a + b" });
  const toggle = (): void => made.querySelector<HTMLElement>('[data-path="graders.b"] [role="switch"]')?.click();
  toggle();
  expect(made.value).toMatchObject({ disabled: ["b"] });
  expect(made.querySelector('[data-path="graders.b"]')?.classList.contains("off")).toBe(true);
  toggle();
  expect(made.value).not.toHaveProperty("disabled");
});

test("weights are set without writing a formula", () => {
  const made = form({ type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "(a + b) / 2" });
  const [first] = made.querySelectorAll<HTMLInputElement>(".weight-row input");
  if (first === undefined) throw new Error("no weights");
  first.value = "3";
  first.dispatchEvent(new Event("input"));
  expect(made.value).toMatchObject({ calculate_output: "(3 * a + b) / 4" });
  made.querySelector<HTMLInputElement>(".weights input[type=checkbox]")?.click();
  expect(made.value).toMatchObject({ calculate_output: "3 * a + b" });
});

test("a formula that is more than weights is shown as it is, and weights replace it when they are asked for", () => {
  const made = form({ type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "a * b" });
  expect(made.querySelector<HTMLElement>(".weights")?.hidden).toBe(true);
  expect(made.querySelector<HTMLTextAreaElement>(".formula textarea")?.value).toBe("a * b");
  made.querySelectorAll<HTMLElement>(".segmented button")[0]?.click();
  expect(made.value).toMatchObject({ calculate_output: "(a + b) / 2" });
});

test("a letter in one field leaves the other forms alone", () => {
  const made = form({ type: "multi", graders: { a: EXACT, b: EXACT }, calculate_output: "a + b" });
  const other = made.querySelector<HTMLTextAreaElement>('[data-path="graders.b"] [data-path="reference"] textarea') as HTMLTextAreaElement;
  other.value = "half typed";
  const field = made.querySelector<HTMLTextAreaElement>('[data-path="graders.a"] [data-path="reference"] textarea') as HTMLTextAreaElement;
  field.value = "{{ item.x }}";
  field.dispatchEvent(new Event("input"));
  expect(made.value).toMatchObject({ graders: { a: { reference: "{{ item.x }}" } } });
  expect(other.value).toBe("half typed");
});

test("parts in a list, or a single one, become parts by name; what has no name stays as it is", () => {
  const named = { ...EXACT, name: "a" };
  const multi = (graders: Json): Json => ({ type: "multi", graders, calculate_output: "a" });
  expect(edits.withPartsByName(multi([named]))).toEqual(multi({ a: named }));
  expect(edits.withPartsByName(multi(named))).toEqual(multi({ a: named }));
  expect(edits.withPartsByName(multi({ b: multi([named]) }))).toEqual(multi({ b: multi({ a: named }) }));
  expect(edits.withPartsByName({ type: "steps", grader: multi([named]) })).toEqual({ type: "steps", grader: multi({ a: named }) });
  for (const same of [multi([EXACT]), multi([named, named]), EXACT, null]) expect(edits.withPartsByName(same)).toEqual(same);
});
