/** One of several, and on or off. */

import { h } from "../dom";
import type { Emit, Widget } from "../field";
import type { Json } from "../path";
import type { Field, Node } from "../schema";
import { textOf } from "./text";

export function choiceWidget(field: Field, node: Node & { kind: "choice" }, id: string, emit: Emit): Widget {
  const options = node.options.map((name) => h("option", { value: name }, field.presets?.[name]?.title ?? name));
  const select = h("select", { id, class: "input" }, ...options);
  // One of the choices may be called “none” itself.
  const nothing = node.options.includes("none") ? gettext("not set") : gettext("none");
  if (node.nullable) select.prepend(h("option", { value: "" }, nothing));
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
export function nameWidget(names: readonly string[], id: string, emit: Emit): Widget {
  const none = names.length > 0 ? gettext("Choose…") : gettext("There is none yet");
  const select = h("select", { id, class: "input" }, h("option", { value: "" }, none), ...names.map((name) => h("option", { value: name }, name)));
  select.addEventListener("change", () => emit(select.value, null));
  return { input: select, element: select, show: (value) => showChoice(select, value ?? "") };
}

export function switchWidget(id: string, emit: Emit): Widget {
  const input = h("input", { id, type: "checkbox", role: "switch", class: "switch" });
  input.addEventListener("change", () => emit(input.checked, null));
  return { input, element: input, show: (value) => void (input.checked = value === true) };
}
