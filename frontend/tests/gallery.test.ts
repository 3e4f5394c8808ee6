import { beforeEach, expect, test } from "vitest";

import { graderGallery } from "../src/elements/grader-gallery";
import { groupsOf } from "../src/grader-groups";
import { variantsOf } from "../src/schema";
import { schemaOf } from "./schemas";

const SCHEMA = schemaOf("grader");
const KINDS = { variants: variantsOf(SCHEMA, SCHEMA.$defs ?? {}), definitions: SCHEMA.$defs ?? {} };

let chosen: string[] = [];

beforeEach(() => {
  chosen = [];
  document.body.replaceChildren(graderGallery(KINDS, (kind) => chosen.push(kind)));
});

function search(words: string): HTMLInputElement {
  const input = document.querySelector<HTMLInputElement>("input[type=search]") as HTMLInputElement;
  input.value = words;
  input.dispatchEvent(new Event("input"));
  return input;
}

function shown(): string[] {
  return [...document.querySelectorAll(".kind-card:not([hidden])")].map((card) => card.getAttribute("data-kind") ?? "");
}

function press(key: string): void {
  document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

test("every kind stands in a group of its own choice", () => {
  const groups = groupsOf(KINDS);
  expect(groups.flatMap(({ kinds }) => kinds).sort()).toEqual(Object.keys(KINDS.variants).sort());
  expect(groups.map(({ title }) => title)).not.toContain("Others");
  expect(groups[0]).toEqual({ title: "Text", kinds: ["string_check", "text_similarity", "regex"] });
});

test("a kind without a group stands last, among the others", () => {
  const groups = groupsOf({ ...KINDS, variants: { mine: { title: "Mine" }, ...KINDS.variants } });
  expect(groups.at(-1)).toEqual({ title: "Others", kinds: ["mine"] });
});

test("every card tells its title, its type and its promise", () => {
  for (const card of document.querySelectorAll(".kind-card")) {
    expect(card.querySelector("strong")?.textContent).not.toBe("");
    expect(card.querySelector("code")?.textContent).toBe(card.getAttribute("data-kind"));
    expect(card.querySelector(".help")?.textContent).not.toBe("");
  }
});

test.each([
  ["latex", ["math"]],
  ["label_mo", ["label_model"]],
  ["TOOL call", ["tool_call"]],
  ["judges and", ["score_model", "label_model", "rubric", "reward_model"]],
])("a search for “%s” leaves what has it in its name, its promise or its type", (words, kinds) => {
  search(words);
  expect(shown()).toEqual(kinds);
});

test("groups without a card are hidden", () => {
  search("latex");
  expect(document.querySelectorAll("section:not([hidden])")).toHaveLength(1);
});

test("a search that finds nothing says so, and Escape begins again", () => {
  const input = search("quantum");
  expect(document.querySelector('[role="status"]')?.textContent).toContain("“quantum”");
  input.focus();
  press("Escape");
  expect(input.value).toBe("");
  expect(shown()).toHaveLength(Object.keys(KINDS.variants).length);
});

test("Enter takes the first that was found", () => {
  search("latex").focus();
  press("Enter");
  expect(chosen).toEqual(["math"]);
});

test("Enter in an empty search takes nothing", () => {
  search("").focus();
  press("Enter");
  expect(chosen).toEqual([]);
});

test("arrows go from card to card, and a slash back to the search", () => {
  const input = search("");
  input.focus();
  press("ArrowDown");
  press("ArrowRight");
  expect(document.activeElement?.getAttribute("data-kind")).toBe("text_similarity");
  press("End");
  expect(document.activeElement?.getAttribute("data-kind")).toBe("multi");
  press("/");
  expect(document.activeElement).toBe(input);
});

test("one card is reached with Tab, the last that had the focus", () => {
  document.querySelector<HTMLElement>('[data-kind="regex"]')?.focus();
  const reached = [...document.querySelectorAll<HTMLElement>(".kind-card")].filter(({ tabIndex }) => tabIndex === 0);
  expect(reached.map((card) => card.getAttribute("data-kind"))).toEqual(["regex"]);
});
