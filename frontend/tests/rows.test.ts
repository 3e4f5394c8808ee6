import { EditorView } from "@codemirror/view";
import { beforeEach, expect, test, vi } from "vitest";

import type { SchemaForm } from "../src/elements/schema-form";
import { schemaForm } from "../src/elements/schema-form";
import type { JsonObject } from "../src/path";
import { schemaOf } from "./schemas";

const LABELLED = {
  type: "label_model",
  model: "judge",
  input: [
    { role: "system", content: "Judge." },
    { role: "user", content: "{{ sample.output_text }}" },
  ],
  labels: ["very good", "good, mostly", "bad"],
  passing_labels: ["very good"],
};
const HEADERS = { type: "endpoint", url: "https://x.example", headers: { "X-One": "1", "X-Two": "a, b" } };

beforeEach(() => document.body.replaceChildren());

function formOf(kind: string, value: JsonObject): SchemaForm {
  const schema = schemaOf("grader");
  const form = schemaForm("rows");
  document.body.append(form);
  form.setSchema(schema.$defs?.[kind] ?? {}, schema.$defs ?? {});
  form.value = value;
  return form;
}

function at<T extends HTMLElement = HTMLInputElement>(form: SchemaForm, selector: string): T {
  const found = form.querySelector<T>(selector);
  if (found === null) throw new Error(selector);
  return found;
}

function type(field: HTMLInputElement, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function press(form: SchemaForm, label: string): void {
  at<HTMLButtonElement>(form, `button[aria-label="${label}"]`).click();
}

test("a message is a card with its role and its text", () => {
  const form = formOf("LabelModel", LABELLED);
  expect(form.querySelectorAll(".row-card select")).toHaveLength(2);
  type(at(form, '[data-path="input.1.content"] textarea'), "Is it good?");
  expect(form.value).toEqual({ ...LABELLED, input: [LABELLED.input[0], { role: "user", content: "Is it good?" }] });
});

test("a label may hold blanks and commas", () => {
  const form = formOf("LabelModel", LABELLED);
  expect(at(form, '[data-path="labels.1"] input').value).toBe("good, mostly");
  type(at(form, '[data-path="labels.1"] input'), "good, in the main");
  expect(form.value["labels"]).toEqual(["very good", "good, in the main", "bad"]);
});

test("an entry is added, moved and removed, and the rest stays", () => {
  const form = formOf("LabelModel", LABELLED);
  press(form, "Add: Messages");
  expect(form.value["input"]).toEqual([...LABELLED.input, { role: "user", content: "" }]);
  press(form, "Move up: Messages 3");
  expect((form.value["input"] as JsonObject[]).map(({ content }) => content)).toEqual(["Judge.", "", "{{ sample.output_text }}"]);
  press(form, "Remove: Messages 2");
  expect(form.value).toEqual(LABELLED);
});

test("Alt with an arrow moves an entry, and the focus goes with it", () => {
  const form = formOf("LabelModel", LABELLED);
  at(form, '[data-path="labels.2"] input').focus();
  document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", altKey: true, bubbles: true, cancelable: true }));
  expect(form.value["labels"]).toEqual(["very good", "bad", "good, mostly"]);
  expect(document.activeElement?.closest("[data-path]")?.getAttribute("data-path")).toBe("labels.1");
});

test("a new entry has the focus", () => {
  const form = formOf("LabelModel", LABELLED);
  press(form, "Add: Labels");
  expect(document.activeElement?.closest("[data-path]")?.getAttribute("data-path")).toBe("labels.3");
});

test("typing in an entry draws nothing anew", () => {
  const form = formOf("LabelModel", LABELLED);
  const before = at(form, '[data-path="input.1.content"] textarea');
  type(before, "Is it?");
  expect(at(form, '[data-path="input.1.content"] textarea')).toBe(before);
});

test("an error stands in the entry that its path names, and one about the list under the list", () => {
  const form = formOf("LabelModel", LABELLED);
  form.problems = new Map([
    ["input.1.content", "no column answr"],
    ["labels", "too few"],
  ]);
  expect(at(form, '[data-path="input.1.content"] > .help').textContent).toBe("no column answr");
  expect(at(form, '[data-path="input.0.content"] > .help').textContent).toBe("");
  expect(at(form, '[data-path="labels"] > .help').textContent).toContain("too few");
});

test("an error inside a field goes to the field", () => {
  const form = formOf("Endpoint", HEADERS);
  form.problems = new Map([["headers.X-Two", "must be text"]]);
  expect(at(form, '[data-path="headers"] > .help').textContent).toBe("X-Two: must be text");
});

test("the last entry of an optional list takes the list away", () => {
  const form = formOf("Rubric", { type: "rubric", model: "judge", criteria: [{ text: "right" }] });
  press(form, "Remove: Criteria 1");
  expect(form.value["criteria"]).toBeNull();
  press(form, "Add: Criteria");
  expect(form.value["criteria"]).toEqual([{ text: "" }]);
});

test("what the schema does not know is shown, kept and can be removed", () => {
  const input = [{ role: "user", content: [{ type: "input_text", text: "hi" }], type: "message" }];
  const form = formOf("LabelModel", { ...LABELLED, input, extra: { a: 1 } });
  expect(at(form, '[data-path="input.0.type"]').textContent).toContain('"message"');
  expect(at(form, '[data-path="extra"]').textContent).toContain('"a": 1');
  const content = at(form, '[data-path="input.0.content"] textarea');
  expect(content.readOnly).toBe(true);
  expect(content.value).toContain("input_text");
  press(form, "Remove: extra");
  expect(form.value).toEqual({ ...LABELLED, input });
});

test("a list that is no list is left as it is", () => {
  const form = formOf("LabelModel", { ...LABELLED, labels: "good" });
  expect(form.value["labels"]).toBe("good");
  expect(form.querySelector('[data-path="labels"] .json-field')).not.toBeNull();
});

test("headers are lines of a name and a value", () => {
  const form = formOf("Endpoint", HEADERS);
  const inputs = [...form.querySelectorAll<HTMLInputElement>('[data-path="headers"] input')];
  expect(inputs.map(({ value }) => value)).toEqual(["X-One", "1", "X-Two", "a, b"]);
  type(inputs[1] as HTMLInputElement, "2");
  expect(form.value["headers"]).toEqual({ "X-One": "2", "X-Two": "a, b" });
  press(form, "Remove: X-One");
  expect(form.value["headers"]).toEqual({ "X-Two": "a, b" });
});

test("the same name twice is refused with a sentence, and loses nothing", () => {
  const form = formOf("Endpoint", HEADERS);
  press(form, "Add: Headers");
  const [name, text] = [...form.querySelectorAll<HTMLInputElement>(".map-lines li:last-child input")];
  type(name as HTMLInputElement, "X-One");
  type(text as HTMLInputElement, "other");
  expect(form.value["headers"]).toEqual(HEADERS.headers);
  expect(at(form, '[data-path="headers"] > .help').textContent).toContain("“X-One” stands here twice.");
  expect(name?.getAttribute("aria-invalid")).toBe("true");
  type(name as HTMLInputElement, "X-Three");
  expect(form.value["headers"]).toEqual({ ...HEADERS.headers, "X-Three": "other" });
});

test("a header that is no text stays what it is while others are typed", () => {
  const form = formOf("Endpoint", { ...HEADERS, headers: { A: 1, B: "x" } });
  type(at(form, ".map-lines li:last-child input:nth-of-type(2)"), "y");
  expect(form.value["headers"]).toEqual({ A: 1, B: "y" });
});

test("a range is two numbers", () => {
  const form = formOf("ScoreModel", { type: "score_model", model: "judge", input: [], range: [0, 1] });
  type(at(form, 'input[aria-label="to"]'), "10");
  expect(form.value["range"]).toEqual([0, 10]);
  type(at(form, 'input[aria-label="from"]'), "low");
  expect(form.value["range"]).toEqual(["low", 10]);
  expect(at(form, '[data-path="range"] > .help').textContent).toBe("This must be a number.");
});

test("three backticks in a line of help are no code", () => {
  const form = formOf("JsonSchema", { type: "json_schema", json_schema: {} });
  expect(at(form, '[data-path="find"] > .help').textContent).toContain("in the last ``` block");
});

async function editorIn(form: SchemaForm): Promise<EditorView> {
  const found = await vi.waitFor(() => at<HTMLElement>(form, ".json-field .cm-editor"));
  return EditorView.findFromDOM(found) as EditorView;
}

function write(editor: EditorView, text: string): void {
  editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
}

test("JSON inside a form stays as it was until what is typed is JSON again", async () => {
  const form = formOf("JsonSchema", { type: "json_schema", json_schema: { type: "object" } });
  const editor = await editorIn(form);
  write(editor, '{"type": "arr');
  expect(form.value["json_schema"]).toEqual({ type: "object" });
  expect(at(form, '[data-path="json_schema"] > .help').textContent).toBe("This is not JSON yet.");
  form.value = { ...form.value, find: "fenced" };
  expect(editor.state.doc.toString()).toBe('{"type": "arr');
  write(editor, '{"type": "array"}');
  expect(form.value["json_schema"]).toEqual({ type: "array" });
  expect(at(form, '[data-path="json_schema"] > .help').textContent).toContain("What it must fit.");
});

test("a number's help tells its bounds", () => {
  const form = formOf("CodeTests", { type: "code_tests" });
  expect(at(form, '[data-path="timeout_s"] > .help').textContent).toContain(" · > 0, ≤ 60");
  expect(at(form, '[data-path="memory_mb"] > .help').textContent).toContain(" · 64 – 16,384");
});

test("a choice called none is told from no choice", () => {
  const form = formOf("LabelModel", { ...LABELLED, sampling_params: {} });
  const options = [...at<HTMLSelectElement>(form, '[data-path="sampling_params.reasoning_effort"] select').options];
  expect(options.slice(0, 2).map(({ text, value }) => [text, value])).toEqual([["not set", ""], ["none", "none"]]);
});
