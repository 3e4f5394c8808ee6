/** <schema-form>: a form drawn from a JSON Schema. Nothing about a field is written here. */

import { create, fill, h } from "../dom";
import type { Emit, Known, Widget } from "../field";
import { makeWidget } from "../field";
import { autoNote, boundsNote, keptNote, presetNote, sourceNote, withCode } from "../field-notes";
import { keepFocus } from "../focus";
import { formShape, isNested, unknownKeys } from "../form-shape";
import type { Json, JsonObject } from "../path";
import { getAt, isObject, moved, same, setAt, taken } from "../path";
import type { Problems } from "../problems";
import { placed, sentence, without } from "../problems";
import type { Definitions, Field, Node, RowsNode, Schema, UnionNode } from "../schema";
import { blank, follow, foreignField, isWide, newRow, readFields, rowField, withPreset } from "../schema";
import { drawRows } from "./rows";

export type { Problems } from "../problems";

interface Drawn {
  field: Field;
  path: string[];
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
  /** Columns that templates can read: may change at any time. */
  columns: readonly string[] = [];
  /** Whether the form is about a step of an answer, which has steps before it. */
  isStep = false;

  #schema: Schema = {};
  #definitions: Definitions = {};
  #fields: Field[] = [];
  #value: JsonObject = {};
  #drawn = new Map<string, Drawn>();
  #shape = "";
  #server: Problems = new Map();
  #placed: ReturnType<typeof placed> = new Map();
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
    this.#fields = readFields(this.#schema, definitions);
    this.#local.clear();
    this.#draw();
  }

  get value(): JsonObject {
    return this.#value;
  }

  set value(value: JsonObject) {
    // With fifty graders on a page a keystroke changes one of them.
    if (value === this.#value) return;
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
    this.#shape = formShape(this.#fields, this.#value, this.#definitions);
    this.classList.add("schema-form");
    keepFocus(() => {
      this.#drawn.clear();
      fill(this, ...this.#drawFields(this.#fields, []));
      this.#place();
      this.#refreshValues();
    });
  }

  #drawFields(all: Field[], path: string[]): HTMLElement[] {
    const fields = withPreset(all, (name) => getAt(this.#value, [...path, name]));
    const wanted = fields.filter((field) => field.node.kind !== "constant" && !(path.length === 0 && this.omit.includes(field.name)));
    const nested = wanted.filter((field) => isNested(field.node));
    const plain = wanted.filter((field) => !isNested(field.node)).sort((a, b) => Number(b.presets !== null) - Number(a.presets !== null));
    const levels = plain.some((field) => field.basic);
    const isSecondary = ({ name }: Field): boolean => path.length === 0 && this.secondary.includes(name);
    const isFirst = (field: Field): boolean => (field.basic || field.required || !levels) && !isSecondary(field);
    const first = plain.filter(isFirst);
    const rest = plain.filter((field) => !isFirst(field));
    const flat = nested.filter((field) => this.flat.includes(field.name)).flatMap((field) => this.#drawFlat(field, path));
    const sections = nested.filter((field) => !this.flat.includes(field.name)).map((field) => this.#drawNested(field, path));
    const foreign = unknownKeys(all, getAt(this.#value, path)).map(foreignField);
    return [...flat, ...this.#grid(first, path), ...this.#advanced(rest, path), ...sections, ...this.#grid(foreign, path)];
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
    const value = getAt(this.#value, path);
    if (field.node.kind !== "rows") return this.#drawWidget(field, path);
    if (value === undefined || value === null || Array.isArray(value)) return this.#drawRows(field, field.node, path, value ?? []);
    return this.#drawWidget({ ...field, node: { kind: "json", nullable: false } }, path);
  }

  #drawWidget(field: Field, path: string[]): HTMLElement {
    const id = this.#idOf(path);
    const emit: Emit = (value, problem) => this.#change(path, field, value, problem);
    return this.#frame(field, path, makeWidget(field, id, emit, this.known, () => this));
  }

  /** A widget with its label and the line under it. */
  #frame(field: Field, path: string[], widget: Widget): HTMLElement {
    const key = path.join(".");
    const id = this.#idOf(path);
    const help = h("p", { class: "help", id: `${id}-help` });
    const words = [field.title, field.required ? h("span", { class: "required", "aria-hidden": true }, "*") : null];
    const label = widget.isGroup ? h("span", { class: "label", id: `${id}-label`, title: key }, ...words) : h("label", { for: id, title: key }, ...words);
    const wide = widget.element instanceof HTMLTextAreaElement || isWide(field) ? " wide" : "";
    const kind = field.node.kind === "switch" ? " field-switch" : "";
    const row = h("div", { class: `field${wide}${kind}`, "data-path": key }, label, widget.element, help);
    const described = widget.isGroup ? row : widget.input;
    described.setAttribute("aria-describedby", help.id);
    if (widget.isGroup) {
      row.setAttribute("role", "group");
      row.setAttribute("aria-labelledby", label.id);
    } else if (field.required) widget.input.setAttribute("aria-required", "true");
    this.#drawn.set(key, { field, path, widget, row, help });
    return row;
  }

  #drawRows(field: Field, node: RowsNode, path: string[], items: Json[]): HTMLElement {
    const bodies = items.map((item, index) => this.#drawRow(rowField(field, node, index), [...path, String(index)], item));
    const id = this.#idOf(path);
    const change = (rows: Json[], focus: string): void => this.#changeRows(path, field, rows, focus);
    const { element, adder } = drawRows({
      id,
      title: field.title,
      bodies,
      isPlain: node.item.kind !== "object",
      most: node.most,
      add: () => change([...items, newRow(node)], `${id}.${items.length}`),
      remove: (index) => change(taken(items, index), `${id}.${Math.min(index, items.length - 2)}-remove`),
      move: (index, to) => change(moved(items, index, to), `${id}.${to}`),
    });
    return this.#frame(field, path, { input: adder, element, isGroup: true, show: () => undefined });
  }

  #drawRow(field: Field, path: string[], item: Json): HTMLElement[] {
    if (field.node.kind !== "object") return [this.#drawWidget(field, path)];
    if (isObject(item)) return this.#drawFields(field.node.fields, path);
    return [this.#drawWidget({ ...field, node: { kind: "json", nullable: false } }, path)];
  }

  #drawNested(field: Field, path: string[]): HTMLElement {
    const inner = [...path, field.name];
    const value = getAt(this.#value, inner);
    const isOn = !field.node.nullable || isObject(value);
    const head = h("div", { class: "section-head" }, h("h3", {}, field.title), field.help ? h("p", { class: "help" }, field.help) : null);
    if (field.node.nullable) head.prepend(this.#toggle(field, inner, isOn));
    const body = isOn ? this.#drawInner(field.node, inner, value) : [];
    return h("section", { class: "field-section", "data-path": inner.join(".") }, head, ...body);
  }

  #toggle(field: Field, path: string[], isOn: boolean): HTMLInputElement {
    const id = this.#idOf(path);
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
    const id = this.#idOf([...path, node.property]);
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
    this.#server = without(this.#server, key);
    this.#placed.delete(key);
    const drawn = this.#drawn.get(key);
    if (this.#shape !== formShape(this.#fields, this.#value, this.#definitions)) this.#draw();
    else if (drawn !== undefined) this.#showState(key, drawn);
    this.#emit();
  }

  /** Entries came, went or moved: what was said about one of them may stand at another now. */
  #changeRows(path: string[], field: Field, rows: Json[], focus: string): void {
    const key = path.join(".");
    const isNone = rows.length === 0 && !field.required;
    const value = isNone ? (field.node.nullable && !this.sparse ? null : undefined) : rows;
    const control = /-(up|down)$/.exec(document.activeElement?.id ?? "")?.[0];
    this.#value = setAt(this.#value, path, value) as JsonObject;
    this.#local = without(this.#local, key);
    this.#server = without(this.#server, key);
    this.#draw();
    this.#focusRow(focus, control ?? "", key);
    this.#emit();
  }

  /** The same button of the entry that moved; without one its first input; without entries the button that adds. */
  #focusRow(id: string, control: string, key: string): void {
    const button = document.getElementById(`${id}${control}`);
    const isThere = button !== null && !(button instanceof HTMLButtonElement && button.disabled);
    const card = document.getElementById(`${id}-remove`)?.closest(".row-card");
    const first = card?.querySelector<HTMLElement>("textarea.input, input.input, select.input");
    (isThere ? button : (first ?? this.#drawn.get(key)?.widget.input))?.focus();
  }

  #emit(): void {
    this.dispatchEvent(new CustomEvent("change", { detail: this.#value, bubbles: false }));
  }

  #refresh(): void {
    if (this.#shape === formShape(this.#fields, this.#value, this.#definitions)) this.#refreshValues();
    else this.#draw();
  }

  #refreshValues(): void {
    for (const [path, drawn] of this.#drawn) {
      const value = getAt(this.#value, drawn.path);
      drawn.widget.show(value === undefined && drawn.field.node.kind === "switch" ? drawn.field.fallback : value);
      this.#showState(path, drawn);
    }
  }

  #place(): void {
    this.#placed = placed(this.#server, (path) => this.#drawn.has(path));
  }

  #showProblems(): void {
    this.#place();
    for (const [path, drawn] of this.#drawn) this.#showState(path, drawn);
  }

  /** Under a field stands its problem or, when there is none, its line of help and its default. */
  #showState(key: string, { field, path, widget, row, help }: Drawn): void {
    const inner = this.#placed.get(key);
    const problem = this.#local.get(key) ?? sentence(inner);
    widget.mark?.(inner ?? new Map());
    const value = getAt(this.#value, path);
    const changed = value !== undefined && field.fallback !== undefined && !same(value, field.fallback);
    row.classList.toggle("has-error", problem !== undefined);
    row.classList.toggle("is-changed", changed && this.sparse);
    if (!widget.isGroup) widget.input.setAttribute("aria-invalid", String(problem !== undefined));
    if (problem !== undefined) row.closest("details")?.setAttribute("open", "");
    if (problem !== undefined) return void fill(help, problem);
    fill(help, ...withCode(field.help), boundsNote(field), this.#note(path, field, value, changed));
  }

  #note(path: string[], field: Field, value: Json | undefined, changed: boolean): HTMLElement | null {
    if (field.node.kind === "text" && typeof value === "object" && value !== null) return keptNote();
    if (!this.sparse) return null;
    const auto = autoNote(field, value, getAt(this.#resolved, path));
    if (auto !== null) return auto;
    const preset = typeof value === "string" ? field.presets?.[value] : undefined;
    if (preset === undefined) return sourceNote(field, changed);
    const beside = path.slice(0, -1);
    return presetNote(preset, (name) => this.#drawn.get([...beside, name].join("."))?.field.title ?? name);
  }

  #idOf(path: string[]): string {
    return `${this.id || "form"}-${path.join(".")}`;
  }
}

customElements.define("schema-form", SchemaForm);

export function schemaForm(id: string): SchemaForm {
  const form = create<SchemaForm>("schema-form");
  form.id = id;
  return form;
}
