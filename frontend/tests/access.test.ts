import axe from "axe-core";
import { beforeEach, expect, test } from "vitest";

import { graderForm, readKinds } from "../src/elements/grader-form";
import { graderGallery } from "../src/elements/grader-gallery";
import { schemaForm } from "../src/elements/schema-form";
import { newGrader } from "../src/grader-edits";
import { schemaOf } from "./schemas";

const KINDS = readKinds(schemaOf("grader"));
const METHOD = schemaOf("method");
const METHODS = ["Full", "Lora", "Dpo", "Kto", "Grpo", "Ppo", "RewardModel"];

beforeEach(() => document.body.replaceChildren());

/** What axe finds, but for what needs a page around it or something that lays out and paints. */
async function faults(): Promise<string[]> {
  const off = ["color-contrast", "region", "page-has-heading-one", "landmark-one-main", "target-size"];
  const { violations } = await axe.run(document.body, { rules: Object.fromEntries(off.map((rule) => [rule, { enabled: false }])) });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

function section(...inner: HTMLElement[]): void {
  const [page, part] = ["h1", "h2"].map((tag) => document.createElement(tag));
  for (const heading of [page, part]) (heading as HTMLElement).textContent = "Title";
  document.body.append(page as HTMLElement, part as HTMLElement, ...inner);
}

test.each(Object.keys(KINDS.variants))("a form of %s can be used by those who do not see it", async (kind) => {
  const form = graderForm();
  section(form);
  form.kinds = KINDS;
  const value = newGrader(kind, KINDS);
  form.value = { ...value, ...(kind === "endpoint" ? { headers: { "X-One": "1" } } : {}), of_tomorrow: [1] };
  form.problems = new Map([["input", "not right"]]);
  expect(await faults()).toEqual([]);
});

test.each(METHODS)("the settings of %s can be used by those who do not see them", async (block) => {
  const form = schemaForm("settings");
  section(form);
  form.setSchema(METHOD.$defs?.[block] ?? {}, METHOD.$defs ?? {});
  expect(form.querySelectorAll("input").length).toBeGreaterThan(0);
  expect(await faults()).toEqual([]);
});

test("the gallery can be used by those who do not see it", async () => {
  section(graderGallery(KINDS, () => undefined));
  expect(await faults()).toEqual([]);
});

test("axe finds a field without a name", async () => {
  section(document.createElement("input"));
  expect((await faults()).join()).toContain("label");
});
