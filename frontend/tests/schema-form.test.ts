import { beforeEach, expect, test } from "vitest";

import type { SchemaForm } from "../src/elements/schema-form";
import { schemaForm } from "../src/elements/schema-form";
import type { JsonObject } from "../src/path";
import { everyObject, filled, schemaOf } from "./schemas";

beforeEach(() => document.body.replaceChildren());

function grpoForm(): SchemaForm {
  return formOf("Grpo");
}

function formOf(block: string): SchemaForm {
  const method = schemaOf("method");
  const form = schemaForm("settings");
  form.sparse = true;
  form.flat = ["hyperparameters"];
  form.omit = ["grader", "evaluator"];
  document.body.append(form);
  form.setSchema(method.$defs?.[block] ?? {}, method.$defs ?? {});
  return form;
}

function input(form: SchemaForm, path: string): HTMLInputElement {
  const found = form.querySelector<HTMLInputElement>(`[data-path="${path}"] > .input, [data-path="${path}"] > .switch`);
  if (found === null) throw new Error(path);
  return found;
}

function type(form: SchemaForm, path: string, text: string): void {
  const field = input(form, path);
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

test.each(everyObject())("a document of %s comes out of the form as it went in", (_, schema, definitions) => {
  const form = schemaForm("round");
  document.body.append(form);
  form.setSchema(schema, definitions);
  const document_ = filled(schema, definitions);
  form.value = document_;
  expect(form.value).toEqual(document_);
});

test.each(everyObject())("typing what a field of %s already shows changes nothing", (_, schema, definitions) => {
  const form = schemaForm("again");
  document.body.append(form);
  form.setSchema(schema, definitions);
  const before = filled(schema, definitions);
  form.value = before;
  for (const field of form.querySelectorAll<HTMLInputElement>("input.input, textarea.input")) {
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  for (const field of form.querySelectorAll<HTMLSelectElement>(".field > select")) field.dispatchEvent(new Event("change", { bubbles: true }));
  expect(form.value).toEqual(before);
});

test("the form says nothing while everything is at its default", () => {
  const form = grpoForm();
  expect(form.value).toEqual({});
  expect(input(form, "hyperparameters.batch_size").placeholder).toBe("auto");
});

test("a typed number stands in the document, and its default takes it out again", () => {
  const form = grpoForm();
  type(form, "hyperparameters.num_generations", "16");
  expect(form.value).toEqual({ hyperparameters: { num_generations: 16 } });
  type(form, "hyperparameters.num_generations", "8");
  expect(form.value).toEqual({ hyperparameters: {} });
});

test("text in a number field is kept, and the field says what is wrong", () => {
  const form = grpoForm();
  type(form, "hyperparameters.batch_size", "many");
  expect(form.value).toEqual({ hyperparameters: { batch_size: "many" } });
  const row = form.querySelector('[data-path="hyperparameters.batch_size"]');
  expect(row?.textContent).toContain("This must be a number, or “auto”.");
  expect(input(form, "hyperparameters.batch_size").getAttribute("aria-invalid")).toBe("true");
});

test("a number outside its bounds is named with the bound", () => {
  const form = grpoForm();
  type(form, "hyperparameters.temperature", "3");
  expect(form.querySelector('[data-path="hyperparameters.temperature"]')?.textContent).toContain("2 or less");
});

test("basic fields come first and the rest stands under Advanced", () => {
  const form = grpoForm();
  expect(input(form, "hyperparameters.n_epochs").closest("details")).toBeNull();
  expect(input(form, "hyperparameters.weight_decay").closest("details")).not.toBeNull();
});

test("an optional part is switched on and off", () => {
  const form = grpoForm();
  const toggle = form.querySelector<HTMLInputElement>("#settings-lora");
  toggle?.click();
  expect(form.value).toEqual({ lora: {} });
  type(form, "lora.rank", "4");
  expect(form.value).toEqual({ lora: { rank: 4 } });
  form.querySelector<HTMLInputElement>("#settings-lora")?.click();
  expect(form.value).toEqual({});
});

test("a server's error lies under its field, and opens the part that hides it", () => {
  const form = grpoForm();
  form.problems = new Map([["hyperparameters.weight_decay", "Input should be less than 1"]]);
  const row = form.querySelector('[data-path="hyperparameters.weight_decay"]');
  expect(row?.textContent).toContain("Input should be less than 1");
  expect(row?.closest("details")?.hasAttribute("open")).toBe(true);
});

test("a field at auto shows the number that it will be", () => {
  const form = grpoForm();
  form.resolved = { hyperparameters: { batch_size: 16 } } as JsonObject;
  expect(form.querySelector('[data-path="hyperparameters.batch_size"]')?.textContent).toContain("auto is 16");
});

test.each([
  [1.2649842271293374, "auto is 1.265"],
  [0.00003, "auto is 0.00003"],
])("a number that was computed is not told to its last digit: %s", (found, told) => {
  const form = grpoForm();
  form.resolved = { hyperparameters: { learning_rate: found } };
  expect(said(form, "hyperparameters.learning_rate")).toContain(told);
});

test("keys that the form does not know are kept", () => {
  const form = grpoForm();
  form.value = { hyperparameters: { from_the_future: 1 } };
  type(form, "hyperparameters.n_epochs", "2");
  expect(form.value).toEqual({ hyperparameters: { from_the_future: 1, n_epochs: 2 } });
});

test("a listener hears the whole value and no input's own event", () => {
  const form = grpoForm();
  const heard: unknown[] = [];
  form.addEventListener("change", (event) => heard.push((event as CustomEvent).detail));
  const select = input(form, "hyperparameters.lr_scheduler");
  select.value = "cosine";
  select.dispatchEvent(new Event("change", { bubbles: true }));
  expect(heard).toEqual([{ hyperparameters: { lr_scheduler: "cosine" } }]);
});

test("names of layers are a list, and the one keyword is not", () => {
  const form = grpoForm();
  form.value = { lora: {} };
  type(form, "lora.targets", "q_proj, v_proj");
  expect(form.value).toEqual({ lora: { targets: ["q_proj", "v_proj"] } });
  type(form, "lora.targets", "all-linear");
  expect(form.value).toEqual({ lora: {} });
});

function choose(form: SchemaForm, path: string, value: string): void {
  const select = form.querySelector<HTMLSelectElement>(`[data-path="${path}"] > select`) as HTMLSelectElement;
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

function said(form: SchemaForm, path: string): string {
  return form.querySelector(`[data-path="${path}"] .help`)?.textContent ?? "";
}

test("a preset shows what it sets, and the document holds its name alone", () => {
  const form = grpoForm();
  choose(form, "hyperparameters.preset", "dapo");
  expect(form.value).toEqual({ hyperparameters: { preset: "dapo" } });
  expect(input(form, "hyperparameters.max_resamples").placeholder).toBe("3");
  expect(said(form, "hyperparameters.max_resamples")).toContain("set by DAPO");
  expect(said(form, "hyperparameters.preset")).toContain("Resample dull groups 3");
  choose(form, "hyperparameters.preset", "");
  expect(input(form, "hyperparameters.max_resamples").placeholder).toBe("0");
  expect(form.value).toEqual({ hyperparameters: {} });
});

test("presets go by the names of their papers, with a line that says what they are", () => {
  const form = grpoForm();
  const options = [...form.querySelectorAll<HTMLOptionElement>('[data-path="hyperparameters.preset"] option')];
  expect(options.map(({ text }) => text)).toEqual(["none", "GRPO with KL", "DAPO", "Dr. GRPO", "GSPO", "CISPO"]);
  choose(form, "hyperparameters.preset", "dr_grpo");
  expect(said(form, "hyperparameters.preset")).toContain("No division by length or spread");
});

test("a preset's value can be taken away", () => {
  const form = formOf("Ppo");
  choose(form, "hyperparameters.preset", "ppo_max");
  expect(input(form, "hyperparameters.reward_clip").placeholder).toBe("5");
  expect(said(form, "hyperparameters.reward_clip")).toContain("set by PPO-max; “none” takes it away");
  type(form, "hyperparameters.reward_clip", "none");
  expect(form.value).toEqual({ hyperparameters: { preset: "ppo_max", reward_clip: null } });
  expect(said(form, "hyperparameters.reward_clip")).toContain("PPO-max: 5");
  const again = formOf("Ppo");
  again.value = form.value;
  expect(input(again, "hyperparameters.reward_clip").value).toBe("none");
  type(form, "hyperparameters.reward_clip", "");
  expect(form.value).toEqual({ hyperparameters: { preset: "ppo_max" } });
});

test("“none” is no number where there has to be one", () => {
  const form = grpoForm();
  type(form, "hyperparameters.temperature", "none");
  expect(input(form, "hyperparameters.temperature").getAttribute("aria-invalid")).toBe("true");
});

test("what was set by hand stays under every preset", () => {
  const form = grpoForm();
  type(form, "hyperparameters.epsilon_high", "0.3");
  choose(form, "hyperparameters.preset", "cispo");
  expect(form.value).toEqual({ hyperparameters: { epsilon_high: 0.3, preset: "cispo" } });
  expect(said(form, "hyperparameters.epsilon_high")).toContain("CISPO: 5");
});

test("a preset can be overruled by the method's own default", () => {
  const form = grpoForm();
  choose(form, "hyperparameters.preset", "grpo");
  type(form, "hyperparameters.beta", "0");
  expect(form.value).toEqual({ hyperparameters: { preset: "grpo", beta: 0 } });
});

test("a preset in the JSON is shown as one that was chosen", () => {
  const form = grpoForm();
  form.value = { hyperparameters: { preset: "gspo" } };
  expect((input(form, "hyperparameters.importance_sampling") as unknown as HTMLSelectElement).value).toBe("sequence");
});

test.each([
  ["Dpo", true],
  ["Kto", true],
  ["RewardModel", true],
  ["Ppo", true],
  ["Full", false],
])("the adapter of %s can be switched on: %s", (block, canBe) => {
  expect(formOf(block).querySelector("#settings-lora") !== null).toBe(canBe);
});

test("all weights have no adapter to fill in, and an adapter's method always has one", () => {
  expect(formOf("Full").querySelector('[data-path^="lora"]')).toBeNull();
  expect(formOf("Lora").querySelector('[data-path="lora.rank"]')).not.toBeNull();
});
