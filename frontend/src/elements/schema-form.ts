/** <schema-form>: a form drawn from a JSON Schema. Nothing about a field is written here. */

import { create, fill, h } from "../dom";
import type { Known, Widget } from "../field";
import { canBeTakenAway, makeWidget, textOf } from "../field";
import type { Json, JsonObject } from "../path";
import { getAt, isObject, same, setAt } from "../path";
import type { Definitions, Field, Node, Preset, Schema, UnionNode } from "../schema";
import { blank, follow, readFields, withPreset } from "../schema";

export type Problems = ReadonlyMap<string, string>;

interface Drawn {
  field: Field;
  widget: Widget;
  row: HTMLElement;
  help: HTMLElement;
}

export class SchemaForm extends HTMLElement {
  /** Leave a field out of the value while it stands at its default. */
  sparse = false;
  /** Names of fields that something else on the page takes care of. */
  omit: readonly string[] = [];
  /** Objects that are drawn as part of their parent. */
  flat: readonly string[] = [];
  /** Fields that few people need, whatever their level. */
  secondary: readonly string[] = [];

  /** What the page knows can stand in text fields, by their format. Set before the schema. */
  known: Known = {};

  #schema: Schema = {};
  #definitions: Definitions = {};
  #value: JsonObject = {};
  #drawn = new Map<string, Drawn>();
  #shape = "";
  #server: Problems = new Map();
  #local = new Map<string, string>();
  #resolved: Json | undefined;
  #opened = new Set<string>();

  constructor() {
    super();
    // What leaves this element as "change" is the whole value, never one input's own event.
    this.addEventListener("change", (event) => {
      if (event.target !== this) event.stopImmediatePropagation();
    });
  }

  setSchema(schema: Schema, definitions: Definitions): void {
    this.#schema = follow(schema, definitions);
    this.#definitions = definitions;
    this.#local.clear();
    this.#draw();
  }

  get value(): JsonObject {
    return this.#value;
  }

  set value(value: JsonObject) {
    this.#value = value;
    this.#local.clear();
    this.#refresh();
  }

  /** Messages under the fields, by dotted path inside this form. */
  set problems(problems: Problems) {
    this.#server = problems;
    this.#showProblems();
  }

  /** The same document with numbers where this one says “auto”: shown beside the field. */
  set resolved(resolved: Json | undefined) {
    this.#resolved = resolved;
    for (const [path, drawn] of this.#drawn) this.#showState(path, drawn);
  }

  /** What is wrong with what was typed, as the form itself can tell. */
  localProblem(path: string): string | undefined {
    return this.#local.get(path);
  }

  focusField(path: string): boolean {
    const drawn = this.#drawn.get(path);
    if (drawn === undefined) return false;
    drawn.row.closest("details")?.setAttribute("open", "");
    drawn.widget.input.focus();
    drawn.row.scrollIntoView({ block: "center" });
    return true;
  }

  #draw(): void {
    const focused = document.activeElement?.id;
    this.#drawn.clear();
    this.#shape = this.#shapeOf();
    this.classList.add("schema-form");
    fill(this, ...this.#drawFields(readFields(this.#schema, this.#definitions), []));
    this.#refreshValues();
    if (focused) document.getElementById(focused)?.focus();
  }

  #drawFields(all: Field[], path: string[]): HTMLElement[] {
    const fields = withPreset(all, (name) => getAt(this.#value, [...path, name]));
    const wanted = fields.filter((field) => field.node.kind !== "constant" && !(path.length === 0 && this.omit.includes(field.name)));
    const nested = wanted.filter((field) => isNested(field.node));
    const plain = wanted.filter((field) => !isNested(field.node)).sort((a, b) => Number(b.presets !== null) - Number(a.presets !== null));
    const levels = plain.some((field) => field.basic);
    const isFirst = (field: Field): boolean => (field.basic || !levels) && !this.secondary.includes(field.name);
    const first = plain.filter(isFirst);
    const rest = plain.filter((field) => !isFirst(field));
    const flat = nested.filter((field) => this.flat.includes(field.name)).flatMap((field) => this.#drawFlat(field, path));
    const sections = nested.filter((field) => !this.flat.includes(field.name)).map((field) => this.#drawNested(field, path));
    return [...flat, ...this.#grid(first, path), ...this.#advanced(rest, path), ...sections];
  }

  #drawFlat(field: Field, path: string[]): HTMLElement[] {
    return field.node.kind === "object" ? this.#drawFields(field.node.fields, [...path, field.name]) : [];
  }

  #grid(fields: Field[], path: string[]): HTMLElement[] {
    if (fields.length === 0) return [];
    return [h("div", { class: "field-grid" }, ...fields.map((field) => this.#drawField(field, [...path, field.name])))];
  }

  #advanced(fields: Field[], path: string[]): HTMLElement[] {
    if (fields.length === 0) return [];
    const key = path.join(".");
    const details = h(
      "details",
      { class: "advanced", open: this.#opened.has(key) },
      h("summary", {}, gettext("Advanced"), h("span", { class: "count" }, fields.length)),
      ...this.#grid(fields, path),
    );
    details.addEventListener("toggle", () => void (details.open ? this.#opened.add(key) : this.#opened.delete(key)));
    return [details];
  }

  #drawField(field: Field, path: string[]): HTMLElement {
    const key = path.join(".");
    const id = `${this.id || "form"}-${key}`;
    const widget = makeWidget(field, id, (value, problem) => this.#change(path, field, value, problem), this.known);
    const help = h("p", { class: "help", id: `${id}-help` });
    widget.input.setAttribute("aria-describedby", help.id);
    const label = h("label", { for: id, title: key }, field.title, field.required ? h("span", { class: "required" }, "*") : null);
    const wide = widget.element instanceof HTMLTextAreaElement || field.presets !== null ? " wide" : "";
    const kind = field.node.kind === "switch" ? " field-switch" : "";
    const row = h("div", { class: `field${wide}${kind}`, "data-path": key }, label, widget.element, help);
    this.#drawn.set(key, { field, widget, row, help });
    return row;
  }

  #drawNested(field: Field, path: string[]): HTMLElement {
    const inner = [...path, field.name];
    const value = getAt(this.#value, inner);
    const isOn = !field.node.nullable || isObject(value);
    const head = h("div", { class: "section-head" }, h("h4", {}, field.title), field.help ? h("p", { class: "help" }, field.help) : null);
    if (field.node.nullable) head.prepend(this.#toggle(field, inner, isOn));
    const body = isOn ? this.#drawInner(field.node, inner, value) : [];
    return h("section", { class: "field-section", "data-path": inner.join(".") }, head, ...body);
  }

  #toggle(field: Field, path: string[], isOn: boolean): HTMLInputElement {
    const id = `${this.id || "form"}-${path.join(".")}`;
    const input = h("input", { type: "checkbox", role: "switch", class: "switch", id, "aria-label": field.title });
    input.checked = isOn;
    input.addEventListener("change", () => {
      this.#change(path, field, input.checked ? {} : this.sparse ? undefined : null, null);
    });
    return input;
  }

  #drawInner(node: Node, path: string[], value: Json | undefined): HTMLElement[] {
    if (node.kind === "object") return this.#drawFields(node.fields, path);
    if (node.kind !== "union") return [];
    const chosen = String(getAt(value, [node.property]) ?? Object.keys(node.variants)[0]);
    const variant = node.variants[chosen];
    const fields = variant === undefined ? [] : readFields(variant, this.#definitions);
    return [this.#variantChoice(node, path, chosen), ...this.#drawFields(fields, path)];
  }

  #variantChoice(node: UnionNode, path: string[], chosen: string): HTMLElement {
    const id = `${this.id || "form"}-${[...path, node.property].join(".")}`;
    const names = Object.keys(node.variants).includes(chosen) ? Object.keys(node.variants) : [...Object.keys(node.variants), chosen];
    const options = names.map((name) => h("option", { value: name, selected: name === chosen }, node.variants[name]?.title ?? name));
    const select = h("select", { id, class: "input", "aria-label": gettext("Kind") }, ...options);
    select.addEventListener("change", () => {
      const variant = node.variants[select.value];
      if (variant === undefined) return;
      this.#value = setAt(this.#value, path, blank(variant, this.#definitions)) as JsonObject;
      this.#draw();
      this.#emit();
    });
    return select;
  }

  #change(path: string[], field: Field, value: Json | undefined, problem: string | null): void {
    const key = path.join(".");
    const drop = this.sparse && value !== undefined && field.fallback !== undefined && same(value, field.fallback);
    this.#value = setAt(this.#value, path, drop ? undefined : value) as JsonObject;
    if (problem === null) this.#local.delete(key);
    else this.#local.set(key, problem);
    this.#server = new Map([...this.#server].filter(([place]) => place !== key));
    const drawn = this.#drawn.get(key);
    if (this.#shape !== this.#shapeOf()) this.#draw();
    else if (drawn !== undefined) this.#showState(key, drawn);
    this.#emit();
  }

  #emit(): void {
    this.dispatchEvent(new CustomEvent("change", { detail: this.#value, bubbles: false }));
  }

  #refresh(): void {
    if (this.#shape === this.#shapeOf()) this.#refreshValues();
    else this.#draw();
  }

  #refreshValues(): void {
    for (const [path, drawn] of this.#drawn) {
      const value = getAt(this.#value, path.split("."));
      drawn.widget.show(value === undefined && drawn.field.node.kind === "switch" ? drawn.field.fallback : value);
      this.#showState(path, drawn);
    }
  }

  #showProblems(): void {
    for (const [path, drawn] of this.#drawn) this.#showState(path, drawn);
  }

  /** Under a field stands its problem or, when there is none, its line of help and its default. */
  #showState(path: string, { field, widget, row, help }: Drawn): void {
    const problem = this.#local.get(path) ?? this.#server.get(path);
    const value = getAt(this.#value, path.split("."));
    const changed = value !== undefined && field.fallback !== undefined && !same(value, field.fallback);
    row.classList.toggle("has-error", problem !== undefined);
    row.classList.toggle("is-changed", changed && this.sparse);
    widget.input.setAttribute("aria-invalid", String(problem !== undefined));
    if (problem !== undefined) row.closest("details")?.setAttribute("open", "");
    fill(help, ...(problem === undefined ? withCode(field.help) : [problem]), problem === undefined ? this.#note(path, field, value, changed) : null);
  }

  #note(path: string, field: Field, value: Json | undefined, changed: boolean): HTMLElement | null {
    if (!this.sparse) return null;
    const found = getAt(this.#resolved, path.split("."));
    const isAuto = (value ?? field.fallback) === "auto";
    if (isAuto && found !== undefined && found !== null && found !== "auto") {
      return h("span", { class: "note numeric" }, interpolate(gettext("auto is %(value)s"), { value: typeof found === "number" ? number(found) : textOf(found) }, true));
    }
    if (field.presets !== null && typeof value === "string") return this.#presetNote(path, field.presets[value]);
    if (!changed) return field.preset === null ? null : note(setBy(field.preset, field));
    const text = field.fallback === null ? gettext("none") : textOf(field.fallback as Json);
    return note(interpolate(gettext("%(source)s: %(value)s"), { source: field.preset ?? gettext("recommended"), value: text }, true));
  }

  /** What a preset is, and what it sets, by the titles of the fields. */
  #presetNote(path: string, preset: Preset | undefined): HTMLElement | null {
    if (preset === undefined) return null;
    const beside = path.split(".").slice(0, -1);
    const told = Object.entries(preset.sets).map(([name, value]) => `${this.#drawn.get([...beside, name].join("."))?.field.title ?? name} ${textOf(value)}`);
    const sets = told.length > 0 ? interpolate(gettext("sets %(settings)s"), { settings: told.join(" · ") }, true) : gettext("changes nothing");
    return h("span", {}, note(preset.description), note(sets));
  }

  /** What decides which fields there are: kinds chosen and optional parts switched on. */
  #shapeOf(): string {
    const found: string[] = [];
    const walk = (fields: Field[], path: string[]): void => {
      for (const { name } of fields.filter(({ presets }) => presets !== null)) found.push(`${name}=${String(getAt(this.#value, [...path, name]))}`);
      for (const field of fields.filter((each) => isNested(each.node))) {
        const inner = [...path, field.name];
        const value = getAt(this.#value, inner);
        if (field.node.nullable) found.push(`${inner.join(".")}:${isObject(value)}`);
        if (field.node.kind === "union") found.push(`${inner.join(".")}=${String(getAt(value, [field.node.property]))}`);
        if (field.node.kind === "object") walk(field.node.fields, inner);
      }
    };
    walk(readFields(this.#schema, this.#definitions), []);
    return found.join();
  }
}

/** What stands between backticks in a docstring is code. */
function withCode(text: string): (string | HTMLElement)[] {
  return text.split("`").map((part, index) => (index % 2 === 1 ? h("code", {}, part) : part));
}

/** Who set a value; and how to take it away, where the field can be empty. */
function setBy(preset: string, { node }: Field): string {
  if (!canBeTakenAway(node)) return interpolate(gettext("set by %(preset)s"), { preset }, true);
  return interpolate(gettext("set by %(preset)s; “%(none)s” takes it away"), { preset, none: gettext("none") }, true);
}

/** Four digits of a number that was computed, written as it would be typed. */
function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function note(text: string): HTMLElement {
  return h("span", { class: "note" }, text);
}

function isNested(node: Node): boolean {
  return node.kind === "object" || node.kind === "union";
}

customElements.define("schema-form", SchemaForm);

export function schemaForm(id: string): SchemaForm {
  const form = create<SchemaForm>("schema-form");
  form.id = id;
  return form;
}
