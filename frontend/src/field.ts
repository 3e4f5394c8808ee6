/** The widget of one field: an input that shows JSON and gives JSON back. */

import { h } from "./dom";
import { number as shown } from "./format";
import type { Json } from "./path";
import { pretty } from "./path";
import type { Field, Node, NumberNode } from "./schema";

export interface Widget {
  /** What takes the focus and carries the label. */
  input: HTMLElement;
  element: HTMLElement;
  show(value: Json | undefined): void;
}

/** A value that was typed, and a sentence when it cannot be right. Undefined takes the key away. */
export type Emit = (value: Json | undefined, problem: string | null) => void;

/** What can stand in text fields of a format, where the page knows it: names of reward models, say. */
export type Known = Readonly<Record<string, readonly string[]>>;

export function makeWidget(field: Field, id: string, emit: Emit, known: Known = {}): Widget {
  const { node } = field;
  if (node.kind === "number") return numberWidget(field, node, id, emit);
  if (node.kind === "choice") return choiceWidget(field, node, id, emit);
  if (node.kind === "switch") return switchWidget(id, emit);
  if (node.kind === "text") {
    const names = known[node.format ?? ""];
    return names === undefined ? textWidget(field, node, id, emit) : nameWidget(names, id, emit);
  }
  if (node.kind === "list") return listWidget(node, id, emit);
  return jsonWidget(id, emit);
}

function numberWidget(field: Field, node: NumberNode & { nullable: boolean }, id: string, emit: Emit): Widget {
  const input = h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", class: "input numeric" });
  input.placeholder = placeholderOf(field.fallback);
  input.addEventListener("input", () => {
    const typed = input.value.trim();
    if (typed === "") return emit(undefined, null);
    if (canBeTakenAway(node) && meansNone(typed)) return emit(null, null);
    const value = Number.isFinite(Number(typed)) ? Number(typed) : typed;
    emit(value, numberProblem(value, node));
  });
  const show = (value: Json | undefined): void => {
    if (value === null && field.fallback !== null) return showNone(input);
    showText(input, value === field.fallback ? undefined : value);
  };
  return { input, element: input, show };
}

/** Whether “none” can be typed into it: an empty field stands for what is set elsewhere, by a preset say. */
export function canBeTakenAway(node: Node): boolean {
  return node.kind === "number" && node.nullable;
}

/** In the page's language, or as it stands in Python and in JSON. */
function meansNone(typed: string): boolean {
  return [gettext("none"), "none", "null"].includes(typed.trim().toLowerCase());
}

function showNone(input: HTMLInputElement): void {
  if (!meansNone(input.value)) input.value = gettext("none");
}

function placeholderOf(fallback: Json | undefined): string {
  if (fallback === null) return gettext("none");
  return fallback === undefined ? "" : textOf(fallback);
}

/** Why a value cannot stand in a number field, or null. */
export function numberProblem(value: Json, node: NumberNode): string | null {
  if (typeof value !== "number") {
    if (value === node.keyword) return null;
    return node.keyword === null
      ? gettext("This must be a number.")
      : interpolate(gettext("This must be a number, or “%(keyword)s”."), { keyword: node.keyword }, true);
  }
  if (node.integer && !Number.isInteger(value)) return gettext("This must be a whole number.");
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node.bounds;
  if (minimum !== undefined && value < minimum) return bound(gettext("This must be %(n)s or more."), minimum);
  if (maximum !== undefined && value > maximum) return bound(gettext("This must be %(n)s or less."), maximum);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    return bound(gettext("This must be more than %(n)s."), exclusiveMinimum);
  }
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
    return bound(gettext("This must be less than %(n)s."), exclusiveMaximum);
  }
  return null;
}

function bound(sentence: string, n: number): string {
  return interpolate(sentence, { n: shown(n, 6) }, true);
}

function choiceWidget(field: Field, node: Node & { kind: "choice" }, id: string, emit: Emit): Widget {
  const options = node.options.map((name) => h("option", { value: name }, field.presets?.[name]?.title ?? name));
  const select = h("select", { id, class: "input" }, ...options);
  if (node.nullable) select.prepend(h("option", { value: "" }, gettext("none")));
  select.addEventListener("change", () => emit(select.value === "" && node.nullable ? null : select.value, null));
  return { input: select, element: select, show: (value) => showChoice(select, value ?? field.fallback ?? "") };
}

/** A value that is none of the options stays visible, marked by the server's error. */
function showChoice(select: HTMLSelectElement, value: Json): void {
  const wanted = textOf(value);
  select.querySelector("option[data-foreign]")?.remove();
  if (![...select.options].some((option) => option.value === wanted)) {
    select.append(h("option", { value: wanted, "data-foreign": true }, wanted));
  }
  select.value = wanted;
}

/** One of the things that the team has, by name. */
function nameWidget(names: readonly string[], id: string, emit: Emit): Widget {
  const none = names.length > 0 ? gettext("Choose…") : gettext("There is none yet");
  const select = h("select", { id, class: "input" }, h("option", { value: "" }, none), ...names.map((name) => h("option", { value: name }, name)));
  select.addEventListener("change", () => emit(select.value, null));
  return { input: select, element: select, show: (value) => showChoice(select, value ?? "") };
}

function switchWidget(id: string, emit: Emit): Widget {
  const input = h("input", { id, type: "checkbox", role: "switch", class: "switch" });
  input.addEventListener("change", () => emit(input.checked, null));
  return { input, element: input, show: (value) => void (input.checked = value === true) };
}

function textWidget(field: Field, node: Node & { kind: "text" }, id: string, emit: Emit): Widget {
  const wide = node.format === "template" || (node.maxLength ?? 0) > 1000;
  const input = wide
    ? h("textarea", { id, class: "input code", rows: node.format === "python" ? 6 : 1, spellcheck: "false" })
    : h("input", { id, type: "text", class: "input", autocomplete: "off" });
  if (node.nullable) input.placeholder = gettext("none");
  else if (typeof field.fallback === "string") input.placeholder = field.fallback;
  if (node.maxLength !== null && node.maxLength < 1000) input.maxLength = node.maxLength;
  input.addEventListener("input", () => emit(input.value === "" && !field.required ? undefined : input.value, null));
  return { input, element: input, show: (value) => showText(input, value === null ? "" : (value ?? templateOf(field))) };
}

/** A template's default is text to edit, other defaults are placeholders. */
function templateOf(field: Field): Json | undefined {
  const isTemplate = field.node.kind === "text" && field.node.format === "template";
  return isTemplate ? (field.fallback ?? undefined) : undefined;
}

function listWidget(node: Node & { kind: "list" }, id: string, emit: Emit): Widget {
  const input = h("input", { id, type: "text", class: "input code", autocomplete: "off", spellcheck: "false" });
  input.placeholder = node.keyword ?? gettext("names, separated by commas");
  input.addEventListener("input", () => {
    const typed = input.value.trim();
    if (typed === "") return emit(undefined, null);
    emit(typed === node.keyword ? typed : splitNames(typed), null);
  });
  return { input, element: input, show: (value) => showList(input, value) };
}

function splitNames(typed: string): string[] {
  return typed
    .split(/[,\s]+/)
    .map((name) => name.trim())
    .filter(Boolean);
}

/** Left alone while it already means the value: a comma that was just typed must not vanish. */
function showList(input: HTMLInputElement, value: Json | undefined): void {
  const wanted = Array.isArray(value) ? value.map(textOf) : null;
  if (wanted !== null && wanted.join(",") === splitNames(input.value).join(",")) return;
  showText(input, wanted === null ? value : wanted.join(", "));
}

function jsonWidget(id: string, emit: Emit): Widget {
  const input = h("textarea", { id, class: "input code", rows: 3, spellcheck: "false" });
  input.addEventListener("input", () => {
    if (input.value.trim() === "") return emit(undefined, null);
    try {
      emit(JSON.parse(input.value) as Json, null);
    } catch {
      emit(input.value, gettext("This is not JSON yet."));
    }
  });
  const show = (value: Json | undefined): void => {
    if (document.activeElement !== input) input.value = value === undefined || value === null ? "" : pretty(value);
  };
  return { input, element: input, show };
}

function showText(input: HTMLInputElement | HTMLTextAreaElement, value: Json | undefined): void {
  const wanted = value === undefined || value === null ? "" : textOf(value);
  const meansTheSame = document.activeElement === input && wanted !== "" && Number(input.value) === value;
  if (input.value !== wanted && !meansTheSame) input.value = wanted;
}

export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
