/** The settings of a conversation, the same for every model in it, and where its labels go. */

import { freshId, h } from "../dom";
import type { Kind } from "./labels";
import { chooseDestination, destination } from "./labels";
import type { Manner } from "./thread";

type Numeric = Exclude<keyof Manner, "system">;

interface Bounds {
  label: string;
  help: string;
  min: number;
  max: number;
  step: number;
  empty: string;
}

/** `datasets`: names that fit each kind of label. */
export function mannerForm(manner: Manner, datasets: Record<Kind, string[]>, changed: () => void, redirected: () => void): HTMLElement {
  const kinds: [Kind, string][] = [["preference", gettext("Votes go to")], ["rating", gettext("Thumbs go to")], ["edit", gettext("Corrections go to")]];
  const places = kinds.map(([kind, label]) => placeField(kind, label, datasets[kind], redirected));
  return h("div", { class: "manner" }, systemField(manner, changed), h("div", { class: "manner-row" }, ...mannerFields(manner, changed)), h("div", { class: "manner-row" }, ...places));
}

/** The numbers alone. */
export function mannerFields(manner: Manner, changed: () => void): HTMLElement[] {
  const numbers: Record<Numeric, Bounds> = {
    temperature: { label: gettext("Temperature"), help: gettext("0 always takes the likeliest token."), min: 0, max: 2, step: 0.1, empty: "1" },
    top_p: { label: gettext("Top p"), help: gettext("Only the likeliest tokens that add up to this."), min: 0.01, max: 1, step: 0.01, empty: "1" },
    max_tokens: { label: gettext("Most tokens"), help: gettext("Empty: until the context is full."), min: 1, max: 1_000_000, step: 1, empty: gettext("no limit") },
    seed: { label: gettext("Seed"), help: gettext("The same seed gives the same answer."), min: 0, max: 2 ** 53, step: 1, empty: gettext("by chance") },
  };
  return (Object.keys(numbers) as Numeric[]).map((name) => numberField(manner, name, numbers[name], changed));
}

function systemField(manner: Manner, changed: () => void): HTMLElement {
  const id = freshId("system");
  const area = h("textarea", { class: "input", id, rows: 2, maxlength: 400_000, placeholder: gettext("What every model is told before the first message") });
  area.value = manner.system;
  area.addEventListener("input", () => {
    manner.system = area.value;
    changed();
  });
  return h("div", { class: "field" }, h("label", { for: id }, gettext("System prompt")), area);
}

function numberField(manner: Manner, name: Numeric, { label, help, min, max, step, empty }: Bounds, changed: () => void): HTMLElement {
  const id = freshId(name);
  const input = h("input", { class: "input", id, type: "number", min, max, step: step < 1 ? "any" : step, placeholder: empty, inputmode: "decimal", "aria-describedby": `${id}-help` });
  const value = manner[name];
  input.value = value === null ? "" : String(value);
  input.addEventListener("input", () => {
    const isRight = input.checkValidity();
    input.setAttribute("aria-invalid", String(!isRight));
    if (!isRight) return;
    if (name === "temperature" || name === "top_p") manner[name] = input.value === "" ? 1 : Number(input.value);
    else manner[name] = input.value === "" ? null : Number(input.value);
    changed();
  });
  return h("div", { class: "field" }, h("label", { for: id }, label), input, h("p", { class: "help", id: `${id}-help` }, help));
}

export function placeField(kind: Kind, label: string, datasets: string[], redirected: () => void): HTMLElement {
  const id = freshId("labels");
  const input = h("input", { class: "input", id, list: `${id}-known`, maxlength: 128, autocomplete: "off", pattern: "[^@/]+" });
  input.value = destination(kind);
  input.addEventListener("change", () => {
    if (!input.checkValidity()) return;
    chooseDestination(kind, input.value);
    input.value = destination(kind);
    redirected();
  });
  const known = h("datalist", { id: `${id}-known` }, ...datasets.map((name) => h("option", { value: name })));
  return h("div", { class: "field" }, h("label", { for: id }, label), input, known);
}
