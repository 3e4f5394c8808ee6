/** <grader-form>: a grader as nested cards, one schema form a grader. */

import { create, fill, h, icon } from "../dom";
import type { Known } from "../field";
import * as edits from "../grader-edits";
import type { Json, JsonObject } from "../path";
import { getAt, isObject, pretty, setAt } from "../path";
import type { Schema } from "../schema";
import { follow, variantsOf } from "../schema";
import type { Problems, SchemaForm } from "./schema-form";
import { schemaForm } from "./schema-form";

const COPY = "M5.5 5.5v-3h8v8h-3 M2.5 5.5h8v8h-8z";
const REMOVE = "M3 4.5h10 M6 4.5v-2h4v2 M4.5 4.5l.6 9h5.8l.6-9";
// Between the keys of a path: no name that JSON can hold is likely to contain it.
const SEAM = "\u001f";
// What a card shows by other means than its form.
const APART = ["type", "graders", "calculate_output"];
const APART_BY_KIND: Record<string, readonly string[]> = { steps: ["type", "grader"] };

export function readKinds(schema: Schema): edits.Kinds {
  const definitions = schema.$defs ?? {};
  return { variants: variantsOf(schema, definitions), definitions };
}

/** How a kind is called on the page: its schema's title. */
export function kindTitle(kind: string, kinds: edits.Kinds): string {
  return kinds.variants[kind]?.title ?? kind;
}

export class GraderForm extends HTMLElement {
  /** What the page knows can stand in text fields, by their format. Set before the kinds. */
  known: Known = {};

  #kinds: edits.Kinds = { variants: {}, definitions: {} };
  #value: Json = null;
  #problems: Problems = new Map();
  #forms = new Map<string, SchemaForm>();
  #formulas = new Map<string, HTMLTextAreaElement>();
  #shape = "";

  constructor() {
    super();
    // What leaves this element as "change" is the whole grader, never one input's own event.
    this.addEventListener("change", (event) => {
      if (event.target !== this) event.stopImmediatePropagation();
    });
  }

  set kinds(kinds: edits.Kinds) {
    this.#kinds = kinds;
    this.#draw();
  }

  get value(): Json {
    return this.#value;
  }

  set value(value: Json) {
    this.#value = value;
    this.#refresh();
  }

  set problems(problems: Problems) {
    this.#problems = problems;
    this.#showProblems();
  }

  #draw(): void {
    const focused = document.activeElement?.id;
    this.#forms.clear();
    this.#formulas.clear();
    this.#shape = shapeOf(this.#value);
    fill(this, this.#value === null ? this.#gallery((kind) => this.#set(edits.newGrader(kind, this.#kinds))) : this.#node([]));
    this.#refreshValues();
    this.#showProblems();
    if (focused) document.getElementById(focused)?.focus();
  }

  #refresh(): void {
    if (this.#shape === shapeOf(this.#value) && this.childElementCount > 0) this.#refreshValues();
    else this.#draw();
  }

  #refreshValues(): void {
    for (const [key, form] of this.#forms) {
      const value = getAt(this.#value, keyed(key));
      if (isObject(value)) form.value = value;
    }
    for (const [key, area] of this.#formulas) {
      const formula = getAt(this.#value, [...keyed(key), "calculate_output"]);
      if (area.value !== formula) area.value = typeof formula === "string" ? formula : "";
    }
  }

  #set(value: Json): void {
    this.#value = value;
    this.#problems = new Map();
    this.#refresh();
    this.dispatchEvent(new CustomEvent("change", { detail: value }));
  }

  #node(path: string[]): HTMLElement {
    const grader = getAt(this.#value, path);
    const kind = String(getAt(grader, ["type"]) ?? "");
    const body = !isObject(grader) || !(kind in this.#kinds.variants) ? this.#foreign(grader) : this.#fields(path, kind);
    const parts = kind === "multi" ? [this.#parts(path), this.#formula(path)] : kind === "steps" ? [this.#inner(path)] : [];
    return h("article", { class: "grader", "data-path": path.join(".") }, this.#head(path, kind), h("p", { class: "grader-errors" }), ...parts, body);
  }

  /** A kind that has no form here is kept as it is and edited in the JSON. */
  #foreign(grader: Json | undefined): HTMLElement {
    return h(
      "div",
      { class: "foreign" },
      h("p", { class: "help" }, gettext("There is no form for this kind. It is kept as it is: edit it in the JSON.")),
      h("pre", { class: "code" }, pretty(grader ?? null)),
    );
  }

  #head(path: string[], kind: string): HTMLElement {
    const isPart = path.length > 0 && !isOfSteps(path);
    return h("header", { class: "grader-head" }, isPart ? this.#nameInput(path) : null, this.#kindSelect(path, kind), ...(isPart ? this.#partButtons(path) : [this.#wrapButton(path, kind)]));
  }

  #kindSelect(path: string[], kind: string): HTMLElement {
    const names = Object.keys(this.#kinds.variants);
    const all = names.includes(kind) ? names : [...names, kind];
    const select = h("select", { class: "input small", id: idOf(path, "kind"), "aria-label": gettext("Kind") });
    select.append(...all.map((name) => h("option", { value: name, selected: name === kind }, kindTitle(name, this.#kinds))));
    select.addEventListener("change", () => this.#set(edits.changeKind(this.#value, path, select.value, this.#kinds)));
    return select;
  }

  #nameInput(path: string[]): HTMLElement {
    const [multi, name] = splitPart(path);
    const input = h("input", { class: "input small code part-name", id: idOf(path, "name"), value: name, "aria-label": gettext("Name in the formula"), autocomplete: "off" });
    input.addEventListener("input", () => {
      const others = Object.keys(edits.partsOf(getAt(this.#value, multi))).filter((key) => key !== name);
      input.setCustomValidity(edits.nameProblem(input.value, others) ?? "");
    });
    input.addEventListener("change", () => {
      if (!input.reportValidity()) return;
      if (input.value !== name) this.#set(edits.renamePart(this.#value, multi, name, input.value));
    });
    return input;
  }

  #partButtons(path: string[]): HTMLElement[] {
    const [multi, name] = splitPart(path);
    const button = (label: string, drawing: string, work: () => Json): HTMLElement =>
      h("button", { type: "button", class: "button ghost small square", title: label, "aria-label": `${label}: ${name}`, onclick: () => this.#set(work()) }, icon(drawing));
    return [
      button(gettext("Duplicate"), COPY, () => edits.duplicatePart(this.#value, multi, name)),
      button(gettext("Remove"), REMOVE, () => edits.removePart(this.#value, multi, name)),
    ];
  }

  #wrapButton(path: string[], kind: string): HTMLElement | null {
    if (kind === "multi" || !("multi" in this.#kinds.variants)) return null;
    const label = gettext("Add another grader");
    return h("button", { type: "button", class: "button small", onclick: () => this.#set(edits.wrapInMulti(this.#value, path)) }, label);
  }

  #fields(path: string[], kind: string): HTMLElement {
    const form = schemaForm(idOf(path, "form"));
    const apart = APART_BY_KIND[kind] ?? APART;
    form.omit = path.length > 0 ? [...apart, "name"] : [...apart];
    form.secondary = ["name", "pass_threshold"];
    form.known = this.known;
    form.setSchema(this.#kinds.variants[kind] as Schema, this.#kinds.definitions);
    form.addEventListener("change", (event) => this.#set(setAt(this.#value, path, (event as CustomEvent<JsonObject>).detail)));
    this.#forms.set(path.join(SEAM), form);
    return form;
  }

  #parts(path: string[]): HTMLElement {
    const names = Object.keys(edits.partsOf(getAt(this.#value, path)));
    const cards = names.map((name) => this.#node([...path, "graders", name]));
    const gallery = this.#gallery((kind) => this.#set(edits.addPart(this.#value, path, kind, this.#kinds)));
    const adder = h("details", { class: "adder", open: names.length === 0 }, h("summary", { id: idOf(path, "add") }, gettext("Add a grader")), gallery);
    return h("div", { class: "parts" }, ...cards, adder);
  }

  /** The one grader of steps, or the choice of one. */
  #inner(path: string[]): HTMLElement {
    const place = [...path, "grader"];
    if (isObject(getAt(this.#value, place))) return h("div", { class: "parts" }, this.#node(place));
    const gallery = this.#gallery((kind) => this.#set(setAt(this.#value, place, edits.newGrader(kind, this.#kinds))));
    return h("article", { class: "grader", "data-path": place.join(".") }, h("p", { class: "grader-errors" }), gallery);
  }

  #formula(path: string[]): HTMLElement {
    const field = follow(this.#kinds.variants["multi"] as Schema, this.#kinds.definitions).properties?.["calculate_output"];
    const id = idOf(path, "formula");
    const area = h("textarea", { id, class: "input code", rows: 1, spellcheck: "false", "aria-describedby": `${id}-help` });
    area.addEventListener("input", () => this.#set(setAt(this.#value, [...path, "calculate_output"], area.value)));
    this.#formulas.set(path.join(SEAM), area);
    const names = Object.keys(edits.partsOf(getAt(this.#value, path)));
    const chips = names.map((name) => h("button", { type: "button", class: "chip code", onclick: () => insert(area, name) }, name));
    const help = h("p", { class: "help", id: `${id}-help` }, field?.description ?? "");
    return h("div", { class: "field wide formula", "data-path": [...path, "calculate_output"].join(".") }, h("label", { for: id }, field?.title ?? ""), h("div", { class: "chips" }, ...chips), area, help);
  }

  #gallery(choose: (kind: string) => void): HTMLElement {
    const cards = Object.entries(this.#kinds.variants).map(([kind, schema]) =>
      h(
        "button",
        { type: "button", class: "kind-card", "data-kind": kind, onclick: () => choose(kind) },
        h("strong", {}, kindTitle(kind, this.#kinds)),
        h("span", { class: "help" }, schema.description ?? ""),
      ),
    );
    return h("div", { class: "gallery" }, ...cards);
  }

  /** Each message goes to the innermost grader that its path names. */
  #showProblems(): void {
    for (const [key, form] of this.#forms) form.problems = within(this.#problems, keyed(key));
    for (const card of this.querySelectorAll<HTMLElement>(".grader")) {
      const message = this.#problems.get(card.dataset["path"] ?? "");
      fill(card.querySelector(".grader-errors") as HTMLElement, message ?? "");
    }
    for (const [key, area] of this.#formulas) this.#showFormula(keyed(key), area);
  }

  #showFormula(path: string[], area: HTMLTextAreaElement): void {
    const message = this.#problems.get([...path, "calculate_output"].join(".")) ?? this.#problems.get([...path, "graders"].join("."));
    const row = area.closest(".field") as HTMLElement;
    const help = row.querySelector(".help") as HTMLElement;
    help.dataset["help"] ??= help.textContent ?? "";
    row.classList.toggle("has-error", message !== undefined);
    area.setAttribute("aria-invalid", String(message !== undefined));
    fill(help, message ?? help.dataset["help"]);
  }
}

function keyed(key: string): string[] {
  return key === "" ? [] : key.split(SEAM);
}

/** Whether a path leads to the grader of steps: a part of a combination may be called “grader” or “graders” too. */
function isOfSteps(path: readonly string[]): boolean {
  for (let at = 0; at < path.length; at += path[at] === "grader" ? 1 : 2) {
    if (path[at] === "grader" && at === path.length - 1) return true;
  }
  return false;
}

function splitPart(path: readonly string[]): [string[], string] {
  return [path.slice(0, -2), path.at(-1) ?? ""];
}

function idOf(path: readonly string[], what: string): string {
  return `grader-${[...path, what].join("-")}`;
}

/** Which graders there are and of which kinds: while it stays, no card is drawn anew. */
function shapeOf(value: Json | undefined): string {
  if (!isObject(value)) return String(value);
  const parts = value["type"] === "multi" ? Object.entries(edits.partsOf(value)) : [];
  if (value["type"] === "steps") parts.push(["grader", value["grader"] ?? null]);
  return `${String(value["type"])}{${parts.map(([name, part]) => `${name}:${shapeOf(part)}`).join(",")}}`;
}

function within(problems: Problems, path: readonly string[]): Problems {
  const prefix = path.map((key) => `${key}.`).join("");
  const inner = [...problems].filter(([place]) => place.startsWith(prefix)).map(([place, text]) => [place.slice(prefix.length), text] as const);
  return new Map(inner);
}

function insert(area: HTMLTextAreaElement, name: string): void {
  area.setRangeText(name, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input"));
  area.focus();
}

customElements.define("grader-form", GraderForm);

export function graderForm(): GraderForm {
  return create<GraderForm>("grader-form");
}
