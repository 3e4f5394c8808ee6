/** Choosing one of what the team has: a select with help, and the cards of the methods. */

import { fill, h } from "../dom";
import type { Json } from "../path";
import type { Schema } from "../schema";
import { variantsOf } from "../schema";

export interface Choice {
  value: string;
  label: string;
  /** A line that is shown while this one is chosen. */
  detail: string;
}

interface ChoiceOptions {
  id: string;
  label: string;
  help: string;
  choices: Choice[];
  /** What “nothing” is called; null when something has to be chosen. */
  empty: string | null;
}

export interface ChoiceField {
  element: HTMLElement;
  /** Other words for the same field. */
  say(words: Pick<ChoiceOptions, "label" | "help" | "empty">): void;
  /** Choices that do not fit, with the reason: they stand last, and cannot be chosen. */
  refuse(reasons: ReadonlyMap<string, string>, title: string): void;
  show(value: Json | undefined): void;
  problem(message: string | null): void;
  note(text: string | null): void;
}

export function choiceField(options: ChoiceOptions, choose: (value: string | undefined) => void): ChoiceField {
  const { id, choices } = options;
  let { help } = options;
  let unfit: ReadonlyMap<string, string> = new Map();
  const nothing = h("option", { value: "" }, options.empty ?? gettext("Choose…"));
  const select = h("select", { class: "input", id, "aria-describedby": `${id}-help` }, nothing);
  const known = choices.map(({ value, label: text }) => h("option", { value }, text));
  select.append(...known);
  const label = h("label", { for: id }, options.label);
  const line = h("p", { class: "help", id: `${id}-help` }, help);
  const element = h("div", { class: "field" }, label, select, line);
  let noted: string | null = null;
  const describe = (): void => {
    const chosen = choices.find(({ value }) => value === select.value);
    fill(line, noted ?? unfit.get(select.value) ?? (chosen?.detail || help));
  };
  select.addEventListener("change", () => choose(select.value || undefined));
  return {
    element,
    say: (words) => {
      help = words.help;
      fill(label, words.label);
      fill(nothing, words.empty ?? gettext("Choose…"));
      describe();
    },
    refuse: (reasons, title) => {
      unfit = reasons;
      const chosen = select.value;
      for (const option of known) option.disabled = reasons.has(option.value);
      const others = known.filter(({ disabled }) => disabled);
      select.querySelector("optgroup")?.remove();
      select.append(...known.filter(({ disabled }) => !disabled));
      if (others.length > 0) select.append(h("optgroup", { label: title }, ...others));
      select.value = chosen;
      describe();
    },
    show: (value) => {
      showIn(select, value);
      describe();
    },
    problem: (message) => {
      element.classList.toggle("has-error", message !== null);
      select.setAttribute("aria-invalid", String(message !== null));
      if (message === null) describe();
      else fill(line, message);
    },
    note: (text) => {
      noted = text;
      describe();
    },
  };
}

/** A value typed into the JSON that is none of the choices stays visible. */
function showIn(select: HTMLSelectElement, value: Json | undefined): void {
  const wanted = typeof value === "string" ? value : "";
  select.querySelector("option[data-foreign]")?.remove();
  if (![...select.options].some((option) => option.value === wanted)) {
    select.append(h("option", { value: wanted, "data-foreign": true }, wanted));
  }
  select.value = wanted;
}

export interface MethodCards {
  element: HTMLElement;
  show(method: string): void;
}

/** One card a method of the schema: nothing about a method is written here. */
export function methodCards(schema: Schema, choose: (method: string) => void): MethodCards {
  const methods = Object.entries(variantsOf(schema, schema.$defs ?? {}));
  const radios = methods.map(([name]) => {
    const radio = h("input", { type: "radio", name: "method", value: name, id: `method-${name}` });
    radio.addEventListener("change", () => choose(name));
    return radio;
  });
  const cards = methods.map(([name, variant], index) =>
    h("label", { class: "method-card", for: `method-${name}` }, radios[index], h("strong", {}, variant.title ?? name), h("span", { class: "help" }, variant.description ?? "")),
  );
  const element = h("fieldset", { class: "method-cards" }, h("legend", {}, gettext("Method")), ...cards);
  return { element, show: (method) => radios.forEach((radio) => void (radio.checked = radio.value === method)) };
}
