/** <grader-form>: a grader as nested cards, one schema form a grader. */

import Sortable from "sortablejs";

import { create, fill, h } from "../dom";
import type { Known } from "../field";
import * as edits from "../grader-edits";
import { groupsOf } from "../grader-groups";
import type { Json, JsonObject } from "../path";
import { getAt, isObject, pretty, setAt } from "../path";
import type { Schema } from "../schema";
import { follow, variantsOf } from "../schema";
import type { FormulaField } from "./grader-formula";
import { formulaField } from "./grader-formula";
import { graderGallery } from "./grader-gallery";
import { partHead } from "./grader-head";
import type { Problems, SchemaForm } from "./schema-form";
import { schemaForm } from "./schema-form";

// Between the keys of a path: no name that JSON can hold is likely to contain it.
const SEAM = "\u001f";
// What a card shows by other means than its form.
const APART = ["type", "graders", "calculate_output", "disabled"];
// A document with more parts than this opens folded: a list to find one's way in.
const MOST_OPEN = 6;
const APART_BY_KIND: Record<string, readonly string[]> = { steps: ["type", "grader"] };

export function readKinds(schema: Schema): edits.Kinds {
  const definitions = schema.$defs ?? {};
  return { variants: variantsOf(schema, definitions), definitions };
}

/** How a kind is called on the page: its schema's title. */
export function kindTitle(kind: string, kinds: edits.Kinds): string {
  return kinds.variants[kind]?.title ?? kind;
}

export interface GraderChange {
  grader: Json;
  place: string;
}

export class GraderForm extends HTMLElement {
  /** What the page knows can stand in text fields, by their format. Set before the kinds. */
  known: Known = {};

  #columns: readonly string[] = [];

  #kinds: edits.Kinds = { variants: {}, definitions: {} };
  #value: Json = null;
  #problems: Problems = new Map();
  #forms = new Map<string, SchemaForm>();
  #formulas = new Map<string, FormulaField>();
  #sortables: Sortable[] = [];
  /** Cards that are folded, by path. */
  #folded = new Set<string>();
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

  /** Columns that templates can read, for completion. */
  set columns(columns: readonly string[]) {
    this.#columns = columns;
    for (const form of this.#forms.values()) form.columns = columns;
  }

  get value(): Json {
    return this.#value;
  }

  set value(value: Json) {
    this.#foldMany(value);
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
    for (const sortable of this.#sortables.splice(0)) sortable.destroy();
    this.#shape = shapeOf(this.#value);
    fill(this, this.#value === null ? graderGallery(this.#kinds, (kind) => this.#set(edits.newGrader(kind, this.#kinds))) : this.#node([]));
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
      // What was not touched is the same object as before: a letter redraws one form, not fifty.
      if (isObject(value) && form.value !== value) form.value = value;
    }
    for (const [key, field] of this.#formulas) {
      const formula = getAt(this.#value, [...keyed(key), "calculate_output"]);
      field.show(typeof formula === "string" ? formula : "");
    }
  }

  /** Many parts that come at once, from a file or a paste, come folded. */
  #foldMany(value: Json): void {
    const paths = partPaths(value, []);
    if (paths.length <= Math.max(MOST_OPEN, partPaths(this.#value, []).length + 1)) return;
    for (const path of paths) this.#folded.add(path.join(SEAM));
  }

  /** `place` names the field that is being typed into, so that its letters are one step to undo. */
  #set(value: Json, place = ""): void {
    this.#value = value;
    this.#problems = new Map();
    this.#refresh();
    this.dispatchEvent(new CustomEvent<GraderChange>("change", { detail: { grader: value, place } }));
  }

  #node(path: string[]): HTMLElement {
    const grader = getAt(this.#value, path);
    const kind = String(getAt(grader, ["type"]) ?? "");
    const isOff = isPartPath(path) && edits.disabledIn(getAt(this.#value, splitPart(path)[0])).includes(splitPart(path)[1]);
    const isFolded = this.#folded.has(path.join(SEAM));
    const card = h("article", { class: `grader${isOff ? " off" : ""}${isFolded ? " folded" : ""}`, "data-path": path.join(".") }, this.#head(path, kind), h("p", { class: "grader-errors" }));
    if (!isFolded) card.append(...this.#inside(path, kind, grader));
    return card;
  }

  #inside(path: string[], kind: string, grader: Json | undefined): HTMLElement[] {
    const body = !isObject(grader) || !(kind in this.#kinds.variants) ? this.#foreign(grader) : this.#fields(path, kind);
    const parts = kind === "multi" ? [this.#parts(path), this.#formula(path)] : kind === "steps" ? [this.#inner(path)] : [];
    return [...parts, body];
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
    const select = this.#kindSelect(path, kind);
    if (!isPartPath(path)) return h("header", { class: "grader-head" }, select, this.#wrapButton(path, kind));
    const [multi, name] = splitPart(path);
    const key = path.join(SEAM);
    const fold = (): void => {
      if (!this.#folded.delete(key)) this.#folded.add(key);
      this.#draw();
    };
    const part = { root: () => this.#value, multi, name, isFolded: this.#folded.has(key), id: (what: string) => idOf(path, what) };
    return partHead(part, select, (value) => this.#set(value), fold);
  }

  #kindSelect(path: string[], kind: string): HTMLElement {
    const option = (name: string): HTMLElement => h("option", { value: name, selected: name === kind }, kindTitle(name, this.#kinds));
    const select = h("select", { class: "input small", id: idOf(path, "kind"), "aria-label": gettext("Kind") });
    select.append(...groupsOf(this.#kinds).map(({ title, kinds }) => h("optgroup", { label: title }, ...kinds.map(option))));
    if (!(kind in this.#kinds.variants)) select.append(option(kind));
    select.addEventListener("change", () => this.#set(edits.changeKind(this.#value, path, select.value, this.#kinds)));
    return select;
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
    form.secondary = ["name", "pass_threshold", "invalid_grade"];
    form.known = this.known;
    form.columns = this.#columns;
    form.isStep = isInSteps(path);
    form.setSchema(this.#kinds.variants[kind] as Schema, this.#kinds.definitions);
    form.addEventListener("change", (event) => this.#set(setAt(this.#value, path, (event as CustomEvent<JsonObject>).detail), document.activeElement?.id ?? ""));
    this.#forms.set(path.join(SEAM), form);
    return form;
  }

  #parts(path: string[]): HTMLElement {
    const names = Object.keys(edits.partsOf(getAt(this.#value, path)));
    const cards = names.map((name) => this.#node([...path, "graders", name]));
    const list = h("div", { class: "parts" }, ...cards);
    this.#sortables.push(
      Sortable.create(list, {
        handle: ".grip",
        forceFallback: true, // a button cannot be dragged by the browser itself everywhere
        animation: 120,
        onEnd: ({ oldIndex, newIndex }) => {
          const name = names[oldIndex ?? -1];
          if (name !== undefined && newIndex !== undefined && newIndex !== oldIndex) this.#set(edits.movePart(this.#value, path, name, newIndex));
        },
      }),
    );
    return h("div", { class: "parts-and-more" }, list, this.#adder(path, names.length === 0));
  }

  /** The gallery is drawn when somebody opens it: there may be many. */
  #adder(path: string[], open: boolean): HTMLElement {
    const add = (kind: string): void => this.#set(edits.addPart(this.#value, path, kind, this.#kinds));
    const adder = h("details", { class: "adder", open }, h("summary", { id: idOf(path, "add") }, gettext("Add a grader")));
    const draw = (): void => {
      if (adder.open && adder.childElementCount === 1) adder.append(graderGallery(this.#kinds, add));
    };
    adder.addEventListener("toggle", draw);
    draw();
    return adder;
  }

  /** The one grader of steps, or the choice of one. */
  #inner(path: string[]): HTMLElement {
    const place = [...path, "grader"];
    if (isObject(getAt(this.#value, place))) return h("div", { class: "parts" }, this.#node(place));
    const gallery = graderGallery(this.#kinds, (kind) => this.#set(setAt(this.#value, place, edits.newGrader(kind, this.#kinds))));
    return h("article", { class: "grader", "data-path": place.join(".") }, h("p", { class: "grader-errors" }), gallery);
  }

  #formula(path: string[]): HTMLElement {
    const about = follow(this.#kinds.variants["multi"] as Schema, this.#kinds.definitions).properties?.["calculate_output"];
    const multi = getAt(this.#value, path);
    const options = { id: idOf(path, "formula"), title: about?.title ?? "", help: about?.description ?? "", names: Object.keys(edits.partsOf(multi)), disabled: edits.disabledIn(multi) };
    const field = formulaField(options, (formula) => this.#set(setAt(this.#value, [...path, "calculate_output"], formula), `${path.join(SEAM)}formula`));
    field.element.dataset["path"] = [...path, "calculate_output"].join(".");
    this.#formulas.set(path.join(SEAM), field);
    return field.element;
  }

  /** Each message goes to the innermost grader that its path names. */
  #showProblems(): void {
    for (const [key, form] of this.#forms) form.problems = within(this.#problems, keyed(key));
    for (const card of this.querySelectorAll<HTMLElement>(".grader")) {
      const path = card.dataset["path"] ?? "";
      const message = this.#problems.get(path) ?? (card.classList.contains("folded") ? firstBelow(this.#problems, path) : undefined);
      fill(card.querySelector(".grader-errors") as HTMLElement, message ?? "");
    }
    for (const [key, field] of this.#formulas) {
      const path = keyed(key);
      const at = (name: string): string | undefined => this.#problems.get([...path, name].join("."));
      field.problem(at("calculate_output") ?? at("graders") ?? at("disabled"));
    }
  }
}

/** A folded card says the first thing that is wrong inside it. */
function firstBelow(problems: Problems, path: string): string | undefined {
  return [...problems].find(([place]) => place.startsWith(`${path}.`))?.[1];
}

function partPaths(grader: Json | undefined, path: string[]): string[][] {
  return Object.entries(edits.partsOf(grader)).flatMap(([name, part]) => {
    const inner = [...path, "graders", name];
    return [inner, ...partPaths(part, inner)];
  });
}

function isPartPath(path: readonly string[]): boolean {
  return path.length > 0 && !isOfSteps(path);
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

/** Whether what a path leads to sees a step of an answer rather than the whole. */
function isInSteps(path: readonly string[]): boolean {
  return path.some((key, at) => key === "grader" && isOfSteps(path.slice(0, at + 1)));
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
  const off = edits.disabledIn(value).join(",");
  return `${String(value["type"])}${off && `-${off}`}{${parts.map(([name, part]) => `${name}:${shapeOf(part)}`).join(",")}}`;
}

function within(problems: Problems, path: readonly string[]): Problems {
  const prefix = path.map((key) => `${key}.`).join("");
  const inner = [...problems].filter(([place]) => place.startsWith(prefix)).map(([place, text]) => [place.slice(prefix.length), text] as const);
  return new Map(inner);
}

customElements.define("grader-form", GraderForm);

export function graderForm(): GraderForm {
  return create<GraderForm>("grader-form");
}
